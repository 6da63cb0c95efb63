/*
 * Paths as file functions take them: relative to the template's folder, and confined to the project unless the
 * scope allows more. Internal to lang/.
 */
#ifndef TUTTI_LANG_PATH_H
#define TUTTI_LANG_PATH_H

#include <sys/types.h>
#include "lang/expr.h"

/* The shortest equal path, without looking at the file system: "" gives ".". The caller frees. */
char *path_clean(const char *path);
/* All but the last element, cleaned; the last element. The caller frees. */
char *path_dirname(const char *path);
char *path_basename(const char *path);
/* A leading ~ replaced by the home folder; NULL with a problem for ~user. The caller frees. */
char *path_expand(const char *path, struct error **err);
/* Cleaned, and put behind `base` unless it is absolute. The caller frees. */
char *path_over_base(const char *base, const char *path);

/* What stands at a path; a file that the scope does not let at is PATH_FORBIDDEN, with a problem. */
enum path_kind { PATH_FORBIDDEN = -1, PATH_NONE, PATH_FILE, PATH_FOLDER, PATH_OTHER };

/*
 * Looks a path up through all links, and checks where it leads to. With PATH_FILE and PATH_FOLDER *fd is opened for
 * reading exactly that (the caller closes); otherwise it is -1. `fd` may be NULL.
 */
enum path_kind path_open(const struct scope *scope, const char *path, int *fd, struct error **err);

#endif
