/*
 * Templates: text with `${…}` and `%{if}`, `%{else}`, `%{endif}`, `%{for}`, `%{endfor}`, and `~` markers
 * that strip the white space next to them. In quotes, backslash escapes apply and a newline is an error; without
 * quotes (a YAML scalar, a here document) the text stands as it is. `$${` and `%%{` mean `${` and `%{`.
 */
#include <string.h>

#include "lang/parser.h"
#include "lang/unicode.h"

enum ending { END_TEXT, END_ELSE, END_ENDIF, END_ENDFOR };

struct scan {
        struct parser *p;
        bool quoted;
        struct text literal; /* not yet made a part */
        size_t literal_start;
        size_t directive;      /* where the last `%{` stands */
        bool strip;            /* a `~}` came last: drop white space up to the next character */
        bool texts;            /* any text was met outside of markers */
        size_t markers;        /* `${` and `%{` met so far, */
        size_t interpolations; /* and of these the `${` */
};

struct parts {
        struct expr **items;
        size_t count, capacity;
};

static void parts_release_cleanup(struct parts *parts)
{
        free(parts->items);
}

static int parse_parts(struct scan *s, struct parts *parts, enum ending *ending);

static bool is_space(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of the white space, of any script, that is at s; 0 if there is none. */
static size_t space_at(const char *s, size_t len)
{
        int32_t point;
        if (len == 0 || (unsigned char)*s < 0x80) return len > 0 && is_space(*s);
        size_t n = unicode_point(s, len, &point);
        return unicode_is_space(point) ? n : 0;
}

/* The same for the white space that ends s. */
static size_t space_before_end(const char *s, size_t len)
{
        if (len == 0) return 0;
        size_t n = 1;
        while (n < len && n < 4 && (s[len - n] & 0xc0) == 0x80) n++;
        return space_at(s + len - n, n) == n ? n : 0;
}

static bool at(const struct scan *s, const char *text)
{
        const struct lexer *l = &s->p->lexer;
        size_t len = strlen(text);
        return l->len - l->at >= len && memcmp(l->text + l->at, text, len) == 0;
}

static int hex_escape(struct scan *s, int digits)
{
        struct lexer *l = &s->p->lexer;
        size_t start = l->at - 2;
        unsigned long code = 0;
        for (int i = 0; i < digits; i++, l->at++) {
                char c = l->at < l->len ? l->text[l->at] : '\0';
                const char *found = c ? strchr("0123456789abcdef", c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
                if (found == NULL) {
                        parser_fail(s->p, start, "this escape needs %d hexadecimal digits", digits);
                        return -1;
                }
                code = code << 4 | (unsigned long)(found - "0123456789abcdef" + 0);
        }
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
                parser_fail(s->p, start, "this escape is no Unicode character");
                return -1;
        }
        char utf8[4];
        size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = n; i-- > 1; code >>= 6) utf8[i] = (char)(0x80 | (code & 0x3f));
        utf8[0] = (char)(lead[n] | code);
        text_addn(&s->literal, utf8, n);
        return 0;
}

/* At a backslash. */
static int escape(struct scan *s)
{
        static const char from[] = "nrt\"\\", to[] = "\n\r\t\"\\";
        struct lexer *l = &s->p->lexer;
        char c = l->at + 1 < l->len ? l->text[l->at + 1] : '\0';
        const char *found = c ? strchr(from, c) : NULL;
        l->at += 2;
        if (found != NULL) {
                text_addc(&s->literal, to[found - from]);
                return 0;
        }
        if (c == 'u' || c == 'U') return hex_escape(s, c == 'u' ? 4 : 8);
        parser_fail(s->p, l->at - 2,
            "'\\%c' is no escape; there are \\n \\r \\t \\\" \\\\ \\uNNNN \\UNNNNNNNN",
            c >= 0x20 && c < 0x7f ? c : '?');
        return -1;
}

