/*
 * The files below a folder whose paths match a pattern. Internal to lang/.
 */
#ifndef TUTTI_LANG_GLOB_H
#define TUTTI_LANG_GLOB_H

#include "lang/call.h"

/*
 * Adds the paths, relative to `folder`, of all plain files that match: `*` and `?` within a name, `[a-z]` and
 * `[^a-z]`, `{one,two}`, and `**` as a whole element for any number of folders. Links are followed as far as the
 * scope allows. -1 with a problem, also when there are too many files.
 */
int glob_files(const struct scope *scope, const char *folder, const char *pattern, struct value_vec *paths,
    struct error **err);

/* Whether a name matches one element of a pattern (without braces): 1, 0, or -1 if the pattern is malformed. */
int glob_match(const char *pattern, const char *name);

#endif
