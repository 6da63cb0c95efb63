/* What the files convert*.c share: which type a conversion would lead to, before any value is looked at. */
#ifndef TUTTI_LANG_CONVERT_INTERNAL_H
#define TUTTI_LANG_CONVERT_INTERNAL_H

#include "lang/type_internal.h"
#include "lang/value.h"

/*
 * The type that a value of type `from` has after conversion to the constraint `to` (the constraint itself, with
 * what it leaves dynamic filled in), or NULL when no value of that type converts. With `safe` only conversions
 * that cannot fail count, e.g. number to string but not back. A new reference.
 */
const struct type *convert_result(const struct type *from, const struct type *to, bool safe);

/* A constraint without its optional marks and fallbacks. A new reference. */
const struct type *convert_plain(const struct type *constraint);

#endif
