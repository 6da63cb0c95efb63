/*
 * What the command line prints with: colours on terminals only, problems, and exit codes of errors.
 */
#ifndef TUTTI_CLI_PRINT_H
#define TUTTI_CLI_PRINT_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"
#include "base/text.h"
#include "cli/options.h"
#include "lang/value.h"

enum style {
        STYLE_NONE,
        STYLE_BOLD,
        STYLE_DIM,
        STYLE_GREEN,
        STYLE_YELLOW,
        STYLE_RED,
        STYLE_CYAN,
        STYLE_MAGENTA
};

/* Colours only when standard output is a terminal, NO_COLOR is unset and --no-color was not given. */
void print_setup(const struct options *o);
bool print_colored(void);
const char *style_on(enum style style); /* "" without colours */
const char *style_off(void);

/* Prints all problems: for people on standard error, with --json also as {"problems": […]} on standard output. Gives the exit code of
 * the first kind: INPUT and the like 4, BUSY 5, CANCELLED 130, others 1. */
int print_error(const struct options *o, const struct error *err);
void print_warnings(const struct error *err); /* in words, on standard error; NULL-safe */
void print_problems(const struct error *err); /* {"problems": […]} on standard output */
int exit_code_of(const struct error *err);
void json_problems(struct text *out, const struct error *err); /* the array */

/*
 * Text from outside, so that it plays no tricks on the terminal or its reader: control characters, what turns the direction of writing,
 * line ends, and bytes that are not UTF-8 are shown as \n, \x1b and \u202e. Tabs stay. NULL is nothing.
 */
void text_add_shown(struct text *out, const char *s);
size_t text_columns(const char *shown);               /* how wide such text is, without tabs and colours */
void text_cut(struct text *shown, size_t columns);    /* to be no wider than that; characters stay whole */
void print_safe(FILE *f, const char *s);              /* on one line */
void print_lines(FILE *f, const char *s, int indent); /* lines as they are; all but the first are indented */
/* Like printf: lines stay lines, and the rest of what it makes is shown like that. */
void print_shown(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void print_cell(const char *s, size_t width); /* like print_safe, with blanks up to there, one at least */
void print_path(const char *path);            /* on standard output, to be copied into a shell */
/* Commands to go on with, on standard output, to be copied into a shell; see run/hint.h. */
void print_hint(const char *verb, const char *file);
void print_named_hint(const char *verb, const char *file, const char *name, const char *options);
/* Whether it can stand for somebody or something: not empty, at most 128 bytes, shown as it is. */
bool name_is_sane(const char *s);

/* A value for people on one line, at most `width` characters, secrets masked; appended. */
void value_short(const struct value *v, bool sensitive, size_t width, struct text *out);

static inline const char *plural(size_t n) /* the ending of a noun that is counted */
{
        return n == 1 ? "" : "s";
}

void text_json(struct text *out, const char *s); /* null for NULL */
/* JSON that was recorded, as it is; null for NULL, and for what is no JSON or would not stay on its line. */
void text_json_recorded(struct text *out, const char *json);

/* Asks at the terminal; true for y or yes. */
bool ask_yes(const char *question);
bool at_terminal(void); /* somebody can be asked: standard input and error are terminals */

#endif
