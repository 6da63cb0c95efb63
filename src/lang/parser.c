/*
 * The expression grammar by recursive descent, HCL's productions and precedence. Parsing stops at the first
 * problem of an expression: what a parser makes up behind one seldom teaches anybody anything.
 */
#include "lang/parser.h"

#include <stdio.h>
#include <string.h>

void parser_init(struct parser *p, struct arena *arena, const char *text, size_t len,
    const struct source_map *map, struct error **err)
{
        *p = (struct parser){.arena = arena, .err = err};
        lexer_init(&p->lexer, text, len, map);
}

int parser_begin(struct parser *p)
{
        if (text_is_utf8(p->lexer.text, p->lexer.len)) return 0;
        parser_fail(p, 0, "this text is not UTF-8");
        return -1;
}

void parser_release(struct parser *p)
{
        lexer_release(&p->lexer);
        free(p->names);
}

void parser_advance(struct parser *p)
{
        p->token = lexer_next(&p->lexer, p->newlines);
}

void *parser_fail(struct parser *p, size_t offset, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        struct place place = lexer_place(&p->lexer, offset);
        error_set(p->err, ERROR_INPUT, &place, "%s", message);
        return NULL;
}

/* What those mean who know other languages; NULL for none. */
static const char *hint(const char *text, size_t left)
{
        switch (left > 0 ? *text : '\0') {
        case '\'': return "strings stand in double quotes";
        case '&': return "did you mean '&&'?";
        case '|': return "did you mean '||'? A function is called as in upper(x)";
        case '=': return "did you mean '=='?";
        case '^': return "powers are written pow(x, y)";
        default: return NULL;
        }
}

void *parser_expected(struct parser *p, const char *what)
{
        cleanup_free char *found = lexer_describe(&p->lexer, p->token);
        const char *more = hint(p->lexer.text + p->token.start, p->token.end - p->token.start);
        return parser_fail(
            p, p->token.start, "expected %s, found %s%s%s", what, found, more ? "; " : "", more ? more : "");
}

bool parser_is_word(const struct parser *p, const char *word)
{
        size_t len = strlen(word);
        return p->token.kind == TOKEN_IDENT && p->token.end - p->token.start == len &&
               memcmp(p->lexer.text + p->token.start, word, len) == 0;
}

const char *parser_text(struct parser *p, struct token token)
{
        return arena_strndup(p->arena, p->lexer.text + token.start, token.end - token.start);
}

struct expr *parser_checked(struct parser *p, struct expr *e)
{
        if (e == NULL || e->depth <= EXPR_DEPTH_MAX) return e;
        return parser_fail(p, p->token.start,
            "this expression is too large: over %d operations inside one another", EXPR_DEPTH_MAX);
}

int parser_enter(struct parser *p)
{
        if (++p->depth <= PARSER_DEPTH_MAX) return 0;
        parser_fail(
            p, p->token.start, "this expression is nested too deeply: over %d levels", PARSER_DEPTH_MAX);
        return -1;
}

/* Makes a token behind the one in hand the next one, with newlines as given; gives what was before. */
static bool open_bracket(struct parser *p, bool newlines)
{
        bool before = p->newlines;
        p->newlines = newlines;
        parser_advance(p);
        return before;
}

static int close_bracket(struct parser *p, enum token_kind kind, bool newlines, const char *what)
{
        if (p->token.kind != kind) {
                parser_expected(p, what);
                return -1;
        }
        p->newlines = newlines;
        parser_advance(p);
        return 0;
}

struct list {
        struct expr **items;
        size_t count, capacity;
};

static void list_release_cleanup(struct list *l)
{
        free(l->items);
}

/* The list's items, moved to the arena. */
static struct expr **list_keep(struct parser *p, const struct list *l)
{
        struct expr **items = arena_alloc(p->arena, l->count * sizeof *items);
        if (l->count > 0) memcpy(items, l->items, l->count * sizeof *items);
        return items;
}

static struct expr *constant(struct parser *p, struct value *v, size_t offset)
{
        struct place place = lexer_place(&p->lexer, offset);
        return expr_literal(p->arena, v, &place);
}

/* --- for --- */

static void bind(struct parser *p, const char *name)
{
        vec_push(p->names, p->name_count, p->name_capacity, name);
}

void parser_unbind(struct parser *p)
{
        p->name_count -= 2;
}

