/*
 * Scalars: which plain ones are not text, and where each part of a scalar's text stands in the file.
 *
 * libyaml says only where a scalar begins and ends. An expression in the middle of a folded or escaped one has a place of its own,
 * so the raw text is walked once more beside the decoded one. Only scalars that hold an expression need it.
 */
#include "template/yaml.h"

#include <string.h>

/* --- the core schema ------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *text, size_t len, const char *const *words)
{
        for (; *words != NULL; words++)
                if (strlen(*words) == len && memcmp(*words, text, len) == 0) return true;
        return false;
}

static size_t digits(const char *text, size_t len, const char *set)
{
        size_t n = 0;
        while (n < len && text[n] != '\0' && strchr(set, text[n]) != NULL) n++;
        return n;
}

static enum yaml_core core_number(const char *text, size_t len)
{
        static const char decimal[] = "0123456789";
        if (len > 2 && text[0] == '0' && text[1] == 'o')
                return digits(text + 2, len - 2, "01234567") == len - 2 ? YAML_NUMBER : YAML_STRING;
        if (len > 2 && text[0] == '0' && text[1] == 'x')
                return digits(text + 2, len - 2, "0123456789abcdefABCDEF") == len - 2 ? YAML_NUMBER
                                                                                      : YAML_STRING;
        size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
        size_t whole = digits(text + at, len - at, decimal);
        bool padded = whole > 1 && text[at] == '0', fraction = false;
        at += whole;
        if (at < len && text[at] == '.') {
                size_t n = digits(text + at + 1, len - at - 1, decimal);
                if (whole + n == 0) return YAML_STRING;
                at += 1 + n;
                fraction = true;
        } else if (whole == 0) {
                return YAML_STRING;
        }
        if (at < len && (text[at] == 'e' || text[at] == 'E')) {
                at += at + 1 < len && (text[at + 1] == '-' || text[at + 1] == '+') ? 2 : 1;
                size_t n = digits(text + at, len - at, decimal);
                if (n == 0) return YAML_STRING;
                at += n;
        }
        if (at != len) return YAML_STRING;
        return padded && !fraction ? YAML_AMBIGUOUS : YAML_NUMBER;
}

enum yaml_core yaml_core(const char *text, size_t len)
{
        static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
        static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
        static const char *const infinite[] = {".inf", ".Inf", ".INF", "-.inf", "-.Inf", "-.INF", "+.inf",
            "+.Inf", "+.INF", ".nan", ".NaN", ".NAN", NULL};
        if (len == 0) return YAML_NULL;
        switch (text[0]) {
        case '~':
        case 'n':
        case 'N': return is_one_of(text, len, nulls) ? YAML_NULL : YAML_STRING;
        case 't':
        case 'T':
        case 'f':
        case 'F': return is_one_of(text, len, bools) ? YAML_BOOL : YAML_STRING;
        case '.':
        case '-':
        case '+':
                if (is_one_of(text, len, infinite)) return YAML_AMBIGUOUS;
                return core_number(text, len);
        default: return text[0] >= '0' && text[0] <= '9' ? core_number(text, len) : YAML_STRING;
        }
}

/* --- source maps ----------------------------------------------------------------------------------------------------- */

struct walk {
        const char *raw, *end; /* what is left of the file's text of the scalar */
        unsigned line, column;
        struct arena *arena;
        struct source_line *lines;
        size_t count, capacity;
};

/* Steps over one character, or over a line break (CRLF is one). */
static void step(struct walk *w)
{
        char c = *w->raw++;
        if (c == '\r' && w->raw < w->end && *w->raw == '\n') w->raw++;
        if (c == '\n' || c == '\r') {
                w->line++;
                w->column = 1;
                return;
        }
        while (w->raw < w->end && ((unsigned char)*w->raw & 0xc0) == 0x80) w->raw++;
        w->column++;
}

static bool at_break(const struct walk *w)
{
        return w->raw < w->end && (*w->raw == '\n' || *w->raw == '\r');
}

static bool at_blank(const struct walk *w)
{
        return w->raw < w->end && (*w->raw == ' ' || *w->raw == '\t');
}

static void mark(struct walk *w, size_t offset)
{
        if (w->count > 0 && w->lines[w->count - 1].offset == offset) w->count--;
        vec_push(w->lines, w->count, w->capacity, (struct source_line){offset, w->line, w->column});
}

/* Anchor, tag, and the comments and blanks between them. */
static void skip_properties(struct walk *w)
{
        while (w->raw < w->end) {
                if (*w->raw == '&' || *w->raw == '!') {
                        while (w->raw < w->end && !at_blank(w) && !at_break(w)) step(w);
                } else if (*w->raw == '#') {
                        while (w->raw < w->end && !at_break(w)) step(w);
                } else if (at_blank(w) || at_break(w)) {
                        step(w);
                } else {
                        return;
                }
        }
}

