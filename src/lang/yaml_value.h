/*
 * YAML to values and back, as Terraform's yamldecode and yamlencode do it. Internal to lang/.
 */
#ifndef TUTTI_LANG_YAML_VALUE_H
#define TUTTI_LANG_YAML_VALUE_H

#include "lang/value.h"

/* One document; NULL with a problem that tells line and column. Bounded in depth, and in size after aliases. */
struct value *yaml_decode(const char *text, size_t len, struct error **err);

/* Appends a wholly known value as one document in block style, with quoted strings. */
int yaml_encode(const struct value *v, struct text *out, struct error **err);

/* Internal: a plain scalar by the core schema with the words of YAML 1.1 for bool, in yaml_scalar.c. NULL if only a
 * string is left; *unusable set if it is an infinite number or the one that is none. */
struct value *yaml_plain_scalar(const char *s, size_t len, bool *unusable);
bool yaml_is_null(const char *s, size_t len);

#endif
