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
        uint32_t *owed;    /* edges to it that were given up, and would be respected if it came later */
        struct heap ready, late;
};

static void make_ready(struct ordering *o, uint32_t node)
{
        heap_push(o->owed[node] > 0 ? &o->late : &o->ready, node);
}

/* What nothing is owed any more is no longer late; its entry there is passed over when its turn comes. */
static void pay(struct ordering *o, uint32_t node)
{
        if (o->owed[node] == 0 || --o->owed[node] > 0) return;
        if (o->waiting[node] == 0 && o->place[node] == 0) heap_push(&o->ready, node);
}

static void release_successors(struct ordering *o, uint32_t node)
{
        const struct graph *graph = o->graph;
        for (size_t i = graph->first[node]; i < graph->first[node + 1]; i++) {
                const struct graph_edge *edge = &graph->edges[graph->by_from[i]];
                if (edge->bond == BOND_DROPPED)
                        pay(o, edge->to);
                else if (--o->waiting[edge->to] == 0)
                        make_ready(o, edge->to);
        }
}

/* One path of the search for circles. */
struct search {
        const struct graph *graph;
        const uint32_t *placed;
        uint32_t *circle, circles;
        uint32_t *number, *low,
            count; /* in the order in which nodes are found; the lowest that is reached from there */
        uint32_t *path, depth;      /* from the root to where the search is */
        uint32_t *open, open_count; /* found, and their circle not closed yet */
        size_t *next;               /* edge to look at */
};

static void find(struct search *s, uint32_t node)
{
        s->number[node] = s->low[node] = ++s->count;
        s->path[s->depth++] = s->open[s->open_count++] = node;
}

/* All that is open from `node` on is one circle, or a node that is in none. */
static void close_circle(struct search *s, uint32_t node)
{
        s->circles++;
        do s->circle[s->open[--s->open_count]] = s->circles;
        while (s->open[s->open_count] != node);
}

static void search_from(struct search *s, uint32_t root)
{
        find(s, root);
        while (s->depth > 0) {
                uint32_t node = s->path[s->depth - 1];
                if (s->next[node] == s->graph->first[node + 1]) {
                        if (s->low[node] == s->number[node]) close_circle(s, node);
                        if (--s->depth == 0) return;
                        uint32_t before = s->path[s->depth - 1];
                        if (s->low[node] < s->low[before]) s->low[before] = s->low[node];
                        continue;
                }
                const struct graph_edge *edge = &s->graph->edges[s->graph->by_from[s->next[node]++]];
                if (edge->bond == BOND_DROPPED || s->placed[edge->to]) continue;
                if (s->number[edge->to] == 0)
                        find(s, edge->to);
                else if (s->circle[edge->to] == 0 && s->number[edge->to] < s->low[node])
                        s->low[node] = s->number[edge->to];
        }
}

/*
 * Which unplaced nodes are in a circle together: strongly connected components, after Tarjan, "Depth-first search and linear graph
 * algorithms" (1972), without recursion. What lies between two circles is in neither. `circle` has room for every node.
 */
static void find_circles(const struct graph *graph, const uint32_t *placed, uint32_t *circle)
{
        uint32_t n = graph->node_count;
        cleanup_free uint32_t *number = mem_alloc(n * sizeof *number), *low = mem_alloc(n * sizeof *low);
        cleanup_free uint32_t *path = mem_alloc(n * sizeof *path), *open = mem_alloc(n * sizeof *open);
        cleanup_free size_t *next = mem_dup(graph->first, ((size_t)n + 1) * sizeof *next);
        struct search s = {.graph = graph,
            .placed = placed,
            .circle = circle,
            .number = number,
            .low = low,
            .path = path,
            .open = open,
            .next = next};
        for (uint32_t v = 0; v < n; v++)
                if (!placed[v] && number[v] == 0) search_from(&s, v);
}

/* Gives up the edges of one bond that are part of a circle. */
static void drop_edges(struct ordering *o, enum graph_bond bond)
{
        struct graph *graph = o->graph;
        cleanup_free uint32_t *circle = mem_alloc(graph->node_count * sizeof *circle);
        find_circles(graph, o->place, circle);
        for (size_t i = 0; i < graph->edge_count; i++) {
                struct graph_edge *edge = &graph->edges[i];
                if (edge->bond != bond || circle[edge->from] == 0 || circle[edge->from] != circle[edge->to])
                        continue;
                edge->bond = BOND_DROPPED;
                o->owed[edge->to]++;
                o->waiting[edge->to]--;
        }
        for (uint32_t v = 0; v < graph->node_count; v++)
                if (circle[v] != 0 && o->waiting[v] == 0) make_ready(o, v);
}

static bool next_node(struct ordering *o, uint32_t *node)
{
        while (o->ready.count > 0 || o->late.count > 0) {
                *node = heap_pop(o->ready.count > 0 ? &o->ready : &o->late);
                if (o->place[*node] == 0) return true;
        }
        return false;
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
        cleanup_free uint32_t *owed = mem_alloc(n * sizeof *owed);
        struct ordering o = {graph, waiting, place, owed, {.items = ready}, {.items = late}};
        for (size_t i = 0; i < graph->edge_count; i++)
                if (graph->edges[i].bond != BOND_DROPPED) waiting[graph->edges[i].to]++;
        for (uint32_t v = 0; v < n; v++)
                if (waiting[v] == 0) heap_push(&o.ready, v);

        int give_up = BOND_FAINT;
        while (count < n) {
                uint32_t node;
                if (!next_node(&o, &node)) {
                        if (give_up == BOND_FIRM) return count;
                        drop_edges(&o, (enum graph_bond)give_up--);
                        continue;
                }
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
