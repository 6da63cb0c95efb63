/* What the files parser*.c share. */
#ifndef TUTTI_LANG_PARSER_H
#define TUTTI_LANG_PARSER_H

#include "lang/expr_internal.h"
#include "lang/lexer.h"

enum { PARSER_DEPTH_MAX = 250 };

struct parser {
        struct lexer lexer;
        struct arena *arena;
        struct error **err;
        struct token token; /* the one in hand */
        bool newlines;      /* whether a newline is a token here, as between the items of an object */
        unsigned depth;
        /* the variables that `for` binds around here, the innermost last; the index is the slot */
        const char **names;
        size_t name_count, name_capacity;
        unsigned attempts; /* how many try(), can() and branches of conditionals are around */
};

void parser_init(struct parser *p, struct arena *arena, const char *text, size_t len,
    const struct source_map *map, struct error **err);
int parser_begin(struct parser *p); /* -1 with a problem if the text is not UTF-8 */
void parser_release(struct parser *p);
static inline void parser_release_cleanup(struct parser *p)
{
        parser_release(p);
}

void parser_advance(struct parser *p);
/* Always NULL, so that a failing function can say it in one expression. */
void *parser_fail(struct parser *p, size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "expected …, found …" at the token in hand. Always NULL. */
void *parser_expected(struct parser *p, const char *what);
bool parser_is_word(const struct parser *p, const char *word);
const char *parser_text(struct parser *p, struct token token); /* a copy in the arena */
/* NULL, with a problem, if the tree became too deep. */
struct expr *parser_checked(struct parser *p, struct expr *e);
/* Guards recursion: -1 with a problem when it is too deep. The caller lowers p->depth again. */
int parser_enter(struct parser *p);

/* From the token in hand; afterwards the token in hand is the one behind the expression. NULL on failure. */
struct expr *parser_expression(struct parser *p);
/* `.name`, `[…]`, `.*` and so on behind `base`, as long as there are any. */
struct expr *parser_steps(struct parser *p, struct expr *base);

/* `for k, v in collection` with `for` in hand; binds the two variables until parser_unbind. NULL on failure. */
struct for_expr *parser_for_head(struct parser *p);
void parser_unbind(struct parser *p);

/* The quote is in hand; afterwards the token behind the closing quote. */
struct expr *parser_quoted(struct parser *p);
struct expr *parser_heredoc(struct parser *p);
/* The whole rest of the text as a template without quotes or backslashes. */
struct expr *parser_template(struct parser *p);

#endif
