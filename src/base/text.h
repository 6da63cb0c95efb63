/*
 * Growing byte strings and the small string helpers that every room needs.
 */
#ifndef TUTTI_BASE_TEXT_H
#define TUTTI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/mem.h"

/* A growing byte string, always followed by a NUL byte once something was added. `struct text t = {0};` */
struct text {
        char *data; /* NULL while nothing was added */
        size_t len, capacity;
};

void text_add(struct text *t, const char *s);
void text_addn(struct text *t, const void *data, size_t len);
void text_addc(struct text *t, char c);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_clear(struct text *t);   /* keeps the memory */
void text_release(struct text *t); /* frees the memory */
char *text_steal(struct text *t);  /* the string, never NULL; the caller frees; t is empty afterwards */
static inline void text_release_cleanup(struct text *t)
{
        text_release(t);
}

/* Appends `s` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void text_add_json(struct text *t, const char *s, size_t len);
/* A member of a JSON object that was begun with '{', behind a comma unless it is the first; NULL is null. */
void text_add_member(struct text *t, const char *key, const char *value);

/* Appends `word` as one word of a POSIX shell's command line, in single quotes: always, or where it needs them. */
void text_add_quoted(struct text *t, const char *word);
void text_add_shell(struct text *t, const char *word);
/* The same of a path: one that begins with '-' becomes ./-…, so that no command takes it for an option. */
void text_add_path(struct text *t, const char *path);

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
bool text_is_utf8(const char *s, size_t len);

/*
 * The candidate most like `name`, or NULL when none is near enough to be what was meant: at most a third
 * of its letters differ (optimal string alignment distance, so a swap of neighbours counts once).
 */
const char *text_suggest(const char *name, const char *const *candidates, size_t count);

/* Lower-case hexadecimal; out has room for 2 * len + 1 bytes. */
void text_hex(const void *data, size_t len, char *out);

#endif
