/*
 * Commands that people are told to go on with. They are copied into a shell as they stand, so whatever came from outside is quoted, and
 * nothing in them can be taken for an option, a pipe or another command.
 */
#ifndef TUTTI_RUN_HINT_H
#define TUTTI_RUN_HINT_H

#include "base/text.h"

/* Appends `tutti VERB FILE`. */
void hint_add(struct text *out, const char *verb, const char *file);
/* The same with the name of a gate or run behind it, and with `options`, which are a shell's words already (NULL: none). Where the
 * name begins with '-' the options stand before it, and `--` between them. */
void hint_add_named(
    struct text *out, const char *verb, const char *file, const char *name, const char *options);

#endif
