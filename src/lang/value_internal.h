/*
 * How a value is laid out, for the files value*.c, number.c and convert.c only.
 *
 * Most values of a plan are small numbers, booleans, nulls and unknowns. Those are not allocated: the pointer
 * itself carries them, told apart by its low bits, which are 0 in any real address:
 *
 *     …1      an integer of 63 bits
 *     …10     a boolean, a null or unknown of primitive or dynamic type, or an integer of 54 bits that is as
 *             precise as machine integers are: bits 2-3 state, bits 4-7 kind, bit 8 the boolean (of an
 *             unknown: whether it is surely not null), bit 9 the sensitive mark, from bit 10 on the integer
 *
 * Everything else is one allocation that begins with struct value, followed by what its kind and form need.
 */
#ifndef TUTTI_LANG_VALUE_INTERNAL_H
#define TUTTI_LANG_VALUE_INTERNAL_H

#include <mpfr.h>
#include <stdint.h>
#include "lang/number.h"
#include "lang/type_internal.h"
#include "lang/value.h"

enum value_state { STATE_KNOWN, STATE_NULL, STATE_UNKNOWN };

enum value_flags {
        VALUE_SENSITIVE = 1,     /* the mark on this very value */
        VALUE_HAS_SENSITIVE = 2, /* on it or anywhere inside */
        VALUE_HAS_UNKNOWN = 4,   /* unknown itself or anywhere inside */
        VALUE_BIG = 8,           /* a number held as value_big */
        VALUE_HAS_INFINITE = 16, /* an infinite number, or one anywhere inside */
};

struct value {
        uint32_t refs;
        uint8_t kind, state, flags;
        uint8_t known_of; /* of an unknown: enum known_of */
};

struct value_integer { /* an integer beyond 63 bits, or a marked one */
        struct value head;
        int64_t n;
};

struct value_big { /* any other number, with the precision of n */
        struct value head;
        mpfr_t n;
        mp_limb_t limbs[];
};

struct value_text {
        struct value head;
        size_t len;
        char data[]; /* followed by a NUL byte */
};

struct value_typed { /* a null or unknown of a type with parts */
        struct value head;
        const struct type *type;
};

struct value_prefixed { /* an unknown string that is known to begin with a text */
        struct value_typed typed;
        size_t len;
        char data[];
};

enum known_of { KNOWN_PRESENT = 1, KNOWN_PREFIX = 2 }; /* what is known of an unknown */

/* What all values with parts share. `weight` is the size in bytes that the value would have were nothing
 * in it shared: it bounds what any walk over the value costs. */
struct value_whole {
        struct value head;
        const struct type *type; /* of a tuple or object: NULL until asked for */
        size_t count;
        uint64_t weight;
        uint32_t depth;
};

struct value_sequence { /* list, set, tuple */
        struct value_whole whole;
        struct value *items[];
};

struct value_fields { /* map, object: sorted by key */
        struct value_whole whole;
        struct field {
                const char *key; /* in the same allocation, behind the fields */
                struct value *value;
        } fields[];
};

enum { TAG_INTEGER = 1, TAG_SMALL = 2, TAG_MASK = 3 };
#define SMALL_INTEGER_MAX (INT64_MAX >> 1)
#define SMALL_INTEGER_MIN (INT64_MIN >> 1)

static inline bool is_integer(const struct value *v)
{
        return ((uintptr_t)v & TAG_INTEGER) != 0;
}

static inline bool is_small(const struct value *v)
{
        return ((uintptr_t)v & TAG_MASK) == TAG_SMALL;
}

static inline bool is_immediate(const struct value *v)
{
        return ((uintptr_t)v & TAG_MASK) != 0;
}

static inline int64_t integer_of(const struct value *v)
{
        return (int64_t)(intptr_t)v >> 1;
}

static inline struct value *make_integer(int64_t n)
{
        return (struct value *)(uintptr_t)(((uint64_t)n << 1) | TAG_INTEGER);
}

static inline struct value *make_small(enum value_state state, enum type_kind kind, bool b, bool sensitive)
{
        return (struct value *)(uintptr_t)(TAG_SMALL | (unsigned)state << 2 | (unsigned)kind << 4 |
                                           (unsigned)b << 8 | (unsigned)sensitive << 9);
}

#define MACHINE_INTEGER_MAX (INT64_MAX >> 10)
#define MACHINE_INTEGER_MIN (INT64_MIN >> 10)

static inline struct value *make_machine_integer(int64_t n)
{
        return (
            struct value *)(uintptr_t)((uint64_t)n << 10 | TAG_SMALL | STATE_KNOWN << 2 | TYPE_NUMBER << 4);
}

static inline struct value *small_marked(const struct value *v, bool sensitive)
{
        uintptr_t mark = (uintptr_t)1 << 9;
        return (struct value *)(((uintptr_t)v & ~mark) | (sensitive ? mark : 0));
}

static inline int64_t machine_integer_of(const struct value *v)
{
        return (int64_t)(intptr_t)v >> 10;
}

static inline enum value_state state_of(const struct value *v)
{
        if (is_integer(v)) return STATE_KNOWN;
        if (is_small(v)) return (enum value_state)((uintptr_t)v >> 2 & 3);
        return (enum value_state)v->state;
}

static inline enum type_kind vkind_of(const struct value *v)
{
        if (is_integer(v)) return TYPE_NUMBER;
        if (is_small(v)) return (enum type_kind)((uintptr_t)v >> 4 & 15);
        return (enum type_kind)v->kind;
}

static inline unsigned flags_of(const struct value *v)
{
        if (is_integer(v)) return 0;
        if (!is_small(v)) return v->flags;
        unsigned marks = (uintptr_t)v >> 9 & 1 ? VALUE_SENSITIVE | VALUE_HAS_SENSITIVE : 0;
        return state_of(v) == STATE_UNKNOWN ? marks | VALUE_HAS_UNKNOWN : marks;
}

static inline bool is_known(const struct value *v)
{
        return state_of(v) == STATE_KNOWN;
}

/* Known, not null, and of a kind with parts. */
static inline bool is_whole(const struct value *v)
{
        return !is_immediate(v) && v->state == STATE_KNOWN && v->kind >= TYPE_LIST;
}

static inline bool is_fields(const struct value *v)
{
        return is_whole(v) && (v->kind == TYPE_MAP || v->kind == TYPE_OBJECT);
}

static inline bool is_sequence(const struct value *v)
{
        return is_whole(v) && v->kind != TYPE_MAP && v->kind != TYPE_OBJECT;
}

static inline const struct value_whole *whole_of(const struct value *v)
{
        return (const struct value_whole *)v;
}

static inline const struct value_fields *fields_of(const struct value *v)
{
        return (const struct value_fields *)v;
}

static inline const struct value_sequence *sequence_of(const struct value *v)
{
        return (const struct value_sequence *)v;
}

/* A copy of a number, infinite ones included, as a value_big of the same precision; one reference. */
struct value *value_big_new(mpfr_srcptr n);

/* As value_list, value_map, … for parts whose references are handed over. `type` is the type of the whole, or
 * NULL for a tuple. The array itself stays the caller's. */
struct value *value_sequence_steal(
    enum type_kind kind, const struct type *type, struct value **items, size_t count);
struct value *value_fields_steal(enum type_kind kind, const struct type *type, const char *const *keys,
    struct value **values, size_t count);

#endif
