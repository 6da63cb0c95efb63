/*
 * What the bodies of functions share: reading arguments, refusing a call, collecting results. Internal to
 * lang/.
 */
#ifndef TUTTI_LANG_CALL_H
#define TUTTI_LANG_CALL_H

#include <gmp.h>

#include "lang/function.h"

/* The heads of a function's result_type and body, and the declaration of both. */
#define TYPE_OF(name) const struct type *name##_type(const struct call *call, struct error **err)
#define VALUE_OF(name) struct value *name##_value(const struct call *call, struct error **err)
#define TYPED(name)    \
        TYPE_OF(name); \
        VALUE_OF(name)

/* What one call may make: elements of a collection, bytes of a string. */
enum { CALL_MAX_ELEMENTS = 1000000, CALL_MAX_BYTES = 64 << 20 };

/* Adds one INPUT problem and gives NULL, so that a body can refuse in one expression. */
void *call_refuse(struct error **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* String arguments: the bytes (borrowed, NUL-terminated) and their number. */
const char *call_string(const struct call *call, size_t index);
size_t call_string_len(const struct call *call, size_t index);

/* A number argument as a machine integer; false, with a problem that names it, if it is not whole or does not fit. */
bool call_int(const struct call *call, size_t index, const char *name, int64_t *n, struct error **err);

/* Whether any argument is marked at its top. */
bool call_sensitive(const struct call *call);

/* The integer that a number is; false if it has a fraction, or more digits than anyone can read (about 10,000). */
bool number_whole(const struct value *number, mpz_ptr n);

/* A string value out of a text that is known to be UTF-8; releases the text. */
struct value *call_text(struct text *steal);

/* Elements in the making. `cleanup(value_vec_release) struct value_vec v = {0};` */
struct value_vec {
        struct value **items;
        size_t count, capacity;
};
void value_vec_push(struct value_vec *v, struct value *steal);
void value_vec_release(struct value_vec *v);
static inline void value_vec_release_cleanup(struct value_vec *v)
{
        value_vec_release(v);
}
/* As value_vec_push, with the element of a whole that may be sensitive, which makes the element so. */
void value_vec_push_part(struct value_vec *v, const struct value *whole, const struct value *part);

/* The list, set or map (of `keys`) of a type that is a list, set or map type; marks of elements stay on them. */
struct value *value_vec_list(const struct value_vec *v, const struct type *element);
struct value *value_vec_set(const struct value_vec *v, const struct type *element);

/* Owned copies of keys beside a value_vec. */
struct key_vec {
        char **items;
        size_t count, capacity;
};
void key_vec_push(struct key_vec *v, const char *key);
void key_vec_release(struct key_vec *v);
static inline void key_vec_release_cleanup(struct key_vec *v)
{
        key_vec_release(v);
}

/* Marks: the part of a whole, marked if the whole is; a value marked on top if `sensitive`; new references. */
struct value *value_part(const struct value *whole, const struct value *part);
struct value *value_mark_steal(struct value *steal, bool sensitive);

/* Whether two values are equal as `==` finds it: they may turn out either way while something is unknown. */
enum sameness { SAME_NO, SAME_YES, SAME_UNKNOWN };
enum sameness value_same(const struct value *a, const struct value *b);

/* Friendly name of a type for messages: "string", "list of number", "object", "tuple". */
const char *type_friendly(const struct type *type);

#endif