struct for_expr *parser_for_head(struct parser *p)
{
        const char *key = "", *value;
        parser_advance(p);
        if (p->token.kind == TOKEN_ASSIGN || p->token.kind == TOKEN_COLON)
                return parser_fail(p, p->token.start,
                    "'for' begins a for expression; put an attribute of that name in quotes");
        if (p->token.kind != TOKEN_IDENT) return parser_expected(p, "a variable name behind 'for'");
        value = parser_text(p, p->token);
        parser_advance(p);
        if (p->token.kind == TOKEN_COMMA) {
                parser_advance(p);
                if (p->token.kind != TOKEN_IDENT)
                        return parser_expected(p, "a second variable name behind ','");
                key = value;
                value = parser_text(p, p->token);
                parser_advance(p);
        }
        if (!parser_is_word(p, "in")) return parser_expected(p, "'in' behind the variables of 'for'");
        parser_advance(p);
        struct for_expr *loop = arena_alloc(p->arena, sizeof *loop);
        loop->collection = parser_expression(p);
        if (loop->collection == NULL) return NULL;
        loop->key_slot = (unsigned)p->name_count;
        loop->value_slot = loop->key_slot + 1;
        bind(p, key);
        bind(p, value);
        return loop;
}

/* Behind the head: `: [key =>] value [...] [if condition]`. */
static int parse_for_body(struct parser *p, struct for_expr *loop, bool object)
{
        if (p->token.kind != TOKEN_COLON) return parser_expected(p, "':' behind the collection of 'for'"), -1;
        parser_advance(p);
        loop->value = parser_expression(p);
        if (loop->value == NULL) return -1;
        if (object) {
                if (p->token.kind != TOKEN_ARROW)
                        return parser_expected(
                                   p, "'=>' between key and value, as 'for' in braces makes an object"),
                               -1;
                parser_advance(p);
                loop->key = loop->value;
                loop->value = parser_expression(p);
                if (loop->value == NULL) return -1;
                loop->grouped = p->token.kind == TOKEN_ELLIPSIS;
                if (loop->grouped) parser_advance(p);
        } else if (p->token.kind == TOKEN_ARROW) {
                return parser_fail(p, p->token.start,
                           "'for' in brackets makes a tuple and takes no key; use braces for an object"),
                       -1;
        }
        if (!parser_is_word(p, "if")) return 0;
        parser_advance(p);
        loop->condition = parser_expression(p);
        return loop->condition ? 0 : -1;
}

/* `for` is in hand, behind a bracket or brace at `start`. */
static struct expr *parse_for(struct parser *p, size_t start, bool object, bool newlines)
{
        struct for_expr *loop = parser_for_head(p);
        if (loop == NULL) return NULL;
        int r = parse_for_body(p, loop, object);
        parser_unbind(p);
        if (r < 0) return NULL;
        if (close_bracket(p, object ? TOKEN_CLOSE_BRACE : TOKEN_CLOSE_BRACKET, newlines,
                object ? "'}' at the end of 'for'" : "']' at the end of 'for'") < 0)
                return NULL;
        struct place place = lexer_place(&p->lexer, start);
        struct expr *e = expr_new(p->arena, EXPR_FOR, &place);
        e->loop = loop;
        const struct expr *inner[] = {loop->collection, loop->key, loop->value, loop->condition};
        for (size_t i = 0; i < 4; i++)
                if (inner[i] != NULL && inner[i]->depth >= e->depth)
                        e->depth = (uint16_t)(inner[i]->depth + 1);
        return parser_checked(p, e);
}

/* --- tuples, objects, calls --- */

/* Items up to the closing token, which stays in hand. `expand` is set by `...` behind the last; NULL: not allowed. */
static int parse_items(
    struct parser *p, enum token_kind close, struct list *list, bool *expand, const char *what)
{
        while (p->token.kind != close) {
                struct expr *e = parser_expression(p);
                if (e == NULL) return -1;
                vec_push(list->items, list->count, list->capacity, e);
                if (expand != NULL && p->token.kind == TOKEN_ELLIPSIS) {
                        *expand = true;
                        parser_advance(p);
                        break;
                }
                if (p->token.kind == close) break;
                if (p->token.kind != TOKEN_COMMA) return parser_expected(p, what), -1;
                parser_advance(p);
        }
        return 0;
}

