/*
 * Conversion of values to a type constraint. The type of the result is decided first, on types alone
 * (convert_type.c); then the value is walked once. An error names the path to the part that does not fit.
 */
#include <string.h>

#include "lang/convert_internal.h"
#include "lang/value_internal.h"

/* The way from the top of the value to the part in hand; a chain on the stack, written out in errors only. */
struct path {
        const struct path *up;
        const char *key; /* NULL: an index */
        size_t index;
};

static struct value *convert(
    const struct value *v, const struct type *to, const struct path *path, struct error **err);

static void path_text(const struct path *path, struct text *out)
{
        if (path == NULL) return;
        path_text(path->up, out);
        if (path->key == NULL)
                text_addf(out, "[%zu]", path->index);
        else
                text_addf(out, "%s%s", path->up ? "." : "", path->key);
}

/* "zones[1]: a number is required, not a string" */
static struct value *refuse(const struct path *path, struct error **err, const char *message)
{
        struct text text = {0};
        path_text(path, &text);
        if (text.len > 0) text_add(&text, ": ");
        error_set(err, ERROR_INPUT, NULL, "%s%s", text.len ? text.data : "", message);
        text_release(&text);
        return NULL;
}

static const char *kind_noun(const struct type *t)
{
        static const char *const nouns[] = {
            "a value", "a string", "a number", "a bool", "a list", "a set", "a map", "a tuple", "an object"};
        return nouns[t->kind];
}

static struct value *refuse_kind(
    const struct value *v, const struct type *to, const struct path *path, struct error **err)
{
        cleanup_free char *message = mem_printf(
            "%s is required, not %s", kind_noun(to), kind_noun(value_type(v)));
        return refuse(path, err, message);
}

static struct value *string_to_bool(const struct value *v, const struct path *path, struct error **err)
{
        const char *s = value_as_string(v);
        if (text_equal(s, "true") || text_equal(s, "1")) return value_bool(true);
        if (text_equal(s, "false") || text_equal(s, "0")) return value_bool(false);
        if (strcasecmp(s, "true") == 0 || strcasecmp(s, "false") == 0)
                return refuse(path, err, "a bool is required; write it in lower case, \"true\" or \"false\"");
        return refuse(path, err, "a bool is required: \"true\" or \"false\"");
}

static struct value *number_to_string(const struct value *v)
{
        struct text text = {0};
        number_text(v, &text);
        struct value *s = value_string_n(text.data, text.len);
        text_release(&text);
        return s;
}

static struct value *convert_primitive(
    const struct value *v, const struct type *to, const struct path *path, struct error **err)
{
        enum type_kind from = vkind_of(v);
        if (from == to->kind) return value_ref(v);
        if (to->kind == TYPE_STRING && from == TYPE_NUMBER) return number_to_string(v);
        if (to->kind == TYPE_STRING && from == TYPE_BOOL)
                return value_string(value_as_bool(v) ? "true" : "false");
        if (to->kind == TYPE_BOOL && from == TYPE_STRING) return string_to_bool(v, path, err);
        if (to->kind == TYPE_NUMBER && from == TYPE_STRING) {
                struct value *n = value_number(value_as_string(v), value_string_len(v));
                return n ? n : refuse(path, err, "a number is required; this string is none");
        }
        return refuse_kind(v, to, path, err);
}

static void drop(struct value **values, size_t count)
{
        for (size_t i = 0; i < count; i++) value_free(values[i]);
}

/* Converts every part to `to`; the new references stand in `parts`. -1 and none on failure. */
static int convert_parts(const struct value *v, const struct type *to, struct value **parts,
    const struct path *path, struct error **err)
{
        for (size_t i = 0; i < value_count(v); i++) {
                struct path here = {path, is_fields(v) ? value_key_at(v, i) : NULL, i};
                parts[i] = convert(value_at(v, i), to, &here, err);
                if (parts[i] != NULL) continue;
                drop(parts, i);
                return -1;
        }
        return 0;
}

