/*
 * Memory: allocation that cannot fail, arenas, and scope-bound cleanup.
 *
 * Running out of memory aborts the process: recovery from kill -9 has to work anyway, so one
 * more error path everywhere would buy nothing. In return every input is bounded by its reader.
 *
 * Three ways to own memory: an arena for what is built and dropped together (a template, a plan),
 * a reference count for immutable values, and a single owner with a NULL-safe x_free for the rest.
 */
#ifndef TUTTI_BASE_MEM_H
#define TUTTI_BASE_MEM_H

#include <stddef.h>
#include <stdarg.h>
#include <stdlib.h>

void *mem_alloc(size_t size);                /* zeroed; size 0 gives a unique pointer */
void *mem_realloc(void *ptr, size_t size);   /* as realloc; new bytes are undefined */
void *mem_dup(const void *data, size_t len); /* a copy with a NUL byte behind it */
char *mem_strdup(const char *s);             /* NULL stays NULL */
char *mem_strndup(const char *s, size_t len);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
void mem_wipe(void *data, size_t len); /* overwrites secrets; the compiler may not drop it */

/* Room for one more element in a plain growing array: `vec_grow(v->items, v->count, v->capacity);` */
#define vec_grow(items, count, capacity)                                                      \
        do {                                                                                  \
                if ((count) >= (capacity)) {                                                  \
                        (capacity) = (capacity) ? (capacity)*2 : 8;                           \
                        (items) = mem_realloc((items), (size_t)(capacity) * sizeof *(items)); \
                }                                                                             \
        } while (0)

/* Appends `item` to a plain growing array. */
#define vec_push(items, count, capacity, ...)       \
        do {                                        \
                vec_grow(items, count, capacity);   \
                (items)[(count)++] = (__VA_ARGS__); \
        } while (0)

/* Takes a pointer out of its variable, which becomes NULL: hands ownership on past a cleanup. */
#define steal(ptr)                          \
        __extension__({                     \
                __auto_type steal_ = (ptr); \
                (ptr) = NULL;               \
                steal_;                     \
        })

/* `cleanup(x_free) struct x *p = NULL;` calls x_free(p) at the end of the scope. Declare the helper
 * once per type, after x_free, with CLEANUP(struct x *, x_free). */
#define CLEANUP(type, function)                        \
        static inline void function##_cleanup(type *p) \
        {                                              \
                function(*p);                          \
        }                                              \
        struct function##_cleanup_semicolon
/* Unused: clang warns of a variable that is only there for its end (a lock, a transaction). */
#define cleanup(function) __attribute__((__cleanup__(function##_cleanup), __unused__))

CLEANUP(void *, free);
static inline void freep_(void *p)
{
        free(*(void **)p);
}
#define cleanup_free __attribute__((__cleanup__(freep_))) /* for any pointer that free() releases */

/*
 * An arena hands out memory that is released all at once. Pointers stay valid until arena_clear or
 * arena_free. An arena is not safe to share between threads.
 */
struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);                /* NULL-safe */
void arena_clear(struct arena *arena);               /* forgets everything, keeps some memory for reuse */
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *arena); /* bytes handed out since the last clear */
/* Calls release(data) when the arena is cleared or freed, latest first: for what lives as long as the arena but is
 * not of it, such as a reference to a counted value. */
void arena_defer(struct arena *arena, void (*release)(void *data), void *data);
CLEANUP(struct arena *, arena_free);

#endif