static struct expr *parse_tuple(struct parser *p)
{
        cleanup(list_release) struct list list = {0};
        size_t start = p->token.start;
        bool newlines = open_bracket(p, false);
        if (parser_is_word(p, "for")) return parse_for(p, start, false, newlines);
        if (parse_items(p, TOKEN_CLOSE_BRACKET, &list, NULL, "',' or ']' behind this element") < 0)
                return NULL;
        if (close_bracket(p, TOKEN_CLOSE_BRACKET, newlines, "']' behind the last element") < 0) return NULL;
        struct place place = lexer_place(&p->lexer, start);
        struct expr **items = list_keep(p, &list);
        return parser_checked(p, expr_over(p->arena, EXPR_TUPLE, 0, items, list.count, &place));
}

/* A bare name in front of = or : is a string; anything else is an expression. */
static struct expr *parse_key(struct parser *p)
{
        if (p->token.kind != TOKEN_IDENT) return parser_expression(p);
        struct parser ahead = *p;
        parser_advance(&ahead);
        if (ahead.token.kind != TOKEN_ASSIGN && ahead.token.kind != TOKEN_COLON) {
                if (ahead.token.kind == TOKEN_DOT)
                        return parser_fail(
                            p, p->token.start, "put parentheses around a key that is to be computed");
                return parser_expression(p);
        }
        struct token name = p->token;
        parser_advance(p);
        return constant(p, value_string_n(p->lexer.text + name.start, name.end - name.start), name.start);
}

static int parse_item(struct parser *p, struct object_item *item)
{
        item->place = lexer_place(&p->lexer, p->token.start);
        item->key = parse_key(p);
        if (item->key == NULL) return -1;
        if (p->token.kind != TOKEN_ASSIGN && p->token.kind != TOKEN_COLON)
                return parser_expected(p, "'=' or ':' behind this key"), -1;
        parser_advance(p);
        item->value = parser_expression(p);
        if (item->value == NULL) return -1;
        if (p->token.kind == TOKEN_COMMA)
                parser_advance(p);
        else if (p->token.kind != TOKEN_NEWLINE && p->token.kind != TOKEN_CLOSE_BRACE)
                return parser_expected(p, "',', a new line or '}' behind this attribute"), -1;
        return 0;
}

static struct expr *parse_object(struct parser *p)
{
        size_t start = p->token.start, count = 0, capacity = 0;
        cleanup_free struct object_item *items = NULL;
        bool newlines = open_bracket(p, false);
        if (parser_is_word(p, "for")) return parse_for(p, start, true, newlines);
        p->newlines = true;
        for (;;) {
                while (p->token.kind == TOKEN_NEWLINE) parser_advance(p);
                if (p->token.kind == TOKEN_CLOSE_BRACE) break;
                struct object_item item = {0};
                if (parse_item(p, &item) < 0) return NULL;
                vec_push(items, count, capacity, item);
        }
        if (close_bracket(p, TOKEN_CLOSE_BRACE, newlines, "'}'") < 0) return NULL;
        struct object_item *kept = arena_alloc(p->arena, count * sizeof *kept);
        if (count > 0) memcpy(kept, items, count * sizeof *kept);
        struct place place = lexer_place(&p->lexer, start);
        return parser_checked(p, expr_object_over(p->arena, kept, count, &place));
}

static void *fail_function(struct parser *p, size_t start, const char *name)
{
        const char *near = function_suggest(name);
        if (text_equal(name, "if"))
                return parser_fail(p, start, "there is no function 'if'; write CONDITION ? THIS : THAT");
        if (near == NULL) return parser_fail(p, start, "there is no function '%s'", name);
        return parser_fail(p, start, "there is no function '%s'; did you mean '%s'?", name, near);
}

/* The opening parenthesis is in hand. A function that does not exist is a problem of the text, except inside try() and
 * can(), which are there to find out, and in a branch of a conditional, which may not be taken. */
static struct expr *parse_call(struct parser *p, const char *name, size_t start)
{
        cleanup(list_release) struct list list = {0};
        bool expand = false;
        const struct function *function = function_find(text_starts(name, "core::") ? name + 6 : name);
        if (function == NULL && p->attempts == 0) return fail_function(p, start, name);
        bool attempt = function != NULL && function->body == NULL;
        p->attempts += attempt;
        bool newlines = open_bracket(p, false);
        if (parse_items(p, TOKEN_CLOSE_PAREN, &list, &expand, "',' or ')' behind this argument") < 0)
                return NULL;
        if (close_bracket(p, TOKEN_CLOSE_PAREN, newlines,
                expand ? "')' behind '...'" : "')' behind the last argument") < 0)
                return NULL;
        p->attempts -= attempt;
        struct place place = lexer_place(&p->lexer, start);
        struct expr **items = list_keep(p, &list);
        struct expr *e = expr_over(p->arena, EXPR_CALL, 0, items, list.count, &place);
        e->function = function;
        e->name = name;
        e->expand_last = expand;
        return parser_checked(p, e);
}

