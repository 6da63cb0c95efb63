/* References of a template's expressions, collected per part, and the order that follows from them. */
#include "plan/blueprint.h"

#include <string.h>
#include "plan/graph.h"

enum part_kind blueprint_part(const struct blueprint *blueprint, uint32_t part, uint32_t *index)
{
        const struct template *t = blueprint->template;
        size_t counts[] = {t->local_count, t->lookup_count, t->resource_count};
        for (unsigned kind = 0; kind < 3; kind++) {
                if (part < counts[kind]) {
                        *index = part;
                        return (enum part_kind)kind;
                }
                part -= (uint32_t)counts[kind];
        }
        *index = part;
        return PART_PROVIDER;
}

static uint32_t part_number(const struct template *t, enum part_kind kind, size_t index)
{
        size_t base = 0;
        if (kind > PART_LOCAL) base += t->local_count;
        if (kind > PART_LOOKUP) base += t->lookup_count;
        if (kind > PART_RESOURCE) base += t->resource_count;
        return (uint32_t)(base + index);
}

struct collector { /* gathers the uses of some expressions */
        const struct template *template;
        struct use *items;
        size_t count, capacity;
};

static void add_use(
    struct collector *c, enum use_kind kind, size_t index, const struct reference *ref, size_t key_at)
{
        struct use use = {.kind = kind, .index = (uint32_t)index, .key = USE_WHOLE};
        if (ref != NULL && ref->step_count > key_at) {
                const struct reference_step *step = &ref->steps[key_at];
                use.key = step->name || step->index ? USE_CONSTANT : USE_COMPUTED;
                use.name = step->name;
                use.value = step->index;
                if (ref->step_count > key_at + 1) use.next = step[1].name;
        }
        vec_push(c->items, c->count, c->capacity, use);
}

/* `local` or `lookup` or `param` without a constant name behind it uses all of them. */
static void add_named(struct collector *c, enum use_kind kind, const struct reference *ref)
{
        const struct template *t = c->template;
        const char *name = ref->step_count > 0 ? ref->steps[0].name : NULL;
        size_t counts[] = {t->parameter_count, t->local_count, t->lookup_count};
        if (name == NULL) {
                for (size_t i = 0; i < counts[kind]; i++) add_use(c, kind, i, NULL, 0);
                return;
        }
        switch (kind) {
        case USE_PARAM: {
                const struct parameter *p = template_parameter(t, name);
                if (p != NULL) add_use(c, kind, (size_t)(p - t->parameters), ref, 1);
                return;
        }
        case USE_LOCAL: {
                const struct local_block *l = template_local(t, name);
                if (l != NULL) add_use(c, kind, (size_t)(l - t->locals), ref, 1);
                return;
        }
        default: {
                const struct resource *l = template_lookup(t, name);
                if (l != NULL) add_use(c, kind, (size_t)(l - t->lookups), ref, 1);
                return;
        }
        }
}

static void on_reference(void *context, const struct reference *ref)
{
        struct collector *c = context;
        if (strcmp(ref->root, "param") == 0) {
                add_named(c, USE_PARAM, ref);
                return;
        }
        if (strcmp(ref->root, "local") == 0) {
                add_named(c, USE_LOCAL, ref);
                return;
        }
        if (strcmp(ref->root, "lookup") == 0) {
                add_named(c, USE_LOOKUP, ref);
                return;
        }
        const struct resource *r = template_resource(c->template, ref->root);
        if (r != NULL) add_use(c, USE_RESOURCE, (size_t)(r - c->template->resources), ref, 0);
}

static void collect(struct collector *c, const struct expr *e)
{
        if (e != NULL) expr_references(e, on_reference, c);
}

static struct uses take_uses(struct collector *c, struct arena *arena)
{
        struct uses uses = {.count = (uint32_t)c->count};
        if (c->count > 0) {
                uses.items = arena_alloc(arena, c->count * sizeof *uses.items);
                memcpy(uses.items, c->items, c->count * sizeof *uses.items);
        }
        c->count = 0;
        return uses;
}

static struct uses uses_of(struct collector *c, const struct expr *e, struct arena *arena)
{
        collect(c, e);
        return take_uses(c, arena);
}

struct uses *blueprint_uses(struct blueprints *all, const struct template *template, const struct expr *expr)
{
        struct collector c = {.template = template};
        struct uses *uses = arena_alloc(all->arena, sizeof *uses);
        *uses = uses_of(&c, expr, all->arena);
        free(c.items);
        return uses;
}

static void collect_resource(
    struct collector *c, const struct resource *r, struct resource_uses *uses, struct arena *arena)
{
        collect(c, r->count);
        collect(c, r->for_each);
        collect(c, r->when);
        uses->shape = take_uses(c, arena);
        uses->host = uses_of(c, r->host, arena);
        collect(c, r->properties);
        collect(c, r->protect);
        if (r->approve != NULL) {
                collect(c, r->approve->message);
                collect(c, r->approve->approvers);
        }
        uses->body = take_uses(c, arena);
}

