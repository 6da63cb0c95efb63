/*
 * The bodies and result types of string functions that have files of their own; functions_string.c has the
 * table. Internal to lang/.
 */
#ifndef TUTTI_LANG_FUNCTIONS_STRING_H
#define TUTTI_LANG_FUNCTIONS_STRING_H

#include "lang/call.h"

/* functions_regex.c */
TYPED(regex);
TYPED(regexall);
VALUE_OF(replace);

/* functions_template.c */
TYPED(templatestring);

#endif