/* --- names and steps --- */

static struct expr *path(struct parser *p, enum base_kind base, size_t start)
{
        struct place place = lexer_place(&p->lexer, start);
        struct expr *e = expr_new(p->arena, EXPR_PATH, &place);
        e->path = arena_alloc(p->arena, sizeof *e->path);
        e->path->base = base;
        return e;
}

static struct expr *parse_name(struct parser *p)
{
        struct token first = p->token;
        const char *name = parser_text(p, first);
        parser_advance(p);
        while (p->token.kind == TOKEN_DOUBLE_COLON) {
                parser_advance(p);
                if (p->token.kind != TOKEN_IDENT) return parser_expected(p, "a function name behind '::'");
                name = arena_printf(p->arena, "%s::%s", name, parser_text(p, p->token));
                parser_advance(p);
                if (p->token.kind != TOKEN_DOUBLE_COLON && p->token.kind != TOKEN_OPEN_PAREN)
                        return parser_expected(p, "'(' behind a function name");
        }
        if (p->token.kind == TOKEN_OPEN_PAREN) return parse_call(p, name, first.start);
        if (text_equal(name, "true") || text_equal(name, "false"))
                return constant(p, value_bool(*name == 't'), first.start);
        if (text_equal(name, "null")) return constant(p, value_null(type_dynamic), first.start);
        for (size_t i = p->name_count; i-- > 0;) {
                if (!text_equal(p->names[i], name)) continue;
                struct expr *e = path(p, BASE_VARIABLE, first.start);
                e->path->slot = (unsigned)i;
                return e;
        }
        struct expr *e = path(p, BASE_ROOT, first.start);
        e->path->root = name;
        return e;
}

static int number_step(struct parser *p, struct step *step, size_t start, size_t end)
{
        struct value *index = value_number(p->lexer.text + start, end - start);
        if (index == NULL) return parser_fail(p, start, "this index is too large"), -1;
        step->kind = STEP_INDEX;
        step->key = expr_keep(p->arena, index);
        return 0;
}

/* Behind a dot: a name, a star, or a number as in `a.0`. */
static int dot_step(struct parser *p, struct step *step)
{
        struct token token = p->token;
        if (token.kind == TOKEN_STAR) {
                step->kind = STEP_ATTRIBUTE_SPLAT;
        } else if (token.kind == TOKEN_IDENT) {
                step->kind = STEP_ATTRIBUTE;
                step->name = parser_text(p, token);
                step->key = expr_keep(p->arena, value_string(step->name));
        } else if (token.kind == TOKEN_NUMBER) {
                size_t end = token.start;
                while (end < token.end && p->lexer.text[end] >= '0' && p->lexer.text[end] <= '9') end++;
                if (end < token.end && p->lexer.text[end] != '.')
                        return parser_expected(p, "an attribute name behind '.'"), -1;
                if (end < token.end)
                        return parser_fail(
                                   p, token.start, "two indexes behind one another must be written [0][0]"),
                               -1;
                if (number_step(p, step, token.start, end) < 0) return -1;
        } else {
                return parser_expected(p, "an attribute name behind '.'"), -1;
        }
        parser_advance(p);
        return 0;
}

/* The opening bracket is in hand. */
static int bracket_step(struct parser *p, struct step *step)
{
        bool newlines = open_bracket(p, false);
        if (p->token.kind == TOKEN_STAR) {
                step->kind = STEP_SPLAT;
                parser_advance(p);
                return close_bracket(p, TOKEN_CLOSE_BRACKET, newlines, "']' behind '[*'");
        }
        struct expr *index = parser_expression(p);
        if (index == NULL) return -1;
        step->kind = index->constant ? STEP_INDEX : STEP_COMPUTED;
        step->key = index->constant;
        step->index = index;
        return close_bracket(p, TOKEN_CLOSE_BRACKET, newlines, "']' behind this index");
}

