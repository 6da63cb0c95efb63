/* Names and the steps behind them: attributes, indices, splats. */
#include <string.h>

#include "lang/eval.h"
#include "lang/number.h"

/* --- one step into a value --- */

/* "list of string", "object", … for messages. */
static const char *noun(const struct value *v)
{
        static const char *const nouns[] = {
            "value", "string", "number", "bool", "list", "set", "map", "tuple", "object"};
        return nouns[value_kind(v)];
}

enum { SUGGEST_FROM_MAX = 500 };

/* The attribute or key nearest to the name, or NULL; not worth its time where nobody reads it. */
static const char *nearest_part(
    struct eval *ev, const struct value *v, const struct type *type, const char *name)
{
        bool known = value_count(v) > 0;
        size_t count = known ? value_count(v) : type_kind(type) == TYPE_OBJECT ? type_count(type) : 0;
        if (ev->quiet > 0 || count > SUGGEST_FROM_MAX) return NULL;
        cleanup_free const char **names = mem_alloc(count * sizeof *names);
        for (size_t i = 0; i < count; i++)
                names[i] = known ? value_key_at(v, i) : type_attribute_at(type, i)->name;
        return text_suggest(name, names, count);
}

/* `secret`: the name or the value is sensitive, so neither the name nor its like may be told. */
static void *fail_missing(struct eval *ev, const struct step *step, const struct value *v,
    const struct type *type, const char *name, bool secret)
{
        bool object = type_kind(type) == TYPE_OBJECT;
        const char *kind = object ? "object" : "map", *part = object ? "attribute" : "element";
        if (secret && step->kind != STEP_ATTRIBUTE)
                return eval_fail(ev, &step->place, "this %s has no %s of this name", kind, part);
        const char *near = secret ? NULL : nearest_part(ev, v, type, name);
        if (near != NULL)
                return eval_fail(ev, &step->place, "this %s has no %s \"%s\"; did you mean \"%s\"?", kind,
                    part, name, near);
        return eval_fail(ev, &step->place, "this %s has no %s \"%s\"", kind, part, name);
}

/* A named part of an object or map. The result is borrowed, or new and then in *made too. */
static const struct value *step_name(struct eval *ev, const struct step *step, const struct value *v,
    const char *name, bool secret, struct value **made)
{
        if (value_is_known(v)) {
                const struct value *part = value_get(v, name);
                return part ? part : fail_missing(ev, step, v, value_type(v), name, secret);
        }
        const struct type *type = value_type(v);
        if (type_kind(type) == TYPE_MAP) return *made = value_unknown(type_element(type));
        const struct type_attribute *a = type_attribute(type, name);
        return a ? (*made = value_unknown(a->type)) : fail_missing(ev, step, v, type, name, secret);
}

static const struct value *step_number(struct eval *ev, const struct step *step, const struct value *v,
    const struct value *key, bool secret, struct value **made)
{
        int64_t index;
        if (!number_is_integer(key)) return eval_fail(ev, &step->place, "an index must be a whole number");
        if (number_sign(key) < 0)
                return eval_fail(
                    ev, &step->place, "an index counts from 0; a negative one does not count from the end");
        bool fits = value_as_int(key, &index);
        const struct type *type = value_type(v);
        if (!value_is_known(v) && type_kind(type) == TYPE_LIST)
                return *made = value_unknown(type_element(type));
        size_t count = value_is_known(v) ? value_count(v) : type_count(type);
        if ((!fits || (uint64_t)index >= count) && secret)
                return eval_fail(ev, &step->place, "this index is past the end of the %s", noun(v));
        if (!fits || (uint64_t)index >= count)
                return eval_fail(ev, &step->place, "this index is past the end: the %s has %zu element%s",
                    noun(v), count, count == 1 ? "" : "s");
        if (value_is_known(v)) return value_at(v, (size_t)index);
        return *made = value_unknown(type_at(type, (size_t)index));
}

/* What the unknown index of a value gives. */
static struct value *step_unknown(const struct value *v)
{
        const struct type *type = value_type(v);
        bool same = type_kind(type) == TYPE_LIST || type_kind(type) == TYPE_MAP;
        return value_unknown(same ? type_element(type) : type_dynamic);
}

static const struct value *fail_kind(struct eval *ev, const struct step *step, const struct value *v)
{
        enum type_kind kind = value_kind(v);
        if (step->kind == STEP_ATTRIBUTE && (kind == TYPE_LIST || kind == TYPE_TUPLE))
                return eval_fail(ev, &step->place,
                    "a %s has no attribute \"%s\"; did you mean [*].%s, or one element such as [0].%s?",
                    noun(v), step->name, step->name, step->name);
        if (step->kind == STEP_ATTRIBUTE)
                return eval_fail(
                    ev, &step->place, "a %s has no attributes, such as \"%s\"", noun(v), step->name);
        if (kind == TYPE_SET)
                return eval_fail(
                    ev, &step->place, "the elements of a set have no index; convert it with tolist() first");
        return eval_fail(ev, &step->place, "a %s has no elements to take by index", noun(v));
}

