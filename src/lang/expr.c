/* Building expression nodes, folding those that are constant, and telling what an expression refers to. */
#include "lang/expr_internal.h"

#include <string.h>

#include "lang/eval.h"
#include "lang/value_internal.h"

struct expr *expr_new(struct arena *arena, enum expr_kind kind, const struct place *place)
{
        struct expr *e = arena_alloc(arena, sizeof *e);
        e->kind = (uint8_t)kind;
        e->depth = 1;
        if (place != NULL) e->place = *place;
        return e;
}

static void release_value(void *v)
{
        value_free(v);
}

struct value *expr_keep(struct arena *arena, struct value *stolen)
{
        if (!is_immediate(stolen)) arena_defer(arena, release_value, stolen);
        return stolen;
}

struct expr *expr_literal(struct arena *arena, struct value *stolen, const struct place *place)
{
        struct expr *e = expr_new(arena, EXPR_CONSTANT, place);
        e->constant = expr_keep(arena, stolen);
        return e;
}

static void deepen(struct expr *e, const struct expr *inner)
{
        if (inner->depth >= e->depth)
                e->depth = inner->depth < UINT16_MAX ? (uint16_t)(inner->depth + 1) : UINT16_MAX;
}

/* A constant node evaluates without looking below it, so it counts as a leaf. */
static struct expr *fold(struct arena *arena, struct expr *e)
{
        struct value *v = eval_fold(e);
        if (v == NULL) return e;
        e->constant = expr_keep(arena, v);
        e->depth = 1;
        return e;
}

struct expr *expr_over(struct arena *arena, enum expr_kind kind, enum operation op, struct expr **items,
    size_t count, const struct place *place)
{
        struct expr *e = expr_new(arena, kind, place);
        bool constant = kind != EXPR_CALL;
        e->op = (uint8_t)op;
        e->items = items;
        e->count = count;
        for (size_t i = 0; i < count; i++) {
                deepen(e, items[i]);
                constant &= items[i]->constant != NULL;
        }
        return constant ? fold(arena, e) : e;
}

struct expr *expr_object_over(
    struct arena *arena, struct object_item *fields, size_t count, const struct place *place)
{
        struct expr *e = expr_new(arena, EXPR_OBJECT, place);
        bool constant = true;
        e->fields = fields;
        e->field_count = count;
        for (size_t i = 0; i < count; i++) {
                deepen(e, fields[i].key);
                deepen(e, fields[i].value);
                constant &= fields[i].key->constant != NULL && fields[i].value->constant != NULL;
        }
        return constant ? fold(arena, e) : e;
}

struct expr *expr_tuple(
    struct arena *arena, struct expr *const *elements, size_t count, const struct place *place)
{
        struct expr **items = arena_alloc(arena, count * sizeof *items);
        if (count > 0) memcpy(items, elements, count * sizeof *items);
        return expr_over(arena, EXPR_TUPLE, 0, items, count, place);
}

struct expr *expr_object(struct arena *arena, const char *const *keys, const struct place *key_places,
    struct expr *const *values, size_t count, const struct place *place)
{
        struct object_item *fields = arena_alloc(arena, count * sizeof *fields);
        for (size_t i = 0; i < count; i++) {
                const struct place *at = key_places ? &key_places[i] : place;
                fields[i].key = expr_literal(arena, value_string(keys[i]), at);
                fields[i].value = values[i];
                if (at != NULL) fields[i].place = *at;
        }
        return expr_object_over(arena, fields, count, place);
}

const struct place *expr_place(const struct expr *e)
{
        return &e->place;
}

const struct value *expr_constant(const struct expr *e)
{
        return e->constant;
}

const struct expr *expr_attribute(const struct expr *e, const char *key)
{
        if (e->kind != EXPR_OBJECT) return NULL;
        for (size_t i = e->field_count; i-- > 0;) {
                const struct value *k = e->fields[i].key->constant;
                if (k == NULL || value_kind(k) != TYPE_STRING || value_is_null(k)) continue;
                if (text_equal(value_as_string(k), key)) return e->fields[i].value;
        }
        return NULL;
}

/* --- references --- */

void expr_path_reference(struct arena *arena, struct expr *e)
{
        const struct path_expr *path = e->path;
        if (path->base != BASE_ROOT) return;
        struct reference_step *steps = arena_alloc(arena, path->count * sizeof *steps);
        for (size_t i = 0; i < path->count; i++) {
                const struct value *key = path->steps[i].key;
                bool name = key && value_kind(key) == TYPE_STRING && !value_is_null(key);
                steps[i].name = name ? value_as_string(key) : NULL;
                steps[i].index = path->steps[i].kind == STEP_INDEX ? key : NULL;
                steps[i].is_attribute = path->steps[i].kind == STEP_ATTRIBUTE;
        }
        e->path->reference = (struct reference){path->root, steps, path->count, e->place};
}

struct visitor {
        void (*each)(void *context, const struct reference *reference);
        void *context;
};

static void visit(const struct visitor *v, const struct expr *e);

static void visit_path(const struct visitor *v, const struct path_expr *path)
{
        if (path->base == BASE_ROOT) v->each(v->context, &path->reference);
        if (path->base == BASE_EXPR) visit(v, path->source);
        for (size_t i = 0; i < path->count; i++)
                if (path->steps[i].kind == STEP_COMPUTED) visit(v, path->steps[i].index);
}

static void visit_loop(const struct visitor *v, const struct for_expr *loop)
{
        visit(v, loop->collection);
        if (loop->key != NULL) visit(v, loop->key);
        visit(v, loop->value);
        if (loop->condition != NULL) visit(v, loop->condition);
}

static void visit(const struct visitor *v, const struct expr *e)
{
        if (e->constant != NULL) return;
        switch ((enum expr_kind)e->kind) {
        case EXPR_PATH: visit_path(v, e->path); break;
        case EXPR_FOR:
        case EXPR_TEMPLATE_FOR: visit_loop(v, e->loop); break;
        case EXPR_OBJECT:
                for (size_t i = 0; i < e->field_count; i++) {
                        visit(v, e->fields[i].key);
                        visit(v, e->fields[i].value);
                }
                break;
        default:
                for (size_t i = 0; i < e->count; i++) visit(v, e->items[i]);
                break;
        }
}

void expr_references(
    const struct expr *e, void (*each)(void *context, const struct reference *reference), void *context)
{
        struct visitor v = {each, context};
        visit(&v, e);
}

const struct reference *expr_is_reference(const struct expr *e)
{
        if (e->kind != EXPR_PATH || e->path->base != BASE_ROOT) return NULL;
        for (size_t i = 0; i < e->path->count; i++)
                if (e->path->steps[i].key == NULL) return NULL;
        return &e->path->reference;
}
