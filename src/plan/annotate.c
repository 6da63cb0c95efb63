/*
 * What is recorded of a resource beside its properties: what it depends on, its host, `protect` and `keep`. They decide what happens to it
 * once it has left the template, so they have to follow the template even while nothing else of the resource changes.
 */
#include <string.h>
#include "plan/evaluation.h"

static bool same_addresses(const struct recorded *r, const char **depends, size_t count)
{
        if (r->after_count != count) return false;
        for (size_t i = 0; i < count; i++)
                if (strcmp(r->after[i], depends[i]) != 0) return false;
        return true;
}

static bool differs(const struct instance *i, const struct record_change *c)
{
        const struct recorded *r = i->recorded;
        return c->host != NULL || r->protect != c->protect || r->keep != c->keep ||
               !same_addresses(r, c->depends, c->depends_count);
}

void annotate_build(struct evaluation *ev, struct plan *plan)
{
        size_t count = 0, capacity = 0;
        struct record_change *changes = NULL;
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct instance *i = (const struct instance *)ev->nodes[n];
                if (i->node.kind != NODE_INSTANCE || !i->kept) continue;
                struct record_change c = {
                    .recorded = i->recorded, .protect = i->protect, .keep = i->expansion->resource->keep};
                c.depends = instance_depends(ev, i, &c.depends_count);
                bool told = i->host && value_is_wholly_known(i->host);
                if (told && !(i->recorded->host && value_equal(i->host, i->recorded->host))) c.host = i->host;
                if (differs(i, &c)) vec_push(changes, count, capacity, c);
        }
        plan->record_changes = arena_alloc(ev->arena, count * sizeof *changes);
        if (count > 0) memcpy(plan->record_changes, changes, count * sizeof *changes);
        plan->record_change_count = count;
        free(changes);
}