/* Blanks and line breaks within a flow scalar: one break folds to a space, more to one newline less. Gives the decoded length. */
static size_t fold(struct walk *w, bool escaped)
{
        struct walk before = *w;
        while (at_blank(w)) step(w);
        if (!at_break(w)) { /* blanks inside a line stand for themselves */
                size_t n = (size_t)(w->raw - before.raw);
                return n;
        }
        size_t breaks = 0;
        while (at_blank(w) || at_break(w)) {
                breaks += at_break(w);
                step(w);
        }
        if (escaped) return breaks - 1;
        return breaks > 1 ? breaks - 1 : 1;
}

/* A backslash and what it escapes, in a double-quoted scalar. Gives the decoded length. */
static size_t escape(struct walk *w)
{
        step(w);
        if (w->raw == w->end) return 0;
        if (at_break(w)) return fold(w, true);
        char c = *w->raw;
        step(w);
        size_t wanted = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        if (wanted == 0) return c == 'N' || c == '_' ? 2 : c == 'L' || c == 'P' ? 3 : 1;
        unsigned long point = 0;
        for (size_t i = 0; i < wanted && w->raw < w->end; i++, step(w)) {
                char hex[2] = {*w->raw, '\0'};
                point = point * 16 + strtoul(hex, NULL, 16);
        }
        return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

static void walk_flow(struct walk *w, enum yaml_style style, size_t len)
{
        if (style != YAML_PLAIN && w->raw < w->end) step(w); /* the opening quote */
        mark(w, 0);
        for (size_t offset = 0; offset < len && w->raw < w->end;) {
                const char *before = w->raw;
                if (at_blank(w) || at_break(w)) {
                        unsigned line = w->line;
                        offset += fold(w, false);
                        if (w->line != line) mark(w, offset);
                } else if (style == YAML_DOUBLE && *w->raw == '\\') {
                        offset += escape(w);
                        mark(w, offset);
                } else if (style == YAML_SINGLE && *w->raw == '\'') {
                        step(w);
                        if (w->raw < w->end) step(w);
                        offset++;
                        mark(w, offset);
                } else {
                        step(w);
                        offset += (size_t)(w->raw - before);
                }
        }
}

static size_t leading_spaces(const char *s, const char *end)
{
        size_t n = 0;
        while (s + n < end && s[n] == ' ') n++;
        return n;
}

static const char *line_end(const char *s, const char *end)
{
        while (s < end && *s != '\n' && *s != '\r') s++;
        return s;
}

/* The indentation that was taken off: what the first line with text has less than in the file. */
static size_t block_indent(const struct walk *w, const char *text, size_t len)
{
        const char *raw = w->raw, *decoded = text;
        while (raw < w->end && line_end(raw, w->end) == raw + leading_spaces(raw, w->end))
                raw = line_end(raw, w->end) + 1;
        while (decoded < text + len && *decoded == '\n') decoded++;
        if (raw >= w->end) return 0;
        size_t here = leading_spaces(raw, w->end), there = leading_spaces(decoded, text + len);
        return here > there ? here - there : 0;
}

static void walk_block(struct walk *w, const char *text, size_t len)
{
        while (w->raw < w->end && !at_break(w)) step(w); /* the header: | or > and indicators, a comment */
        if (w->raw < w->end) step(w);
        size_t indent = block_indent(w, text, len), offset = 0;
        while (w->raw < w->end && offset < len) {
                for (size_t i = 0; i < indent && w->raw < w->end && *w->raw == ' '; i++) step(w);
                size_t line = (size_t)(line_end(w->raw, w->end) - w->raw);
                if (line > 0) {
                        /* past the breaks and the fold before this line */
                        while (offset < len && text[offset] == '\n') offset++;
                        if (offset < len && text[offset] == ' ' && *w->raw != ' ') offset++;
                        if (len - offset < line || memcmp(text + offset, w->raw, line) != 0) return;
                        mark(w, offset);
                        offset += line;
                }
                while (w->raw < w->end && !at_break(w)) step(w);
                if (w->raw < w->end) step(w);
        }
}

void yaml_source_map(
    struct arena *arena, const struct yaml_file *file, const struct yaml_node *node, struct source_map *map)
{
        struct walk w = {.raw = file->text + node->start,
            .end = file->text + node->end,
            .line = node->line,
            .column = node->column};
        skip_properties(&w);
        if (node->style == YAML_LITERAL || node->style == YAML_FOLDED)
                walk_block(&w, node->text, node->count);
        else
                walk_flow(&w, (enum yaml_style)node->style, node->count);
        if (w.count == 0) mark(&w, 0);
        struct source_line *lines = arena_alloc(arena, w.count * sizeof *lines);
        memcpy(lines, w.lines, w.count * sizeof *lines);
        free(w.lines);
        *map = (struct source_map){.start = {file->path, lines[0].line, lines[0].column, NULL},
            .lines = lines,
            .line_count = w.count};
}
