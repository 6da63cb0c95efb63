/*
 * Shapes: YAML with expressions in it, compiled once, filled in for each request.
 */
#ifndef TUTTI_REST_SHAPE_H
#define TUTTI_REST_SHAPE_H

#include "providers/provider.h"
#include "yaml.h"

struct shape;

/* What compiling needs; shapes live as long as its pool and program. */
struct compiler {
        const struct tutti_host *host;
        struct pool *pool;
        struct tutti_program *program;
        struct problems *problems;
};

/* NULL for NULL and for what could not be compiled (with a problem). */
struct shape *shape_compile(const struct compiler *c, const struct node *n);

/*
 * The value, a new reference; NULL with a malloc'ed *problem. `roots` is what expressions see. In maps a null leaves its key
 * out, and `<<` spreads an object. Of a NULL shape: null.
 */
struct value *shape_fill(
    const struct tutti_host *host, const struct shape *s, const struct value *roots, char **problem);
/* Whether an expression in it has this word in its text: whether the root of that name is worth computing. */
bool shape_mentions(const struct shape *s, const char *word);

/* An object under construction. `struct object o = {0};` */
struct object {
        char **keys;
        struct value **values;
        size_t count, capacity;
};
void object_add(struct object *o, const char *key, struct value *steal); /* copies the key */
/* The object, a new reference; `o` is empty after it. */
struct value *object_value(const struct tutti_host *host, struct object *o);
void object_release(const struct tutti_host *host, struct object *o);

/* Kinds of values, in words of the language; an unknown or null value is none of them. */
bool kind_is(const struct tutti_host *host, const struct value *v, const char *kind);
bool kind_map(const struct tutti_host *host, const struct value *v);  /* object or map */
bool kind_list(const struct tutti_host *host, const struct value *v); /* list, set or tuple */
bool kind_none(const struct tutti_host *host, const struct value *v); /* NULL or null */
/* A string with a NUL byte in it, behind which a C string ends. */
bool text_is_cut(const struct tutti_host *host, const struct value *v);

#endif
