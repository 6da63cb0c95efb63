/* A plan that only says what differs between the record and the world; nothing in it is meant to be run. */
#include <string.h>
#include "plan/diff.h"
#include "plan/evaluation.h"
#include "plan/server.h"

static void add_output_changes(struct arena *arena, const struct schema *schema, const struct value *record,
    const struct value *world, struct step *step)
{
        struct change *all = arena_alloc(arena, (step->change_count + schema->output_count) * sizeof *all);
        if (step->change_count > 0) memcpy(all, step->changes, step->change_count * sizeof *all);
        step->changes = all;
        for (size_t o = 0; o < schema->output_count; o++) {
                const struct property *p = &schema->outputs[o];
                if (schema_property(schema, p->name) != NULL) continue;
                const struct value *before = value_get(record, p->name), *after = value_get(world, p->name);
                if (diff_same(p, before, after)) continue;
                bool secret = p->sensitive || value_has_sensitive(before) || value_has_sensitive(after);
                all[step->change_count++] = (struct change){.path = p->name,
                    .before = value_is_null(before) ? NULL : before,
                    .after = value_is_null(after) ? NULL : after,
                    .sensitive = secret};
        }
        for (size_t c = 0; c < step->change_count; c++) {
                all[c].drift = true;
                all[c].forces_replace = false;
        }
}

/* What the record and the observation of one resource say differently, and the template does not ignore; false if nothing. `i`: its instance, or NULL. */
static bool compare(struct evaluation *ev, const struct instance *i, const struct recorded *r,
    const struct observation *seen, struct step *step)
{
        const struct schema_source *schemas = ev->input->schemas;
        const struct schema *schema = schemas->find(schemas->context, r->type, NULL);
        *step = (struct step){.action = ACTION_UPDATE,
            .address = r->address,
            .deposed = "",
            .type = r->type,
            .provider = r->provider,
            .schema = schema,
            .recorded = r,
            .private_ = r->private_,
            .server = server_found(ev, r),
            .reason = "was changed outside"};
        if (step->server != NULL) step->account = step->server->account_text;
        if (schema == NULL) return false;
        struct value *record = evaluation_own(ev, diff_prior(schema, r, NULL));
        step->prior = record;
        if (seen->gone) {
                step->action = ACTION_DELETE;
                step->reason = "was deleted outside";
                return true;
        }
        struct value *world = evaluation_own(ev, diff_prior(schema, r, seen->observed));
        const struct resource *wanted = i ? i->expansion->resource : NULL;
        if (wanted != NULL && wanted->schema == schema)
                world = evaluation_own(ev, diff_ignore(world, record, wanted->ignore, wanted->ignore_count));
        step->planned = world;
        step->changes = diff_changes(ev->arena, schema, record, world, NULL, &step->change_count);
        add_output_changes(ev->arena, schema, record, world, step);
        return step->change_count > 0;
}

static void collect_instances(const struct evaluation *ev, struct map *instances)
{
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct instance *i = (const struct instance *)ev->nodes[n];
                if (i->node.kind == NODE_INSTANCE) map_put(instances, i->address, (void *)i);
        }
}

/*
 * Whether an apply would leave a resource as it was found, as the template does not set what differs. Where the provider plans, it alone knows
 * what follows from the template, but never are outputs set.
 */
static bool is_accepted(struct evaluation *ev, struct instance *i, const struct step *step)
{
        const struct resource *r = i ? i->expansion->resource : NULL;
        if (r == NULL || r->schema != step->schema || step->recorded->tainted) return false;
        bool outputs_only = true;
        for (size_t p = 0; p < r->schema->property_count && outputs_only; p++) {
                const char *name = r->schema->properties[p].name;
                outputs_only = diff_same(
                    &r->schema->properties[p], value_get(step->prior, name), value_get(step->planned, name));
        }
        if (outputs_only) return true;
        if (r->schema->plans) return false;
        cleanup(error_free) struct error *problems = NULL;
        cleanup(value_free) struct value *config = r->properties
                                                       ? evaluate(ev, i->expansion->module, i, r->properties,
                                                             NULL, i->address, &problems)
                                                       : value_object(NULL, NULL, 0);
        struct place place = {.address = i->address};
        cleanup(value_free) struct value *proposed =
            config ? diff_propose(r->schema, config, step->planned, &place, &problems) : NULL;
        if (proposed == NULL) return false;
        cleanup(value_free) struct value *wanted = diff_ignore(
            proposed, step->planned, r->ignore, r->ignore_count);
        size_t count = 0;
        diff_changes(ev->arena, r->schema, step->planned, wanted, NULL, &count);
        return count == 0;
}

void drift_build(struct evaluation *ev, struct plan *plan)
{
        struct map instances = {0};
        collect_instances(ev, &instances);
        const struct state *state = ev->input->state;
        plan->steps = arena_alloc(plan->arena, state->count * sizeof *plan->steps);
        for (size_t i = 0; i < state->count; i++) {
                const struct recorded *r = &state->resources[i];
                const struct observation *seen = r->deposed[0] ? NULL
                                                               : world_get(ev->input->world, r->address);
                struct step step;
                if (seen == NULL) continue;
                struct instance *instance = map_get(&instances, r->address);
                if (!compare(ev, instance, r, seen, &step)) {
                        ev->keep_count++;
                        continue;
                }
                step.index = (uint32_t)plan->count;
                if (step.action == ACTION_UPDATE && is_accepted(ev, instance, &step))
                        step.reason = DRIFT_ACCEPTED;
                plan->steps[plan->count++] = step;
        }
        map_release(&instances);
}
