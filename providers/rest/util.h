/*
 * What the interpreter needs of the ground: text that grows, a pool for what lives as long as a manifest, names that
 * nearly match. A plug-in sees nothing of the engine but provider.h, so these are its own.
 */
#ifndef TUTTI_REST_UTIL_H
#define TUTTI_REST_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that is out aborts: the engine recovers from that as from any crash. */
void *util_alloc(size_t size); /* zeroed */
void *util_grow(void *p, size_t count, size_t size);

void util_free_char(char **p);
#define AUTO_CHAR __attribute__((__cleanup__(util_free_char))) char *

/* Growing text, always with a NUL behind it. `struct buf b = {0};` */
struct buf {
        char *data;
        size_t len, capacity;
};
void buf_bytes(struct buf *b, const void *data, size_t len);
void buf_text(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_format(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *buf_steal(struct buf *b);  /* malloc'ed, never NULL; the buffer is empty after it */
void buf_release(struct buf *b); /* wipes: bodies hold secrets */
#define AUTO_BUF __attribute__((__cleanup__(buf_release))) struct buf

char *util_format(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* malloc'ed */

/* Memory dropped all at once. */
struct pool;
struct pool *pool_new(void);
void pool_free(struct pool *pool);                /* NULL-safe */
void *pool_alloc(struct pool *pool, size_t size); /* zeroed */
char *pool_text(struct pool *pool, const char *s, size_t len);
char *pool_format(struct pool *pool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Problems of a manifest, collected: at most 20 are kept, each once (what is inherited is wrong in every heir). */
struct problems {
        struct buf text;
        unsigned count;
};
void problems_add(struct problems *p, const char *file, unsigned line, unsigned column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void problems_text(struct problems *p, const char *text); /* one that has its place already */

/* The one of `names` (NULL ends them) that `name` was probably meant to be, or NULL. */
const char *util_nearest(const char *name, const char *const *names);
/* Whether `text` matches `pattern`, in which * stands for any run of characters. */
bool util_match(const char *pattern, const char *text);
bool util_starts(const char *text, const char *prefix);
/* "250ms", "30s", "5m", "24h" in milliseconds; -1 if it is none. `end` (may be NULL) gets what follows. */
int64_t util_duration(const char *text, const char **end);

#endif
