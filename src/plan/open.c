/*
 * Operations of earlier runs with an unknown outcome: the plan continues those that it still wants, and ends the others.
 *
 * A creation that nothing wants any more is never begun again. What it may have made is removed by a step of the plan, that a person sees
 * and says yes to, like everything else that is removed.
 */
#include <string.h>
#include "plan/address.h"
#include "plan/diff.h"
#include "plan/evaluation.h"

const struct open_operation *open_action(const struct evaluation *ev, const char *address, const char *action)
{
        const struct open_operation *open = map_get(&ev->input->state->open_by_address, address);
        while (open != NULL && strcmp(open->row->action, action) != 0) open = open->next;
        return open;
}

const struct open_operation *open_action_on(
    const struct evaluation *ev, const struct recorded *r, const char *action)
{
        const struct open_operation *open = open_action(ev, r->address, action);
        for (; open != NULL; open = open->next) {
                const char *id = open->row->id ? open->row->id : "";
                if (strcmp(open->row->action, action) == 0 && strcmp(id, r->id) == 0) return open;
        }
        return NULL;
}

/* What was begun beside what is wanted, property by property. What is not known yet is compared when it is. */
static enum open_difference compare(
    const struct open_operation *open, const struct schema *schema, const struct value *wanted)
{
        enum open_difference found = OPEN_SAME;
        for (size_t p = 0; p < schema->property_count; p++) {
                const struct property *property = &schema->properties[p];
                const struct value *begun = value_get(open->planned, property->name),
                                   *now = value_get(wanted, property->name);
                if (begun == NULL || now == NULL || !value_is_wholly_known(now)) continue;
                if (diff_same(property, begun, now)) continue;
                if (diff_replaces(property, begun, now)) return OPEN_REPLACES;
                found = OPEN_CHANGES;
        }
        return found;
}

/* While there may be no object, both have to say the same; one that exists can be changed in place afterwards. */
static bool is_wanted(
    const struct open_operation *open, const struct schema *schema, const struct value *wanted)
{
        bool exists = open->creates && open->object.id[0] != '\0';
        if (!text_equal(open->row->type, schema->type) || open->planned == NULL || wanted == NULL)
                return false;
        enum open_difference d = compare(open, schema, wanted);
        return d == OPEN_SAME || (exists && d == OPEN_CHANGES);
}

const struct open_operation *open_creation(struct evaluation *ev, const struct instance *i)
{
        const struct open_operation *open = map_get(&ev->input->state->open_by_address, i->address);
        if (back_must_follow(i)) return NULL; /* it stands on what was there before */
        for (; open != NULL; open = open->next) {
                if (!open->creates || decide_replacement(ev, &open->object, i) != NULL) continue;
                if (is_wanted(open, i->expansion->resource->schema, i->planned)) return open;
        }
        return NULL;
}

bool plan_wants_open(const struct step *step, const struct value *properties)
{
        return step->open != NULL && is_wanted(step->open, step->schema, properties);
}

enum open_difference plan_open_difference(const struct step *step, const struct value *properties)
{
        const struct resource *r = step->resource;
        if (step->open == NULL || step->open->planned == NULL || properties == NULL || r == NULL)
                return OPEN_SAME;
        cleanup(value_free) struct value *wanted = diff_ignore(
            properties, step->open->planned, r->ignore, r->ignore_count);
        return compare(step->open, step->schema, wanted);
}

const char *open_reason(struct evaluation *ev, const struct open_operation *open, bool wanted)
{
        const char *run = open->row->run, *id = open->object.id;
        if (!open->creates) return arena_printf(ev->arena, "its change in run %s was not finished", run);
        if (*id != '\0')
                return arena_printf(ev->arena, "%s exists: its creation in run %s was not finished", id, run);
        return arena_printf(ev->arena, "its creation in run %s was never answered%s", run,
            wanted ? "" : ": what it made, if anything, is removed");
}

const char *gone_reason(struct evaluation *ev, const char *address)
{
        const struct open_operation *open = open_action(ev, address, "delete");
        return open ? arena_printf(ev->arena, "was deleted by run %s", open->row->run)
                    : "was deleted outside";
}

/* Those that a step continues, and the instances at the addresses of all others. */
struct claims {
        bool *taken; /* by index into the state's list */
        struct instance **at;
};

static struct claims find_claims(struct evaluation *ev)
{
        const struct state *state = ev->input->state;
        struct claims c = {.taken = mem_alloc((state->open_count + 1) * sizeof *c.taken),
            .at = mem_alloc((state->open_count + 1) * sizeof(struct instance *))};
        for (size_t n = 0; n < ev->node_count && state->open_count > 0; n++) {
                struct instance *i = (struct instance *)ev->nodes[n];
                if (i->node.kind != NODE_INSTANCE || i->nested != NULL) continue;
                const struct open_operation *o = map_get(&state->open_by_address, i->address);
                for (; o != NULL; o = o->next) {
                        c.at[o - state->open] = i;
                        c.taken[o - state->open] = (i->acts || i->standby) && i->open == o;
                }
        }
        return c;
}

/* A rollback resolves only what that run is to have made, or not to have made. */
static bool is_concerned(const struct evaluation *ev, const char *address)
{
        return ev->input->back == NULL || back_is_absent(ev, address) || map_has(&ev->returning, address);
}

void open_removals(struct evaluation *ev, struct removals *removals)
{
        const struct state *state = ev->input->state;
        bool destroy = ev->input->mode == PLAN_DESTROY;
        struct claims claims = find_claims(ev);
        struct text scratch = {0};
        for (size_t o = 0; o < state->open_count; o++) {
                const struct open_operation *open = &state->open[o];
                struct instance *i = claims.at[o];
                if (!open->creates || (claims.taken[o] && !destroy)) continue;
                if (!is_concerned(ev, open->row->address)) continue;
                bool unknown = !destroy &&
                               address_find_cover(&ev->deferred_bare, open->row->address, &scratch);
                bool left_out = !destroy && i != NULL &&
                                (i->node.left_out || i->node.deferred || i->failed) &&
                                ev->input->back == NULL;
                if (unknown || left_out) continue;
                struct removal m = {.recorded = &open->object,
                    .step = STEP_NONE,
                    .again = destroy || i == NULL || !i->acts ? NULL : i};
                vec_push(removals->items, removals->count, removals->capacity, m);
        }
        text_release(&scratch);
        free(claims.taken);
        free(claims.at);
}

void open_list_obsolete(struct evaluation *ev, struct plan *plan)
{
        const struct state *state = ev->input->state;
        struct map acting = {
            0}; /* addresses that a step is about: it ends what is open there when it is done */
        plan->obsolete = arena_alloc(ev->arena, (state->open_count + 1) * sizeof(struct open_operation *));
        for (size_t s = 0; s < plan->count && state->open_count > 0; s++)
                map_put(&acting, plan->steps[s].address, ev);
        struct claims claims = find_claims(ev);
        for (size_t o = 0; o < state->open_count; o++) {
                const struct open_operation *open = &state->open[o];
                const struct instance *i = claims.at[o];
                bool recorded = map_has(&state->by_address, open->row->address);
                if (open->creates || map_has(&acting, open->row->address)) continue;
                if (!recorded || (i != NULL && i->kept)) plan->obsolete[plan->obsolete_count++] = open;
        }
        free(claims.taken);
        free(claims.at);
        map_release(&acting);
}