/* Text up to the next marker or the end. */
static int scan_literal(struct scan *s)
{
        struct lexer *l = &s->p->lexer;
        if (s->literal.len == 0) s->literal_start = l->at;
        while (l->at < l->len) {
                char c = l->text[l->at];
                if ((c == '"' && s->quoted) || at(s, "${") || at(s, "%{")) return 0;
                s->texts = true;
                if (c == '\n' && s->quoted) {
                        parser_fail(
                            s->p, l->at, "a quoted string ends on its line; write \\n for a new line");
                        return -1;
                }
                size_t space = s->strip ? space_at(l->text + l->at, l->len - l->at) : 0;
                if (space > 0) {
                        l->at += space;
                        if (c == '\n') s->strip = false;
                        continue;
                }
                if (c == '\\' && s->quoted) {
                        if (escape(s) < 0) return -1;
                        const struct text *made = &s->literal; /* `~}\n`: an escaped white space is one too */
                        if (s->strip && made->len > 0 && space_at(made->data, made->len) == made->len)
                                text_clear(&s->literal);
                        else
                                s->strip = false;
                        continue;
                }
                s->strip = false;
                if (at(s, "$${") || at(s, "%%{")) {
                        text_addn(&s->literal, l->text + l->at + 1, 2);
                        l->at += 3;
                        continue;
                }
                text_addc(&s->literal, c);
                l->at++;
        }
        if (!s->quoted) return 0;
        parser_fail(s->p, s->p->token.start, "this string has no closing quote");
        return -1;
}

static void flush(struct scan *s, struct parts *parts)
{
        if (s->literal.len == 0) return;
        struct place place = lexer_place(&s->p->lexer, s->literal_start);
        struct value *v = value_string_n(s->literal.data, s->literal.len);
        vec_push(parts->items, parts->count, parts->capacity, expr_literal(s->p->arena, v, &place));
        text_clear(&s->literal);
}

/* `${~` takes away the white space in front of it: in quotes all of it, else that of its own line, or, at the very
 * beginning of a line, that of the line before with its end. */
static void strip_end(struct scan *s)
{
        const char *text = s->literal.data;
        size_t end = s->literal.len;
        bool line_done = false;
        for (size_t space; !line_done && (space = space_before_end(text, end)) > 0;) {
                line_done = !s->quoted && end < s->literal.len && text[end - 1] == '\n';
                if (!line_done) end -= space;
        }
        s->literal.len = end;
        if (text != NULL) s->literal.data[end] = '\0';
}

/* At `${` or `%{`: what stands before becomes a part, and the first token inside comes in hand. */
static void open_marker(struct scan *s, struct parts *parts)
{
        struct parser *p = s->p;
        bool strip = p->lexer.at + 2 < p->lexer.len && p->lexer.text[p->lexer.at + 2] == '~';
        p->lexer.at += strip ? 3 : 2;
        if (strip) strip_end(s);
        flush(s, parts);
        s->strip = false;
        s->markers++;
        p->newlines = false;
        parser_advance(p);
}

static int close_marker(struct scan *s, size_t opened)
{
        struct parser *p = s->p;
        if (p->token.kind == TOKEN_TILDE) {
                s->strip = true;
                parser_advance(p);
        }
        if (p->token.kind == TOKEN_END || p->token.kind == TOKEN_QUOTE) {
                parser_fail(p, opened, "this '%c{' has no closing '}'", p->lexer.text[opened]);
                return -1;
        }
        if (p->token.kind != TOKEN_CLOSE_BRACE) return parser_expected(p, "'}'"), -1;
        p->lexer.at = p->token.end;
        return 0;
}

/* Parts as one string. */
static struct expr *join(struct scan *s, const struct parts *parts, size_t start)
{
        struct place place = lexer_place(&s->p->lexer, start);
        if (parts->count == 0) return expr_literal(s->p->arena, value_string(""), &place);
        struct expr **items = arena_alloc(s->p->arena, parts->count * sizeof *items);
        memcpy(items, parts->items, parts->count * sizeof *items);
        return parser_checked(s->p, expr_over(s->p->arena, EXPR_TEMPLATE, 0, items, parts->count, &place));
}

/* The parts up to an ending as one string. */
static struct expr *parse_block(struct scan *s, enum ending *ending, size_t opened)
{
        cleanup(parts_release) struct parts parts = {0};
        if (parser_enter(s->p) < 0) return NULL;
        int r = parse_parts(s, &parts, ending);
        s->p->depth--;
        return r < 0 ? NULL : join(s, &parts, opened);
}

