/*
 * Types, as Terraform has them: dynamic, string, number, bool, list, set, map, tuple, object.
 *
 * A type is immutable and reference counted. The primitive ones are static: taking and dropping
 * references to them costs nothing. Not safe to share between threads.
 */
#ifndef TUTTI_LANG_TYPE_H
#define TUTTI_LANG_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/text.h"

enum type_kind {
        TYPE_DYNAMIC, /* not known, or (in a constraint) any */
        TYPE_STRING,
        TYPE_NUMBER,
        TYPE_BOOL,
        TYPE_LIST,
        TYPE_SET,
        TYPE_MAP,
        TYPE_TUPLE,
        TYPE_OBJECT,
};

struct type;
struct value;

struct type_attribute { /* of an object type; sorted by name */
        const char *name;
        const struct type *type;
        bool optional;                /* in constraints only */
        const struct value *fallback; /* optional(T, default); NULL for none */
};

extern const struct type *const type_dynamic, *const type_string, *const type_number, *const type_bool;

/* The constructors take no references: the caller keeps its own to the parts. Each gives a new reference. */
const struct type *type_list(const struct type *element);
const struct type *type_set(const struct type *element);
const struct type *type_map(const struct type *element);
const struct type *type_tuple(const struct type *const *elements, size_t count);
const struct type *type_object(const struct type_attribute *attributes, size_t count); /* any order */

const struct type *type_ref(const struct type *type);
void type_free(const struct type *type); /* drops a reference; NULL-safe */
CLEANUP(const struct type *, type_free);

enum type_kind type_kind(const struct type *type);
const struct type *type_element(const struct type *type); /* of list, set, map; borrowed */
size_t type_count(const struct type *type);               /* of tuple elements or object attributes */
const struct type *type_at(const struct type *type, size_t index);                      /* of a tuple */
const struct type_attribute *type_attribute_at(const struct type *type, size_t index);  /* of an object */
const struct type_attribute *type_attribute(const struct type *type, const char *name); /* NULL if none */

bool type_equal(const struct type *a, const struct type *b);
bool type_has_dynamic(const struct type *type); /* anywhere inside */

/* Appends the type as Terraform's type() writes it, on one line: list(string), object({a: number}),
 * tuple([number, string]); `any` for the dynamic constraint is written `dynamic`. */
void type_text(const struct type *type, struct text *out);

/*
 * Parses a type constraint as written in a template: string, number, bool, any, list(T), set(T), map(T),
 * tuple([T, …]), object({name = T, other = optional(T, default)}). `place` is where the text starts.
 * Gives a new reference, or NULL with the problems in *err.
 */
const struct type *type_parse(const char *source, size_t len, const struct place *place, struct error **err);

#endif
