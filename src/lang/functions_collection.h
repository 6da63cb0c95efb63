/*
 * The bodies and result types of the collection functions, which are spread over one file per kind of
 * collection; functions_collection.c has the table. Internal to lang/.
 */
#ifndef TUTTI_LANG_FUNCTIONS_COLLECTION_H
#define TUTTI_LANG_FUNCTIONS_COLLECTION_H

#include "lang/call.h"

/* functions_list.c */
TYPED(chunklist);
TYPED(coalescelist);
VALUE_OF(compact);
TYPED(concat);
VALUE_OF(contains);
TYPED(distinct);
TYPED(element);
TYPED(flatten);
VALUE_OF(index);
TYPED(matchkeys);
TYPED(one);
VALUE_OF(range);
TYPED(reverse);
TYPED(slice);
VALUE_OF(sort);

/* functions_map.c */
TYPED(keys);
TYPED(lookup);
TYPED(merge);
VALUE_OF(transpose);
TYPED(values);
TYPED(zipmap);

/* functions_set.c */
TYPED(setintersection);
TYPED(setproduct);
TYPED(setsubtract);
TYPED(setunion);

/* Pointers to the elements of a list, set or tuple in the order of value_compare. `count` of them; the caller frees. */
const struct value **elements_sorted(const struct value *collection);
/* Whether a value is among sorted elements. */
bool elements_have(const struct value *const *sorted, size_t count, const struct value *v);

/* The kinds that have elements in an order of their own. */
bool kind_is_sequence(enum type_kind kind); /* list, tuple */
bool kind_is_iterable(enum type_kind kind); /* list, tuple, set */

#endif
