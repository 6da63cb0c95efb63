/*
 * Logarithm and power of doubles, to the last bit as Terraform's runtime computes them. The C library's are nearer
 * to the truth in the last place, which shows: log(27, 3) would be 3 instead of 3.0000000000000004. Internal to lang/.
 */
#ifndef TUTTI_LANG_DOUBLE_H
#define TUTTI_LANG_DOUBLE_H

/* The natural logarithm, by the method of fdlibm: x = 2^k (1 + f), and a polynomial in f / (2 + f). */
double double_log(double x);

/* x to the power y, by squaring for the whole part of y and by exp and log for its fraction. */
double double_pow(double x, double y);

#endif
