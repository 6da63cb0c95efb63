/* Operators and conditionals, with what HCL converts and what it leaves unknown. */
#include "lang/eval.h"

#include <string.h>

#include "lang/number.h"

#define SIDES(text)                                                           \
        {                                                                     \
                "the left side of '" text "'", "the right side of '" text "'" \
        }

static const char *const sides[][2] = {
    [OP_OR] = SIDES("||"),
    [OP_AND] = SIDES("&&"),
    [OP_LESS] = SIDES("<"),
    [OP_LESS_EQUAL] = SIDES("<="),
    [OP_GREATER] = SIDES(">"),
    [OP_GREATER_EQUAL] = SIDES(">="),
    [OP_ADD] = SIDES("+"),
    [OP_SUBTRACT] = SIDES("-"),
    [OP_MULTIPLY] = SIDES("*"),
    [OP_DIVIDE] = SIDES("/"),
    [OP_MODULO] = SIDES("%"),
};

struct value *eval_unary(struct eval *ev, const struct expr *e)
{
        bool sensitive = false, negate = e->op == OP_NEGATE;
        cleanup(value_free) struct value *v = eval_operand(ev, e->items[0], negate ? type_number : type_bool,
            negate ? "what '-' negates" : "what '!' inverts", &sensitive);
        if (v == NULL) return NULL;
        struct value *result = !value_is_known(v) ? value_unknown_present(value_type(v))
                               : negate           ? number_negate(v)
                                                  : value_bool(!value_as_bool(v));
        return eval_mark(result, sensitive);
}

/* --- equality --- */

enum answer { NO, YES, UNKNOWN };

static enum answer equal(const struct value *a, const struct value *b);

static enum answer equal_parts(const struct value *a, const struct value *b)
{
        bool named = value_kind(a) == TYPE_MAP || value_kind(a) == TYPE_OBJECT;
        enum answer all = YES;
        if (value_count(a) != value_count(b)) return NO;
        for (size_t i = 0; i < value_count(a); i++) {
                if (named && !text_equal(value_key_at(a, i), value_key_at(b, i))) return NO;
                const struct value *x = value_at(a, i), *y = value_at(b, i);
                if (value_is_null(x) && value_is_null(y) && value_kind(x) != value_kind(y)) return NO;
                enum answer one = equal(x, y);
                if (one == NO) return NO;
                if (one == UNKNOWN) all = UNKNOWN;
        }
        return all;
}

/* Nothing that is not known yet makes values of two types equal, or null what is not, or changes how a text begins. */
static enum answer equal_unknown(const struct value *a, const struct value *b)
{
        size_t len;
        if (value_is_known(b)) return equal_unknown(b, a);
        if (value_is_known(a) && value_is_null(a)) return value_is_present(b) ? NO : UNKNOWN;
        const struct type *x = value_type(a), *y = value_type(b);
        if (!type_has_dynamic(x) && !type_has_dynamic(y) && !type_equal(x, y)) return NO;
        const char *prefix = value_unknown_prefix(b, &len);
        if (prefix == NULL || !value_is_known(a) || value_kind(a) != TYPE_STRING) return UNKNOWN;
        bool begins = value_string_len(a) >= len && memcmp(value_as_string(a), prefix, len) == 0;
        return begins ? UNKNOWN : NO;
}

static enum answer equal(const struct value *a, const struct value *b)
{
        if (!value_is_known(a) && !value_is_known(b)) {
                const struct type *x = value_type(a), *y = value_type(b);
                return type_has_dynamic(x) || type_has_dynamic(y) || type_equal(x, y) ? UNKNOWN : NO;
        }
        if (!value_is_known(a) || !value_is_known(b)) return equal_unknown(a, b);
        if (value_is_null(a) || value_is_null(b)) return value_is_null(a) && value_is_null(b) ? YES : NO;
        if (value_kind(a) != value_kind(b)) return NO;
        switch (value_kind(a)) {
        case TYPE_SET:
                if (!value_is_wholly_known(a) || !value_is_wholly_known(b)) return UNKNOWN;
                return value_equal(a, b) ? YES : NO;
        case TYPE_LIST:
        case TYPE_MAP:
                if (!type_equal(value_type(a), value_type(b))) return NO;
                return equal_parts(a, b);
        case TYPE_TUPLE:
        case TYPE_OBJECT: return equal_parts(a, b);
        default: return value_equal(a, b) ? YES : NO;
        }
}

