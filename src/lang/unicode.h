/*
 * What Unicode asks of string functions: grapheme clusters (what a reader takes for one character) and the
 * case mappings of single code points. Strings are UTF-8. Internal to lang/.
 */
#ifndef TUTTI_LANG_UNICODE_H
#define TUTTI_LANG_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"

/* Bytes of the code point or grapheme cluster at s; 0 at the end. A bad byte counts as one. */
size_t unicode_point(const char *s, size_t len, int32_t *point);
size_t unicode_cluster(const char *s, size_t len);
size_t unicode_cluster_count(const char *s, size_t len);
void unicode_add(struct text *out, int32_t point);

enum unicode_case { CASE_UPPER, CASE_LOWER, CASE_TITLE };
int32_t unicode_map(int32_t point, enum unicode_case to);

bool unicode_is_space(int32_t point);  /* White_Space */
bool unicode_is_letter(int32_t point); /* a letter of any script */
bool unicode_is_digit(int32_t point);  /* a decimal digit of any script */
bool unicode_is_print(int32_t point);  /* letters, marks, numbers, punctuation, symbols and the ASCII space */

#endif
