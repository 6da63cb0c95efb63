/* Allocation that aborts instead of failing, and arenas of doubling chunks. */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void *or_abort(void *ptr)
{
        if (ptr == NULL) {
                fputs("tutti: out of memory\n", stderr);
                abort();
        }
        return ptr;
}

void *mem_alloc(size_t size)
{
        return or_abort(calloc(1, size ? size : 1));
}

void *mem_realloc(void *ptr, size_t size)
{
        return or_abort(realloc(ptr, size ? size : 1));
}

void *mem_dup(const void *data, size_t len)
{
        char *copy = or_abort(malloc(len + 1));
        if (len > 0) memcpy(copy, data, len);
        copy[len] = '\0';
        return copy;
}

char *mem_strdup(const char *s)
{
        return s ? mem_dup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t len)
{
        return mem_dup(s, strnlen(s, len));
}

char *mem_vprintf(const char *fmt, va_list ap)
{
        char *s = NULL;
        if (vasprintf(&s, fmt, ap) < 0) s = NULL;
        return or_abort(s);
}

char *mem_printf(const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        char *s = mem_vprintf(fmt, ap);
        va_end(ap);
        return s;
}

void mem_wipe(void *data, size_t len)
{
        if (data != NULL) explicit_bzero(data, len);
}

enum { CHUNK_MIN = 4096, CHUNK_MAX = 1 << 20 };

struct chunk {
        struct chunk *next; /* older */
        size_t size, used;
        _Alignas(max_align_t) char data[];
};

struct deferred {
        struct deferred *next; /* earlier */
        void (*release)(void *data);
        void *data;
};

struct arena {
        struct chunk *newest;
        struct deferred *deferred;
        size_t used;
};

struct arena *arena_new(void)
{
        return mem_alloc(sizeof(struct arena));
}

static void chunks_free(struct chunk *chunk)
{
        while (chunk != NULL) {
                struct chunk *older = chunk->next;
                free(chunk);
                chunk = older;
        }
}

static void run_deferred(struct arena *arena)
{
        while (arena->deferred != NULL) {
                struct deferred *d = arena->deferred;
                arena->deferred = d->next;
                d->release(d->data);
        }
}

void arena_free(struct arena *arena)
{
        if (arena == NULL) return;
        run_deferred(arena);
        chunks_free(arena->newest);
        free(arena);
}

void arena_clear(struct arena *arena)
{
        run_deferred(arena);
        if (arena->newest != NULL) {
                /* The newest chunk is the largest: keeping it makes a reused arena stop allocating. */
                chunks_free(arena->newest->next);
                arena->newest->next = NULL;
                arena->newest->used = 0;
        }
        arena->used = 0;
}

static struct chunk *chunk_add(struct arena *arena, size_t need)
{
        size_t size = arena->newest ? arena->newest->size * 2 : CHUNK_MIN;
        if (size > CHUNK_MAX) size = CHUNK_MAX;
        if (size < need) size = need;
        struct chunk *chunk = or_abort(malloc(sizeof *chunk + size));
        *chunk = (struct chunk){.next = arena->newest, .size = size};
        arena->newest = chunk;
        return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
        const size_t align = _Alignof(max_align_t);
        size_t rounded = (size + align - 1) & ~(align - 1);
        if (rounded < size) or_abort(NULL);
        struct chunk *chunk = arena->newest;
        if (chunk == NULL || chunk->size - chunk->used < rounded) chunk = chunk_add(arena, rounded);
        void *ptr = chunk->data + chunk->used;
        chunk->used += rounded;
        arena->used += rounded;
        return memset(ptr, 0, rounded);
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
        char *copy = arena_alloc(arena, len + 1);
        memcpy(copy, s, len);
        return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
        return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *s = mem_vprintf(fmt, ap);
        va_end(ap);
        return arena_strdup(arena, s);
}

size_t arena_used(const struct arena *arena)
{
        return arena->used;
}

void arena_defer(struct arena *arena, void (*release)(void *data), void *data)
{
        struct deferred *d = arena_alloc(arena, sizeof *d);
        *d = (struct deferred){.next = arena->deferred, .release = release, .data = data};
        arena->deferred = d;
}