static struct value *eval_equality(struct eval *ev, const struct expr *e)
{
        cleanup(value_free) struct value *a = eval_expr(ev, e->items[0]);
        cleanup(value_free) struct value *b = ev->fatal ? NULL : eval_expr(ev, e->items[1]);
        if (a == NULL || b == NULL) return NULL;
        if (eval_charge(ev, value_weight(a) / 256, 0, &e->place) < 0) return NULL;
        enum answer answer = equal(a, b);
        struct value *result = answer == UNKNOWN ? value_unknown_present(type_bool)
                                                 : value_bool((answer == YES) == (e->op == OP_EQUAL));
        return eval_mark(result, value_has_sensitive(a) || value_has_sensitive(b));
}

/* --- logic --- */

/* The side that is not needed any more. It must still be a bool, as in Terraform. */
static int check_undecided(struct eval *ev, const struct expr *e, const char *what, bool *sensitive)
{
        cleanup(value_free) struct value *v = eval_operand(ev, e, type_bool, what, sensitive);
        return v ? 0 : -1;
}

/* The side that decides alone (false for &&, true for ||) decides, whichever side it is on. Both are evaluated
 * all the same, so `x != null && x.y > 0` fails where x is null; a conditional or try() is the way to write it. */
static struct value *eval_logic(struct eval *ev, const struct expr *e)
{
        bool decides = e->op == OP_OR, sensitive = false;
        cleanup(value_free) struct value *a = eval_operand(
            ev, e->items[0], type_bool, sides[e->op][0], &sensitive);
        if (ev->fatal) return NULL;
        if (a && value_is_known(a) && value_as_bool(a) == decides) {
                if (check_undecided(ev, e->items[1], sides[e->op][1], &sensitive) < 0) return NULL;
                return eval_mark(steal(a), sensitive);
        }
        cleanup(value_free) struct value *b = eval_operand(
            ev, e->items[1], type_bool, sides[e->op][1], &sensitive);
        if (a == NULL || b == NULL) return NULL;
        if (value_is_known(a) || (value_is_known(b) && value_as_bool(b) == decides))
                return eval_mark(steal(b), sensitive);
        return eval_mark(steal(a), sensitive);
}

/* --- arithmetic and comparison --- */

static struct value *apply(enum operation op, const struct value *a, const struct value *b)
{
        switch (op) {
        case OP_ADD: return number_add(a, b);
        case OP_SUBTRACT: return number_subtract(a, b);
        case OP_MULTIPLY: return number_multiply(a, b);
        case OP_DIVIDE: return number_divide(a, b);
        case OP_MODULO: return number_modulo(a, b);
        case OP_LESS: return value_bool(number_compare(a, b) < 0);
        case OP_LESS_EQUAL: return value_bool(number_compare(a, b) <= 0);
        case OP_GREATER: return value_bool(number_compare(a, b) > 0);
        default: return value_bool(number_compare(a, b) >= 0);
        }
}

static struct value *compute(
    struct eval *ev, const struct expr *e, const struct value *a, const struct value *b)
{
        enum operation op = (enum operation)e->op;
        if (op == OP_MODULO && number_sign(b) == 0) return value_ref(a); /* as Terraform has it */
        if (op == OP_DIVIDE && number_sign(b) == 0 && ev->infinite == NULL) ev->infinite = &e->place;
        struct value *result = apply(op, a, b);
        if (result == NULL)
                return eval_fail(ev, &e->place,
                    number_sign(a) == 0 ? "division of zero by zero"
                                        : "infinite numbers give no result here");
        if (value_kind(result) == TYPE_BOOL || number_in_range(result)) return result;
        value_free(result);
        return eval_fail(ev, &e->place, "the result is too large or too small for a number");
}

