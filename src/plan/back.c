/*
 * The way back to an earlier state: which instances of that state's template count. See struct way_back in plan.h.
 *
 * An instance either returns (it existed then and was changed since), or is absent (it did not exist then), or stays as it is
 * recorded: it was not touched since, so that it already is as it was. The last kind has to move all the same when what it stands on
 * is made anew, as it then holds references to something that is gone.
 */
#include "plan/address.h"
#include "plan/diff.h"
#include "plan/evaluation.h"

static void note_concerned(struct evaluation *ev, const char *address)
{
        size_t lengths[ADDRESS_COVERS], count = address_covers(address, lengths);
        while (count-- > 0) {
                const char *cover = arena_strndup(ev->arena, address, lengths[count]);
                map_put(&ev->concerned, cover, (void *)cover);
        }
}

void back_index(struct evaluation *ev)
{
        const struct way_back *back = ev->input->back;
        if (back == NULL) return;
        for (size_t i = 0; i < back->returning_count; i++)
                map_put(&ev->returning, back->returning[i], (void *)back->returning[i]);
        for (size_t i = 0; i < back->absent_count; i++)
                map_put(&ev->absent, back->absent[i], (void *)back->absent[i]);
        for (size_t i = 0; i < back->released_count; i++) {
                map_put(&ev->absent, back->released[i], (void *)back->released[i]);
                map_put(&ev->released, back->released[i], (void *)back->released[i]);
        }
        for (size_t i = 0; i < back->made_count; i++)
                map_put(&ev->made, back->made[i], (void *)back->made[i]);
        for (size_t i = 0; i < back->returning_count; i++) note_concerned(ev, back->returning[i]);
        const struct state *state = ev->input->state;
        for (size_t i = 0; i < state->count; i++)
                if (!map_has(&ev->absent, state->resources[i].address))
                        note_concerned(ev, state->resources[i].address);
}

bool back_is_absent(const struct evaluation *ev, const char *address)
{
        return ev->input->back != NULL && map_has(&ev->absent, address);
}

/*
 * An automatic rollback deletes or replaces only what the undone run made, unless somebody approves more: what was there before has what
 * people put into it, and none of that would come back.
 */
bool back_loses(const struct evaluation *ev, const struct recorded *r)
{
        const struct way_back *back = ev->input->back;
        const struct schema_source *schemas = ev->input->schemas;
        if (back == NULL || back->since_ms == 0 || r->open != NULL) return false;
        const struct schema *schema = schemas->find(schemas->context, r->type, NULL);
        if (schema != NULL && schema->local) return false; /* there is nothing outside */
        return !map_has(&ev->made, r->address) || r->created_ms < back->since_ms;
}

bool back_leaves_aside(const struct evaluation *ev, const struct recorded *r)
{
        const struct way_back *back = ev->input->back;
        return back != NULL && back->since_ms != 0 && r->deposed[0] != '\0' &&
               !map_has(&ev->made, r->address);
}

enum { LOSSES_TOLD = 10 };

void back_note_loss(struct evaluation *ev, const struct recorded *r, const char *reason)
{
        if (ev->loss_count++ >= LOSSES_TOLD) return;
        text_addf(&ev->losses, "%s%s", ev->loss_count > 1 ? ", " : "", r->address);
        if (reason != NULL) text_addf(&ev->losses, " (%s)", reason);
}

const char *back_losses_question(struct evaluation *ev)
{
        const char *more = ev->loss_count > LOSSES_TOLD
                               ? arena_printf(ev->arena, " and %zu more", ev->loss_count - LOSSES_TOLD)
                               : "";
        return arena_printf(ev->arena,
            "going back would delete what run %s did not make, with all that is in it: %s%s",
            ev->input->back->undoes ? ev->input->back->undoes : "", ev->losses.data, more);
}

const char *step_one_way(const struct step *step)
{
        const struct schema *schema = step->schema;
        if (step->action != ACTION_UPDATE || schema == NULL) return NULL;
        for (size_t p = 0; p < schema->property_count; p++) {
                const struct property *property = &schema->properties[p];
                const struct value *before = step->prior ? value_get(step->prior, property->name) : NULL;
                const struct value *after = step->planned ? value_get(step->planned, property->name) : NULL;
                if (before == NULL || after == NULL || diff_same(property, before, after)) continue;
                bool may = property->grows && !value_is_known(after);
                if (may || diff_replaces(property, after, before)) return property->name;
        }
        return NULL;
}

bool back_concerns(const struct evaluation *ev, const char *bare)
{
        return ev->input->back == NULL || map_has(&ev->concerned, bare);
}

enum back_role back_role(const struct evaluation *ev, const struct instance *i)
{
        if (ev->input->back == NULL || ev->input->mode != PLAN_APPLY) return BACK_DECIDES;
        if (map_has(&ev->absent, i->address)) return BACK_ABSENT;
        if (map_has(&ev->returning, i->address)) return BACK_DECIDES;
        return i->recorded != NULL && !i->gone ? BACK_STAYS : BACK_ABSENT;
}

bool back_must_follow(const struct instance *i)
{
        for (uint32_t d = 0; d < i->node.dep_count; d++)
                if (i->node.deps[d]->anew) return true;
        return false;
}

int back_check(struct evaluation *ev, struct error **err)
{
        const struct way_back *back = ev->input->back;
        if (back == NULL) return 0;
        struct map described = {0};
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct instance *i = (const struct instance *)ev->nodes[n];
                if (i->node.kind == NODE_INSTANCE) map_put(&described, i->address, ev);
        }
        struct text scratch = {0};
        int status = 0;
        for (size_t r = 0; r < back->returning_count; r++) {
                const char *address = back->returning[r];
                if (map_has(&described, address)) continue;
                if (address_find_cover(&ev->deferred_bare, address, &scratch) != NULL) continue;
                struct place place = {.address = address};
                status = error_set(err, ERROR_CONFLICT, &place,
                    "existed after run %s and was changed since, but the plan of that time does not describe "
                    "it",
                    back->run);
        }
        text_release(&scratch);
        map_release(&described);
        return status;
}
