/*
 * Conversion and unification on types alone. The rules are those of Terraform's type system (the cty
 * library's documented conversions): string is the supertype of primitives, tuples become lists and sets,
 * objects become maps, and structures unify part by part.
 */
#include <string.h>

#include "lang/convert_internal.h"

const struct type *convert_plain(const struct type *t)
{
        if (!t->has_optional) return type_ref(t);
        if (kind_is_collection(kind_of(t))) {
                cleanup(type_free) const struct type *element = convert_plain(t->element);
                return t->kind == TYPE_LIST  ? type_list(element)
                       : t->kind == TYPE_SET ? type_set(element)
                                             : type_map(element);
        }
        const struct type *plain = NULL;
        cleanup_free const struct type **parts = mem_alloc(t->count * sizeof *parts);
        cleanup_free struct type_attribute *attributes = mem_alloc(t->count * sizeof *attributes);
        for (size_t i = 0; i < t->count; i++) {
                parts[i] = convert_plain(t->kind == TYPE_TUPLE ? t->elements[i] : t->attributes[i].type);
                if (t->kind == TYPE_OBJECT)
                        attributes[i] = (struct type_attribute){t->attributes[i].name, parts[i], false, NULL};
        }
        plain = t->kind == TYPE_TUPLE ? type_tuple(parts, t->count) : type_object(attributes, t->count);
        for (size_t i = 0; i < t->count; i++) type_free(parts[i]);
        return plain;
}

static const struct type *collection(enum type_kind kind, const struct type *element)
{
        return kind == TYPE_LIST  ? type_list(element)
               : kind == TYPE_SET ? type_set(element)
                                  : type_map(element);
}

/* From a tuple or object to list(T), set(T), map(T): every part to T, and the results to one type. */
static const struct type *structure_to_collection(const struct type *from, const struct type *to, bool safe)
{
        if (from->count == 0) {
                cleanup(type_free) const struct type *element = convert_plain(to->element);
                return collection(kind_of(to), element);
        }
        cleanup_free const struct type **parts = mem_alloc(from->count * sizeof *parts);
        size_t made = 0;
        for (; made < from->count; made++) {
                const struct type *part = from->kind == TYPE_TUPLE ? from->elements[made]
                                                                   : from->attributes[made].type;
                parts[made] = convert_result(part, to->element, safe);
                if (parts[made] == NULL) break;
        }
        cleanup(type_free) const struct type *element = made == from->count ? type_unify(parts, from->count)
                                                                            : NULL;
        for (size_t i = 0; i < made; i++) type_free(parts[i]);
        return element ? collection(kind_of(to), element) : NULL;
}

static const struct type *to_collection(const struct type *from, const struct type *to, bool safe)
{
        bool to_map = to->kind == TYPE_MAP;
        if (from->kind == (to_map ? TYPE_OBJECT : TYPE_TUPLE)) return structure_to_collection(from, to, safe);
        if (to_map ? from->kind != TYPE_MAP : from->kind != TYPE_LIST && from->kind != TYPE_SET) return NULL;
        cleanup(type_free) const struct type *element = convert_result(from->element, to->element, safe);
        return element ? collection(kind_of(to), element) : NULL;
}

static const struct type *to_tuple(const struct type *from, const struct type *to, bool safe)
{
        if (from->kind != TYPE_TUPLE || from->count != to->count) return NULL;
        cleanup_free const struct type **parts = mem_alloc(to->count * sizeof *parts);
        size_t made = 0;
        while (made < to->count) {
                parts[made] = convert_result(from->elements[made], to->elements[made], safe);
                if (parts[made] == NULL) break;
                made++;
        }
        const struct type *result = made == to->count ? type_tuple(parts, made) : NULL;
        for (size_t i = 0; i < made; i++) type_free(parts[i]);
        return result;
}

/* What an attribute of the target becomes; NULL where it neither converts nor may be absent. */
static const struct type *attribute_result(
    const struct type *from, const struct type_attribute *to, bool safe)
{
        const struct type *part = NULL;
        if (from->kind == TYPE_MAP) {
                part = from->element;
        } else {
                const struct type_attribute *a = type_attribute(from, to->name);
                if (a == NULL) return to->optional ? convert_plain(to->type) : NULL;
                part = a->type;
        }
        return convert_result(part, to->type, safe);
}

