/* Successor lists by counting, an order by readiness counters and a heap, longest paths by one pass backwards. */
#include "plan/graph.h"

#include <string.h>
#include "base/mem.h"

void graph_init(struct graph *graph, uint32_t node_count)
{
        *graph = (struct graph){.node_count = node_count};
}

void graph_release(struct graph *graph)
{
        free(graph->edges);
        free(graph->first);
        free(graph->by_from);
        *graph = (struct graph){0};
}

uint32_t graph_add_node(struct graph *graph)
{
        return graph->node_count++;
}

void graph_add_edge(struct graph *graph, uint32_t from, uint32_t to, enum graph_bond bond)
{
        struct graph_edge edge = {.from = from, .to = to, .bond = (uint8_t)bond, .meant = (uint8_t)bond};
        vec_push(graph->edges, graph->edge_count, graph->edge_capacity, edge);
}

static void index_edges(struct graph *graph)
{
        free(graph->first);
        free(graph->by_from);
        graph->first = mem_alloc(((size_t)graph->node_count + 1) * sizeof *graph->first);
        graph->by_from = mem_alloc(graph->edge_count * sizeof *graph->by_from);
        for (size_t i = 0; i < graph->edge_count; i++) graph->first[graph->edges[i].from + 1]++;
        for (uint32_t n = 0; n < graph->node_count; n++) graph->first[n + 1] += graph->first[n];
        size_t *fill = mem_dup(graph->first, ((size_t)graph->node_count + 1) * sizeof *fill);
        for (size_t i = 0; i < graph->edge_count; i++)
                graph->by_from[fill[graph->edges[i].from]++] = (uint32_t)i;
        free(fill);
}

/* A binary heap of node numbers, the lowest on top. */
struct heap {
        uint32_t *items;
        size_t count;
};

static void heap_push(struct heap *heap, uint32_t item)
{
        size_t at = heap->count++;
        while (at > 0 && heap->items[(at - 1) / 2] > item) {
                heap->items[at] = heap->items[(at - 1) / 2];
                at = (at - 1) / 2;
        }
        heap->items[at] = item;
}

static uint32_t heap_pop(struct heap *heap)
{
        uint32_t top = heap->items[0], last = heap->items[--heap->count];
        size_t at = 0;
        for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
                if (child + 1 < heap->count && heap->items[child + 1] < heap->items[child]) child++;
                if (heap->items[child] >= last) break;
                heap->items[at] = heap->items[child];
        }
        heap->items[at] = last;
        return top;
}

/* An order that is being made. */
struct ordering {
        struct graph *graph;
        uint32_t *waiting; /* edges that still hold each node back */
        uint32_t *place;   /* in the order, from 1; 0: not yet */
        bool *reluctant;   /* an edge to it was given up: it comes as late as it can */
        struct heap ready, late;
};

static void make_ready(struct ordering *o, uint32_t node)
{
        heap_push(o->reluctant[node] ? &o->late : &o->ready, node);
}

static void release_successors(struct ordering *o, uint32_t node)
{
        const struct graph *graph = o->graph;
        for (size_t i = graph->first[node]; i < graph->first[node + 1]; i++) {
                const struct graph_edge *edge = &graph->edges[graph->by_from[i]];
                if (edge->bond != BOND_DROPPED && --o->waiting[edge->to] == 0) make_ready(o, edge->to);
        }
}

/*
 * The unplaced nodes that something unplaced both precedes and follows: circles, and what lies between them. What merely comes
 * after a circle is peeled off from the end, so that none of its edges is given up. `core` has room for every node.
 */
