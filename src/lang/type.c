/*
 * Types: the primitive ones, and their lists, sets and maps, are constants; all others are counted and hold a
 * reference to each of their parts. Equality is by structure, with a shortcut for the same pointer.
 */
#include "lang/type.h"

#include <assert.h>
#include <string.h>

#include "lang/type_internal.h"
#include "lang/value.h"

static const struct type primitives[] = {
    [TYPE_DYNAMIC] = {.kind = TYPE_DYNAMIC, .has_dynamic = true},
    [TYPE_STRING] = {.kind = TYPE_STRING},
    [TYPE_NUMBER] = {.kind = TYPE_NUMBER},
    [TYPE_BOOL] = {.kind = TYPE_BOOL},
};

const struct type *const type_dynamic = &primitives[TYPE_DYNAMIC];
const struct type *const type_string = &primitives[TYPE_STRING];
const struct type *const type_number = &primitives[TYPE_NUMBER];
const struct type *const type_bool = &primitives[TYPE_BOOL];

#define COLLECTIONS_OF(KIND)                                                                 \
        {                                                                                    \
                {.kind = (KIND), .has_dynamic = true, .element = &primitives[TYPE_DYNAMIC]}, \
                    {.kind = (KIND), .element = &primitives[TYPE_STRING]},                   \
                    {.kind = (KIND), .element = &primitives[TYPE_NUMBER]},                   \
                    {.kind = (KIND), .element = &primitives[TYPE_BOOL]},                     \
        }

static const struct type collections[3][4] = {
    COLLECTIONS_OF(TYPE_LIST), COLLECTIONS_OF(TYPE_SET), COLLECTIONS_OF(TYPE_MAP)};

const struct type *type_ref(const struct type *type)
{
        if (type->refs > 0) ((struct type *)type)->refs++;
        return type;
}

static void release_attribute(struct type_attribute *a)
{
        type_free(a->type);
        value_free((struct value *)a->fallback);
}

void type_free(const struct type *type)
{
        if (type == NULL || type->refs == 0) return;
        struct type *t = (struct type *)type;
        if (--t->refs > 0) return;
        type_free(t->element);
        for (size_t i = 0; i < t->count; i++) {
                if (t->kind == TYPE_TUPLE)
                        type_free(t->elements[i]);
                else
                        release_attribute(&t->attributes[i]);
        }
        free(t);
}

static const struct type *collection_of(enum type_kind kind, const struct type *element)
{
        assert(element != NULL);
        if (element->refs == 0 && element->kind <= TYPE_BOOL)
                return &collections[kind - TYPE_LIST][element->kind];
        struct type *t = mem_alloc(sizeof *t);
        *t = (struct type){.refs = 1,
            .kind = (uint8_t)kind,
            .has_dynamic = element->has_dynamic,
            .has_optional = element->has_optional,
            .element = type_ref(element)};
        return t;
}

const struct type *type_list(const struct type *element)
{
        return collection_of(TYPE_LIST, element);
}

const struct type *type_set(const struct type *element)
{
        return collection_of(TYPE_SET, element);
}

const struct type *type_map(const struct type *element)
{
        return collection_of(TYPE_MAP, element);
}

const struct type *type_tuple(const struct type *const *elements, size_t count)
{
        struct type *t = mem_alloc(sizeof *t + count * sizeof *t->elements);
        t->refs = 1;
        t->kind = TYPE_TUPLE;
        t->count = count;
        t->elements = (const struct type **)(t + 1);
        for (size_t i = 0; i < count; i++) {
                t->elements[i] = type_ref(elements[i]);
                t->has_dynamic |= elements[i]->has_dynamic;
                t->has_optional |= elements[i]->has_optional;
        }
        return t;
}

static int compare_attributes(const void *a, const void *b)
{
        return strcmp(((const struct type_attribute *)a)->name, ((const struct type_attribute *)b)->name);
}

