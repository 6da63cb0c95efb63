/*
 * What is wrong with a file that YAML does not accept, in words that help: libyaml's own are about its grammar, and most mistakes
 * in templates are tabs and expressions that need quotes.
 */
#include "template/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/text.h"

/* --- bytes ----------------------------------------------------------------------------------------------------------- */

static bool is_control(const char *s)
{
        unsigned char c = (unsigned char)*s;
        if (c < 0x20) return c != '\t' && c != '\n' && c != '\r';
        if (c == 0x7f) return true;
        if (c == 0xc2) return (unsigned char)s[1] < 0xa0 && (unsigned char)s[1] != 0x85; /* C1, but NEL */
        if (c == 0xef)
                return memcmp(s, "\xef\xbf\xbe", 3) == 0 || memcmp(s, "\xef\xbf\xbf", 3) == 0 ||
                       memcmp(s, "\xef\xbb\xbf", 3) == 0;
        return false;
}

/* The byte of the first sequence that is no UTF-8: the longest prefix that is, by halves. */
static size_t first_bad_byte(const char *text, size_t len)
{
        size_t low = 0, high = len; /* [0, low) is good, as far as whole characters go */
        while (high - low > 4) {
                size_t middle = low + (high - low) / 2;
                while (middle > low && ((unsigned char)text[middle] & 0xc0) == 0x80) middle--;
                if (middle == low) break;
                if (text_is_utf8(text + low, middle - low))
                        low = middle;
                else
                        high = middle;
        }
        while (low < len) {
                size_t n = 1;
                while (low + n < len && n < 4 && ((unsigned char)text[low + n] & 0xc0) == 0x80) n++;
                if (!text_is_utf8(text + low, n)) return low;
                low += n;
        }
        return low;
}

static struct place place_of_byte(const char *path, const char *text, size_t byte)
{
        struct place place = {.file = path, .line = 1, .column = 1};
        for (size_t i = 0; i < byte; i++) {
                if (text[i] == '\n') {
                        place.line++;
                        place.column = 1;
                } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
                        place.column++;
                }
        }
        return place;
}

bool yaml_is_plain_ascii(const char *text, size_t len)
{
        static const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
        for (size_t i = 0; i < len; i++) {
                uint64_t word;
                while (
                    len - i >= sizeof word) { /* eight at once, as long as none is below space or above '~' */
                        memcpy(&word, text + i, sizeof word);
                        if (((word | (word - ones * 0x20) | (word + ones)) & tops) != 0) break;
                        i += sizeof word;
                }
                if (i == len) break;
                char c = text[i];
                if ((c < 0x20 || c >= 0x7f) && c != '\n' && c != '\r' && c != '\t') return false;
        }
        return true;
}

size_t yaml_mark_len(const char *text, size_t len)
{
        return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

int yaml_check_bytes(const char *path, const char *text, size_t len, struct error **err)
{
        if (len > YAML_BYTES_MAX) {
                struct place whole = {.file = path};
                return error_set(err, ERROR_INPUT, &whole, "the file is larger than 16 MiB");
        }
        if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
                struct place start = {path, 1, 1, NULL};
                return error_set(err, ERROR_INPUT, &start, "the file is UTF-16; save it as UTF-8");
        }
        if (!text_is_utf8(text, len)) {
                struct place bad = place_of_byte(path, text, first_bad_byte(text, len));
                return error_set(err, ERROR_INPUT, &bad, "the file is not UTF-8 text");
        }
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)text[i];
                if ((c >= 0x20 && c < 0x7f) || !is_control(text + i)) continue;
                struct place bad = place_of_byte(path, text, i);
                return error_set(err, ERROR_INPUT, &bad,
                    "the file holds a control character (byte 0x%02x): it is not a text file", c);
        }
        return 0;
}

/* --- syntax ---------------------------------------------------------------------------------------------------------- */

struct line_view {
        const char *start, *at, *end; /* of the line; `at` is where the mark stands */
};

static struct line_view line_at(const struct yaml_file *file, yaml_mark_t mark)
{
        const char *s = file->text, *end = file->text + file->len;
        for (size_t line = 0; line < mark.line && s < end; s++) line += *s == '\n';
        struct line_view view = {s, s, s};
        while (view.end < end && *view.end != '\n') view.end++;
        for (size_t column = 0; column < mark.column && view.at < view.end; column++) {
                do view.at++;
                while (view.at < view.end && ((unsigned char)*view.at & 0xc0) == 0x80);
        }
        return view;
}

static bool line_has(const struct line_view *view, const char *what)
{
        return memmem(view->start, (size_t)(view->end - view->start), what, strlen(what)) != NULL;
}

static bool indented_with_tab(const struct line_view *view)
{
        const char *s = view->start;
        while (s < view->end && *s == ' ') s++;
        return s < view->end && *s == '\t';
}

static char *complaint(const yaml_parser_t *p, const struct line_view *at, const struct line_view *context)
{
        const char *problem = p->problem ? p->problem : "unreadable";
        if (indented_with_tab(at) || (at->at < at->end && *at->at == '\t'))
                return mem_strdup("a tab is not allowed here: indent with spaces");
        if (strstr(problem, "cannot start any token") != NULL && at->at < at->end)
                return mem_printf("text must not begin with '%c': put it in quotes", *at->at);
        bool flow = p->context != NULL && strstr(p->context, "flow") != NULL;
        bool colon = strstr(problem, "mapping values are not allowed") != NULL;
        bool expression = (flow || colon) && (line_has(at, "${") || line_has(at, "%{") ||
                                                 line_has(context, "${") || line_has(context, "%{"));
        if (expression)
                return mem_strdup("this is not valid YAML: an expression that stands inside { } or [ ], or "
                                  "that holds ': ' or ' #', "
                                  "must be in quotes, as in \"${…}\"");
        if (colon)
                return mem_strdup("a ':' is not allowed here: check the indentation, or put text that holds "
                                  "': ' in quotes");
        if (strstr(problem, "could not find expected ':'") != NULL)
                return mem_strdup("a ':' is missing behind the key");
        if (strstr(problem, "did not find expected key") != NULL)
                return mem_strdup("a key is expected here: check the indentation");
        if (strstr(problem, "did not find expected '-' indicator") != NULL)
                return mem_strdup("a '-' is expected here: check the indentation");
        if (strstr(problem, "unexpected end of stream") != NULL && p->context != NULL &&
            strstr(p->context, "quoted") != NULL)
                return mem_strdup("the closing quote is missing");
        return mem_printf(
            "this is not valid YAML: %s%s%s", problem, p->context ? " " : "", p->context ? p->context : "");
}

int yaml_complain(const struct yaml_file *file, const struct yaml_parser_s *p, struct error **err)
{
        yaml_mark_t mark = p->problem_mark;
        bool at_context = p->context != NULL && p->problem != NULL &&
                          (strstr(p->problem, "could not find expected ':'") != NULL ||
                              strstr(p->problem, "unexpected end of stream") != NULL ||
                              strstr(p->context, "quoted scalar") != NULL);
        struct line_view context = line_at(file, p->context != NULL ? p->context_mark : mark);
        if (at_context) mark = p->context_mark;
        struct line_view at = line_at(file, mark);
        struct place place = {file->path, (unsigned)mark.line + 1, (unsigned)mark.column + 1, NULL};
        cleanup_free char *message = complaint(p, &at, &context);
        return error_set(err, ERROR_INPUT, &place, "%s", message);
}
