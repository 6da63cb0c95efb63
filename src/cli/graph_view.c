/*
 * References of a template as a graph; locals are looked through, so that an edge stands between resources. See graph_view.h.
 */
#include "cli/graph_view.h"

#include <string.h>

struct builder {
        struct graph_view *g;
        const struct template *t;
        const char *prefix;
        struct map index;   /* full name → node index + 1, of all templates */
        struct map visited; /* locals that were looked through for the node at hand */
        uint32_t to;        /* that node */
};

static void add_edge(struct builder *b, const char *name)
{
        cleanup_free char *full = mem_printf("%s%s", b->prefix, name);
        uintptr_t index = (uintptr_t)map_get(&b->index, full);
        if (index == 0 || index - 1 == b->to) return;
        for (size_t i = b->g->edge_count; i > 0 && b->g->edges[i - 1].to == b->to; i--)
                if (b->g->edges[i - 1].from == index - 1) return;
        struct graph_edge e = {(uint32_t)(index - 1), b->to};
        vec_push(b->g->edges, b->g->edge_count, b->g->edge_capacity, e);
}

static void follow(void *context, const struct reference *r)
{
        struct builder *b = context;
        const char *name = r->step_count > 0 ? r->steps[0].name : NULL;
        if (strcmp(r->root, "local") == 0 && name != NULL) {
                const struct local_block *local = template_local(b->t, name);
                if (local == NULL || map_put(&b->visited, local->name, b) != NULL) return;
                expr_references(local->value, follow, b);
        } else if (strcmp(r->root, "lookup") == 0 && name != NULL) {
                cleanup_free char *lookup = mem_printf("lookup.%s", name);
                add_edge(b, lookup);
        } else {
                add_edge(b, r->root);
        }
}

static void follow_expr(struct builder *b, const struct expr *e)
{
        if (e != NULL) expr_references(e, follow, b);
}

static void add_node(struct builder *b, const struct resource *r)
{
        char *full = mem_printf("%s%s%s", b->prefix, r->kind == RESOURCE_LOOKUP ? "lookup." : "", r->name);
        struct graph_node n = {full, r->type, r->kind, 0};
        vec_push(b->g->nodes, b->g->count, b->g->capacity, n);
        map_put(&b->index, full, (void *)(uintptr_t)b->g->count);
}

static void add_nodes(struct builder *b)
{
        for (size_t i = 0; i < b->t->lookup_count; i++) add_node(b, &b->t->lookups[i]);
        for (size_t i = 0; i < b->t->resource_count; i++) add_node(b, &b->t->resources[i]);
}

static void connect(struct builder *b, const struct resource *r)
{
        cleanup_free char *full = mem_printf(
            "%s%s%s", b->prefix, r->kind == RESOURCE_LOOKUP ? "lookup." : "", r->name);
        b->to = (uint32_t)((uintptr_t)map_get(&b->index, full) - 1);
        map_release(&b->visited);
        follow_expr(b, r->properties);
        follow_expr(b, r->count);
        follow_expr(b, r->for_each);
        follow_expr(b, r->when);
        follow_expr(b, r->host);
        const struct provider_block *p = r->provider ? template_provider(b->t, r->provider) : NULL;
        if (p != NULL) follow_expr(b, p->config);
        for (size_t i = 0; i < r->after_count; i++) add_edge(b, r->after[i]);
}

/* A nested template's own resources follow it; nesting is bounded by the loader. */
static void add_template(struct builder *b, const struct template *t, const char *prefix)
{
        struct builder inner = *b;
        inner.t = t;
        inner.prefix = prefix;
        inner.visited = (struct map){0};
        add_nodes(&inner);
        for (size_t i = 0; i < t->lookup_count; i++) connect(&inner, &t->lookups[i]);
        for (size_t i = 0; i < t->resource_count; i++) connect(&inner, &t->resources[i]);
        map_release(&inner.visited);
        b->index = inner.index;
        for (size_t i = 0; i < t->resource_count; i++) {
                if (t->resources[i].nested == NULL) continue;
                cleanup_free char *deeper = mem_printf("%s%s/", prefix, t->resources[i].name);
                add_template(b, t->resources[i].nested, deeper);
        }
}

/* Ranks by relaxing in topological order (Kahn). */
static void rank(struct graph_view *g)
{
        cleanup_free uint32_t *blockers = mem_alloc((g->count + 1) * sizeof *blockers);
        cleanup_free uint32_t *start = mem_alloc((g->count + 2) * sizeof *start);
        cleanup_free uint32_t *out = mem_alloc((g->edge_count + 1) * sizeof *out);
        cleanup_free uint32_t *queue = mem_alloc((g->count + 1) * sizeof *queue);
        for (size_t i = 0; i < g->edge_count; i++) {
                blockers[g->edges[i].to]++;
                start[g->edges[i].from + 1]++;
        }
        for (size_t i = 1; i <= g->count; i++) start[i] += start[i - 1];
        cleanup_free uint32_t *next = mem_dup(start, (g->count + 1) * sizeof *start);
        for (size_t i = 0; i < g->edge_count; i++) out[next[g->edges[i].from]++] = g->edges[i].to;
        size_t queued = 0;
        for (size_t i = 0; i < g->count; i++)
                if (blockers[i] == 0) queue[queued++] = (uint32_t)i;
        for (size_t i = 0; i < queued; i++) {
                for (uint32_t k = start[queue[i]]; k < start[queue[i] + 1]; k++) {
                        struct graph_node *n = &g->nodes[out[k]];
                        if (n->rank < g->nodes[queue[i]].rank + 1) n->rank = g->nodes[queue[i]].rank + 1;
                        if (--blockers[out[k]] == 0) queue[queued++] = out[k];
                }
        }
}

struct graph_view *graph_view_new(const struct template *t)
{
        struct graph_view *g = mem_alloc(sizeof *g);
        struct builder b = {.g = g};
        add_template(&b, t, "");
        map_release(&b.index);
        rank(g);
        return g;
}

void graph_view_free(struct graph_view *g)
{
        if (g == NULL) return;
        for (size_t i = 0; i < g->count; i++) free(g->nodes[i].name);
        free(g->nodes);
        free(g->edges);
        free(g);
}
