/*
 * What was set aside by a create-first replacement, and may be wanted again. Before anything is made for an address, what is wanted is looked
 * for among all that is recorded there: an object that still stands as it is wanted is taken back, and never deleted for another one like it.
 *
 * Only an object that is known by an id of its own can be told from the one that replaced it. What a command did is no such object:
 * it was done over by the one that ran after it.
 */
#include <string.h>
#include "plan/evaluation.h"

/* Newest first; of the same time in the order of the record. */
static int compare_age(const void *a, const void *b)
{
        const struct recorded *left = *(const struct recorded *const *)a,
                              *right = *(const struct recorded *const *)b;
        if (left->created_ms != right->created_ms) return left->created_ms < right->created_ms ? 1 : -1;
        return strcmp(left->deposed, right->deposed);
}

static bool may_return(const struct evaluation *ev, const struct instance *i, const struct recorded *r)
{
        const struct schema *schema = i->expansion->resource->schema;
        const struct recorded *current = i->recorded;
        const struct observation *seen = world_of(ev->input->world, r);
        if (r->deposed[0] == '\0' || r->id[0] == '\0' || (seen != NULL && seen->gone)) return false;
        if (strcmp(r->type, schema->type) != 0) return false;
        /* Whether it is gone by a deletion that was begun, only the cloud knows. */
        if (open_action_on(ev, r, "delete") != NULL && seen == NULL && !ev->input->refresh) return false;
        return current == NULL || strcmp(current->id, r->id) != 0;
}

const struct recorded **restore_candidates(struct evaluation *ev, const struct instance *i, size_t *count)
{
        const struct state *state = ev->input->state;
        const struct schema *schema = i->expansion->resource->schema;
        const struct recorded **found = NULL;
        size_t used = 0, capacity = 0;
        *count = 0;
        if (!schema->can_import || schema->acts_on_host) return NULL;
        for (size_t r = state_first_at(state, i->address);
             r < state->count && strcmp(state->resources[r].address, i->address) == 0; r++)
                if (may_return(ev, i, &state->resources[r]))
                        vec_push(found, used, capacity, &state->resources[r]);
        if (used == 0) return NULL;
        qsort(found, used, sizeof *found, compare_age);
        const struct recorded **kept = arena_alloc(ev->arena, used * sizeof *kept);
        memcpy(kept, found, used * sizeof *kept);
        free(found);
        *count = used;
        return kept;
}

bool restore_destroys(const struct evaluation *ev, const struct instance *i)
{
        if (i->action != ACTION_RESTORE || i->aside == NULL) return false;
        const struct observation *seen = world_of(ev->input->world, i->aside);
        return seen == NULL || !seen->gone;
}
