/* Tokens of the expression language, and where each stands in its file. Internal to lang/. */
#ifndef TUTTI_LANG_LEXER_H
#define TUTTI_LANG_LEXER_H

#include "lang/expr.h"

enum token_kind {
        TOKEN_END,
        TOKEN_NEWLINE,
        TOKEN_IDENT,
        TOKEN_NUMBER,
        TOKEN_QUOTE,
        TOKEN_HEREDOC,
        TOKEN_OPEN_PAREN,
        TOKEN_CLOSE_PAREN,
        TOKEN_OPEN_BRACKET,
        TOKEN_CLOSE_BRACKET,
        TOKEN_OPEN_BRACE,
        TOKEN_CLOSE_BRACE,
        TOKEN_COMMA,
        TOKEN_DOT,
        TOKEN_ELLIPSIS,
        TOKEN_COLON,
        TOKEN_QUESTION,
        TOKEN_ARROW,
        TOKEN_ASSIGN,
        TOKEN_EQUAL,
        TOKEN_NOT_EQUAL,
        TOKEN_LESS,
        TOKEN_LESS_EQUAL,
        TOKEN_GREATER,
        TOKEN_GREATER_EQUAL,
        TOKEN_PLUS,
        TOKEN_MINUS,
        TOKEN_STAR,
        TOKEN_SLASH,
        TOKEN_PERCENT,
        TOKEN_NOT,
        TOKEN_AND,
        TOKEN_OR,
        TOKEN_TILDE,
        TOKEN_DOUBLE_COLON,
        TOKEN_INVALID,
};

struct token {
        enum token_kind kind;
        size_t start, end; /* bytes of the text */
};

struct lexer {
        const char *text;
        size_t len, at;
        const struct source_map *map;
        /* the last offset that was mapped to a place, from where the next one is counted on, and some that were
         * mapped before, for when an earlier one is asked for again */
        size_t mapped;
        struct place mapped_place;
        struct checkpoint {
                size_t offset;
                unsigned line, column;
        } * checkpoints; /* ascending */
        size_t checkpoint_count, checkpoint_capacity;
        size_t open_comment; /* where a comment begins that the text ends in without a newline; else `len` */
};

/* `map` is borrowed and may be NULL. */
void lexer_init(struct lexer *lexer, const char *text, size_t len, const struct source_map *map);
void lexer_release(struct lexer *lexer);

/* The next token, past white space and comments; newlines are tokens only if asked for. */
struct token lexer_next(struct lexer *lexer, bool newlines);

/* The place of a byte of the text, in time that does not grow with the text while offsets nearly ascend. */
struct place lexer_place(struct lexer *lexer, size_t offset);

/* Length of the identifier at s, 0 if none. */
size_t lexer_ident(const char *s, size_t len);

/* What to call a token in an error: "end of text", "')'", "\"name\"". Caller frees. */
char *lexer_describe(const struct lexer *lexer, struct token token);

#endif
