/*
 * The addresses that an instance depends on, as they are recorded so that it can be deleted in the right order when its template is
 * gone. Locals, parameters, gates and lookups are looked through; all instances of a resource are one address.
 */
#include <string.h>
#include "plan/evaluation.h"

static bool is_object(const struct node *n)
{
        if (n->kind == NODE_INSTANCE) {
                const struct instance *i = (const struct instance *)n;
                enum resource_kind kind = i->expansion->resource->kind;
                return kind == RESOURCE_MANAGED || kind == RESOURCE_TEMPLATE;
        }
        if (n->kind != NODE_EXPANSION) return false;
        enum resource_kind kind = ((const struct expansion *)n)->resource->kind;
        return kind == RESOURCE_MANAGED || kind == RESOURCE_TEMPLATE;
}

struct gathering {
        struct node **items;
        size_t count, capacity;
};

static void gather(struct evaluation *ev, struct gathering *g, struct node *root)
{
        struct expansion *x = (struct expansion *)root;
        if (root->kind == NODE_EXPANSION && x->shape == SHAPE_LONE && x->count == 1)
                root = &x->instances[0].node;
        if (root->visit == ev->visit) return;
        root->visit = ev->visit;
        vec_push(g->items, g->count, g->capacity, root);
}

static void gather_behind(struct evaluation *ev, struct gathering *g, const struct node *node)
{
        ev->visit++;
        g->count = 0;
        for (uint32_t d = 0; d < node->dep_count; d++) {
                struct node *dep = node->deps[d];
                if (is_object(dep))
                        gather(ev, g, dep);
                else
                        for (uint32_t r = 0; r < dep->root_count; r++) gather(ev, g, dep->roots[r]);
        }
}

int roots_collect(struct evaluation *ev, struct error **err)
{
        struct gathering g = {0};
        int status = 0;
        for (size_t n = 0; n < ev->node_count && status == 0; n++) {
                struct node *node = ev->nodes[n];
                if (is_object(node) || node->kind == NODE_MEMBERS) continue;
                gather_behind(ev, &g, node);
                if (g.count > ev->root_budget) {
                        status = error_set(err, ERROR_INPUT, NULL,
                            "locals and outputs that depend on one another hold too many "
                            "dependencies to be recorded");
                        break;
                }
                ev->root_budget -= g.count;
                node->root_count = (uint32_t)g.count;
                if (g.count == 0) continue;
                node->roots = arena_alloc(ev->arena, g.count * sizeof *node->roots);
                memcpy(node->roots, g.items, g.count * sizeof *node->roots);
        }
        free(g.items);
        return status;
}

static const char *root_address(const struct node *n)
{
        return n->kind == NODE_INSTANCE ? ((const struct instance *)n)->address
                                        : ((const struct expansion *)n)->address;
}

const char **instance_depends(struct evaluation *ev, const struct instance *instance, size_t *count)
{
        struct gathering g = {0};
        gather_behind(ev, &g, &instance->node);
        const char **addresses = NULL;
        if (g.count > 0) addresses = arena_alloc(ev->arena, g.count * sizeof *addresses);
        for (size_t i = 0; i < g.count; i++) addresses[i] = root_address(g.items[i]);
        *count = g.count;
        free(g.items);
        return addresses;
}
