/*
 * Shapes: see shape.h. A constant is kept as text, so that a shape owns nothing but memory of the pool.
 */
#include "shape.h"

#include <stdlib.h>
#include <string.h>

enum shape_kind { SHAPE_NULL, SHAPE_BOOL, SHAPE_NUMBER, SHAPE_TEXT, SHAPE_EXPR, SHAPE_LIST, SHAPE_MAP };

struct shape {
        enum shape_kind kind;
        const struct node *node; /* for messages; text of constants and expressions */
        struct tutti_expr *expr;
        struct shape **items;
        size_t count;
};

static bool shape_is_expr(const struct node *n)
{
        return strstr(n->text, "${") || strstr(n->text, "%{");
}

static enum shape_kind shape_scalar_kind(const struct compiler *c, const struct node *n)
{
        if (shape_is_expr(n)) return SHAPE_EXPR;
        if (!n->plain) return SHAPE_TEXT;
        if (!n->len || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0) return SHAPE_NULL;
        if (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0) return SHAPE_BOOL;
        struct value *number = c->host->value_number(n->text);
        c->host->value_free(number);
        return number ? SHAPE_NUMBER : SHAPE_TEXT;
}

static struct shape *shape_compile_scalar(const struct compiler *c, const struct node *n, struct shape *s)
{
        s->kind = shape_scalar_kind(c, n);
        if (s->kind != SHAPE_EXPR) return s;
        AUTO_CHAR problem = NULL;
        s->expr = c->host->expr_compile(
            c->program, n->text, n->len, 1, n->file, n->line, n->column, &problem);
        if (s->expr) return s;
        problems_text(c->problems, problem ? problem : "wrong expression");
        return NULL;
}

struct shape *shape_compile(const struct compiler *c, const struct node *n)
{
        if (!n) return NULL;
        struct shape *s = pool_alloc(c->pool, sizeof *s);
        s->node = n;
        if (n->kind == NODE_SCALAR) return shape_compile_scalar(c, n, s);
        s->kind = n->kind == NODE_LIST ? SHAPE_LIST : SHAPE_MAP;
        s->count = n->count;
        s->items = pool_alloc(c->pool, n->count * sizeof *s->items + 1);
        for (size_t i = 0; i < n->count; i++) {
                if (s->kind == SHAPE_MAP && node_is_none(n->items[i])) continue; /* NULL: left out */
                s->items[i] = shape_compile(c, n->items[i]);
        }
        return s;
}

static struct value *shape_fill_list(
    const struct tutti_host *host, const struct shape *s, const struct value *roots, char **problem)
{
        struct value **elements = util_alloc(s->count * sizeof *elements + 1);
        size_t n = 0;
        while (n < s->count && (elements[n] = shape_fill(host, s->items[n], roots, problem))) n++;
        struct value *list = n == s->count ? host->value_list(elements, n) : NULL;
        while (n > 0) host->value_free(elements[--n]);
        free(elements);
        return list;
}

static int shape_spread(
    const struct tutti_host *host, struct object *o, const struct value *v, char **problem)
{
        if (kind_none(host, v)) return 0;
        if (!kind_map(host, v)) {
                *problem = util_format("what << spreads must be an object, not a %s", host->value_kind(v));
                return -1;
        }
        for (size_t i = 0; i < host->value_count(v); i++)
                object_add(o, host->value_key_at(v, i), host->value_ref(host->value_at(v, i)));
        return 0;
}

static struct value *shape_fill_map(
    const struct tutti_host *host, const struct shape *s, const struct value *roots, char **problem)
{
        struct object o = {0};
        for (size_t i = 0; i < s->count; i++) {
                if (!s->items[i]) continue;
                struct value *v = shape_fill(host, s->items[i], roots, problem);
                if (!v) {
                        object_release(host, &o);
                        return NULL;
                }
                if (strcmp(s->node->keys[i]->text, "<<") == 0) {
                        int spread = shape_spread(host, &o, v, problem);
                        host->value_free(v);
                        if (spread < 0) {
                                object_release(host, &o);
                                return NULL;
                        }
                } else if (kind_none(host, v)) {
                        host->value_free(v);
                } else {
                        object_add(&o, s->node->keys[i]->text, v);
                }
        }
        return object_value(host, &o);
}

struct value *shape_fill(
    const struct tutti_host *host, const struct shape *s, const struct value *roots, char **problem)
{
        if (!s) return host->value_null();
        switch (s->kind) {
        case SHAPE_NULL: return host->value_null();
        case SHAPE_BOOL: return host->value_bool(s->node->text[0] == 't');
        case SHAPE_NUMBER: return host->value_number(s->node->text);
        case SHAPE_TEXT: return host->value_string(s->node->text, s->node->len);
        case SHAPE_EXPR: return host->expr_eval(s->expr, roots, problem);
        case SHAPE_LIST: return shape_fill_list(host, s, roots, problem);
        case SHAPE_MAP: return shape_fill_map(host, s, roots, problem);
        }
        return host->value_null();
}

bool shape_mentions(const struct shape *s, const char *word)
{
        if (!s) return false;
        if (s->kind == SHAPE_EXPR) return strstr(s->node->text, word) != NULL;
        for (size_t i = 0; i < s->count; i++)
                if (shape_mentions(s->items[i], word)) return true;
        return false;
}

void object_add(struct object *o, const char *key, struct value *steal)
{
        if (o->count == o->capacity) {
                o->capacity = o->capacity ? o->capacity * 2 : 8;
                o->keys = util_grow(o->keys, o->capacity, sizeof *o->keys);
                o->values = util_grow(o->values, o->capacity, sizeof *o->values);
        }
        o->keys[o->count] = util_format("%s", key);
        o->values[o->count++] = steal;
}

struct value *object_value(const struct tutti_host *host, struct object *o)
{
        struct value *v = host->value_object((const char *const *)o->keys, o->values, o->count);
        object_release(host, o);
        return v;
}

void object_release(const struct tutti_host *host, struct object *o)
{
        for (size_t i = 0; i < o->count; i++) {
                free(o->keys[i]);
                host->value_free(o->values[i]);
        }
        free(o->keys);
        free(o->values);
        *o = (struct object){0};
}

bool kind_is(const struct tutti_host *host, const struct value *v, const char *kind)
{
        return v && strcmp(host->value_kind(v), kind) == 0;
}

bool kind_map(const struct tutti_host *host, const struct value *v)
{
        return kind_is(host, v, "object") || kind_is(host, v, "map");
}

bool kind_list(const struct tutti_host *host, const struct value *v)
{
        return kind_is(host, v, "list") || kind_is(host, v, "set") || kind_is(host, v, "tuple");
}

bool kind_none(const struct tutti_host *host, const struct value *v)
{
        return !v || kind_is(host, v, "null");
}

bool text_is_cut(const struct tutti_host *host, const struct value *v)
{
        size_t len = 0;
        const char *s = kind_is(host, v, "string") ? host->value_as_string(v, &len) : NULL;
        return s && strlen(s) != len;
}