const struct type *type_object(const struct type_attribute *attributes, size_t count)
{
        size_t names = 0;
        for (size_t i = 0; i < count; i++) names += strlen(attributes[i].name) + 1;
        struct type *t = mem_alloc(sizeof *t + count * sizeof *t->attributes + names);
        t->refs = 1;
        t->kind = TYPE_OBJECT;
        t->count = count;
        t->attributes = (struct type_attribute *)(t + 1);
        char *pool = (char *)(t->attributes + count);
        bool sorted = true;
        for (size_t i = 0; i < count; i++) {
                const struct type_attribute *from = &attributes[i];
                struct type_attribute *to = &t->attributes[i];
                size_t len = strlen(from->name) + 1;
                *to = *from;
                to->name = memcpy(pool, from->name, len);
                pool += len;
                type_ref(to->type);
                if (to->fallback != NULL) value_ref(to->fallback);
                t->has_dynamic |= to->type->has_dynamic;
                t->has_optional |= to->optional || to->type->has_optional;
                sorted &= i == 0 || strcmp(t->attributes[i - 1].name, to->name) < 0;
        }
        if (!sorted) qsort(t->attributes, count, sizeof *t->attributes, compare_attributes);
        return t;
}

enum type_kind type_kind(const struct type *type)
{
        return kind_of(type);
}

const struct type *type_element(const struct type *type)
{
        return type->element;
}

size_t type_count(const struct type *type)
{
        return type->count;
}

const struct type *type_at(const struct type *type, size_t index)
{
        assert(type->kind == TYPE_TUPLE && index < type->count);
        return type->elements[index];
}

const struct type_attribute *type_attribute_at(const struct type *type, size_t index)
{
        assert(type->kind == TYPE_OBJECT && index < type->count);
        return &type->attributes[index];
}

const struct type_attribute *type_attribute(const struct type *type, const char *name)
{
        if (type->kind != TYPE_OBJECT) return NULL;
        size_t low = 0, high = type->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(name, type->attributes[middle].name);
                if (order == 0) return &type->attributes[middle];
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

static bool attributes_equal(const struct type *a, const struct type *b)
{
        for (size_t i = 0; i < a->count; i++) {
                const struct type_attribute *x = &a->attributes[i], *y = &b->attributes[i];
                if (x->optional != y->optional || strcmp(x->name, y->name) != 0) return false;
                if ((x->fallback == NULL) != (y->fallback == NULL)) return false;
                if (x->fallback != NULL && !value_equal(x->fallback, y->fallback)) return false;
                if (!type_equal(x->type, y->type)) return false;
        }
        return true;
}

bool type_equal(const struct type *a, const struct type *b)
{
        if (a == b) return true;
        if (a->kind != b->kind || a->count != b->count) return false;
        switch (kind_of(a)) {
        case TYPE_LIST:
        case TYPE_SET:
        case TYPE_MAP: return type_equal(a->element, b->element);
        case TYPE_OBJECT: return attributes_equal(a, b);
        case TYPE_TUPLE:
                for (size_t i = 0; i < a->count; i++)
                        if (!type_equal(a->elements[i], b->elements[i])) return false;
                return true;
        default: return true;
        }
}

bool type_has_dynamic(const struct type *type)
{
        return type->has_dynamic;
}

static void attributes_text(const struct type *type, struct text *out)
{
        text_add(out, "object({");
        for (size_t i = 0; i < type->count; i++) {
                const struct type_attribute *a = &type->attributes[i];
                if (i > 0) text_add(out, ", ");
                text_addf(out, "%s: ", a->name);
                if (a->optional) text_add(out, "optional(");
                type_text(a->type, out);
                if (a->optional) text_add(out, ")");
        }
        text_add(out, "})");
}

static void elements_text(const struct type *type, struct text *out)
{
        text_add(out, "tuple([");
        for (size_t i = 0; i < type->count; i++) {
                if (i > 0) text_add(out, ", ");
                type_text(type->elements[i], out);
        }
        text_add(out, "])");
}

void type_text(const struct type *type, struct text *out)
{
        static const char *const names[] = {
            [TYPE_DYNAMIC] = "dynamic",
            [TYPE_STRING] = "string",
            [TYPE_NUMBER] = "number",
            [TYPE_BOOL] = "bool",
            [TYPE_LIST] = "list",
            [TYPE_SET] = "set",
            [TYPE_MAP] = "map",
        };
        switch (kind_of(type)) {
        case TYPE_OBJECT: attributes_text(type, out); break;
        case TYPE_TUPLE: elements_text(type, out); break;
        case TYPE_LIST:
        case TYPE_SET:
        case TYPE_MAP:
                text_addf(out, "%s(", names[type->kind]);
                type_text(type->element, out);
                text_addc(out, ')');
                break;
        default: text_add(out, names[type->kind]); break;
        }
}
