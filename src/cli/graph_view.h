/* The graph of a template for people: resources, gates and lookups, and what refers to what. Internal to cli/. */
#ifndef TUTTI_CLI_GRAPH_VIEW_H
#define TUTTI_CLI_GRAPH_VIEW_H

#include <stdint.h>
#include "template/template.h"

struct graph_node {
        char *name; /* with the nested template's path before it; lookups as lookup.NAME */
        const char *type;
        enum resource_kind kind;
        unsigned rank; /* length of the longest path to it */
};

struct graph_view {
        struct graph_node *nodes; /* dependencies before dependants */
        size_t count, capacity;
        struct graph_edge {
                uint32_t from, to; /* `to` depends on `from` */
        } * edges;
        size_t edge_count, edge_capacity;
};

struct graph_view *graph_view_new(const struct template *t);
void graph_view_free(struct graph_view *g);
CLEANUP(struct graph_view *, graph_view_free);

#endif
