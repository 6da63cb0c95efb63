/*
 * Reads RE2's syntax and writes PCRE2's. The grammar is that of https://github.com/google/re2/wiki/Syntax as
 * the Go library has it. Every literal is written as a code point in hexadecimal, so nothing that is
 * passed through can mean something else to PCRE2.
 */
#include "lang/regex.h"

#include <string.h>

#include "lang/unicode.h"

enum { MAX_PATTERN = 65536, MAX_REPEAT = 1000, MAX_GROUPS = 1000, MAX_NESTING = 200 };

struct translation {
        const char *s, *end;
        struct text *out;
        struct regex_groups *groups;
        int depth;
        struct error **err;
};

static int refuse(struct translation *t, const char *what, const char *at)
{
        size_t len = (size_t)(t->end - at) < 16 ? (size_t)(t->end - at) : 16;
        while (len && !text_is_utf8(at, len)) len--;
        return error_set(
            t->err, ERROR_INPUT, NULL, "invalid regular expression: %s at \"%.*s\"", what, (int)len, at);
}

static bool more(const struct translation *t)
{
        return t->s < t->end;
}

static bool next_is(const struct translation *t, const char *text)
{
        size_t len = strlen(text);
        return (size_t)(t->end - t->s) >= len && memcmp(t->s, text, len) == 0;
}

static void put_point(struct translation *t, int32_t point)
{
        text_addf(t->out, "\\x{%x}", (unsigned)point);
}

static int32_t take_point(struct translation *t)
{
        int32_t point;
        t->s += unicode_point(t->s, (size_t)(t->end - t->s), &point);
        return point;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
}

static bool is_word(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Behind `\x`: two digits, or any number in braces. */
static int hex_escape(struct translation *t, int32_t *point, const char *start)
{
        bool braces = more(t) && *t->s == '{';
        int32_t n = 0;
        int digits = 0;
        if (braces) t->s++;
        while (more(t) && hex_value(*t->s) >= 0 && digits < (braces ? 8 : 2)) {
                n = n * 16 + hex_value(*t->s++);
                if (n > 0x10ffff) return refuse(t, "invalid escape sequence", start);
                digits++;
        }
        if (braces ? digits == 0 || !more(t) || *t->s++ != '}' : digits != 2)
                return refuse(t, "invalid escape sequence", start);
        *point = n;
        return 0;
}

/* An escape that stands for one code point; t->s is at the backslash. */
static int point_escape(struct translation *t, int32_t *point)
{
        const char *start = t->s++;
        if (!more(t)) return refuse(t, "trailing backslash", start);
        char c = *t->s;
        if ((c >= '1' && c <= '7' && t->s + 1 < t->end && t->s[1] >= '0' && t->s[1] <= '7') || c == '0') {
                *point = 0;
                for (int i = 0; i < 3 && more(t) && *t->s >= '0' && *t->s <= '7'; i++)
                        *point = *point * 8 + (*t->s++ - '0');
                return 0;
        }
        static const char letters[] = "aftnrv", points[] = "\a\f\t\n\r\v";
        const char *letter = strchr(letters, c);
        if (c && letter) {
                t->s++;
                *point = (unsigned char)points[letter - letters];
                return 0;
        }
        if (c == 'x') {
                t->s++;
                return hex_escape(t, point, start);
        }
        if ((unsigned char)c >= 0x80 || (is_word(c) && c != '_'))
                return refuse(t, "invalid escape sequence", start);
        *point = (unsigned char)c;
        t->s++;
        return 0;
}

/* `\pN`, `\p{Greek}`, `\p{^Lu}`; t->s is at the backslash. */
static int property(struct translation *t)
{
        const char *start = t->s;
        bool negative = t->s[1] == 'P';
        t->s += 2;
        if (!more(t)) return refuse(t, "invalid character class", start);
        const char *name = t->s, *end;
        if (*t->s == '{') {
                name++;
                if (name < t->end && *name == '^') negative = !negative, name++;
                end = memchr(name, '}', (size_t)(t->end - name));
                if (!end) return refuse(t, "invalid character class", start);
                t->s = end + 1;
        } else
                end = ++t->s;
        for (const char *c = name; c < end; c++)
                if (!is_word(*c)) return refuse(t, "invalid character class", start);
        if (end - name < 1 || end - name > 40 || *name < 'A' || *name > 'Z')
                return refuse(t, "invalid character class", start);
        bool script = end - name > 2 && !(end - name == 3 && memcmp(name, "Any", 3) == 0);
        text_addf(t->out, "\\%c{%s%.*s}", negative ? 'P' : 'p', script ? "sc:" : "", (int)(end - name), name);
        return 0;
}

/* `\d`, `\s` and such: ASCII only, and `\s` without the vertical tab. Written for use inside brackets. */
static const char *perl_class(char c)
{
        switch (c) {
        case 'd': return "0-9";
        case 'D': return "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}";
        case 's': return "\\t\\n\\f\\r ";
        case 'S': return "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}";
        case 'w': return "0-9A-Za-z_";
        case 'W': return "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}";
        default: return NULL;
        }
}

/* `[:alpha:]` inside brackets: 1 if there was one, 0 if this is an ordinary bracket. */
static int posix_class(struct translation *t)
{
        static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph",
            "lower", "print", "punct", "space", "upper", "word", "xdigit"};
        const char *name = t->s + 2, *end = name;
        if (!next_is(t, "[:")) return 0;
        while (end + 1 < t->end && !(end[0] == ':' && end[1] == ']')) end++;
        if (end + 1 >= t->end) return 0;
        const char *bare = *name == '^' ? name + 1 : name;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                if (strlen(names[i]) != (size_t)(end - bare) ||
                    memcmp(names[i], bare, (size_t)(end - bare)) != 0)
                        continue;
                text_addn(t->out, t->s, (size_t)(end + 2 - t->s));
                t->s = end + 2;
                return 1;
        }
        return refuse(t, "invalid character class", t->s);
}

