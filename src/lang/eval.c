/*
 * Evaluation: a walk over the tree. Problems are collected where going on makes sense (the elements of a
 * tuple, the arguments of a call), so that one run reports them all. Every node costs a step and everything
 * made costs bytes; both are bounded, as is the size a value has once its shared parts are counted each time.
 */
#include "lang/eval.h"

#include <string.h>

void *eval_fail(struct eval *ev, const struct place *place, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        error_set(ev->err, ERROR_INPUT, place, "%s", message);
        return NULL;
}

int eval_charge(struct eval *ev, uint64_t steps, uint64_t bytes, const struct place *place)
{
        if (steps <= ev->steps && bytes <= ev->bytes) {
                ev->steps -= (size_t)steps;
                ev->bytes -= bytes;
                return 0;
        }
        if (!ev->fatal && steps > ev->steps)
                eval_fail(ev, place, "this expression takes too long: over %zu steps", ev->steps_max);
        else if (!ev->fatal)
                eval_fail(ev, place, "this expression takes too much memory: over %llu bytes",
                    (unsigned long long)ev->bytes_max);
        ev->fatal = true;
        return -1;
}

struct value *eval_made(struct eval *ev, struct value *v, const struct place *place)
{
        if (v == NULL) return NULL;
        if (eval_charge(ev, 0, 32 + 24 * (uint64_t)value_count(v), place) == 0) {
                if (value_weight(v) <= ev->bytes_max && value_depth(v) <= VALUE_DEPTH_MAX) return v;
                ev->fatal = true;
                if (value_depth(v) > VALUE_DEPTH_MAX)
                        eval_fail(
                            ev, place, "this value is nested too deeply: over %d levels", VALUE_DEPTH_MAX);
                else
                        eval_fail(ev, place, "this value is too large: over %llu bytes",
                            (unsigned long long)ev->bytes_max);
        }
        value_free(v);
        return NULL;
}

struct value *eval_mark(struct value *v, bool sensitive)
{
        if (v == NULL || !sensitive) return v;
        struct value *marked = value_sensitive(v, true);
        value_free(v);
        return marked;
}

struct value *eval_operand(
    struct eval *ev, const struct expr *e, const struct type *type, const char *what, bool *sensitive)
{
        cleanup(value_free) struct value *v = eval_expr(ev, e);
        if (v == NULL) return NULL;
        if (value_is_null(v)) return eval_fail(ev, &e->place, "%s must not be null", what);
        *sensitive |= value_is_sensitive(v);
        if (value_is_sensitive(v)) {
                struct value *plain = value_sensitive(v, false);
                value_free(v);
                v = plain;
        }
        struct error *problem = NULL;
        struct value *converted = value_convert(v, type, &problem);
        if (converted == NULL) {
                eval_fail(ev, &e->place, "%s: %s", what, error_message(problem));
                error_free(problem);
        }
        return converted;
}

static struct value *eval_tuple(struct eval *ev, const struct expr *e)
{
        cleanup_free struct value **items = mem_alloc(e->count * sizeof *items);
        size_t failed = 0;
        for (size_t i = 0; i < e->count && !ev->fatal; i++) {
                items[i] = eval_expr(ev, e->items[i]);
                failed += items[i] == NULL;
        }
        struct value *v = failed || ev->fatal ? NULL : value_tuple(items, e->count);
        for (size_t i = 0; i < e->count; i++) value_free(items[i]);
        return eval_made(ev, v, &e->place);
}

/* The name of an attribute; NULL with a problem, or with *unknown set. */
static struct value *eval_key(struct eval *ev, const struct expr *e, bool *sensitive, bool *unknown)
{
        cleanup(value_free) struct value *key = eval_operand(
            ev, e, type_string, "the key of an attribute", sensitive);
        if (key == NULL) return NULL;
        if (!value_is_known(key)) {
                *unknown = true;
                return NULL;
        }
        if (strlen(value_as_string(key)) != value_string_len(key))
                return eval_fail(ev, &e->place, "the key of an attribute must not hold a NUL character");
        return steal(key);
}

static struct value *eval_object(struct eval *ev, const struct expr *e)
{
        size_t count = e->field_count;
        cleanup_free struct value **names = mem_alloc(count * sizeof *names);
        cleanup_free struct value **values = mem_alloc(count * sizeof *values);
        cleanup_free const char **keys = mem_alloc(count * sizeof *keys);
        bool sensitive = false, unknown = false, failed = false;
        for (size_t i = 0; i < count && !ev->fatal; i++) {
                bool key_unknown = false;
                names[i] = eval_key(ev, e->fields[i].key, &sensitive, &key_unknown);
                values[i] = eval_expr(ev, e->fields[i].value);
                unknown |= key_unknown;
                failed |= (names[i] == NULL && !key_unknown) || values[i] == NULL;
                keys[i] = names[i] ? value_as_string(names[i]) : NULL;
        }
        struct value *v = NULL;
        if (!failed && !ev->fatal)
                v = unknown ? value_unknown(type_dynamic) : value_object(keys, values, count);
        for (size_t i = 0; i < count; i++) {
                value_free(names[i]);
                value_free(values[i]);
        }
        return eval_mark(eval_made(ev, v, &e->place), sensitive);
}

struct value *eval_expr(struct eval *ev, const struct expr *e)
{
        if (e->constant != NULL) return value_ref(e->constant);
        if (eval_charge(ev, 1, 0, &e->place) < 0) return NULL;
        switch ((enum expr_kind)e->kind) {
        case EXPR_CONSTANT: return value_ref(e->constant);
        case EXPR_PATH: return eval_path(ev, e);
        case EXPR_TUPLE: return eval_tuple(ev, e);
        case EXPR_OBJECT: return eval_object(ev, e);
        case EXPR_UNARY: return eval_unary(ev, e);
        case EXPR_BINARY: return eval_binary(ev, e);
        case EXPR_CONDITIONAL: return eval_conditional(ev, e);
        case EXPR_CALL: return eval_call(ev, e);
        case EXPR_FOR: return eval_for(ev, e);
        case EXPR_TEMPLATE: return eval_template(ev, e);
        case EXPR_TEMPLATE_FOR: return eval_template_for(ev, e);
        }
        return NULL;
}

static struct value *run(const struct expr *e, const struct scope *scope, struct error **err)
{
        struct eval ev = {.scope = scope, .err = err};
        ev.steps = ev.steps_max = scope->max_steps ? scope->max_steps : EVAL_STEPS;
        ev.bytes = ev.bytes_max = scope->max_bytes ? scope->max_bytes : EVAL_BYTES;
        struct value *v = eval_expr(&ev, e);
        free(ev.slots);
        if (v == NULL || !value_has_infinite(v)) return v;
        value_free(v);
        return ev.infinite ? eval_fail(&ev, ev.infinite, "division by zero")
                           : eval_fail(&ev, &e->place, "the result is too large for a number");
}

struct value *expr_eval(const struct expr *e, const struct scope *scope, struct error **err)
{
        static const struct scope nothing;
        return e->constant ? value_ref(e->constant) : run(e, scope ? scope : &nothing, err);
}

/* What fails is left as it is: the problem then shows, at its place, when the expression is evaluated. */
struct value *eval_fold(const struct expr *e)
{
        static const struct scope small = {.max_steps = 1000, .max_bytes = 1 << 24};
        struct error *ignored = NULL;
        struct value *v = run(e, &small, &ignored);
        error_free(ignored);
        return v;
}
