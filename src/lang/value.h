/*
 * Values: immutable, reference counted, typed; any part may be null, unknown or sensitive.
 *
 * A value that is unknown (known only after a step ran) still has a type, possibly dynamic. A sensitive
 * mark sits on a value and means "this and everything inside"; taking a part of it out (value_attribute,
 * value_index) gives a part that is marked too. There is no function here that prints a sensitive value:
 * value_json needs a policy for them (enum value_secrets).
 *
 * Constructors take no references away: the caller keeps its own to the parts and drops them itself, unless
 * the name ends in _steal. Each constructor gives one new reference, to be dropped with value_free.
 * Objects and maps keep their keys sorted bytewise. Not safe to share between threads.
 */
#ifndef TUTTI_LANG_VALUE_H
#define TUTTI_LANG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"
#include "lang/type.h"

struct value;

struct value *value_ref(const struct value *v);
void value_free(struct value *v); /* drops a reference; NULL-safe */
CLEANUP(struct value *, value_free);

/* Making */
struct value *value_null(const struct type *type);
struct value *value_unknown(const struct type *type);
/* Unknown, but not null: the result of an operator or function. Of a string, also how it begins. */
struct value *value_unknown_present(const struct type *type);
struct value *value_unknown_prefixed(const char *prefix, size_t len);
struct value *value_bool(bool b);
struct value *value_int(int64_t n);
/* A number as functions give it that count things: divided by another such, the result has the 64 bits of machine
 * integers, where numbers that were written down have 512. */
struct value *value_machine_int(int64_t n);
struct value *value_double(double n); /* not a NaN; with the 53 bits of a double */
struct value *value_number(
    const char *text, size_t len);         /* decimal with optional exponent; NULL if it is none */
struct value *value_string(const char *s); /* normalised to NFC, as Terraform does */
struct value *value_string_n(const char *s, size_t len); /* must be UTF-8; may hold NUL bytes */
struct value *value_tuple(struct value *const *elements, size_t count);
struct value *value_list(
    const struct type *element, struct value *const *elements, size_t count); /* all of that type */
struct value *value_set(
    const struct type *element, struct value *const *elements, size_t count); /* dedups, sorts */
struct value *value_map(
    const struct type *element, const char *const *keys, struct value *const *values, size_t count);
struct value *value_object(
    const char *const *keys, struct value *const *values, size_t count); /* last of equal keys wins */
struct value *value_sensitive(
    const struct value *v, bool sensitive); /* the same with the mark set or taken off the top */

/* An object built up attribute by attribute. `struct value_builder b = {0};` */
struct value_builder {
        const char **keys;
        struct value **values;
        size_t count, capacity, capacity_values;
};
void value_builder_add(struct value_builder *b, const char *key, struct value *steal); /* copies the key */
struct value *value_builder_object(struct value_builder *b); /* and empties the builder */
void value_builder_release(struct value_builder *b);

/* The same without any mark, at the top or inside. */
struct value *value_unmarked(const struct value *v);

/* Asking */
const struct type *value_type(const struct value *v); /* borrowed */
enum type_kind value_kind(const struct value *v);
bool value_is_null(const struct value *v);
bool value_is_known(const struct value *v);   /* at the top */
bool value_is_present(const struct value *v); /* surely not null, even where it is unknown */
/* How an unknown string begins, as far as that is known; NULL and 0 for none. Borrowed. */
const char *value_unknown_prefix(const struct value *v, size_t *len);
bool value_is_wholly_known(const struct value *v); /* nothing unknown inside; O(1) */
bool value_is_sensitive(const struct value *v);    /* at the top */
bool value_has_sensitive(const struct value *v);   /* anywhere; O(1) */

/* Whether it is an infinite number or one is inside; O(1). Only within an expression there are such. */
bool value_has_infinite(const struct value *v);

/* The bytes that the value would take were nothing in it shared, and how deep its parts nest (0 for a value
 * without parts). Both O(1): they tell what a walk over the value will cost before it is begun. */
uint64_t value_weight(const struct value *v);
unsigned value_depth(const struct value *v);