static const struct value *step_into(struct eval *ev, const struct step *step, const struct value *v,
    const struct value *key, bool secret, struct value **made)
{
        enum type_kind kind = value_kind(v);
        bool named = kind == TYPE_OBJECT || kind == TYPE_MAP,
             numbered = kind == TYPE_LIST || kind == TYPE_TUPLE;
        if (value_is_null(v) && step->kind == STEP_ATTRIBUTE)
                return eval_fail(
                    ev, &step->place, "this value is null, so it has no attribute \"%s\"", step->name);
        if (value_is_null(v)) return eval_fail(ev, &step->place, "this value is null, so it has no elements");
        bool keyed = step->kind != STEP_ATTRIBUTE;
        if (keyed && value_is_null(key) && (named || numbered || kind == TYPE_DYNAMIC))
                return eval_fail(ev, &step->place, "an index must not be null");
        if (kind == TYPE_DYNAMIC) return *made = value_unknown(type_dynamic);
        if (!keyed && named) return step_name(ev, step, v, step->name, secret, made);
        if (!keyed || (!named && !numbered)) return fail_kind(ev, step, v);
        struct error *problem = NULL;
        cleanup(value_free) struct value *wanted = value_convert(
            key, named ? type_string : type_number, &problem);
        if (wanted == NULL) {
                error_free(problem);
                return eval_fail(ev, &step->place, "the index of a %s must be a %s, not a %s", noun(v),
                    named ? "string" : "number", noun(key));
        }
        if (!value_is_known(wanted)) return *made = step_unknown(v);
        return named ? step_name(ev, step, v, value_as_string(wanted), secret, made)
                     : step_number(ev, step, v, wanted, secret, made);
}

/* --- splats --- */

static struct value *walk(
    struct eval *ev, struct value *base, const struct step *steps, size_t count, struct value *first_key);

/* The type that the steps lead to from an element of that type: a new reference, or NULL where they lead nowhere. */
static const struct type *splat_type(
    struct eval *ev, const struct type *element, const struct step *steps, size_t count)
{
        cleanup(value_free) struct value *v = walk(ev, value_unknown(element), steps, count, NULL);
        return v ? type_ref(value_type(v)) : NULL;
}

static bool is_sequence_kind(enum type_kind kind)
{
        return kind == TYPE_LIST || kind == TYPE_SET || kind == TYPE_TUPLE;
}

static struct value *splat_unknown(
    struct eval *ev, const struct value *v, const struct step *steps, size_t count)
{
        const struct type *type = value_type(v);
        if (type_kind(type) == TYPE_LIST || type_kind(type) == TYPE_SET) {
                cleanup(type_free)
                    const struct type *element = splat_type(ev, type_element(type), steps, count);
                if (element == NULL) return NULL;
                cleanup(type_free) const struct type *list = type_list(element);
                return value_unknown(list);
        }
        if (type_kind(type) != TYPE_TUPLE)
                return value_unknown(type_dynamic); /* of one, or of none if it is null */
        cleanup_free const struct type **types = mem_alloc(type_count(type) * sizeof *types);
        size_t made = 0;
        while (made < type_count(type) &&
               (types[made] = splat_type(ev, type_at(type, made), steps, count)) != NULL)
                made++;
        cleanup(type_free) const struct type *tuple = made == type_count(type) ? type_tuple(types, made)
                                                                               : NULL;
        for (size_t i = 0; i < made; i++) type_free(types[i]);
        return tuple ? value_unknown(tuple) : NULL;
}

/* Results from a list or set are a list again where their types allow it. Steps that no element could take are a
 * problem of an empty one too. */
static struct value *splat_collect(struct eval *ev, const struct value *v, struct value **items, size_t count,
    const struct step *steps, size_t covers)
{
        enum type_kind kind = value_kind(v);
        if (kind != TYPE_LIST && kind != TYPE_SET) return value_tuple(items, count);
        if (count == 0) {
                cleanup(type_free)
                    const struct type *element = splat_type(ev, type_element(value_type(v)), steps, covers);
                return element ? value_list(element, NULL, 0) : NULL;
        }
        for (size_t i = 1; i < count; i++)
                if (!type_equal(value_type(items[0]), value_type(items[i]))) return value_tuple(items, count);
        return value_list(value_type(items[0]), items, count);
}

