/* What changed from one version of a resource to the next. Internal to cli/. */
#ifndef TUTTI_CLI_HISTORY_H
#define TUTTI_CLI_HISTORY_H

#include "lang/value.h"

/* Either version may be NULL: there was none. Sensitive values are masked in both. */

/* Appends [{path, before, after, sensitive?}], the leaves that differ; an absent one is null. */
void history_json(const struct value *before, const struct value *after, struct text *out);
/* Appends a line for each, "  path: before -> after". */
void history_text(const struct value *before, const struct value *after, struct text *out);

#endif