static const struct type *to_object(const struct type *from, const struct type *to, bool safe)
{
        if (from->kind != TYPE_OBJECT && (from->kind != TYPE_MAP || safe)) return NULL;
        cleanup_free struct type_attribute *attributes = mem_alloc(to->count * sizeof *attributes);
        size_t made = 0;
        while (made < to->count) {
                const struct type *part = attribute_result(from, &to->attributes[made], safe);
                if (part == NULL) break;
                attributes[made] = (struct type_attribute){to->attributes[made].name, part, false, NULL};
                made++;
        }
        const struct type *result = made == to->count ? type_object(attributes, made) : NULL;
        for (size_t i = 0; i < made; i++) type_free(attributes[i].type);
        return result;
}

const struct type *convert_result(const struct type *from, const struct type *to, bool safe)
{
        if (to->kind == TYPE_DYNAMIC) return type_ref(from);
        if (from->kind == TYPE_DYNAMIC) return convert_plain(to);
        switch (kind_of(to)) {
        case TYPE_STRING: return kind_is_primitive(kind_of(from)) ? type_string : NULL;
        case TYPE_NUMBER:
        case TYPE_BOOL:
                if (from->kind == to->kind) return to;
                return from->kind == TYPE_STRING && !safe ? to : NULL;
        case TYPE_TUPLE: return to_tuple(from, to, safe);
        case TYPE_OBJECT: return to_object(from, to, safe);
        default: return to_collection(from, to, safe);
        }
}

/* --- unification --- */

static const struct type *part_of(const struct type *t, size_t index)
{
        return t->kind == TYPE_TUPLE ? t->elements[index] : t->attributes[index].type;
}

static bool all_convert(const struct type *const *types, size_t count, const struct type *to)
{
        for (size_t i = 0; i < count; i++) {
                cleanup(type_free) const struct type *result = convert_result(types[i], to, false);
                if (result == NULL) return false;
        }
        return true;
}

/* What all parts of a tuple or object have in common: a new reference, or NULL. */
static const struct type *parts_in_common(const struct type *t)
{
        cleanup_free const struct type **parts = mem_alloc(t->count * sizeof *parts);
        for (size_t i = 0; i < t->count; i++) parts[i] = part_of(t, i);
        return type_unify(parts, t->count);
}

/* Tuples of unlike length, or objects of unlike attributes: the list or map of what all their parts have in common. */
static const struct type *unify_structures_to_collection(
    enum type_kind kind, const struct type *const *types, size_t count)
{
        size_t total = 0, n = 0;
        for (size_t i = 0; i < count; i++) total += types[i]->count;
        cleanup_free const struct type **parts = mem_alloc(total * sizeof *parts);
        for (size_t i = 0; i < count; i++)
                for (size_t k = 0; k < types[i]->count; k++) parts[n++] = part_of(types[i], k);
        cleanup(type_free) const struct type *element = total ? type_unify(parts, total) : type_dynamic;
        const struct type *result = element ? collection(kind, element) : NULL;
        if (result == NULL || all_convert(types, count, result)) return result;
        type_free(result); /* nulls meet everything, the others do not */
        return NULL;
}

/* Collections, and structures as the collections that they would become by themselves; empty ones become any. */
static const struct type *unify_to_collection(
    enum type_kind kind, const struct type *const *types, size_t count)
{
        cleanup_free const struct type **elements = mem_alloc(count * sizeof *elements);
        size_t made = 0;
        bool met = true;
        for (size_t i = 0; i < count && met; i++) {
                bool whole = kind_is_collection(kind_of(types[i]));
                if (!whole && types[i]->count == 0) continue;
                elements[made] = whole ? type_ref(types[i]->element) : parts_in_common(types[i]);
                met = elements[made] != NULL;
                made += met;
        }
        cleanup(type_free) const struct type *element = met ? type_unify(elements, made) : NULL;
        for (size_t i = 0; i < made; i++) type_free(elements[i]);
        const struct type *result = element ? collection(kind, element) : NULL;
        if (result == NULL || kind == TYPE_MAP || all_convert(types, count, result)) return result;
        type_free(result);
        return NULL;
}

static bool same_shape(const struct type *const *types, size_t count)
{
        for (size_t i = 1; i < count; i++) {
                if (types[i]->count != types[0]->count) return false;
                for (size_t k = 0; types[0]->kind == TYPE_OBJECT && k < types[0]->count; k++)
                        if (strcmp(types[i]->attributes[k].name, types[0]->attributes[k].name) != 0)
                                return false;
        }
        return true;
}