static void collect_all(struct blueprint *b, struct arena *arena)
{
        const struct template *t = b->template;
        struct collector c = {.template = t};
        b->locals = arena_alloc(arena, t->local_count * sizeof *b->locals);
        b->lookups = arena_alloc(arena, t->lookup_count * sizeof *b->lookups);
        b->resources = arena_alloc(arena, t->resource_count * sizeof *b->resources);
        b->providers = arena_alloc(arena, t->provider_count * sizeof *b->providers);
        b->outputs = arena_alloc(arena, t->output_count * sizeof *b->outputs);
        for (size_t i = 0; i < t->local_count; i++) b->locals[i] = uses_of(&c, t->locals[i].value, arena);
        for (size_t i = 0; i < t->lookup_count; i++)
                collect_resource(&c, &t->lookups[i], &b->lookups[i], arena);
        for (size_t i = 0; i < t->resource_count; i++)
                collect_resource(&c, &t->resources[i], &b->resources[i], arena);
        for (size_t i = 0; i < t->provider_count; i++)
                b->providers[i] = uses_of(&c, t->providers[i].config, arena);
        for (size_t i = 0; i < t->output_count; i++) b->outputs[i] = uses_of(&c, t->outputs[i].value, arena);
        free(c.items);
}

static void edges_of_uses(struct graph *graph, const struct template *t, const struct uses *uses, uint32_t to)
{
        static const enum part_kind part_of[] = {
            [USE_LOCAL] = PART_LOCAL, [USE_LOOKUP] = PART_LOOKUP, [USE_RESOURCE] = PART_RESOURCE};
        for (uint32_t i = 0; i < uses->count; i++) {
                const struct use *use = &uses->items[i];
                if (use->kind == USE_PARAM) continue;
                graph_add_edge(graph, part_number(t, part_of[use->kind], use->index), to, BOND_FIRM);
        }
}

static void edge_from_provider(struct graph *graph, struct blueprint *b, const char *name, uint32_t to)
{
        const struct provider_block *p = template_provider(b->template, name);
        if (p == NULL) {
                map_put(&b->needs, name, b);
                return;
        }
        size_t index = (size_t)(p - b->template->providers);
        graph_add_edge(graph, part_number(b->template, PART_PROVIDER, index), to, BOND_FIRM);
}

static int edges_of_resource(struct graph *graph, struct blueprints *all, struct blueprint *b,
    const struct resource *r, const struct resource_uses *uses, uint32_t to, struct error **err)
{
        const struct template *t = b->template;
        edges_of_uses(graph, t, &uses->shape, to);
        edges_of_uses(graph, t, &uses->host, to);
        edges_of_uses(graph, t, &uses->body, to);
        for (size_t i = 0; i < r->after_count; i++) {
                const struct resource *before = template_resource(t, r->after[i]);
                if (before == NULL) continue;
                graph_add_edge(
                    graph, part_number(t, PART_RESOURCE, (size_t)(before - t->resources)), to, BOND_FIRM);
        }
        if (r->provider != NULL && (r->kind == RESOURCE_MANAGED || r->kind == RESOURCE_LOOKUP))
                edge_from_provider(graph, b, r->provider, to);
        if (r->kind != RESOURCE_TEMPLATE || r->nested == NULL) return 0;
        const struct blueprint *nested = blueprint_of(all, r->nested, err);
        if (nested == NULL) return -1;
        for (map_foreach (&nested->needs, need)) edge_from_provider(graph, b, need->key, to);
        return 0;
}

static int order_parts(struct blueprints *all, struct blueprint *b, struct error **err)
{
        const struct template *t = b->template;
        __attribute__((__cleanup__(graph_release_cleanup))) struct graph graph;
        graph_init(&graph, b->part_count);
        for (size_t i = 0; i < t->local_count; i++)
                edges_of_uses(&graph, t, &b->locals[i], part_number(t, PART_LOCAL, i));
        for (size_t i = 0; i < t->provider_count; i++)
                edges_of_uses(&graph, t, &b->providers[i], part_number(t, PART_PROVIDER, i));
        for (size_t i = 0; i < t->lookup_count; i++) {
                uint32_t part = part_number(t, PART_LOOKUP, i);
                if (edges_of_resource(&graph, all, b, &t->lookups[i], &b->lookups[i], part, err) < 0)
                        return -1;
        }
        for (size_t i = 0; i < t->resource_count; i++) {
                uint32_t part = part_number(t, PART_RESOURCE, i);
                if (edges_of_resource(&graph, all, b, &t->resources[i], &b->resources[i], part, err) < 0)
                        return -1;
        }
        b->order = arena_alloc(all->arena, b->part_count * sizeof *b->order);
        if (graph_order(&graph, b->order) == b->part_count) return 0;
        struct place place = {.file = t->file};
        return error_set(err, ERROR_INPUT, &place,
            "the parts of template %s use each other in a circle, possibly through the "
            "configuration of a provider",
            t->name ? t->name : t->file);
}

const struct blueprint *blueprint_of(
    struct blueprints *all, const struct template *template, struct error **err)
{
        for (size_t i = 0; i < all->count; i++)
                if (all->items[i]->template == template) return all->items[i];
        struct blueprint *b = arena_alloc(all->arena, sizeof *b);
        b->template = template;
        b->part_count = (uint32_t)(template->local_count + template->lookup_count + template->resource_count +
                                   template->provider_count);
        vec_push(all->items, all->count, all->capacity, b);
        collect_all(b, all->arena);
        return order_parts(all, b, err) < 0 ? NULL : b;
}

void blueprints_release(struct blueprints *all)
{
        for (size_t i = 0; i < all->count; i++) map_release(&all->items[i]->needs);
        free(all->items);
}