/* How many steps each attribute splat applies to its elements: the names and numbers right behind it. */
static void cover_splats(struct step *steps, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (steps[i].kind == STEP_SPLAT) steps[i].covers = count - i - 1;
                if (steps[i].kind != STEP_ATTRIBUTE_SPLAT) continue;
                size_t end = i + 1;
                while (end < count && steps[end].dotted && steps[end].kind < STEP_SPLAT) end++;
                steps[i].covers = end - i - 1;
        }
}

/* `base` as something that steps can be put behind. */
static struct expr *as_path(struct parser *p, struct expr *base)
{
        if (base->kind == EXPR_PATH && base->path->count == 0) return base;
        struct expr *e = expr_new(p->arena, EXPR_PATH, &base->place);
        e->path = arena_alloc(p->arena, sizeof *e->path);
        e->path->base = BASE_EXPR;
        e->path->source = base;
        e->depth = (uint16_t)(base->depth + 1);
        return e;
}

struct expr *parser_steps(struct parser *p, struct expr *base)
{
        cleanup_free struct step *steps = NULL;
        size_t count = 0, capacity = 0;
        unsigned depth = 0, splats = 0;
        bool covered = false; /* by an attribute splat */
        while (p->token.kind == TOKEN_DOT || p->token.kind == TOKEN_OPEN_BRACKET) {
                struct step step = {.place = lexer_place(&p->lexer, p->token.start)};
                bool dot = p->token.kind == TOKEN_DOT;
                step.dotted = dot;
                if (dot) parser_advance(p);
                if ((dot ? dot_step(p, &step) : bracket_step(p, &step)) < 0) return NULL;
                if (step.index != NULL && step.index->depth > depth) depth = step.index->depth;
                if (covered && step.kind == STEP_ATTRIBUTE_SPLAT)
                        return parser_fail(p, p->token.start, "'.*' cannot stand behind another; write [*]");
                covered = step.kind == STEP_ATTRIBUTE_SPLAT || (covered && dot);
                if (step.kind >= STEP_SPLAT && ++splats > PARSER_DEPTH_MAX)
                        return parser_fail(p, p->token.start, "too many splats behind one another");
                vec_push(steps, count, capacity, step);
        }
        if (count > 0 || (base->kind == EXPR_PATH && base->path->base == BASE_ROOT &&
                             base->path->reference.root == NULL)) {
                base = as_path(p, base);
                base->path->steps = arena_alloc(p->arena, count * sizeof *steps);
                if (count > 0) memcpy(base->path->steps, steps, count * sizeof *steps);
                base->path->count = count;
                cover_splats(base->path->steps, count);
                if (depth >= base->depth) base->depth = (uint16_t)(depth + 1);
                base->depth = (uint16_t)(base->depth + splats);
                expr_path_reference(p->arena, base);
        }
        return parser_checked(p, base);
}

/* --- operators --- */

static struct expr *parse_parentheses(struct parser *p)
{
        bool newlines = open_bracket(p, false);
        struct expr *inner = parser_expression(p);
        if (inner == NULL) return NULL;
        if (close_bracket(p, TOKEN_CLOSE_PAREN, newlines, "')'") < 0) return NULL;
        return inner->kind == EXPR_PATH && inner->path->count > 0 ? as_path(p, inner) : inner;
}

static struct expr *parse_primary(struct parser *p)
{
        size_t start = p->token.start;
        switch (p->token.kind) {
        case TOKEN_NUMBER: {
                struct value *n = value_number(p->lexer.text + start, p->token.end - start);
                if (n == NULL) return parser_fail(p, start, "this number is too large");
                parser_advance(p);
                return constant(p, n, start);
        }
        case TOKEN_IDENT: return parse_name(p);
        case TOKEN_QUOTE: return parser_quoted(p);
        case TOKEN_HEREDOC: return parser_heredoc(p);
        case TOKEN_OPEN_BRACKET: return parse_tuple(p);
        case TOKEN_OPEN_BRACE: return parse_object(p);
        case TOKEN_OPEN_PAREN: return parse_parentheses(p);
        default: return parser_expected(p, "an expression");
        }
}

static struct expr *parse_unary(struct parser *p)
{
        enum token_kind kind = p->token.kind;
        if (kind != TOKEN_NOT && kind != TOKEN_MINUS) {
                struct expr *base = parse_primary(p);
                return base ? parser_steps(p, base) : NULL;
        }
        struct place place = lexer_place(&p->lexer, p->token.start);
        if (parser_enter(p) < 0) return NULL;
        parser_advance(p);
        struct expr *operand = parse_unary(p);
        p->depth--;
        if (operand == NULL) return NULL;
        struct expr **items = arena_alloc(p->arena, sizeof *items);
        items[0] = operand;
        return expr_over(p->arena, EXPR_UNARY, kind == TOKEN_NOT ? OP_NOT : OP_NEGATE, items, 1, &place);
}