/* `if` is in hand. */
static struct expr *parse_if(struct scan *s, size_t opened)
{
        struct parser *p = s->p;
        struct place place = lexer_place(&p->lexer, opened);
        struct expr **items = arena_alloc(p->arena, 3 * sizeof *items);
        enum ending ending;
        parser_advance(p);
        items[0] = parser_expression(p);
        if (items[0] == NULL || close_marker(s, opened) < 0) return NULL;
        p->attempts++;
        items[1] = parse_block(s, &ending, opened);
        if (items[1] == NULL) return NULL;
        if (ending == END_ELSE) {
                items[2] = parse_block(s, &ending, opened);
                if (items[2] == NULL) return NULL;
        } else {
                items[2] = expr_literal(p->arena, value_string(""), &place);
        }
        p->attempts--;
        if (ending != END_ENDIF) return parser_fail(p, opened, "this '%%{if}' has no '%%{endif}'");
        return parser_checked(p, expr_over(p->arena, EXPR_CONDITIONAL, 0, items, 3, &place));
}

/* `for` is in hand. */
static struct expr *parse_template_for(struct scan *s, size_t opened)
{
        struct parser *p = s->p;
        enum ending ending = END_TEXT;
        struct for_expr *loop = parser_for_head(p);
        if (loop == NULL) return NULL;
        if (close_marker(s, opened) == 0) loop->value = parse_block(s, &ending, opened);
        parser_unbind(p);
        if (loop->value == NULL) return NULL;
        if (ending != END_ENDFOR) return parser_fail(p, opened, "this '%%{for}' has no '%%{endfor}'");
        struct place place = lexer_place(&p->lexer, opened);
        struct expr *e = expr_new(p->arena, EXPR_TEMPLATE_FOR, &place);
        e->loop = loop;
        unsigned deep = loop->value->depth > loop->collection->depth ? loop->value->depth
                                                                     : loop->collection->depth;
        e->depth = (uint16_t)(deep + 1);
        return parser_checked(p, e);
}

/* At `%{`. An ending word sets *ending; anything else adds a part. */
static int parse_directive(struct scan *s, struct parts *parts, enum ending *ending)
{
        static const char *const words[] = {
            [END_ELSE] = "else", [END_ENDIF] = "endif", [END_ENDFOR] = "endfor"};
        struct parser *p = s->p;
        size_t opened = s->directive = p->lexer.at;
        open_marker(s, parts);
        for (int e = END_ELSE; e <= END_ENDFOR; e++) {
                if (!parser_is_word(p, words[e])) continue;
                *ending = (enum ending)e;
                parser_advance(p);
                return close_marker(s, opened);
        }
        struct expr *part = NULL;
        if (parser_is_word(p, "if"))
                part = parse_if(s, opened);
        else if (parser_is_word(p, "for"))
                part = parse_template_for(s, opened);
        else
                parser_expected(p, "if, else, endif, for or endfor behind '%{'");
        if (part == NULL) return -1;
        vec_push(parts->items, parts->count, parts->capacity, part);
        return 0;
}

static int parse_interpolation(struct scan *s, struct parts *parts)
{
        size_t opened = s->p->lexer.at;
        s->interpolations++;
        open_marker(s, parts);
        struct expr *part = parser_expression(s->p);
        if (part == NULL || close_marker(s, opened) < 0) return -1;
        vec_push(parts->items, parts->count, parts->capacity, part);
        return 0;
}

/* Parts up to the end of the text or to an ending directive. */
static int parse_parts(struct scan *s, struct parts *parts, enum ending *ending)
{
        *ending = END_TEXT;
        while (*ending == END_TEXT) {
                if (scan_literal(s) < 0) return -1;
                if (at(s, "${")) {
                        if (parse_interpolation(s, parts) < 0) return -1;
                } else if (at(s, "%{")) {
                        if (parse_directive(s, parts, ending) < 0) return -1;
                } else {
                        flush(s, parts);
                        return 0;
                }
        }
        return 0;
}

/* A template that is one single interpolation keeps the type of its value. */
static struct expr *parse_whole(struct scan *s, size_t start)
{
        cleanup(parts_release) struct parts parts = {0};
        enum ending ending;
        if (parser_enter(s->p) < 0) return NULL;
        int r = parse_parts(s, &parts, &ending);
        s->p->depth--;
        text_release(&s->literal);
        if (r < 0) return NULL;
        if (ending != END_TEXT)
                return parser_fail(s->p, s->directive, "this directive ends nothing that was begun before");
        bool single = parts.count == 1 && !s->texts && s->markers == 1 && s->interpolations == 1;
        return single ? parts.items[0] : join(s, &parts, start);
}

