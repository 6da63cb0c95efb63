/* Paths into a value, as the template writes them: rules[0].port, labels["a/b"]. */
#ifndef TUTTI_LANG_PROPERTY_PATH_H
#define TUTTI_LANG_PROPERTY_PATH_H

#include <stddef.h>

#include "lang/type.h"

/* The first step of a path: `*name` (to be freed) of an entry, or NULL and `*index` of an element. Returns where the rest begins, NULL for what is no path.
 * "rules[0].port" gives "rules", then 0, then "port". */
const char *property_path_step(const char *path, char **name, size_t *index);

/* Whether a value of the type can have something at the path; else false with why, to be freed. */
bool property_path_leads(const struct type *type, const char *path, char **why);

#endif