/* HCL's levels: || && ==/!= </<=/>/>= +/- * / %. 0 for a token that is no binary operator. */
static int precedence(enum token_kind kind, enum operation *op)
{
        static const struct {
                enum token_kind kind;
                enum operation op;
                int level;
        } table[] = {
            {TOKEN_OR, OP_OR, 1},
            {TOKEN_AND, OP_AND, 2},
            {TOKEN_EQUAL, OP_EQUAL, 3},
            {TOKEN_NOT_EQUAL, OP_NOT_EQUAL, 3},
            {TOKEN_LESS, OP_LESS, 4},
            {TOKEN_LESS_EQUAL, OP_LESS_EQUAL, 4},
            {TOKEN_GREATER, OP_GREATER, 4},
            {TOKEN_GREATER_EQUAL, OP_GREATER_EQUAL, 4},
            {TOKEN_PLUS, OP_ADD, 5},
            {TOKEN_MINUS, OP_SUBTRACT, 5},
            {TOKEN_STAR, OP_MULTIPLY, 6},
            {TOKEN_SLASH, OP_DIVIDE, 6},
            {TOKEN_PERCENT, OP_MODULO, 6},
        };
        for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
                if (table[i].kind != kind) continue;
                *op = table[i].op;
                return table[i].level;
        }
        return 0;
}

static struct expr *parse_binary(struct parser *p, int least)
{
        struct expr *left = parse_unary(p);
        while (left != NULL) {
                enum operation op = OP_OR;
                int level = precedence(p->token.kind, &op);
                if (level < least || level == 0) return left;
                struct place place = lexer_place(&p->lexer, p->token.start);
                parser_advance(p);
                struct expr *right = parse_binary(p, level + 1);
                if (right == NULL) return NULL;
                struct expr **items = arena_alloc(p->arena, 2 * sizeof *items);
                items[0] = left;
                items[1] = right;
                left = parser_checked(p, expr_over(p->arena, EXPR_BINARY, op, items, 2, &place));
        }
        return NULL;
}

static struct expr *parse_conditional(struct parser *p)
{
        struct expr *condition = parse_binary(p, 1);
        if (condition == NULL || p->token.kind != TOKEN_QUESTION) return condition;
        struct place place = lexer_place(&p->lexer, p->token.start);
        struct expr **items = arena_alloc(p->arena, 3 * sizeof *items);
        items[0] = condition;
        parser_advance(p);
        p->attempts++;
        items[1] = parser_expression(p);
        if (items[1] == NULL) return NULL;
        if (p->token.kind != TOKEN_COLON)
                return parser_expected(p, "':' and the value for when the condition is false");
        parser_advance(p);
        items[2] = parser_expression(p);
        if (items[2] == NULL) return NULL;
        p->attempts--;
        return parser_checked(p, expr_over(p->arena, EXPR_CONDITIONAL, 0, items, 3, &place));
}

struct expr *parser_expression(struct parser *p)
{
        struct expr *e = parser_enter(p) < 0 ? NULL : parse_conditional(p);
        p->depth--;
        return e;
}

struct expr *expr_parse(
    struct arena *arena, const char *text, size_t len, const struct source_map *map, struct error **err)
{
        cleanup(parser_release) struct parser p;
        parser_init(&p, arena, text, len, map, err);
        if (parser_begin(&p) < 0) return NULL;
        parser_advance(&p);
        struct expr *e = parser_expression(&p);
        if (e != NULL && p.token.kind != TOKEN_END)
                return parser_expected(&p, "an operator or the end of the expression");
        if (e != NULL && p.lexer.open_comment < len)
                return parser_fail(&p, p.lexer.open_comment,
                    "a comment to the end of the line needs a next line, or it hides what closes the "
                    "expression; "
                    "write /* … */ instead");
        return e;
}

struct expr *expr_parse_template(
    struct arena *arena, const char *text, size_t len, const struct source_map *map, struct error **err)
{
        cleanup(parser_release) struct parser p;
        parser_init(&p, arena, text, len, map, err);
        return parser_begin(&p) < 0 ? NULL : parser_template(&p);
}
