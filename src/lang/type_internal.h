/* How a type is laid out: one allocation holds a type, its list of parts and the names of attributes. */
#ifndef TUTTI_LANG_TYPE_INTERNAL_H
#define TUTTI_LANG_TYPE_INTERNAL_H

#include <stdint.h>
#include "lang/type.h"

struct type {
        unsigned refs; /* 0: static, never freed */
        uint8_t kind;
        bool has_dynamic, has_optional;
        const struct type *element; /* of list, set, map */
        size_t count;
        union {
                const struct type **elements;      /* of a tuple */
                struct type_attribute *attributes; /* of an object, sorted by name */
        };
};

/* Like type_kind, without the call. */
static inline enum type_kind kind_of(const struct type *type)
{
        return (enum type_kind)type->kind;
}

static inline bool kind_is_primitive(enum type_kind kind)
{
        return kind == TYPE_STRING || kind == TYPE_NUMBER || kind == TYPE_BOOL;
}

static inline bool kind_is_collection(enum type_kind kind)
{
        return kind == TYPE_LIST || kind == TYPE_SET || kind == TYPE_MAP;
}

#endif
