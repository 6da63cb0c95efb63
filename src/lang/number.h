/*
 * Arithmetic on number values: machine integers where they suffice, MPFR floats otherwise. As in Terraform a number
 * has a precision of its own, and so has what is computed from it. A result may be infinite or a negative zero.
 * Every result is a new reference. Internal to lang/.
 */
#ifndef TUTTI_LANG_NUMBER_H
#define TUTTI_LANG_NUMBER_H

#include <mpfr.h>
#include "lang/value.h"

enum {
        NUMBER_BITS = 512,        /* of numbers that are written down */
        NUMBER_BITS_MACHINE = 64, /* of numbers that a function counted */
};

struct value *number_add(const struct value *a, const struct value *b);
struct value *number_subtract(const struct value *a, const struct value *b);
struct value *number_multiply(const struct value *a, const struct value *b);
/* By zero: infinite. Zero by zero and infinite by infinite: NULL, as is all else here that is no number. */
struct value *number_divide(const struct value *a, const struct value *b);
struct value *number_modulo(const struct value *a, const struct value *b); /* b is not zero; sign of a */
struct value *number_negate(const struct value *a);
/* Whether both are written with the same digits, however precise each is: pow(10, -1) == 0.1. */
bool number_equal(const struct value *a, const struct value *b);
int number_compare(const struct value *a, const struct value *b);
int number_sign(const struct value *a);
bool number_is_minus_zero(const struct value *a);
bool number_is_integer(const struct value *a);
/* Infinite, or with an exponent that the text of a number may have: what an operation must check before it hands out
 * its result. */
bool number_in_range(const struct value *a);
/* As value_number, but an integer of any length keeps all of its digits: for what number_text wrote. */
struct value *number_exact(const char *text, size_t len);

/* Decimal text as Terraform converts a number to a string: the shortest that gives it back with its precision. */
void number_text(const struct value *a, struct text *out);

/* To and from MPFR; `out` is initialised by the caller, and rounds. */
mpfr_prec_t number_bits(const struct value *a);
void number_get(const struct value *a, mpfr_ptr out);
struct value *value_from_mpfr(mpfr_srcptr n); /* not a NaN; with the precision of n */

#endif
