/* `for` in its list, object and grouping forms, and the iteration that the template form shares. */
#include <string.h>

#include "base/map.h"
#include "lang/eval.h"

int eval_iterate(struct eval *ev, const struct for_expr *loop, struct iteration *it)
{
        *it = (struct iteration){0};
        cleanup(value_free) struct value *v = eval_expr(ev, loop->collection);
        if (v == NULL) return -1;
        const struct place *place = &loop->collection->place;
        if (value_is_null(v)) return eval_fail(ev, place, "'for' cannot go over a null value"), -1;
        enum type_kind kind = value_kind(v);
        if (kind == TYPE_STRING || kind == TYPE_NUMBER || kind == TYPE_BOOL) {
                static const char *const nouns[] = {"", "string", "number", "bool"};
                return eval_fail(ev, place, "'for' goes over a list, set, map, tuple or object, not a %s",
                           nouns[kind]),
                       -1;
        }
        it->sensitive = value_is_sensitive(v);
        it->unknown = !value_is_known(v);
        it->count = value_count(v);
        it->collection = steal(v);
        while (ev->slot_count <= loop->value_slot) {
                size_t more = ev->slot_count ? ev->slot_count * 2 : 8;
                ev->slots = mem_realloc(ev->slots, more * sizeof *ev->slots);
                memset(ev->slots + ev->slot_count, 0, (more - ev->slot_count) * sizeof *ev->slots);
                ev->slot_count = more;
        }
        return 0;
}

static void set_slot(struct eval *ev, unsigned slot, struct value *v)
{
        value_free(ev->slots[slot]);
        ev->slots[slot] = v;
}

bool eval_next(struct eval *ev, const struct for_expr *loop, struct iteration *it)
{
        if (it->index >= it->count) return false;
        const struct value *v = it->collection, *element = value_at(v, it->index);
        enum type_kind kind = value_kind(v);
        struct value *key = kind == TYPE_MAP || kind == TYPE_OBJECT ? value_string(value_key_at(v, it->index))
                            : kind == TYPE_SET                      ? value_ref(element)
                                                                    : value_machine_int((int64_t)it->index);
        set_slot(ev, loop->key_slot, eval_mark(key, it->sensitive));
        set_slot(ev, loop->value_slot, eval_mark(value_ref(element), it->sensitive));
        it->index++;
        return true;
}

void eval_iterated(struct eval *ev, const struct for_expr *loop, struct iteration *it)
{
        value_free(it->collection);
        if (ev->slot_count <= loop->value_slot) return;
        set_slot(ev, loop->key_slot, NULL);
        set_slot(ev, loop->value_slot, NULL);
}

/* What a `for` has made so far. */
struct harvest {
        struct value **values;
        size_t count, capacity;
        struct value **keys; /* of the object form: strings */
        size_t key_capacity;
        struct map index; /* key to position + 1 */
        struct group {
                struct value **values;
                size_t count, capacity;
        } * groups; /* of the grouping form */
        size_t group_capacity;
        bool sensitive, unknown;
};

static void harvest_release(struct harvest *h)
{
        for (size_t i = 0; i < h->count; i++) {
                if (h->values != NULL) value_free(h->values[i]);
                if (h->keys != NULL) value_free(h->keys[i]);
                for (size_t k = 0; h->groups != NULL && k < h->groups[i].count; k++)
                        value_free(h->groups[i].values[k]);
                if (h->groups != NULL) free(h->groups[i].values);
        }
        free(h->values);
        free(h->keys);
        free(h->groups);
        map_release(&h->index);
}

static void harvest_release_cleanup(struct harvest *h)
{
        harvest_release(h);
}

/* 1 to take the element, 0 to pass it over, -1 on a problem. */
static int passes(struct eval *ev, const struct for_expr *loop, struct harvest *h)
{
        if (loop->condition == NULL) return 1;
        cleanup(value_free) struct value *v = eval_operand(
            ev, loop->condition, type_bool, "the condition of 'for'", &h->sensitive);
        if (v == NULL) return -1;
        if (!value_is_known(v)) h->unknown = true;
        return value_is_known(v) && value_as_bool(v);
}