/* What is not known yet may still turn out to be of the type of the others. */
static bool all_of_one_type(struct value *const *parts, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (!value_is_wholly_known(parts[i])) return true;
        for (size_t i = 1; i < count; i++)
                if (!type_equal(value_type(parts[0]), value_type(parts[i]))) return false;
        return true;
}

/* The parts may have become of different types where the constraint leaves that open: gives the one type that
 * all have in common and converts them to it. As in Terraform, a null without a type may stand beside structures in
 * a map, but not in a list or set. */
static const struct type *settle_element(struct value **parts, size_t count, bool named,
    const struct type *to, const struct path *path, struct error **err)
{
        if (!to->has_dynamic || count == 0) return convert_plain(to);
        cleanup_free const struct type **types = mem_alloc(count * sizeof *types);
        size_t typed = 0; /* a bare null fits any type */
        for (size_t i = 0; i < count; i++)
                if (!value_is_null(parts[i]) || vkind_of(parts[i]) != TYPE_DYNAMIC)
                        types[typed++] = value_type(parts[i]);
        if (typed == 0) return type_dynamic;
        cleanup(type_free) const struct type *element = type_unify(types, typed);
        if (element == NULL) {
                refuse(path, err, "all elements must have the same type");
                return NULL;
        }
        if (typed < count && !named && !kind_is_primitive(kind_of(element))) {
                refuse(path, err, "a null without a type and a list, map or object have no type in common");
                return NULL;
        }
        for (size_t i = 0; i < count; i++) {
                struct path here = {path, NULL, i};
                struct value *part = convert(parts[i], element, &here, err);
                if (part == NULL) return NULL;
                value_free(parts[i]);
                parts[i] = part;
        }
        if (element->has_dynamic && !all_of_one_type(parts, count)) {
                refuse(path, err, "all elements must have the same type");
                return NULL;
        }
        return steal(element);
}

static struct value *build_collection(
    enum type_kind kind, const struct type *element, const struct value *v, struct value **parts)
{
        size_t count = value_count(v);
        if (kind == TYPE_LIST) return value_list(element, parts, count);
        if (kind == TYPE_SET) return value_set(element, parts, count);
        cleanup_free const char **keys = mem_alloc(count * sizeof *keys);
        for (size_t i = 0; i < count; i++) keys[i] = value_key_at(v, i);
        return value_map(element, keys, parts, count);
}

/* What a null or unknown becomes, or what is not known enough. */
static struct value *convert_absent(
    const struct value *v, const struct type *to, const struct path *path, struct error **err)
{
        cleanup(type_free) const struct type *result = convert_result(value_type(v), to, false);
        if (result == NULL) return refuse_kind(v, to, path, err);
        if (value_is_null(v)) return value_null(result);
        return value_is_present(v) ? value_unknown_present(result) : value_unknown(result);
}

static struct value *convert_collection(
    const struct value *v, const struct type *to, const struct path *path, struct error **err)
{
        size_t count = value_count(v);
        if (is_fields(v) != (to->kind == TYPE_MAP) || !is_whole(v)) return refuse_kind(v, to, path, err);
        if (vkind_of(v) == TYPE_SET && to->kind == TYPE_LIST && count > 1 && !value_is_wholly_known(v))
                return convert_absent(
                    v, to, path, err); /* elements may turn out equal: their number is open */
        cleanup_free struct value **parts = mem_alloc(count * sizeof *parts);
        if (convert_parts(v, to->element, parts, path, err) < 0) return NULL;
        bool bare = count == 0 && kind_is_collection(vkind_of(v)); /* an empty list(string) keeps `string` */
        cleanup(type_free) const struct type *element =
            bare ? convert_result(value_type(v)->element, to->element, false)
                 : settle_element(parts, count, to->kind == TYPE_MAP, to->element, path, err);
        if (bare && element == NULL) refuse_kind(v, to, path, err);
        struct value *result = element ? build_collection(kind_of(to), element, v, parts) : NULL;
        drop(parts, count);
        return result;
}