/* Reading. Valid only on known, non-null values of the kind; borrowed. */
bool value_as_bool(const struct value *v);
const char *value_as_string(const struct value *v);
size_t value_string_len(const struct value *v);
bool value_as_int(const struct value *v, int64_t *n); /* false unless an integer that fits */
double value_as_double(const struct value *v);

/* Parts, for list, set, tuple, map, object; 0 for other kinds, null and unknown. Borrowed; sensitivity of
 * the whole is not on the borrowed part, so ask the whole. */
size_t value_count(const struct value *v);
const struct value *value_at(const struct value *v, size_t index);
const char *value_key_at(const struct value *v, size_t index);         /* map and object */
const struct value *value_get(const struct value *v, const char *key); /* map and object; NULL if none */

/* As value_get on a path such as "network.zones[0].name"; borrowed; NULL if any part is missing. */
const struct value *value_path(const struct value *v, const char *path);

/* A copy with one attribute replaced or added (value non-NULL) or removed (NULL); v is an object. */
struct value *value_with(const struct value *v, const char *key, const struct value *attribute);
/* All attributes of a, overridden by those of b; both objects (or NULL, which counts as empty). */
struct value *value_merge(const struct value *a, const struct value *b);

/* Same type and same content, marks aside; an unknown equals only an unknown of the same type. */
bool value_equal(const struct value *a, const struct value *b);
/* A total order within a type, marks aside; used by sets. */
int value_compare(const struct value *a, const struct value *b);

/*
 * Converts to a type constraint, as Terraform converts an argument or parameter: primitives to and from
 * strings, tuples to lists and sets, objects to maps and objects (dropping what the target has not, filling
 * in optional attributes), `dynamic` inside by unification. Unknown stays unknown with the target type;
 * marks are kept. NULL with one problem that names the path inside the value when it does not convert.
 */
struct value *value_convert(const struct value *v, const struct type *to, struct error **err);
/* -1 with a problem for each attribute that `v` has and the objects of `to` have not: what a person wrote and converting would drop. */
int value_check_attributes(const struct value *v, const struct type *to, struct error **err);

/* The type that all `types` convert to, as for a list constructor or a conditional; NULL when there is none. */
const struct type *type_unify(const struct type *const *types, size_t count);

/* What to do with sensitive parts when writing. */
enum value_secrets {
        SECRETS_MASK,   /* "(sensitive)" in place of the value */
        SECRETS_REVEAL, /* as they are: into a request, a file the user asked for, an encrypted store */
        SECRETS_SEAL,   /* {"$sealed": "base64"} by way of a sealer */
};
struct sealer { /* implemented by state/seal.c over AES-256-GCM */
        int (*seal)(void *context, const void *plain, size_t len, struct text *base64, struct error **err);
        int (*open)(void *context, const char *base64, size_t len, struct text *plain, struct error **err);
        void *context;
};

/*
 * Plain JSON, compact, keys sorted, numbers in shortest exact decimal, as Terraform's jsonencode gives it
 * (without its HTML escapes). Unknown parts become {"$unknown": "type"}, and sensitive ones follow
 * `secrets`; `sealer` is needed for SECRETS_SEAL only. Fails only where the sealer fails.
 */
int value_json(const struct value *v, enum value_secrets secrets, const struct sealer *sealer,
    struct text *out, struct error **err);

/*
 * Reads JSON that value_json wrote (or any other) as Terraform's jsondecode does: objects, tuples,
 * primitives; then converts to `type` unless that is NULL or dynamic. {"$sealed": …} is opened with
 * `sealer` and marked sensitive; {"$unknown": …} becomes unknown. Both only when `sealer` is given:
 * without it (foreign JSON) they are ordinary objects. Bounded: depth 200.
 */
struct value *value_from_json(
    const char *json, size_t len, const struct type *type, const struct sealer *sealer, struct error **err);

/* Like value_json, but exact: {"t": type, "v": value} keeps type (set against list, empty map, null of a type). */
int value_encode(const struct value *v, const struct sealer *sealer, struct text *out, struct error **err);
struct value *value_decode(const char *text, size_t len, const struct sealer *sealer, struct error **err);

/* SHA-256 over type and content (marks aside, unknowns by type), for digests of plans and templates. */
void value_digest(const struct value *v, unsigned char digest[32]);

#endif
