/*
 * Whether a rollback that a plan may ask for would be possible, told before the plan is run. See session.h.
 *
 * The search is the one that the rollback itself would make, from after a run of this plan in which everything was tried; and the base that
 * it finds is planned from, against what is recorded now, as that is the state to return to.
 */
#include <string.h>

#include "run/back_search.h"

/* As step_policy in executor.c decides, of a step that may fail in this run. */
static bool asks(const struct plan *plan, const struct step *step, bool given, enum failure_policy policy)
{
        if (step->action == ACTION_JOIN || step->recovery_of != NULL) return false;
        if (given) return policy == ON_FAILURE_ROLLBACK;
        return plan->input->mode != PLAN_DESTROY && step->resource != NULL &&
               step->resource->on_failure == ON_FAILURE_ROLLBACK;
}

static bool is_asked_for(const struct plan *plan, bool given, enum failure_policy policy)
{
        if (plan->input->back != NULL || plan->input->mode == PLAN_DRIFT) return false;
        for (size_t i = 0; i < plan->count; i++)
                if (asks(plan, &plan->steps[i], given, policy)) return true;
        return false;
}

/* What is made and is protected from then on: the way back would have to delete it. */
static void look_at_protected(const struct plan *plan, struct error **problems)
{
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                bool made = step->action == ACTION_CREATE && step->recorded == NULL && step->protect &&
                            step->recovery_of == NULL;
                struct place place = {.address = step->address};
                if (made) error_set(problems, ERROR_CONFLICT, &place, "is protected once it is made");
        }
}

/* What people put into an object comes back with no other one: an automatic rollback asks before it takes that away itself. */
static void look_at_losses(const struct plan *plan, struct error **problems)
{
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                struct place place = {.address = step->address};
                const char *one_way = step->recovery_of == NULL ? step_one_way(step) : NULL;
                if (one_way != NULL)
                        error_set(problems, ERROR_CONFLICT, &place,
                            "a rollback would have to replace it, as %s only grows: its data would be lost, "
                            "so "
                            "it asks first",
                            one_way);
                bool deletes = step->action == ACTION_DELETE || step->action == ACTION_REPLACE_DELETE;
                if (!deletes || step->recovery_of != NULL || !step->schema->can_import ||
                    step->recorded->deposed[0] != '\0')
                        continue;
                error_set(problems, ERROR_CONFLICT, &place,
                    "is deleted by this plan: a rollback would make another one, without what is in it");
        }
}

/* ...or is so since an earlier round of the same apply. */
static void look_at_absent(const struct search *q, struct error **problems)
{
        const struct way_back *back = search_way(q, q->arena);
        for (size_t i = 0; i < back->absent_count; i++) {
                const struct recorded *r = map_get(&q->session->state->by_address, back->absent[i]);
                struct place place = {.address = back->absent[i]};
                if (r != NULL && r->protect) error_set(problems, ERROR_CONFLICT, &place, "is protected");
        }
}

/* What was said of a way back that is tried, in words for one that is not yet. */
static void note(struct error **problems, const struct error *found)
{
        for (size_t i = 0; i < error_count(found); i++) {
                const struct problem *p = error_at(found, i);
                bool undescribed = p->kind == ERROR_CONFLICT && p->place.address != NULL;
                error_set(problems, p->kind, &p->place, "%s",
                    undescribed ? "no recorded plan describes it as it is now, together with the rest"
                                : p->message);
        }
}

/* Plans from the base as the rollback would; what its template does not describe, or cannot be read any more, is a problem. */
static void look_at_base(struct search *q, const struct saved_plan *saved, struct error **problems)
{
        struct session *s = q->session;
        struct environment *env = NULL;
        struct plan *plan = NULL;
        struct way_back *back = search_way(q, q->arena);
        if (back->returning_count == 0 || session_load_saved(s, saved, &env, problems) < 0) return;
        cleanup(world_free) struct world *world = search_world(saved, saved->world->files);
        cleanup(error_free) struct error *found = NULL;
        struct plan_input input = {
            .env = env,
            .state = s->state,
            .world = world,
            .schemas = &s->schemas,
            .mode = PLAN_APPLY,
            .allow_outside = s->allow_outside,
            .back = back,
            .accepted = s->accepted,
            .accepted_count = s->accepted_count,
            .present = s->plan,
        };
        if (plan_build(&input, &plan, &found) < 0) note(problems, found);
        plan_free(plan);
        environment_free(env);
}

/* What stands in the way of a rollback, as opposed to what keeps us from looking. */
static bool is_obstacle(const struct error *err)
{
        enum error_kind kind = error_kind(err);
        return kind == ERROR_CONFLICT || kind == ERROR_DENIED || kind == ERROR_INPUT;
}

int session_foresee(struct session *s, bool given, enum failure_policy policy, struct error **err)
{
        struct search q;
        cleanup(saved_plan_free) struct saved_plan *saved = NULL;
        cleanup(error_free) struct error *found = NULL;
        size_t base;
        error_free(steal(s->outlook.problems));
        s->outlook.asked = is_asked_for(s->plan, given, policy);
        if (!s->outlook.asked) return 0;
        look_at_protected(s->plan, &s->outlook.problems);
        look_at_losses(s->plan, &s->outlook.problems);
        if (s->store == NULL || *s->state->lineage == '\0')
                return 0; /* nothing exists that would have to return */
        int status = search_begin_ahead(&q, s, s->plan, &found);
        if (status == 0) status = search_way_back(&q, &saved, &base, &found);
        if (status == 0) look_at_absent(&q, &s->outlook.problems);
        if (status == 0 && saved != NULL) look_at_base(&q, saved, &s->outlook.problems);
        search_release(&q);
        if (status < 0 && !is_obstacle(found)) return error_move(err, &found);
        if (status < 0) note(&s->outlook.problems, found);
        return 0;
}

const struct rollback_outlook *session_outlook(const struct session *s)
{
        return &s->outlook;
}
