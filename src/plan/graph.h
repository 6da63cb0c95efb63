/*
 * A small directed graph that knows nothing of clouds: numbered nodes, edges "from before to", an order.
 *
 * Edges are collected in one array and turned into successor lists once. Nothing here recurses, so that a chain of
 * a hundred thousand nodes is as good as a star.
 */
#ifndef TUTTI_PLAN_GRAPH_H
#define TUTTI_PLAN_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How firmly an edge is meant. Where edges close a circle, the loosest of them give way first. */
enum graph_bond {
        BOND_FIRM,    /* never given up */
        BOND_LOOSE,   /* given up when nothing else opens a circle */
        BOND_FAIR,    /* given up before that */
        BOND_WISH,    /* given up before that */
        BOND_FAINT,   /* given up first */
        BOND_DROPPED, /* was given up */
};

struct graph_edge {
        uint32_t from, to;
        uint8_t bond, meant; /* `meant` is the bond that was asked for */
};

struct graph {
        uint32_t node_count;
        struct graph_edge *edges;
        size_t edge_count, edge_capacity;
        /* After graph_order: edges[by_from[first[n]]] … are the edges out of n. */
        size_t *first;
        uint32_t *by_from;
};

void graph_init(struct graph *graph, uint32_t node_count);
void graph_release(struct graph *graph);
static inline void graph_release_cleanup(struct graph *graph)
{
        graph_release(graph);
}

uint32_t graph_add_node(struct graph *graph);
void graph_add_edge(struct graph *graph, uint32_t from, uint32_t to, enum graph_bond bond);

/*
 * Puts all nodes into `order` (room for node_count) so that every edge leads forward; among nodes that could come next, the lowest
 * number does. Returns how many were placed: fewer than node_count when firm edges close a circle. Looser edges that are part of
 * a circle become BOND_DROPPED, but for those that the order can respect all the same. O(V log V + E).
 */
uint32_t graph_order(struct graph *graph, uint32_t *order);

/*
 * After graph_order: for every node the longest path from its start to the end, where node n takes cost[n]; `next` (may be
 * NULL) gets the node that continues that path, or UINT32_MAX. O(V + E).
 */
void graph_longest(
    const struct graph *graph, const uint32_t *order, const double *cost, double *longest, uint32_t *next);

#endif
