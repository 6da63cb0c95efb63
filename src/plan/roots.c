/*
 * The addresses that an instance depends on, as they are recorded so that it can be deleted in the right order when its template is
 * gone. Locals, parameters, gates and lookups are looked through, and so is what holds no object: a resource without instances, a nested
 * template of gates only. All instances of a resource are one address.
 */
#include <string.h>
#include "plan/evaluation.h"

static bool may_hold(const struct node *n)
{
        const struct expansion *x = n->kind == NODE_EXPANSION  ? (const struct expansion *)n
                                    : n->kind == NODE_INSTANCE ? ((const struct instance *)n)->expansion
                                                               : NULL;
        return x != NULL && (x->resource->kind == RESOURCE_MANAGED || x->resource->kind == RESOURCE_TEMPLATE);
}

static bool is_object(const struct node *n)
{
        return n->holds && may_hold(n);
}

/* Its dependencies have been looked at. */
static bool find_holds(const struct node *n)
{
        if (n->kind != NODE_MEMBERS && !may_hold(n)) return false;
        if (n->kind == NODE_INSTANCE && ((const struct instance *)n)->nested == NULL) return true;
        if (n->kind == NODE_EXPANSION && !((const struct expansion *)n)->expanded) return true;
        if (n->kind == NODE_EXPANSION && ((const struct expansion *)n)->count == 0) return false;
        for (uint32_t d = 0; d < n->dep_count; d++)
                if (n->deps[d]->holds) return true;
        return false;
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
                node->holds = find_holds(node);
                if (is_object(node) || (node->kind == NODE_MEMBERS && node->holds)) continue;
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