static void add_grouped(struct harvest *h, struct value *key, struct value *v)
{
        size_t at = (size_t)(uintptr_t)map_get(&h->index, value_as_string(key));
        if (at == 0) {
                vec_grow(h->groups, h->count, h->group_capacity);
                h->groups[h->count] = (struct group){0};
                vec_push(h->keys, h->count, h->key_capacity, value_ref(key));
                at = h->count;
                map_put(&h->index, value_as_string(h->keys[at - 1]), (void *)(uintptr_t)at);
        }
        struct group *group = &h->groups[at - 1];
        vec_push(group->values, group->count, group->capacity, v);
}

static int add_keyed(struct eval *ev, const struct for_expr *loop, struct harvest *h)
{
        cleanup(value_free) struct value *key = eval_operand(
            ev, loop->key, type_string, "the key of 'for'", &h->sensitive);
        cleanup(value_free) struct value *v = ev->fatal ? NULL : eval_expr(ev, loop->value);
        if (key == NULL || v == NULL) return -1;
        if (!value_is_known(key)) {
                h->unknown = true;
                return 0;
        }
        const char *name = value_as_string(key);
        if (strlen(name) != value_string_len(key))
                return eval_fail(ev, &loop->key->place, "the key of 'for' must not hold a NUL character"), -1;
        if (loop->grouped) {
                add_grouped(h, key, steal(v));
                return 0;
        }
        if (map_has(&h->index, name)) {
                if (h->sensitive)
                        return eval_fail(ev, &loop->key->place,
                                   "two elements have the same key; put '...' behind the value to group "
                                   "them"),
                               -1;
                return eval_fail(ev, &loop->key->place,
                           "two elements have the key \"%s\"; put '...' behind the value to group them",
                           name),
                       -1;
        }
        vec_grow(h->values, h->count, h->capacity);
        h->values[h->count] = steal(v);
        vec_push(h->keys, h->count, h->key_capacity, value_ref(key));
        map_put(&h->index, value_as_string(key), (void *)(uintptr_t)h->count);
        return 0;
}

static int add_element(struct eval *ev, const struct expr *e, struct harvest *h)
{
        const struct for_expr *loop = e->loop;
        if (eval_charge(ev, 1, 16, &e->place) < 0) return -1;
        int pass = passes(ev, loop, h);
        if (pass <= 0) return pass;
        if (loop->key != NULL) return add_keyed(ev, loop, h);
        struct value *v = eval_expr(ev, loop->value);
        if (v == NULL) return -1;
        vec_push(h->values, h->count, h->capacity, v);
        return 0;
}

static struct value *harvest_value(const struct for_expr *loop, struct harvest *h)
{
        if (h->unknown) return value_unknown(type_dynamic);
        if (loop->key == NULL) return value_tuple(h->values, h->count);
        cleanup_free const char **keys = mem_alloc(h->count * sizeof *keys);
        for (size_t i = 0; i < h->count; i++) keys[i] = value_as_string(h->keys[i]);
        if (!loop->grouped) return value_object(keys, h->values, h->count);
        cleanup_free struct value **tuples = mem_alloc(h->count * sizeof *tuples);
        for (size_t i = 0; i < h->count; i++)
                tuples[i] = value_tuple(h->groups[i].values, h->groups[i].count);
        struct value *v = value_object(keys, tuples, h->count);
        for (size_t i = 0; i < h->count; i++) value_free(tuples[i]);
        return v;
}

struct value *eval_for(struct eval *ev, const struct expr *e)
{
        cleanup(harvest_release) struct harvest h = {0};
        struct iteration it;
        if (eval_iterate(ev, e->loop, &it) < 0) return NULL;
        int r = 0;
        while (r == 0 && eval_next(ev, e->loop, &it)) r = add_element(ev, e, &h);
        h.unknown |= it.unknown;
        h.sensitive |= it.sensitive;
        eval_iterated(ev, e->loop, &it);
        return r < 0 ? NULL : eval_mark(eval_made(ev, harvest_value(e->loop, &h), &e->place), h.sensitive);
}