/* Tuples or objects only: part by part if they have the same shape. */
static const struct type *unify_structures(const struct type *const *types, size_t count)
{
        bool tuple = types[0]->kind == TYPE_TUPLE;
        if (!same_shape(types, count))
                return unify_structures_to_collection(tuple ? TYPE_LIST : TYPE_MAP, types, count);
        size_t width = types[0]->count, made = 0;
        cleanup_free const struct type **across = mem_alloc(count * sizeof *across);
        cleanup_free const struct type **parts = mem_alloc(width * sizeof *parts);
        cleanup_free struct type_attribute *attributes = mem_alloc(width * sizeof *attributes);
        for (; made < width; made++) {
                for (size_t i = 0; i < count; i++) across[i] = part_of(types[i], made);
                parts[made] = type_unify(across, count);
                if (parts[made] == NULL) break;
                if (!tuple)
                        attributes[made] = (struct type_attribute){
                            types[0]->attributes[made].name, parts[made], false, NULL};
        }
        const struct type *result = NULL;
        if (made == width) result = tuple ? type_tuple(parts, width) : type_object(attributes, width);
        for (size_t i = 0; i < made; i++) type_free(parts[i]);
        return result;
}

/* Which of two types is the better meeting point: below 0 for a, above 0 for b. */
static int preference(const struct type *a, const struct type *b)
{
        static const int rank[] = {
            /* a list rather than a tuple, a map rather than an object, either rather than a set */
            [TYPE_LIST] = 1,
            [TYPE_MAP] = 1,
            [TYPE_TUPLE] = 2,
            [TYPE_OBJECT] = 2,
            [TYPE_SET] = 3,
            [TYPE_STRING] = 0,
            [TYPE_NUMBER] = 1,
            [TYPE_BOOL] = 1,
            [TYPE_DYNAMIC] = 9,
        };
        if (a->kind == b->kind && kind_is_collection(kind_of(a))) return preference(a->element, b->element);
        bool comparable = kind_is_primitive(kind_of(a)) == kind_is_primitive(kind_of(b));
        if (a->kind == TYPE_DYNAMIC || b->kind == TYPE_DYNAMIC) comparable = true;
        return comparable ? rank[a->kind] - rank[b->kind] : 0;
}

/* One of the given types that all others convert to, the most general first. Of each kind the best is tried. */
static const struct type *unify_to_one(const struct type *const *types, size_t count)
{
        const struct type *best[TYPE_OBJECT + 1] = {0};
        for (size_t i = 0; i < count; i++) {
                const struct type **b = &best[types[i]->kind];
                if (*b == NULL || preference(types[i], *b) < 0) *b = types[i];
        }
        for (;;) {
                const struct type **next = NULL;
                for (size_t kind = 0; kind <= TYPE_OBJECT; kind++)
                        if (best[kind] && (next == NULL || preference(best[kind], *next) < 0))
                                next = &best[kind];
                if (next == NULL) return NULL;
                if (all_convert(types, count, *next)) return type_ref(*next);
                *next = NULL;
        }
}

static bool all_equal(const struct type *const *types, size_t count)
{
        for (size_t i = 1; i < count; i++)
                if (!type_equal(types[0], types[i])) return false;
        return true;
}

const struct type *type_unify(const struct type *const *types, size_t count)
{
        if (count == 0) return NULL;
        if (all_equal(types, count)) return type_ref(types[0]);
        size_t of[TYPE_OBJECT + 1] = {0};
        for (size_t i = 0; i < count; i++) of[types[i]->kind]++;
        size_t dynamic = of[TYPE_DYNAMIC];
        size_t maps = of[TYPE_MAP] + of[TYPE_OBJECT], lists = of[TYPE_LIST] + of[TYPE_TUPLE];
        if ((maps > 0 && lists > 0) || (maps > 0 && of[TYPE_SET] > 0)) return NULL;
        bool structured = maps + dynamic == count || lists + dynamic == count ||
                          of[TYPE_SET] + dynamic == count;
        if (structured && dynamic > 0) return type_dynamic; /* nobody can tell what it will turn out to be */
        if (maps == count && !of[TYPE_MAP]) return unify_structures(types, count);
        if (lists == count && !of[TYPE_LIST]) return unify_structures(types, count);
        if (maps == count || lists == count) {
                const struct type *whole = unify_to_collection(maps ? TYPE_MAP : TYPE_LIST, types, count);
                return whole ? whole : unify_to_one(types, count);
        }
        if (of[TYPE_SET] == count) return unify_to_collection(TYPE_SET, types, count);
        return unify_to_one(types, count);
}