static void find_core(const struct graph *graph, const uint32_t *placed, bool *core)
{
        uint32_t n = graph->node_count;
        cleanup_free uint32_t *after = mem_alloc(n * sizeof *after);
        cleanup_free uint32_t *stack = mem_alloc(n * sizeof *stack);
        cleanup_free size_t *first = mem_alloc(((size_t)n + 1) * sizeof *first);
        cleanup_free size_t *fill = mem_alloc(((size_t)n + 1) * sizeof *fill);
        cleanup_free uint32_t *before = mem_alloc(graph->edge_count * sizeof *before);
        for (size_t i = 0; i < graph->edge_count; i++) first[graph->edges[i].to + 1]++;
        for (uint32_t v = 0; v < n; v++) first[v + 1] += first[v];
        memcpy(fill, first, ((size_t)n + 1) * sizeof *fill);
        for (size_t i = 0; i < graph->edge_count; i++) {
                const struct graph_edge *edge = &graph->edges[i];
                before[fill[edge->to]++] = (uint32_t)i;
                if (edge->bond != BOND_DROPPED && !placed[edge->to]) after[edge->from]++;
        }
        size_t depth = 0;
        for (uint32_t v = 0; v < n; v++) {
                core[v] = !placed[v];
                if (core[v] && after[v] == 0) stack[depth++] = v;
        }
        while (depth > 0) {
                uint32_t v = stack[--depth];
                core[v] = false;
                for (size_t i = first[v]; i < first[v + 1]; i++) {
                        const struct graph_edge *edge = &graph->edges[before[i]];
                        if (edge->bond == BOND_DROPPED || !core[edge->from]) continue;
                        if (--after[edge->from] == 0) stack[depth++] = edge->from;
                }
        }
}

/* Gives up the edges of one bond that may close a circle. */
static void drop_edges(struct ordering *o, enum graph_bond bond)
{
        struct graph *graph = o->graph;
        cleanup_free bool *core = mem_alloc(graph->node_count * sizeof *core);
        find_core(graph, o->place, core);
        for (size_t i = 0; i < graph->edge_count; i++) {
                struct graph_edge *edge = &graph->edges[i];
                if (edge->bond != bond || !core[edge->from] || !core[edge->to]) continue;
                edge->bond = BOND_DROPPED;
                o->reluctant[edge->to] = true;
                if (--o->waiting[edge->to] == 0) make_ready(o, edge->to);
        }
}

/* What the order respects anyway is not given up. */
static void restore_edges(const struct ordering *o)
{
        for (size_t i = 0; i < o->graph->edge_count; i++) {
                struct graph_edge *edge = &o->graph->edges[i];
                if (edge->bond == BOND_DROPPED && o->place[edge->from] < o->place[edge->to])
                        edge->bond = edge->meant;
        }
}

uint32_t graph_order(struct graph *graph, uint32_t *order)
{
        index_edges(graph);
        uint32_t n = graph->node_count, count = 0;
        cleanup_free uint32_t *waiting = mem_alloc(n * sizeof *waiting),
                              *place = mem_alloc(n * sizeof *place);
        cleanup_free uint32_t *ready = mem_alloc(n * sizeof *ready), *late = mem_alloc(n * sizeof *late);
        cleanup_free bool *reluctant = mem_alloc(n * sizeof *reluctant);
        struct ordering o = {graph, waiting, place, reluctant, {.items = ready}, {.items = late}};
        for (size_t i = 0; i < graph->edge_count; i++)
                if (graph->edges[i].bond != BOND_DROPPED) waiting[graph->edges[i].to]++;
        for (uint32_t v = 0; v < n; v++)
                if (waiting[v] == 0) heap_push(&o.ready, v);

        int give_up = BOND_WISH;
        while (count < n) {
                if (o.ready.count == 0 && o.late.count == 0) {
                        if (give_up == BOND_FIRM) return count;
                        drop_edges(&o, (enum graph_bond)give_up--);
                        continue;
                }
                uint32_t node = heap_pop(o.ready.count > 0 ? &o.ready : &o.late);
                order[count++] = node;
                place[node] = count;
                release_successors(&o, node);
        }
        restore_edges(&o);
        return count;
}

void graph_longest(
    const struct graph *graph, const uint32_t *order, const double *cost, double *longest, uint32_t *next)
{
        for (uint32_t at = graph->node_count; at-- > 0;) {
                uint32_t node = order[at], best = UINT32_MAX;
                double tail = 0;
                for (size_t i = graph->first[node]; i < graph->first[node + 1]; i++) {
                        const struct graph_edge *edge = &graph->edges[graph->by_from[i]];
                        if (edge->bond == BOND_DROPPED) continue;
                        if (best != UINT32_MAX && longest[edge->to] <= tail) continue;
                        best = edge->to;
                        tail = longest[edge->to];
                }
                longest[node] = cost[node] + tail;
                if (next != NULL) next[node] = best;
        }
}
