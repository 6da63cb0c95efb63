/*
 * What is recorded of a resource that is kept: its properties and outputs as they were read last, so that drift which nothing is done about is reported
 * until an apply, and not for ever; and what is recorded beside its properties: what it depends on, its host, `protect` and `keep`. They decide what happens to it
 * once it has left the template, so they have to follow the template even while nothing else of the resource changes.
 */
#include <string.h>
#include "plan/diff.h"
#include "plan/server.h"

static bool same_order(const struct recorded *r, const struct record_order *o)
{
        if (r->after_count != o->count || r->inherited_count != o->inherited_count) return false;
        for (size_t i = 0; i < o->count; i++)
                if (strcmp(r->after[i], o->after[i]) != 0) return false;
        return true;
}

struct orders {
        struct record_order *items;
        size_t count, capacity;
};

static void add_order(struct orders *orders, struct record_order order)
{
        if (!same_order(order.recorded, &order))
                vec_push(orders->items, orders->count, orders->capacity, order);
}

/* The record follows the block that serves it: its name, and its account where that was not known, or was accepted. */
static void note_server(struct evaluation *ev, const struct instance *i, struct record_change *c)
{
        const struct recorded *r = i->recorded;
        const struct server *s = server_found(ev, r);
        if (s == NULL || s->ev != ev || s->cell != i->expansion->provider) return;
        if (r->provider != NULL && *r->provider != '\0' && strcmp(r->provider, s->name) != 0)
                c->provider = s->name;
        bool same = r->account != NULL && s->account != NULL && value_equal(r->account, s->account);
        if (s->account_text == NULL || same) return;
        c->account = s->account_text;
        c->moved = s->accepted;
}

/* Whether reading gave another value for any property or output. What could not be read, or is never, is as recorded. */
static bool seen_differs(const struct evaluation *ev, const struct instance *i)
{
        const struct schema *schema = i->expansion->resource->schema;
        const struct recorded *r = i->recorded;
        const struct observation *o = schema->no_read ? NULL : world_get(ev->input->world, r->address);
        if (o == NULL || o->gone || i->prior == NULL) return false;
        for (size_t p = 0; p < schema->property_count; p++) {
                const char *name = schema->properties[p].name;
                if (!diff_same(
                        &schema->properties[p], value_get(r->properties, name), value_get(i->prior, name)))
                        return true;
        }
        for (size_t p = 0; p < schema->output_count; p++) {
                const char *name = schema->outputs[p].name;
                if (schema_property(schema, name) != NULL || strcmp(name, "id") == 0) continue;
                if (!diff_same(&schema->outputs[p], value_get(r->outputs, name), value_get(i->prior, name)))
                        return true;
        }
        return false;
}

static struct value *updated(
    const struct value *recorded, const struct property *list, size_t count, const struct value *seen)
{
        struct value_builder b = {0};
        for (size_t i = 0; i < count; i++) {
                const struct value *v = value_get(seen, list[i].name);
                if (v != NULL && value_get(recorded, list[i].name) != NULL)
                        value_builder_add(&b, list[i].name, value_ref(v));
        }
        cleanup(value_free) struct value *parts = value_builder_object(&b);
        value_builder_release(&b);
        return value_merge(recorded, parts);
}

void record_change_values(const struct record_change *c, const struct schema *schema,
    struct value **properties, struct value **outputs)
{
        *properties = updated(c->recorded->properties, schema->properties, schema->property_count, c->seen);
        *outputs = updated(c->recorded->outputs, schema->outputs, schema->output_count, c->seen);
}

static void annotate_kept(struct evaluation *ev, struct plan *plan, struct orders *orders)
{
        size_t count = 0, capacity = 0;
        struct record_change *changes = NULL;
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct instance *i = (const struct instance *)ev->nodes[n];
                if (i->node.kind != NODE_INSTANCE || !i->kept) continue;
                const struct recorded *r = i->recorded;
                struct record_change c = {
                    .recorded = r, .protect = i->protect, .keep = i->expansion->resource->keep};
                c.depends = instance_order(ev, i, &c.depends_count, &c.inherited_count);
                bool told = i->host && value_is_wholly_known(i->host);
                if (told && !(r->host && value_equal(i->host, r->host))) c.host = i->host;
                note_server(ev, i, &c);
                if (seen_differs(ev, i)) c.seen = i->prior;
                struct record_order order = {r, c.depends, c.depends_count, c.inherited_count};
                bool ordered = same_order(r, &order);
                if (!ordered) add_order(orders, order);
                if (!ordered || c.host != NULL || c.account != NULL || c.seen != NULL ||
                    record_change_matters(&c))
                        vec_push(changes, count, capacity, c);
        }
        plan->record_changes = arena_alloc(ev->arena, count * sizeof *changes);
        if (count > 0) memcpy(plan->record_changes, changes, count * sizeof *changes);
        plan->record_change_count = count;
        free(changes);
}

/* What is not compared with the template, or is updated, inherits all the same. */
static void annotate_others(struct evaluation *ev, const struct plan *plan, struct orders *orders)
{
        const struct state *state = ev->input->state;
        cleanup_free bool *done = mem_alloc(state->count * sizeof *done);
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct instance *i = (const struct instance *)ev->nodes[n];
                if (i->node.kind != NODE_INSTANCE || i->recorded == NULL) continue;
                done[i->recorded - state->resources] = i->kept || i->acts;
        }
        for (size_t s = 0; s < plan->count; s++) {
                const struct step *step = &plan->steps[s];
                if (step->recorded == NULL || step->recorded->open != NULL) continue;
                if (step->action == ACTION_DELETE || step->action == ACTION_FORGET)
                        done[step->recorded - state->resources] = true;
                if (step->action == ACTION_UPDATE && step->inherited_count > 0)
                        add_order(orders, (struct record_order){step->recorded, step->depends,
                                              step->depends_count, step->inherited_count});
        }
        for (size_t r = 0; r < state->count; r++) {
                const struct recorded *recorded = &state->resources[r];
                size_t own = recorded->after_count - recorded->inherited_count, inherited;
                if (done[r] || recorded->deposed[0] != '\0') continue;
                const char **list = inherited_order(ev, recorded, recorded->after, own, &inherited);
                if (inherited == 0) continue;
                const char **after = arena_alloc(ev->arena, (own + inherited) * sizeof *after);
                if (own > 0) memcpy(after, recorded->after, own * sizeof *after);
                memcpy(after + own, list, inherited * sizeof *after);
                add_order(orders, (struct record_order){recorded, after, own + inherited, inherited});
        }
}

void annotate_build(struct evaluation *ev, struct plan *plan)
{
        struct orders orders = {0};
        annotate_kept(ev, plan, &orders);
        if (inheritance_any(ev)) annotate_others(ev, plan, &orders);
        plan->orders = arena_alloc(ev->arena, orders.count * sizeof *orders.items);
        if (orders.count > 0) memcpy(plan->orders, orders.items, orders.count * sizeof *orders.items);
        plan->order_count = orders.count;
        free(orders.items);
}
