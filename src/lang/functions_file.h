/*
 * What the functions on files and those on templates share. Internal to lang/.
 */
#ifndef TUTTI_LANG_FUNCTIONS_FILE_H
#define TUTTI_LANG_FUNCTIONS_FILE_H

#include "lang/call.h"

/* functions_template.c */
TYPED(templatefile);
TYPED(templatestring);

/* Appends the bytes of a file within the scope's bounds. */
int file_text(const struct scope *scope, const char *path, struct text *out, struct error **err);

#endif