static int class_point(struct translation *t, int32_t *point)
{
        if (*t->s == '\\') return point_escape(t, point);
        *point = take_point(t);
        return 0;
}

/* One code point or range inside brackets. */
static int class_range(struct translation *t)
{
        const char *start = t->s;
        int32_t low, high;
        if (class_point(t, &low) < 0) return -1;
        put_point(t, low);
        if (!next_is(t, "-") || t->s + 1 >= t->end || t->s[1] == ']') return 0;
        t->s++;
        if (class_point(t, &high) < 0) return -1;
        if (high < low) return refuse(t, "invalid character class range", start);
        text_addc(t->out, '-');
        put_point(t, high);
        return 0;
}

static int class(struct translation *t)
{
        const char *start = t->s++;
        text_addc(t->out, '[');
        if (next_is(t, "^")) {
                text_addc(t->out, '^');
                t->s++;
        }
        for (bool first = true; first || !next_is(t, "]"); first = false) {
                if (!more(t)) return refuse(t, "missing closing ]", start);
                int posix = posix_class(t);
                if (posix < 0) return -1;
                if (posix) continue;
                const char *perl = *t->s == '\\' && t->s + 1 < t->end ? perl_class(t->s[1]) : NULL;
                if (perl) {
                        text_add(t->out, perl);
                        t->s += 2;
                } else if (next_is(t, "\\p") || next_is(t, "\\P")) {
                        if (property(t) < 0) return -1;
                } else if (class_range(t) < 0)
                        return -1;
        }
        t->s++;
        text_addc(t->out, ']');
        return 0;
}

/* An escape outside of brackets. */
static int escape(struct translation *t)
{
        char c = t->s + 1 < t->end ? t->s[1] : '\0';
        const char *perl = perl_class(c);
        int32_t point = 0;
        if (perl)
                text_addf(t->out, "[%s]", perl);
        else if (c == 'p' || c == 'P')
                return property(t);
        else if (c && strchr("AbBz", c))
                text_addf(t->out, "(?:\\%c)", c);
        else {
                if (point_escape(t, &point) < 0) return -1;
                put_point(t, point);
                return 0;
        }
        t->s += 2;
        return 0;
}

/* `\Q…\E`: returns the number of code points written. */
static size_t quoted(struct translation *t)
{
        size_t count = 0;
        t->s += 2;
        for (; more(t) && !next_is(t, "\\E"); count++) put_point(t, take_point(t));
        if (more(t)) t->s += 2;
        return count;
}

static int add_group(struct translation *t, char *name)
{
        if (t->groups->count == MAX_GROUPS) {
                free(name);
                return refuse(t, "too many groups", t->s);
        }
        vec_push(t->groups->names, t->groups->count, t->groups->capacity, name);
        text_addc(t->out, '(');
        return 0;
}

static int named_group(struct translation *t)
{
        const char *start = t->s, *name = strchr(t->s, '<') + 1, *end = name;
        while (end < t->end && is_word(*end)) end++;
        if (end == name || end >= t->end || *end != '>') return refuse(t, "invalid named capture", start);
        t->s = end + 1;
        return add_group(t, mem_strndup(name, (size_t)(end - name)));
}

