/* Colours, problems and questions; see print.h. */
#include "cli/print.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#include "cli/command.h"
#include "run/hint.h"

static bool colored; /* decided once, before anything is printed */

void print_setup(const struct options *o)
{
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
        colored = !o->no_color && !o->json && isatty(STDOUT_FILENO) &&
                  (no_color == NULL || *no_color == '\0') && !text_equal(term, "dumb");
}

bool print_colored(void)
{
        return colored;
}

const char *style_on(enum style style)
{
        static const char *const codes[] = {
            "", "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m", "\033[36m", "\033[35m"};
        return colored ? codes[style] : "";
}

const char *style_off(void)
{
        return colored ? "\033[0m" : "";
}

/* Bytes of the character at s; 0 where they are not UTF-8. The code point of those below U+10000, none of the others is special. */
static size_t character(const char *s, unsigned *point)
{
        const unsigned char *u = (const unsigned char *)s;
        size_t len = *u < 0x80 ? 1 : *u < 0xe0 ? 2 : *u < 0xf0 ? 3 : 4;
        if (strnlen(s, len) < len || !text_is_utf8(s, len)) return 0;
        *point = len == 1   ? *u
                 : len == 2 ? (*u & 0x1fu) << 6 | (u[1] & 0x3fu)
                 : len == 3 ? (*u & 0xfu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu)
                            : 0x10000;
        return len;
}

static bool plays_tricks(unsigned point)
{
        return (point < 0x20 && point != '\t') || (point >= 0x7f && point < 0xa0) || point == 0x61c ||
               point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
               (point >= 0x2066 && point <= 0x2069);
}

void text_add_shown(struct text *out, const char *s)
{
        unsigned point = 0;
        for (size_t len; s != NULL && *s != '\0'; s += len) {
                len = character(s, &point);
                if (len > 0 && !plays_tricks(point))
                        text_addn(out, s, len);
                else if (*s == '\n')
                        text_add(out, "\\n");
                else if (len <= 1)
                        text_addf(out, "\\x%02x", (unsigned char)*s);
                else
                        text_addf(out, "\\u%04x", point);
                if (len == 0) len = 1;
        }
}

/* Bytes of the longest start of the text that is at most so wide; its width. */
static size_t fitting(const char *s, size_t columns, size_t *width)
{
        utf8proc_int32_t point;
        size_t len = strlen(s), at = 0;
        for (*width = 0; at < len;) {
                utf8proc_ssize_t n = utf8proc_iterate(
                    (const utf8proc_uint8_t *)s + at, (utf8proc_ssize_t)(len - at), &point);
                size_t wide = n > 0 ? (size_t)utf8proc_charwidth(point) : 1;
                if (*width + wide > columns) break;
                *width += wide;
                at += n > 0 ? (size_t)n : 1;
        }
        return at;
}

size_t text_columns(const char *shown)
{
        size_t width;
        fitting(shown, SIZE_MAX, &width);
        return width;
}

void text_cut(struct text *shown, size_t columns)
{
        size_t width;
        if (shown->len == 0) return;
        shown->len = fitting(shown->data, columns, &width);
        shown->data[shown->len] = '\0';
}

void print_safe(FILE *f, const char *s)
{
        struct text shown = {0};
        text_add_shown(&shown, s);
        if (shown.data != NULL) fputs(shown.data, f);
        text_release(&shown);
}

void print_cell(const char *s, size_t width)
{
        struct text shown = {0};
        text_add_shown(&shown, s);
        size_t columns = 0;
        for (size_t i = 0; i < shown.len; i++) columns += ((unsigned char)shown.data[i] & 0xc0) != 0x80;
        printf("%s%*s", shown.data ? shown.data : "", columns < width ? (int)(width - columns) : 1, "");
        text_release(&shown);
}

void print_lines(FILE *f, const char *s, int indent)
{
        for (size_t len; s != NULL; s += len + 1) {
                len = strcspn(s, "\n");
                cleanup_free char *line = mem_strndup(
                    s, len > 0 && s[len] == '\n' && s[len - 1] == '\r' ? len - 1 : len);
                print_safe(f, line);
                if (s[len] == '\0') return;
                fputc('\n', f);
                if (s[len + 1] != '\0' && s[len + 1] != '\n') fprintf(f, "%*s", indent, "");
        }
}

void print_shown(const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *text = mem_vprintf(fmt, ap);
        va_end(ap);
        print_lines(stdout, text, 0);
}

static void print_text(struct text *line)
{
        print_safe(stdout, line->data);
        text_release(line);
}

void print_path(const char *path)
{
        struct text quoted = {0};
        text_add_path(&quoted, path);
        print_text(&quoted);
}

void print_hint(const char *verb, const char *file)
{
        struct text line = {0};
        hint_add(&line, verb, file);
        print_text(&line);
}

void print_named_hint(const char *verb, const char *file, const char *name, const char *options)
{
        struct text line = {0};
        hint_add_named(&line, verb, file, name, options);
        print_text(&line);
}

bool name_is_sane(const char *s)
{
        struct text shown __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_add_shown(&shown, s);
        return *s != '\0' && strlen(s) <= 128 && strcmp(shown.data, s) == 0 && strchr(s, '\t') == NULL;
}