static struct value *eval_arithmetic(struct eval *ev, const struct expr *e)
{
        bool sensitive = false;
        cleanup(value_free) struct value *a = eval_operand(
            ev, e->items[0], type_number, sides[e->op][0], &sensitive);
        cleanup(value_free) struct value *b =
            ev->fatal ? NULL : eval_operand(ev, e->items[1], type_number, sides[e->op][1], &sensitive);
        if (a == NULL || b == NULL) return NULL;
        bool compares = e->op >= OP_LESS && e->op <= OP_GREATER_EQUAL;
        struct value *result = NULL;
        if (value_is_known(a) && value_is_known(b))
                result = compute(ev, e, a, b);
        else
                result = value_unknown_present(compares ? type_bool : type_number);
        return eval_mark(result, sensitive);
}

struct value *eval_binary(struct eval *ev, const struct expr *e)
{
        switch ((enum operation)e->op) {
        case OP_OR:
        case OP_AND: return eval_logic(ev, e);
        case OP_EQUAL:
        case OP_NOT_EQUAL: return eval_equality(ev, e);
        default: return eval_arithmetic(ev, e);
        }
}

/* --- conditional --- */

struct branch {
        struct value *value; /* NULL: failed */
        struct error *problem;
};

static struct branch eval_branch(struct eval *ev, const struct expr *e)
{
        struct branch branch = {0};
        struct error **before = ev->err;
        if (ev->fatal) return branch;
        ev->err = &branch.problem;
        branch.value = eval_expr(ev, e);
        ev->err = before;
        return branch;
}

static bool is_bare_null(const struct value *v)
{
        return value_is_null(v) && value_kind(v) == TYPE_DYNAMIC;
}

static const struct type *type_of(struct eval *ev, const struct expr *e, const struct value *v);

/* A part of what failed, evaluated again for its type alone. A new reference. */
static const struct type *part_type(struct eval *ev, const struct expr *e)
{
        ev->typing++;
        struct branch part = eval_branch(ev, e);
        const struct type *type = type_of(ev, e, part.value);
        ev->typing--;
        value_free(part.value);
        error_free(part.problem);
        return type;
}

static const struct type *failed_tuple_type(struct eval *ev, const struct expr *e)
{
        cleanup_free const struct type **types = mem_alloc(e->count * sizeof *types);
        for (size_t i = 0; i < e->count; i++) types[i] = part_type(ev, e->items[i]);
        const struct type *tuple = type_tuple(types, e->count);
        for (size_t i = 0; i < e->count; i++) type_free(types[i]);
        return tuple;
}

static const struct type *failed_object_type(struct eval *ev, const struct expr *e)
{
        cleanup_free struct type_attribute *attributes = mem_alloc(e->field_count * sizeof *attributes);
        size_t count = 0;
        bool known = true;
        for (; known && count < e->field_count; count++) {
                const struct value *key = e->fields[count].key->constant;
                known = key != NULL && !value_is_null(key) && value_kind(key) == TYPE_STRING;
                if (!known) break;
                attributes[count] = (struct type_attribute){
                    value_as_string(key), part_type(ev, e->fields[count].value), false, NULL};
        }
        const struct type *object = known ? type_object(attributes, count) : type_dynamic;
        for (size_t i = 0; i < count; i++) type_free(attributes[i].type);
        return object;
}

/* Where the condition failed, the branches tell the type all the same. */
static const struct type *failed_conditional_type(struct eval *ev, const struct expr *e)
{
        cleanup(type_free) const struct type *yes = part_type(ev, e->items[1]);
        cleanup(type_free) const struct type *no = part_type(ev, e->items[2]);
        const struct type *types[] = {yes, no};
        bool open = type_kind(yes) == TYPE_DYNAMIC || type_kind(no) == TYPE_DYNAMIC;
        const struct type *type = open ? NULL : type_unify(types, 2);
        return type ? type : type_dynamic;
}