/* `(?flags)` and `(?flags:`; 1 for the former, which opens no group. */
static int flags(struct translation *t)
{
        const char *start = t->s, *c = t->s + 2;
        bool minus = false, any = false;
        for (; c < t->end && *c != ')' && *c != ':'; c++) {
                if (*c == '-' && !minus)
                        minus = true, any = false;
                else if (strchr("imsU", *c) && *c)
                        any = true;
                else
                        return refuse(t, "invalid or unsupported Perl syntax", start);
        }
        if (c >= t->end || (minus && !any)) return refuse(t, "invalid or unsupported Perl syntax", start);
        text_addn(t->out, start, (size_t)(c + 1 - start));
        t->s = c + 1;
        return *c == ')';
}

static int open_group(struct translation *t)
{
        if (next_is(t, "(?P<") || next_is(t, "(?<")) return named_group(t);
        if (next_is(t, "(?")) return flags(t);
        t->s++;
        return add_group(t, NULL);
}

/* The counts of `{2}`, `{2,}`, `{2,5}` at t->s: its length, or 0 if it is not of that form. */
static size_t repeat_counts(const struct translation *t, int *low, int *high)
{
        const char *c = t->s + 1, *digits = c;
        for (*low = 0; c < t->end && *c >= '0' && *c <= '9'; c++)
                *low = *low > MAX_REPEAT ? *low : *low * 10 + (*c - '0');
        if (c == digits) return 0;
        *high = *low;
        if (c < t->end && *c == ',') {
                digits = ++c;
                for (*high = 0; c < t->end && *c >= '0' && *c <= '9'; c++)
                        *high = *high > MAX_REPEAT ? *high : *high * 10 + (*c - '0');
                if (c == digits) *high = -1;
        }
        return c < t->end && *c == '}' ? (size_t)(c + 1 - t->s) : 0;
}

/* The repetition at t->s: its length, 0 for none, or -1 with a problem. */
static int repetition(struct translation *t)
{
        int low, high;
        if (!more(t)) return 0;
        if (strchr("*+?", *t->s) && *t->s) return 1;
        size_t len = *t->s == '{' ? repeat_counts(t, &low, &high) : 0;
        if (len == 0) return 0;
        if (low > MAX_REPEAT || high > MAX_REPEAT || (high >= 0 && high < low))
                return refuse(t, "invalid repeat count", t->s);
        return (int)len;
}

static int repeat(struct translation *t)
{
        int len = repetition(t);
        if (len <= 0) return len;
        text_addn(t->out, t->s, (size_t)len);
        t->s += len;
        if (next_is(t, "?")) {
                text_addc(t->out, '?');
                t->s++;
        }
        int again = repetition(t);
        if (again > 0) return refuse(t, "invalid nested repetition operator", t->s);
        return again;
}

/* One item at t->s. *repeatable: whether a repetition may follow it. */
static int item(struct translation *t, bool *repeatable)
{
        *repeatable = true;
        switch (*t->s) {
        case '[': return class(t);
        case '\\':
                if (!next_is(t, "\\Q")) return escape(t);
                *repeatable = quoted(t) > 0;
                return 0;
        case '^':
        case '$': text_addf(t->out, "(?:%c)", *t->s++); return 0;
        case '.': text_addc(t->out, *t->s++); return 0;
        case '|':
                *repeatable = false;
                text_addc(t->out, *t->s++);
                return 0;
        case '(': {
                *repeatable = false;
                int bare = open_group(t);
                if (bare < 0) return -1;
                if (!bare && ++t->depth > MAX_NESTING) return refuse(t, "the groups nest too deep", t->s);
                return 0;
        }
        case ')':
                if (--t->depth < 0) return refuse(t, "unexpected )", t->s);
                text_addc(t->out, *t->s++);
                return 0;
        default: put_point(t, take_point(t)); return 0;
        }
}

int regex_translate(
    const char *pattern, size_t len, struct text *out, struct regex_groups *groups, struct error **err)
{
        struct translation t = {pattern, pattern + len, out, groups, 0, err};
        if (len > MAX_PATTERN)
                return error_set(
                    err, ERROR_INPUT, NULL, "the regular expression is longer than %d bytes", MAX_PATTERN);
        bool repeatable = false;
        while (more(&t)) {
                int repeats = repetition(&t);
                if (repeats < 0) return -1;
                if (repeats > 0 && !repeatable)
                        return refuse(&t, "missing argument to repetition operator", t.s);
                if (repeats > 0) {
                        if (repeat(&t) < 0) return -1;
                        repeatable = false;
                } else if (item(&t, &repeatable) < 0)
                        return -1;
        }
        return t.depth ? refuse(&t, "missing closing )", pattern) : 0;
}