/* `steps` are those that apply to each element. A single value counts as a tuple of one, and its null as one of none. */
static struct value *splat(struct eval *ev, const struct value *v, const struct step *steps, size_t covers,
    const struct place *place)
{
        if (value_is_null(v) && is_sequence_kind(value_kind(v)))
                return eval_fail(ev, place,
                    "this %s is null, so it has no elements; coalesce(…, []) stands in for it", noun(v));
        if (value_is_null(v)) return value_tuple(NULL, 0);
        bool many = is_sequence_kind(value_kind(v)), failed = false;
        bool one = !many && value_kind(v) != TYPE_DYNAMIC && value_is_present(v);
        if (!value_is_known(v) && !one) return splat_unknown(ev, v, steps, covers);
        size_t count = many ? value_count(v) : 1;
        if (eval_charge(ev, count, 0, place) < 0) return NULL;
        cleanup_free struct value **items = mem_alloc(count * sizeof *items);
        for (size_t i = 0; i < count && !failed; i++) {
                items[i] = walk(ev, value_ref(many ? value_at(v, i) : v), steps, covers, NULL);
                failed = items[i] == NULL;
        }
        struct value *result = failed ? NULL : splat_collect(ev, v, items, count, steps, covers);
        for (size_t i = 0; i < count; i++) value_free(items[i]);
        return eval_made(ev, result, place);
}

/* --- all steps --- */

/* Takes `base`. `first_key` is the key of the first step if it was computed already, else NULL. */
static struct value *walk(
    struct eval *ev, struct value *base, const struct step *steps, size_t count, struct value *first_key)
{
        cleanup(value_free) struct value *owner = base;
        const struct value *at = base;
        bool sensitive = false;
        for (size_t i = 0; i < count && at != NULL; i++) {
                const struct step *step = &steps[i];
                cleanup(value_free) struct value *computed = NULL;
                struct value *made = NULL;
                sensitive |= value_is_sensitive(at);
                if (step->kind == STEP_SPLAT || step->kind == STEP_ATTRIBUTE_SPLAT) {
                        at = made = splat(ev, at, step + 1, step->covers, &step->place);
                        i += step->covers;
                } else {
                        if (step->kind == STEP_COMPUTED && (i > 0 || first_key == NULL)) {
                                computed = eval_expr(ev, step->index);
                                if (computed == NULL) return NULL;
                        }
                        const struct value *key = step->kind != STEP_COMPUTED ? step->key
                                                  : computed                  ? computed
                                                                              : first_key;
                        sensitive |= value_is_sensitive(key);
                        at = step_into(ev, step, at, key, sensitive, &made);
                }
                if (made != NULL) {
                        value_free(owner);
                        owner = made;
                }
        }
        if (at == NULL) return NULL;
        return sensitive ? value_sensitive(at, true) : value_ref(at);
}

/* --- roots --- */

struct names {
        const char **items;
        size_t count, capacity;
};

static void add_name(void *sink, const char *name)
{
        struct names *names = sink;
        vec_push(names->items, names->count, names->capacity, name);
}

static void *fail_root(struct eval *ev, const struct expr *e)
{
        struct names names = {0};
        ev->undeclared = true;
        if (ev->scope->names != NULL) ev->scope->names(ev->scope->context, add_name, &names);
        bool few = ev->quiet == 0 && names.count <= 20 * SUGGEST_FROM_MAX;
        const char *near = few ? text_suggest(e->path->root, names.items, names.count) : NULL;
        if (near != NULL)
                eval_fail(ev, &e->place, "there is no '%s' here; did you mean '%s'?", e->path->root, near);
        else
                eval_fail(ev, &e->place, "there is no '%s' here", e->path->root);
        free(names.items);
        return NULL;
}

static struct value *eval_root(struct eval *ev, const struct expr *e)
{
        const struct path_expr *path = e->path;
        const struct step *first = path->steps; /* if there is any */
        bool stepped = path->count > 0;
        cleanup(value_free) struct value *computed = NULL;
        if (stepped && first->kind == STEP_COMPUTED) {
                computed = eval_expr(ev, first->index);
                if (computed == NULL) return NULL;
        }
        if (ev->scope->resolve == NULL) return fail_root(ev, e);
        const struct value *key = computed ? computed : stepped ? first->key : NULL;
        if (key != NULL && (!value_is_known(key) || value_is_null(key))) key = NULL;
        const char *next = path->count > 1 && path->steps[1].kind == STEP_ATTRIBUTE ? path->steps[1].name
                                                                                    : NULL;
        struct error *problem = NULL;
        int consumed = 0;
        struct value *v = ev->scope->resolve(ev->scope->context, path->root, key, next, &consumed, &problem);
        if (v == NULL && problem == NULL) return fail_root(ev, e);
        if (v == NULL) {
                error_place(&problem, consumed && stepped ? &first->place : &e->place);
                error_move(ev->err, &problem);
                return NULL;
        }
        size_t done = consumed && key != NULL ? 1 : 0;
        bool sensitive = done && value_is_sensitive(key);
        return eval_mark(
            walk(ev, v, path->steps + done, path->count - done, done ? NULL : computed), sensitive);
}

struct value *eval_path(struct eval *ev, const struct expr *e)
{
        const struct path_expr *path = e->path;
        if (path->base == BASE_ROOT) return eval_root(ev, e);
        struct value *v = path->base == BASE_VARIABLE ? value_ref(ev->slots[path->slot])
                                                      : eval_expr(ev, path->source);
        return v && path->count > 0 ? walk(ev, v, path->steps, path->count, NULL) : v;
}
