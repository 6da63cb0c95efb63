/*
 * The way back: planning from what is recorded now to the state after an earlier run. See session.h.
 *
 * A template evaluated again is what makes references right: a network that was replaced has another id now. So the way back is planned
 * from the sources, parameters and lookups that an earlier run was planned from, restricted to what later runs touched. Which run
 * and which addresses these are, back_search.h finds out.
 */
#include <stdlib.h>
#include <string.h>

#include "run/back_search.h"

enum { FOLLOW_ROUNDS = 8 };

static bool is_named(const struct way_back *back, const char *address)
{
        return bsearch(&address, back->returning, back->returning_count, sizeof address, search_compare);
}

/*
 * What has to follow something that is made anew is named as well, so that the run, resumed after that was made, still knows.
 * Returns whether there was any.
 */
static bool name_followers(struct session *s, struct way_back *back)
{
        const struct plan *plan = s->plan;
        const char **list = arena_alloc(
            s->request_arena, (back->returning_count + plan->count + 1) * sizeof *list);
        size_t count = back->returning_count;
        memcpy(list, back->returning, count * sizeof *list);
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                bool makes = step->action == ACTION_CREATE || step->action == ACTION_ADOPT ||
                             step->action == ACTION_UPDATE || step->action == ACTION_REPLACE ||
                             step->action == ACTION_RESTORE;
                if (makes && !is_named(back, step->address))
                        list[count++] = arena_strdup(s->request_arena, step->address);
        }
        bool any = count > back->returning_count;
        qsort(list, count, sizeof *list, search_compare);
        back->returning = list;
        back->returning_count = count;
        return any;
}

static int build_back(struct session *s, const struct plan_request *request, struct saved_plan *saved,
    struct way_back *back, struct error **err)
{
        session_drop_plan(s);
        environment_free(s->back_env);
        s->back_env = NULL;
        if (session_load_saved(s, saved, &s->back_env, err) < 0) return -1;
        session_find_present(s, saved);
        s->world = search_world(saved, saved->world->files);
        session_input(s, s->back_env, PLAN_APPLY, !request->no_refresh);
        s->input.back = back;
        for (int round = 0; round < FOLLOW_ROUNDS; round++) {
                if (session_build_with(s, request, err) < 0) return -1;
                if (!name_followers(s, back)) return 0;
        }
        return error_set(err, ERROR_CONFLICT, NULL, "the way back does not settle");
}

static int plan_back(
    struct search *q, const struct plan_request *request, const char *undoes, struct error **err)
{
        struct session *s = q->session;
        cleanup(saved_plan_free) struct saved_plan *saved = NULL;
        size_t base = q->run_count;
        if (search_way_back(q, &saved, &base, err) < 0) return -1;
        if (s->request_arena == NULL) s->request_arena = arena_new();
        struct arena *arena = s->request_arena;
        struct way_back *back = search_way(q, arena);
        back->undoes = arena_strdup(arena, undoes);
        if (undoes != NULL) back->since_ms = q->runs[q->later - 1].started_ms;
        /* A run that failed and is undone has left the outputs alone; the rounds before it have not. */
        bool stay = undoes != NULL && strcmp(q->runs[q->later - 1].id, undoes) == 0;
        bool describe = saved != NULL && (!stay || back->returning_count > 0);
        back->outputs = describe ? OUTPUTS_DESCRIBED : stay ? OUTPUTS_STAY : OUTPUTS_NONE;
        if (describe) {
                back->base = arena_strdup(arena, q->runs[base].id);
        } else {
                saved_plan_free(steal(saved));
                saved = search_newest(q, err);
                if (saved == NULL) return -1;
        }
        return build_back(s, request, saved, back, err);
}

int session_plan_back(struct session *s, const struct plan_request *request, const char *run, enum back back,
    struct plan **ret, struct error **err)
{
        struct search q;
        if (session_reload(s, err) < 0) return -1;
        int status = search_begin(&q, s, run, back, err);
        if (status == 0) status = plan_back(&q, request, back == BACK_UNDO ? run : NULL, err);
        search_release(&q);
        if (status == 0) *ret = s->plan;
        return status;
}