void text_json(struct text *out, const char *s)
{
        if (s == NULL)
                text_add(out, "null");
        else
                text_add_json(out, s, strlen(s));
}

void text_json_recorded(struct text *out, const char *json)
{
        cleanup(value_free) struct value *v = NULL;
        if (json != NULL && strpbrk(json, "\r\n") == NULL)
                v = value_from_json(json, strlen(json), NULL, NULL, NULL);
        text_add(out, v != NULL ? json : "null");
}

void json_problems(struct text *out, const struct error *err)
{
        text_addc(out, '[');
        for (size_t i = 0; i < error_count(err); i++) {
                const struct problem *p = error_at(err, i);
                text_addf(out, "%s{\"kind\":\"%s\",\"message\":", i ? "," : "", error_kind_name(p->kind));
                text_json(out, p->message);
                if (p->place.file != NULL) {
                        text_add(out, ",\"file\":");
                        text_json(out, p->place.file);
                }
                if (p->place.line > 0)
                        text_addf(out, ",\"line\":%u,\"column\":%u", p->place.line, p->place.column);
                if (p->place.address != NULL) {
                        text_add(out, ",\"address\":");
                        text_json(out, p->place.address);
                }
                text_addc(out, '}');
        }
        text_addc(out, ']');
}

void print_problems(const struct error *err)
{
        struct text json = {0};
        text_add(&json, "{\"problems\":");
        json_problems(&json, err);
        text_addc(&json, '}');
        puts(json.data);
        text_release(&json);
}

int exit_code_of(const struct error *err)
{
        if (error_count(err) == 0) return EXIT_FAILED;
        switch (error_kind(err)) {
        case ERROR_INPUT:
        case ERROR_MISSING:
        case ERROR_CONFLICT: return EXIT_INPUT;
        case ERROR_BUSY: return EXIT_BUSY;
        case ERROR_CANCELLED: return EXIT_INTERRUPTED;
        default: return EXIT_FAILED;
        }
}

/* The same problem at the same place, for another instance of one resource. */
static bool same_problem(const struct problem *a, const struct problem *b)
{
        return a->place.line > 0 && a->place.line == b->place.line && a->place.column == b->place.column &&
               text_equal(a->place.file, b->place.file) && text_equal(a->message, b->message);
}

/* In words, on standard error; many alike are one line. */
static void print_each(const struct error *err, const char *what, const char *color)
{
        fflush(stdout);
        bool paint = colored && isatty(STDERR_FILENO);
        for (size_t i = 0; i < error_count(err); i++) {
                cleanup_free char *text = error_text(error_at(err, i));
                size_t more = 0;
                while (i + 1 < error_count(err) && same_problem(error_at(err, i), error_at(err, i + 1)))
                        i++, more++;
                fprintf(stderr, "%s%s:%s ", paint ? color : "", what, paint ? "\033[0m" : "");
                print_lines(stderr, text, 7);
                if (more > 0) fprintf(stderr, " (and at %zu more instance%s)", more, plural(more));
                fputc('\n', stderr);
        }
}

int print_error(const struct options *o, const struct error *err)
{
        print_each(err, "error", "\033[1;31m");
        if (o->json) print_problems(err);
        return exit_code_of(err);
}

void print_warnings(const struct error *err)
{
        print_each(err, "warning", "\033[1;33m");
}

/* {"$unknown":"type"} as value_json writes it, in words. */
static void add_with_unknowns(struct text *out, const char *json)
{
        static const char mark[] = "{\"$unknown\":";
        for (const char *at; (at = strstr(json, mark)) != NULL;) {
                text_addn(out, json, (size_t)(at - json));
                text_add(out, "(known after it ran)");
                const char *end = strchr(at, '}');
                json = end ? end + 1 : at + strlen(at);
        }
        text_add(out, json);
}

void value_short(const struct value *v, bool sensitive, size_t width, struct text *out)
{
        if (v == NULL) {
                text_add(out, "(none)");
                return;
        }
        if (!value_is_known(v)) {
                text_add(out, "(known after it ran)");
                return;
        }
        if (sensitive || value_is_sensitive(v)) {
                text_add(out, "(sensitive)");
                return;
        }
        struct text raw = {0}, json = {0};
        if (value_json(v, SECRETS_MASK, NULL, &raw, NULL) < 0 || raw.data == NULL) text_add(&raw, "?");
        add_with_unknowns(&json, raw.data);
        text_release(&raw);
        if (json.len <= width) {
                text_add(out, json.data);
        } else {
                size_t cut = width;
                while (cut > 0 && ((unsigned char)json.data[cut] & 0xc0) == 0x80) cut--;
                text_addn(out, json.data, cut);
                text_add(out, "…");
        }
        text_release(&json);
}

bool at_terminal(void)
{
        return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool ask_yes(const char *question)
{
        char line[64];
        fprintf(stderr, "%s [y/N] ", question);
        fflush(stderr);
        if (fgets(line, sizeof line, stdin) == NULL) {
                fputc('\n', stderr);
                return false;
        }
        line[strcspn(line, "\r\n")] = '\0';
        return strcmp(line, "y") == 0 || strcmp(line, "Y") == 0 || strcmp(line, "yes") == 0;
}