struct expr *parser_quoted(struct parser *p)
{
        struct scan s = {.p = p, .quoted = true};
        struct token quote = p->token;
        bool newlines = p->newlines;
        p->lexer.at = quote.end;
        struct expr *e = parse_whole(&s, quote.start);
        if (e == NULL) return NULL;
        p->lexer.at++; /* the closing quote */
        p->newlines = newlines;
        parser_advance(p);
        return e;
}

struct expr *parser_template(struct parser *p)
{
        struct scan s = {.p = p};
        return parse_whole(&s, p->lexer.at);
}

/* --- here documents --- */

struct heredoc {
        size_t body, end, behind; /* the lines, and where the text goes on behind the marker */
        bool flush;               /* <<-: the common indentation goes */
};

static size_t line_end(const struct lexer *l, size_t from)
{
        const char *end = from < l->len ? memchr(l->text + from, '\n', l->len - from) : NULL;
        return end ? (size_t)(end - l->text) : l->len;
}

/* Behind `<<`: finds the marker's name and the line that repeats it. */
static int find_heredoc(struct parser *p, struct heredoc *doc)
{
        struct lexer *l = &p->lexer;
        size_t name = p->token.end;
        doc->flush = name < l->len && l->text[name] == '-';
        if (doc->flush) name++;
        size_t len = lexer_ident(l->text + name, l->len - name), at_line = line_end(l, name);
        size_t behind = name + len < at_line && l->text[name + len] == '\r' ? name + len + 1 : name + len;
        if (len == 0 || behind != at_line || at_line == l->len) {
                parser_fail(p, p->token.start, "expected a marker word and a new line behind '<<'");
                return -1;
        }
        doc->body = at_line + 1;
        for (size_t line = doc->body; line < l->len; line = line_end(l, line) + 1) {
                size_t word = line, end = line_end(l, line);
                while (word < end && (l->text[word] == ' ' || l->text[word] == '\t')) word++;
                size_t stop = end > word && l->text[end - 1] == '\r' ? end - 1 : end;
                if (stop - word < len || memcmp(l->text + word, l->text + name, len) != 0) continue;
                if (lexer_ident(l->text + word, stop - word) != len) continue;
                doc->end = line;
                doc->behind = word + len;
                return 0;
        }
        parser_fail(
            p, p->token.start, "this here document has no closing line '%.*s'", (int)len, l->text + name);
        return -1;
}

static size_t indentation(const struct lexer *l, const struct heredoc *doc)
{
        size_t least = SIZE_MAX;
        for (size_t line = doc->body; doc->flush && line < doc->end; line = line_end(l, line) + 1) {
                size_t end = line_end(l, line), n = 0;
                while (line + n < end && is_space(l->text[line + n])) n++;
                if (line + n < end && n < least) least = n;
        }
        return least == SIZE_MAX ? 0 : least;
}

/* The body without its common indentation is parsed as a text of its own, with a map back to the lines here. */
struct expr *parser_heredoc(struct parser *p)
{
        struct heredoc doc;
        struct text body = {0};
        struct source_line *lines = NULL;
        size_t count = 0, capacity = 0;
        if (find_heredoc(p, &doc) < 0) return NULL;
        size_t cut = indentation(&p->lexer, &doc);
        for (size_t line = doc.body; line < doc.end; line = line_end(&p->lexer, line) + 1) {
                size_t end = line_end(&p->lexer, line), from = end - line < cut ? end : line + cut;
                struct place place = lexer_place(&p->lexer, from);
                struct source_line mapped = {body.len, place.line, place.column};
                vec_push(lines, count, capacity, mapped);
                text_addn(&body, p->lexer.text + from, end - from + 1);
        }
        struct place start = lexer_place(&p->lexer, doc.body);
        struct source_map map = {.start = start, .lines = lines, .line_count = count};
        struct parser inner = *p;
        const char *text = arena_strndup(p->arena, body.data ? body.data : "", body.len);
        lexer_init(&inner.lexer, text, body.len, &map);
        struct expr *e = parser_template(&inner);
        lexer_release(&inner.lexer);
        p->names = inner.names;
        p->name_capacity = inner.name_capacity;
        text_release(&body);
        free(lines);
        if (e == NULL) return NULL;
        p->lexer.at = doc.behind;
        parser_advance(p);
        return e;
}
