/*
 * Arithmetic on number values: machine integers where they suffice, MPFR at 512 bits otherwise, as
 * Terraform computes with 512-bit floats. Every result is a new reference. Internal to lang/.
 */
#ifndef TUTTI_LANG_NUMBER_H
#define TUTTI_LANG_NUMBER_H

#include <mpfr.h>
#include "lang/value.h"

enum { NUMBER_BITS = 512 };

struct value *number_add(const struct value *a, const struct value *b);
struct value *number_subtract(const struct value *a, const struct value *b);
struct value *number_multiply(const struct value *a, const struct value *b);
struct value *number_divide(const struct value *a, const struct value *b); /* b is not zero */
struct value *number_modulo(const struct value *a, const struct value *b); /* b is not zero; sign of a */
struct value *number_negate(const struct value *a);
int number_compare(const struct value *a, const struct value *b);
int number_sign(const struct value *a);
bool number_is_integer(const struct value *a);
/* Finite, and with an exponent that the text of a number may have: what an operation must check before it hands out
 * its result. */
bool number_in_range(const struct value *a);

/* Decimal text as Terraform converts a number to a string: shortest exact, never an exponent. */
void number_text(const struct value *a, struct text *out);

/* To and from MPFR; `out` is initialised by the caller with NUMBER_BITS. */
void number_get(const struct value *a, mpfr_ptr out);
struct value *value_from_mpfr(mpfr_srcptr n);

#endif
