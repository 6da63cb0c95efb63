/*
 * Text, pool memory and names: see util.h.
 */
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_BLOCK = 16 * 1024, PROBLEMS_MAX = 20, NAME_MAX_ = 64 };

void *util_alloc(size_t size)
{
        void *p = calloc(1, size ? size : 1);
        if (!p) abort();
        return p;
}

void *util_grow(void *p, size_t count, size_t size)
{
        void *grown = reallocarray(p, count ? count : 1, size);
        if (!grown) abort();
        return grown;
}

void util_free_char(char **p)
{
        free(*p);
}

static void buf_room(struct buf *b, size_t more)
{
        size_t want = b->len + more + 1;
        if (want < more) abort();
        if (want <= b->capacity) return;
        size_t capacity = b->capacity ? b->capacity * 2 : 64;
        b->capacity = capacity < want ? want : capacity;
        b->data = util_grow(b->data, b->capacity, 1);
}

void buf_bytes(struct buf *b, const void *data, size_t len)
{
        buf_room(b, len);
        if (len) memcpy(b->data + b->len, data, len);
        b->len += len;
        b->data[b->len] = 0;
}

void buf_text(struct buf *b, const char *s)
{
        buf_bytes(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
        buf_bytes(b, &c, 1);
}

static void buf_vformat(struct buf *b, const char *fmt, va_list ap)
{
        char *s = NULL;
        int n = vasprintf(&s, fmt, ap);
        if (n < 0) abort();
        buf_bytes(b, s, (size_t)n);
        free(s);
}

void buf_format(struct buf *b, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        buf_vformat(b, fmt, ap);
        va_end(ap);
}

char *buf_steal(struct buf *b)
{
        buf_room(b, 0);
        b->data[b->len] = 0;
        char *s = b->data;
        *b = (struct buf){0};
        return s;
}

void buf_release(struct buf *b)
{
        if (b->data) explicit_bzero(b->data, b->capacity);
        free(b->data);
        *b = (struct buf){0};
}

char *util_format(const char *fmt, ...)
{
        struct buf b = {0};
        va_list ap;
        va_start(ap, fmt);
        buf_vformat(&b, fmt, ap);
        va_end(ap);
        return buf_steal(&b);
}

struct pool {
        struct pool_block {
                struct pool_block *next;
                size_t used, size;
                max_align_t data[];
        } * blocks;
};

struct pool *pool_new(void)
{
        return util_alloc(sizeof(struct pool));
}

void pool_free(struct pool *pool)
{
        if (!pool) return;
        for (struct pool_block *b = pool->blocks, *next; b; b = next) {
                next = b->next;
                free(b);
        }
        free(pool);
}

void *pool_alloc(struct pool *pool, size_t size)
{
        size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
        struct pool_block *b = pool->blocks;
        if (!b || b->size - b->used < size) {
                size_t room = size > POOL_BLOCK ? size : POOL_BLOCK;
                b = util_alloc(sizeof *b + room);
                b->size = room;
                b->next = pool->blocks;
                pool->blocks = b;
        }
        void *p = (char *)b->data + b->used;
        b->used += size;
        return p;
}

char *pool_text(struct pool *pool, const char *s, size_t len)
{
        char *copy = pool_alloc(pool, len + 1);
        if (len) memcpy(copy, s, len);
        return copy;
}

char *pool_format(struct pool *pool, const char *fmt, ...)
{
        AUTO_BUF b = {0};
        va_list ap;
        va_start(ap, fmt);
        buf_vformat(&b, fmt, ap);
        va_end(ap);
        return pool_text(pool, b.data, b.len);
}

void problems_text(struct problems *p, const char *text)
{
        if (p->text.len && strstr(p->text.data, text)) return;
        if (p->count++ >= PROBLEMS_MAX) return;
        if (p->text.len) buf_char(&p->text, '\n');
        buf_text(&p->text, text);
}

void problems_add(struct problems *p, const char *file, unsigned line, unsigned column, const char *fmt, ...)
{
        AUTO_BUF b = {0};
        if (line)
                buf_format(&b, "%s:%u:%u: ", file, line, column);
        else
                buf_format(&b, "%s: ", file);
        va_list ap;
        va_start(ap, fmt);
        buf_vformat(&b, fmt, ap);
        va_end(ap);
        problems_text(p, b.data);
}

/* Edits (insert, remove, replace) from a to b; names longer than NAME_MAX_ are far from everything. */
static size_t util_distance(const char *a, const char *b)
{
        size_t n = strlen(a), m = strlen(b), row[NAME_MAX_ + 1];
        if (n > NAME_MAX_ || m > NAME_MAX_) return NAME_MAX_;
        for (size_t j = 0; j <= m; j++) row[j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t best = diagonal + (a[i - 1] != b[j - 1]);
                        if (row[j] + 1 < best) best = row[j] + 1;
                        if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
                        diagonal = row[j];
                        row[j] = best;
                }
        }
        return row[m];
}

const char *util_nearest(const char *name, const char *const *names)
{
        const char *nearest = NULL;
        size_t best = strlen(name) / 3 + 2;
        for (; *names; names++) {
                size_t d = util_distance(name, *names);
                if (d >= best) continue;
                best = d;
                nearest = *names;
        }
        return nearest;
}

bool util_match(const char *pattern, const char *text)
{
        const char *star = NULL, *mark = NULL;
        while (*text) {
                if (*pattern == '*') {
                        star = pattern++;
                        mark = text;
                } else if (*pattern == *text) {
                        pattern++, text++;
                } else if (star) {
                        pattern = star + 1;
                        text = ++mark;
                } else {
                        return false;
                }
        }
        while (*pattern == '*') pattern++;
        return !*pattern;
}

bool util_starts(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

int64_t util_duration(const char *text, const char **end)
{
        static const struct {
                const char *name;
                int64_t ms;
        } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}};
        int64_t n = 0;
        const char *s = text;
        for (; *s >= '0' && *s <= '9'; s++)
                if ((n = n * 10 + (*s - '0')) > 1000000000) return -1;
        if (s == text) return -1;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
                if (!util_starts(s, units[i].name)) continue;
                s += strlen(units[i].name);
                if (end) *end = s;
                return end || !*s ? n * units[i].ms : -1;
        }
        return -1;
}
