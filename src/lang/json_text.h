/*
 * JSON as Terraform's jsonencode writes it. Internal to lang/.
 */
#ifndef TUTTI_LANG_JSON_TEXT_H
#define TUTTI_LANG_JSON_TEXT_H

#include "lang/value.h"

/* Appends a wholly known value, with <, > and & and the line separators of Unicode escaped. */
int json_encode(const struct value *v, struct text *out, struct error **err);

#endif
