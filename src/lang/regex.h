/*
 * Regular expressions with RE2's syntax and leftmost-first semantics, run by PCRE2. A pattern is parsed here
 * and written anew for PCRE2, so that what RE2 does not have (back references, look-around, possessive
 * operators) is refused, and what the two read differently means what it means in RE2. Internal to lang/.
 */
#ifndef TUTTI_LANG_REGEX_H
#define TUTTI_LANG_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/text.h"

struct regex;

/* NULL with a problem that says what is wrong with the pattern. */
struct regex *regex_new(const char *pattern, size_t len, struct error **err);
void regex_free(struct regex *r); /* NULL-safe */
CLEANUP(struct regex *, regex_free);

size_t regex_group_count(const struct regex *r);                   /* without the whole match */
const char *regex_group_name(const struct regex *r, size_t group); /* from 1; NULL if it has none */

/* Offsets of group g at [2g] and [2g + 1], of the whole match as group 0; REGEX_NONE for a group without a match. */
#define REGEX_NONE ((size_t)-1)

/*
 * Searches text[from..len) for the first match; `text` is UTF-8. 1 with *offsets (borrowed until the next
 * call), 0 for none, -1 with a problem when the search takes too long (about a second in all for one regex).
 */
int regex_search(
    struct regex *r, const char *text, size_t len, size_t from, const size_t **offsets, struct error **err);

/* Internal: RE2 syntax to PCRE2 syntax, in regex_syntax.c. Names: one per group, NULL where there is none. */
struct regex_groups {
        char **names;
        size_t count, capacity;
};
int regex_translate(
    const char *pattern, size_t len, struct text *out, struct regex_groups *groups, struct error **err);

#endif
