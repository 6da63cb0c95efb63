/*
 * The order of elements in a set. Internal to lang/.
 */
#ifndef TUTTI_LANG_SET_ORDER_H
#define TUTTI_LANG_SET_ORDER_H

#include "lang/value.h"

/* Sorts the elements of a set in the making; equal ones come to stand side by side. */
void set_order(struct value **elements, size_t count, const struct type *element);

#endif