static struct value *convert_tuple(
    const struct value *v, const struct type *to, const struct path *path, struct error **err)
{
        if (vkind_of(v) != TYPE_TUPLE) return refuse_kind(v, to, path, err);
        size_t count = value_count(v), made = 0;
        if (count != to->count) {
                cleanup_free char *message = mem_printf("a tuple of %zu element%s is required, not of %zu",
                    to->count, to->count == 1 ? "" : "s", count);
                return refuse(path, err, message);
        }
        cleanup_free struct value **parts = mem_alloc(count * sizeof *parts);
        for (; made < count; made++) {
                struct path here = {path, NULL, made};
                parts[made] = convert(value_at(v, made), to->elements[made], &here, err);
                if (parts[made] == NULL) break;
        }
        struct value *result = made == count ? value_tuple(parts, count) : NULL;
        drop(parts, made);
        return result;
}

/* The value of one attribute of the target: the one given, or what stands in for it. */
static struct value *convert_attribute(
    const struct value *v, const struct type_attribute *to, const struct path *path, struct error **err)
{
        struct path here = {path, to->name, 0};
        const struct value *given = value_get(v, to->name);
        bool absent = given == NULL || (value_is_null(given) && to->fallback != NULL);
        if (given == NULL && !to->optional) {
                cleanup_free char *message = mem_printf("attribute \"%s\" is required", to->name);
                return refuse(path, err, message);
        }
        if (absent && to->fallback != NULL) return convert(to->fallback, to->type, &here, err);
        if (!absent) return convert(given, to->type, &here, err);
        cleanup(type_free) const struct type *plain = convert_plain(to->type);
        return value_null(plain);
}

static struct value *convert_object(
    const struct value *v, const struct type *to, const struct path *path, struct error **err)
{
        if (!is_fields(v)) return refuse_kind(v, to, path, err);
        size_t made = 0;
        cleanup_free struct value **parts = mem_alloc(to->count * sizeof *parts);
        cleanup_free const char **keys = mem_alloc(to->count * sizeof *keys);
        for (; made < to->count; made++) {
                keys[made] = to->attributes[made].name;
                parts[made] = convert_attribute(v, &to->attributes[made], path, err);
                if (parts[made] == NULL) break;
        }
        struct value *result = made == to->count ? value_object(keys, parts, made) : NULL;
        drop(parts, made);
        return result;
}

static struct value *convert_plain_value(
    const struct value *v, const struct type *to, const struct path *path, struct error **err)
{
        if (!is_known(v)) return convert_absent(v, to, path, err);
        switch (kind_of(to)) {
        case TYPE_LIST:
        case TYPE_SET:
        case TYPE_MAP: return convert_collection(v, to, path, err);
        case TYPE_TUPLE: return convert_tuple(v, to, path, err);
        case TYPE_OBJECT: return convert_object(v, to, path, err);
        default: return convert_primitive(v, to, path, err);
        }
}

/* Whether the value is as the constraint wants it already; cheap where it would need the type of a structure. */
static bool fits(const struct value *v, const struct type *to)
{
        if (to->kind == TYPE_DYNAMIC) return true;
        if (vkind_of(v) != to->kind) return false;
        if (kind_is_primitive(kind_of(to))) return true;
        return !to->has_optional && !to->has_dynamic && type_equal(value_type(v), to);
}

static struct value *convert(
    const struct value *v, const struct type *to, const struct path *path, struct error **err)
{
        if (fits(v, to)) return value_ref(v);
        cleanup(value_free) struct value *made = convert_plain_value(v, to, path, err);
        if (made == NULL || !value_is_sensitive(v)) return steal(made);
        return value_sensitive(made, true);
}

struct value *value_convert(const struct value *v, const struct type *to, struct error **err)
{
        return convert(v, to, NULL, err);
}
