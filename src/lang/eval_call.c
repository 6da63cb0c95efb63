/* Function calls; try() and can() are here, as they alone look at expressions instead of values. */
#include "lang/eval.h"

/* Bytes a result holds by itself, without what it shares with the arguments. */
static uint64_t own_bytes(const struct value *v)
{
        return value_count(v) ? 24 * (uint64_t)value_count(v) : value_weight(v);
}

/* An argument of try() or can(), with its problems kept out of sight. */
static struct value *eval_attempt(struct eval *ev, const struct expr *e)
{
        struct error *problem = NULL, **before = ev->err;
        ev->err = &problem;
        ev->quiet++;
        struct value *v = eval_expr(ev, e);
        ev->quiet--;
        ev->err = before;
        if (ev->fatal || ev->undeclared) error_move(ev->err, &problem);
        error_free(problem);
        return v;
}

struct arguments {
        struct value **values;
        size_t count;
        bool unknown, sensitive; /* of the expanded one */
};

static void arguments_release_cleanup(struct arguments *a)
{
        for (size_t i = 0; i < a->count; i++) value_free(a->values[i]);
        free(a->values);
}

/* `f(a, b...)`: puts the elements of the last argument in its place. */
static int expand_last(struct eval *ev, const struct expr *e, struct arguments *a)
{
        const struct place *place = &e->items[e->count - 1]->place;
        cleanup(value_free) struct value *last = a->values[a->count - 1];
        a->values[--a->count] = NULL;
        enum type_kind kind = value_kind(last);
        if (value_is_null(last))
                return eval_fail(ev, place, "the value in front of '...' must not be null"), -1;
        if (kind != TYPE_DYNAMIC && kind != TYPE_LIST && kind != TYPE_SET && kind != TYPE_TUPLE)
                return eval_fail(ev, place, "'...' needs a list, set or tuple in front of it"), -1;
        a->sensitive = value_is_sensitive(last);
        a->unknown = !value_is_known(last);
        size_t more = value_count(last);
        if (eval_charge(ev, more, 8 * more, place) < 0) return -1;
        a->values = mem_realloc(a->values, (a->count + more + 1) * sizeof *a->values);
        for (size_t i = 0; i < more; i++)
                a->values[a->count++] = eval_mark(value_ref(value_at(last, i)), a->sensitive);
        return 0;
}

/* The elements of the last argument of try(a, b...) or can(b...): it is evaluated first, and its problems count. */
static int attempt_expanded(struct eval *ev, const struct expr *e, struct arguments *last)
{
        if (!e->expand_last) return 0;
        last->values = mem_alloc(sizeof *last->values);
        last->values[0] = eval_expr(ev, e->items[e->count - 1]);
        if (last->values[0] == NULL) return -1;
        last->count = 1;
        return expand_last(ev, e, last);
}

static struct value *eval_can(struct eval *ev, const struct expr *e)
{
        cleanup(arguments_release) struct arguments last = {0};
        if (attempt_expanded(ev, e, &last) < 0) return NULL;
        size_t count = e->expand_last ? e->count - 1 + last.count : e->count;
        if (last.unknown) return value_unknown(type_bool);
        if (count != 1) return eval_fail(ev, &e->place, "can() takes one expression, not %zu", count);
        if (last.count == 1)
                return value_is_wholly_known(last.values[0]) ? value_bool(true) : value_unknown(type_bool);
        cleanup(value_free) struct value *v = eval_attempt(ev, e->items[0]);
        if (ev->fatal || ev->undeclared) return NULL;
        if (v != NULL && !value_is_wholly_known(v)) return value_unknown(type_bool);
        return value_bool(v != NULL);
}

static struct value *tried(struct value *v)
{
        if (value_is_wholly_known(v)) return v;
        bool sensitive = value_has_sensitive(v);
        value_free(v);
        return eval_mark(value_unknown(type_dynamic), sensitive);
}

static struct value *eval_try(struct eval *ev, const struct expr *e)
{
        cleanup(arguments_release) struct arguments last = {0};
        if (attempt_expanded(ev, e, &last) < 0) return NULL;
        if (last.unknown) return eval_mark(value_unknown(type_dynamic), last.sensitive);
        size_t plain = e->expand_last ? e->count - 1 : e->count;
        bool more = last.count > 0;
        for (size_t i = 0; i + !more < plain; i++) {
                struct value *v = eval_attempt(ev, e->items[i]);
                if (!ev->fatal && !ev->undeclared && v == NULL) continue;
                if (v == NULL || !(ev->fatal || ev->undeclared)) return v ? tried(v) : NULL;
                value_free(v);
                return NULL;
        }
        if (more) return last.count == 1 ? value_ref(last.values[0]) : tried(value_ref(last.values[0]));
        if (plain == 0) return eval_fail(ev, &e->place, "try() takes one or more expressions");
        return eval_expr(ev, e->items[plain - 1]);
}

static int eval_arguments(struct eval *ev, const struct expr *e, struct arguments *a)
{
        bool failed = false;
        uint64_t work = 0;
        a->values = mem_alloc((e->count + 1) * sizeof *a->values);
        for (; a->count < e->count && !ev->fatal; a->count++) {
                struct value *v = eval_expr(ev, e->items[a->count]);
                failed |= v == NULL;
                if (v != NULL) work += value_weight(v) / 1024;
                a->values[a->count] = v;
        }
        if (failed || ev->fatal || eval_charge(ev, work, 0, &e->place) < 0) return -1;
        return e->expand_last ? expand_last(ev, e, a) : 0;
}

static void *fail_function(struct eval *ev, const struct expr *e)
{
        const char *near = function_suggest(e->name);
        if (near == NULL) return eval_fail(ev, &e->place, "there is no function '%s'", e->name);
        return eval_fail(ev, &e->place, "there is no function '%s'; did you mean '%s'?", e->name, near);
}

/* Whether the first argument is a name with attributes and indexes behind it. */
static bool is_reference(struct expr *const *items, size_t count)
{
        if (count == 0) return true;
        const struct expr *e = items[0];
        if (e->kind != EXPR_PATH || e->path->base == BASE_EXPR) return false;
        for (size_t i = 0; i < e->path->count; i++)
                if (e->path->steps[i].kind >= STEP_SPLAT) return false;
        return true;
}

struct value *eval_call(struct eval *ev, const struct expr *e)
{
        if (e->function == NULL) return fail_function(ev, e);
        if (e->function->body == NULL)
                return text_equal(e->function->info.name, "can") ? eval_can(ev, e) : eval_try(ev, e);
        if (e->function->reference && !is_reference(e->items, e->count))
                return eval_fail(ev, &e->place,
                    "%s() takes a template by reference only, such as local.x; write one that is known here "
                    "as it is",
                    e->name);
        cleanup(arguments_release) struct arguments a = {0};
        if (eval_arguments(ev, e, &a) < 0) return NULL;
        if (a.unknown) return eval_mark(value_unknown(type_dynamic), a.sensitive);
        struct error *problem = NULL;
        struct value *v = function_call(e->function, ev->scope, a.values, a.count, &problem);
        if (v == NULL) {
                error_context(&problem, "%s()", e->function->info.name);
                error_place(&problem, &e->place);
                error_move(ev->err, &problem);
                return NULL;
        }
        if (eval_charge(ev, 0, own_bytes(v), &e->place) == 0) return eval_made(ev, v, &e->place);
        value_free(v);
        return NULL;
}
