/* Growing byte strings, JSON quoting and "did you mean". */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void reserve(struct text *t, size_t more)
{
        if (t->capacity - t->len > more) return;
        size_t capacity = t->capacity ? t->capacity * 2 : 64;
        while (capacity - t->len <= more) capacity *= 2;
        t->data = mem_realloc(t->data, capacity);
        t->capacity = capacity;
}

void text_addn(struct text *t, const void *data, size_t len)
{
        reserve(t, len);
        if (len > 0) memcpy(t->data + t->len, data, len);
        t->len += len;
        t->data[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
        text_addn(t, s, strlen(s));
}

void text_addc(struct text *t, char c)
{
        text_addn(t, &c, 1);
}

void text_addf(struct text *t, const char *fmt, ...)
{
        char small[256];
        va_list ap, again;
        va_start(ap, fmt);
        va_copy(again, ap);
        int need = vsnprintf(small, sizeof small, fmt, ap);
        if (need >= 0 && (size_t)need < sizeof small) {
                text_addn(t, small, (size_t)need);
        } else {
                cleanup_free char *s = mem_vprintf(fmt, again);
                text_add(t, s);
        }
        va_end(again);
        va_end(ap);
}

void text_clear(struct text *t)
{
        t->len = 0;
        if (t->data != NULL) t->data[0] = '\0';
}

void text_release(struct text *t)
{
        free(t->data);
        *t = (struct text){0};
}

char *text_steal(struct text *t)
{
        char *data = t->data ? t->data : mem_strdup("");
        *t = (struct text){0};
        return data;
}

/* Length of the valid UTF-8 sequence at s, or 0 (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_sequence(const unsigned char *s, size_t len)
{
        if (s[0] < 0x80) return 1;
        size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
        if (s[0] < 0xc2 || s[0] > 0xf4 || n > len) return 0;
        for (size_t i = 1; i < n; i++)
                if ((s[i] & 0xc0) != 0x80) return 0;
        if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
        if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
        return n;
}

bool text_is_utf8(const char *s, size_t len)
{
        for (size_t i = 0; i < len;) {
                size_t n = utf8_sequence((const unsigned char *)s + i, len - i);
                if (n == 0) return false;
                i += n;
        }
        return true;
}

static void add_json_ascii(struct text *t, unsigned char c)
{
        switch (c) {
        case '"': text_add(t, "\\\""); break;
        case '\\': text_add(t, "\\\\"); break;
        case '\n': text_add(t, "\\n"); break;
        case '\r': text_add(t, "\\r"); break;
        case '\t': text_add(t, "\\t"); break;
        default: text_addf(t, "\\u%04x", c); break;
        }
}

void text_add_json(struct text *t, const char *s, size_t len)
{
        text_addc(t, '"');
        for (size_t i = 0; i < len;) {
                size_t run = 0; /* copy what needs no escape in one piece */
                while (i + run < len) {
                        unsigned char c = (unsigned char)s[i + run];
                        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) break;
                        size_t n = utf8_sequence((const unsigned char *)s + i + run, len - i - run);
                        if (n == 0) break;
                        run += n;
                }
                text_addn(t, s + i, run);
                i += run;
                if (i >= len) break;
                if ((unsigned char)s[i] < 0x80)
                        add_json_ascii(t, (unsigned char)s[i]);
                else
                        text_add(t, "\xef\xbf\xbd");
                i++;
        }
        text_addc(t, '"');
}

void text_add_member(struct text *t, const char *key, const char *value)
{
        text_addf(t, "%s\"%s\":", t->len > 0 && t->data[t->len - 1] == '{' ? "" : ",", key);
        if (value != NULL)
                text_add_json(t, value, strlen(value));
        else
                text_add(t, "null");
}

bool text_equal(const char *a, const char *b)
{
        return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool text_starts(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
        size_t n = strlen(s), m = strlen(suffix);
        return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

enum { SUGGEST_MAX = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
        size_t m = a < b ? a : b;
        return m < c ? m : c;
}

/* Optimal string alignment distance; three rows suffice. */
static size_t distance(const char *a, const char *b)
{
        size_t rows[3][SUGGEST_MAX + 1];
        size_t n = strlen(a), m = strlen(b);
        if (n > SUGGEST_MAX || m > SUGGEST_MAX) return SIZE_MAX;
        for (size_t j = 0; j <= m; j++) rows[0][j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
                now[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t same = a[i - 1] == b[j - 1] ? 0 : 1;
                        now[j] = min3(before[j] + 1, now[j - 1] + 1, before[j - 1] + same);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                            earlier[j - 2] + 1 < now[j])
                                now[j] = earlier[j - 2] + 1;
                }
        }
        return rows[n % 3][m];
}

const char *text_suggest(const char *name, const char *const *candidates, size_t count)
{
        const char *best = NULL;
        size_t best_distance = SIZE_MAX;
        for (size_t i = 0; i < count; i++) {
                size_t d = distance(name, candidates[i]);
                size_t longer = strlen(name) > strlen(candidates[i]) ? strlen(name) : strlen(candidates[i]);
                bool inside = strlen(name) >= 3 && strstr(candidates[i], name) != NULL;
                if (inside && d > 1) d = 1 + (d > longer / 2); /* `cidr` for `cidr_block` */
                if ((d <= longer / 3 || inside) && d < best_distance) {
                        best = candidates[i];
                        best_distance = d;
                }
        }
        return best;
}

void text_hex(const void *data, size_t len, char *out)
{
        static const char digits[] = "0123456789abcdef";
        const unsigned char *bytes = data;
        for (size_t i = 0; i < len; i++) {
                *out++ = digits[bytes[i] >> 4];
                *out++ = digits[bytes[i] & 15];
        }
        *out = '\0';
}

void text_add_quoted(struct text *out, const char *word)
{
        text_addc(out, '\'');
        for (; *word != '\0'; word++)
                if (*word == '\'')
                        text_add(out, "'\\''");
                else
                        text_addc(out, *word);
        text_addc(out, '\'');
}

void text_add_shell(struct text *out, const char *word)
{
        static const char plain[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/+:@%,=";
        if (*word != '\0' && word[strspn(word, plain)] == '\0')
                text_add(out, word);
        else
                text_add_quoted(out, word);
}

void text_add_path(struct text *out, const char *path)
{
        cleanup_free char *plain = *path == '-' ? mem_printf("./%s", path) : mem_strdup(path);
        text_add_shell(out, plain);
}