/* The type of a value, or of what failed as far as its form tells. A new reference. */
static const struct type *type_of(struct eval *ev, const struct expr *e, const struct value *v)
{
        if (v != NULL) return type_ref(value_type(v));
        switch ((enum expr_kind)e->kind) {
        case EXPR_UNARY: return e->op == OP_NOT ? type_bool : type_number;
        case EXPR_BINARY: return e->op < OP_ADD ? type_bool : type_number;
        case EXPR_TEMPLATE:
        case EXPR_TEMPLATE_FOR: return type_string;
        case EXPR_CONDITIONAL: return ev->fatal ? type_dynamic : failed_conditional_type(ev, e);
        case EXPR_TUPLE: return ev->fatal ? type_dynamic : failed_tuple_type(ev, e);
        case EXPR_OBJECT: return ev->fatal ? type_dynamic : failed_object_type(ev, e);
        default: return type_dynamic;
        }
}

/* Within a part that is evaluated again, what fails is of any type: else each level would double the work. */
static const struct type *branch_type(struct eval *ev, const struct expr *e, const struct value *v)
{
        return v == NULL && ev->typing > 0 ? type_dynamic : type_of(ev, e, v);
}

/* The type of the whole from those of both branches. A new reference or NULL. */
static const struct type *conditional_type(
    const struct value *a, const struct value *b, const struct type *const *types)
{
        if (a && is_bare_null(a)) return type_ref(types[1]);
        if (b && is_bare_null(b)) return type_ref(types[0]);
        if (type_kind(types[0]) == TYPE_DYNAMIC || type_kind(types[1]) == TYPE_DYNAMIC) return type_dynamic;
        return type_unify(types, 2);
}

static struct value *choose(struct eval *ev, const struct expr *e, const struct value *condition,
    struct branch *yes, struct branch *no)
{
        cleanup(type_free) const struct type *yes_type = branch_type(ev, e->items[1], yes->value);
        cleanup(type_free) const struct type *no_type = branch_type(ev, e->items[2], no->value);
        const struct type *types[] = {yes_type, no_type};
        cleanup(type_free) const struct type *type = conditional_type(yes->value, no->value, types);
        if (type == NULL) {
                struct text a = {0}, b = {0};
                type_text(yes_type, &a);
                type_text(no_type, &b);
                eval_fail(ev, &e->place,
                    "both results of a conditional must be of one type, not %.200s and %.200s", a.data,
                    b.data);
                text_release(&a);
                text_release(&b);
                return NULL;
        }
        if (!value_is_known(condition)) {
                error_move(ev->err, &yes->problem);
                error_move(ev->err, &no->problem);
                if (yes->value == NULL || no->value == NULL) return NULL;
                return eval_mark(
                    value_unknown(type), value_is_sensitive(yes->value) || value_is_sensitive(no->value));
        }
        struct branch *taken = value_as_bool(condition) ? yes : no;
        if (taken->value == NULL) {
                error_move(ev->err, &taken->problem);
                return NULL;
        }
        struct error *problem = NULL;
        struct value *v = value_convert(taken->value, type, &problem);
        if (v == NULL)
                eval_fail(ev, &e->place, "both results of a conditional must be of one type: %s",
                    error_message(problem));
        error_free(problem);
        return v;
}

/* Both branches are evaluated, as both decide the type; only the problems of the one that is taken count. */
struct value *eval_conditional(struct eval *ev, const struct expr *e)
{
        bool sensitive = false;
        cleanup(value_free) struct value *condition = eval_operand(
            ev, e->items[0], type_bool, "the condition", &sensitive);
        if (condition == NULL) return NULL;
        struct branch yes = eval_branch(ev, e->items[1]), no = eval_branch(ev, e->items[2]);
        struct value *result = NULL;
        if (ev->fatal || ev->undeclared) {
                error_move(ev->err, &yes.problem);
                error_move(ev->err, &no.problem);
        } else {
                result = choose(ev, e, condition, &yes, &no);
        }
        value_free(yes.value);
        value_free(no.value);
        error_free(yes.problem);
        error_free(no.problem);
        return eval_mark(result, sensitive);
}
