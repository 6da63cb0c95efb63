/* The phases of planning, one after the other. */
#include "plan/plan.h"

#include <string.h>
#include "plan/diff.h"
#include "plan/evaluation.h"
#include "plan/server.h"

const char *action_name(enum action action)
{
        static const char *const names[] = {
            [ACTION_JOIN] = "join",
            [ACTION_CREATE] = "create",
            [ACTION_UPDATE] = "update",
            [ACTION_REPLACE] = "replace",
            [ACTION_REPLACE_DELETE] = "replace-delete",
            [ACTION_DELETE] = "delete",
            [ACTION_FORGET] = "forget",
            [ACTION_READ] = "read",
            [ACTION_GATE] = "gate",
            [ACTION_ADOPT] = "adopt",
            [ACTION_RESTORE] = "restore",
        };
        return names[action];
}

void want_read(struct evaluation *ev, const struct recorded *r)
{
        const struct plan_input *in = ev->input;
        if (!in->refresh || world_of(in->world, r) != NULL) return;
        const struct schema *schema = in->schemas->find(in->schemas->context, r->type, NULL);
        if (schema == NULL || schema->no_read) return;
        const struct server *server = server_found(ev, r);
        struct provider_use use;
        cleanup(error_free) struct error *unusable = NULL;
        if (server == NULL || server_use(server, r->address, r, &use, &unusable) < 0) return;
        if (use.config != NULL && !value_is_wholly_known(use.config)) return;
        cleanup_free char *key = world_key(r);
        struct wanted w = {.address = arena_strdup(ev->arena, key),
            .schema = schema,
            .use = use,
            .recorded = r,
            .prior = evaluation_own(ev, diff_prior(schema, r, NULL))};
        vec_push(ev->wanted, ev->wanted_count, ev->wanted_capacity, w);
}

/* Lists the recorded objects that the world says nothing of. What was set aside is read only where it may be taken back. */
static void want_refresh(struct evaluation *ev)
{
        const struct state *state = ev->input->state;
        for (size_t i = 0; i < state->count; i++)
                if (state->resources[i].deposed[0] == '\0') want_read(ev, &state->resources[i]);
}

/* Unless something is to be made, only those lookups are read that the configuration of a provider needs. */
static void drop_idle_lookups(struct evaluation *ev)
{
        struct map needed = {0};
        uint32_t visit = ++ev->visit;
        for (size_t n = ev->node_count; n-- > 0;) {
                struct node *node = ev->nodes[n];
                if (node->kind == NODE_CELL && ((struct cell *)node)->kind == CELL_PROVIDER)
                        node->visit = visit;
                if (node->visit != visit) continue;
                for (uint32_t d = 0; d < node->dep_count; d++) node->deps[d]->visit = visit;
                if (node->kind == NODE_INSTANCE) map_put(&needed, ((struct instance *)node)->address, ev);
        }
        size_t kept = 0;
        for (size_t w = 0; w < ev->wanted_count; w++)
                if (ev->wanted[w].recorded != NULL || map_has(&needed, ev->wanted[w].address))
                        ev->wanted[kept++] = ev->wanted[w];
        ev->wanted_count = kept;
        map_release(&needed);
}

static void summarise(struct plan *plan)
{
        struct evaluation *ev = plan->evaluation;
        struct plan_summary *s = &plan->summary;
        size_t *counter[] = {
            [ACTION_CREATE] = &s->create,
            [ACTION_ADOPT] = &s->create,
            [ACTION_UPDATE] = &s->update,
            [ACTION_REPLACE] = &s->replace,
            [ACTION_RESTORE] = &s->restore,
            [ACTION_DELETE] = &s->delete_,
            [ACTION_FORGET] = &s->forget,
            [ACTION_READ] = &s->read,
            [ACTION_GATE] = &s->gates,
        };
        for (size_t i = 0; i < plan->count; i++) {
                enum action action = plan->steps[i].action;
                if (plan->steps[i].recovery_of != NULL) continue; /* may not run at all */
                if (action != ACTION_JOIN && action != ACTION_REPLACE_DELETE) ++*counter[action];
        }
        s->keep = ev->keep_count;
        s->left_out = ev->left_out_count;
        s->deferred = ev->deferred_count;
        plan->wanted = ev->wanted;
        plan->wanted_count = ev->wanted_count;
        plan->deferred = ev->deferred;
        plan->deferred_count = ev->deferred_count;
}

static int build_table(struct evaluation *ev, struct plan *plan, struct error **err)
{
        if (ev->input->mode == PLAN_DRIFT) {
                drift_build(ev, plan);
                return 0;
        }
        struct removals removals = {0};
        int status = removals_find(ev, &removals, err);
        if (status == 0) status = table_build(ev, &removals, plan, err);
        free(removals.items);
        return status;
}

static int build(struct plan *plan, struct error **err)
{
        struct evaluation *ev = plan->evaluation;
        bool apply = plan->input->mode == PLAN_APPLY;
        /* 1. instances of all templates, evaluated, compared with the record, judged; what is wrong with a template is no
         * obstacle to removing what it made */
        cleanup(error_free) struct error *lenient = NULL;
        struct error **problems = apply ? err : &lenient;
        if (instances_expand(ev, problems) < 0 && (apply || ev->root == NULL)) {
                error_move(err, &lenient);
                return -1;
        }
        if (error_count(*err) > 0) return -1;
        if (back_check(ev, err) < 0) return -1;
        /* ...and who serves what is recorded: nothing is asked of another cloud */
        if (servers_find(ev, err) < 0) return -1;
        /* 2. reads that the caller could do now to know more */
        want_refresh(ev);
        if (!apply) drop_idle_lookups(ev);
        /* 3. targets, excludes, gates that guard nothing, orders of replacement */
        if (policy_apply(ev, err) < 0) return -1;
        /* 4. what has to go, and all steps in their order */
        if (build_table(ev, plan, err) < 0) return -1;
        if (apply) annotate_build(ev, plan);
        open_list_obsolete(ev, plan);
        /* 5. what the environment says of itself afterwards */
        struct value *outputs = outputs_now(ev, err);
        if (outputs == NULL) return -1;
        plan->outputs = evaluation_own(ev, outputs);
        plan->outputs_change = outputs_differ(plan->outputs, plan->input->state->outputs);
        /* 6. counts, durations, the digest */
        summarise(plan);
        estimate_build(plan);
        digest_build(plan);
        ev->running = true;
        ev->epoch++;
        return 0;
}

int plan_build(const struct plan_input *input, struct plan **ret, struct error **err)
{
        *ret = NULL;
        cleanup(plan_free) struct plan *plan = mem_alloc(sizeof *plan);
        plan->arena = arena_new();
        plan->input = input;
        plan->evaluation = evaluation_new(plan->arena, input);
        cleanup(error_free) struct error *problems = NULL;
        if (build(plan, &problems) < 0) return error_move(err, &problems);
        *ret = steal(plan);
        return 0;
}

void plan_free(struct plan *plan)
{
        if (plan == NULL) return;
        evaluation_free(plan->evaluation);
        arena_free(plan->arena);
        free(plan);
}

bool record_change_matters(const struct record_change *c)
{
        return c->protect != c->recorded->protect || c->keep != c->recorded->keep || c->provider != NULL ||
               c->moved;
}

bool plan_is_empty(const struct plan *plan)
{
        if (plan->outputs_change || plan->obsolete_count > 0) return false;
        for (size_t i = 0; i < plan->record_change_count; i++)
                if (record_change_matters(&plan->record_changes[i])) return false;
        for (size_t i = 0; i < plan->count; i++) {
                enum action action = plan->steps[i].action;
                if (action != ACTION_JOIN && action != ACTION_READ) return false;
        }
        return true;
}
