/*
 * How long it may take: each step by itself, the longest path behind each, the work of each provider over what it does at once, and the
 * path that decides the whole.
 */
#include <string.h>

#include "plan/evaluation.h"

static double schema_seconds(const struct step *step)
{
        const struct schema *s = step->schema;
        switch (step->action) {
        case ACTION_JOIN:
        case ACTION_GATE:
        case ACTION_RESTORE:
        case ACTION_FORGET: return 0;
        case ACTION_CREATE:
        case ACTION_REPLACE:
        case ACTION_ADOPT:
                if (s != NULL && s->create_seconds > 0) return s->create_seconds;
                break;
        default: break;
        }
        return s != NULL && s->local ? 0 : 1;
}

/* What was measured before counts; asked once per type and action. */
static double typical_seconds(
    const struct plan_input *in, const struct step *step, struct map *known, struct arena *arena)
{
        double fallback = schema_seconds(step);
        if (in->duration == NULL || step->schema == NULL) return fallback;
        const char *key = arena_printf(arena, "%s %s", action_name(step->action), step->type);
        double *seconds = map_get(known, key);
        if (seconds == NULL) {
                seconds = arena_alloc(arena, sizeof *seconds);
                const char *action = step->action == ACTION_REPLACE || step->action == ACTION_ADOPT ? "create"
                                     : step->action == ACTION_REPLACE_DELETE                        ? "delete"
                                                                             : action_name(step->action);
                *seconds = in->duration(in->duration_context, step->type, action);
                map_put(known, key, seconds);
        }
        return *seconds > 0 ? *seconds : fallback;
}

static double step_share(struct plan *plan, const struct step *step)
{
        const struct plan_input *in = plan->input;
        if (in->parallel == NULL || step->schema == NULL || step->seconds <= 0) return 0;
        const struct cell *cell = step_provider(plan, step);
        unsigned parallel = in->parallel(in->duration_context, cell ? cell->provider : NULL, step->schema);
        return parallel > 0 ? step->seconds / parallel : 0;
}

/* A configuration of a provider that does few things at once takes as long as all of its work, whatever the longest path. */
static void add_share(struct plan *plan, const struct step *step, struct map *work, struct arena *arena)
{
        if (step->share <= 0) return;
        const struct cell *cell = step_provider(plan, step);
        const char *name = cell ? arena_printf(
                                      arena, "%p", (const void *)cell) /* two configurations are two */
                                : arena_strndup(arena, step->type, strcspn(step->type, "."));
        double *sum = map_get(work, name);
        if (sum == NULL) {
                sum = arena_alloc(arena, sizeof *sum);
                map_put(work, name, sum);
        }
        *sum += step->share;
        if (*sum > plan->seconds) plan->seconds = *sum;
}

static void find_critical_path(struct plan *plan)
{
        size_t start = 0, length = 0;
        for (size_t s = 1; s < plan->count; s++)
                if (plan->steps[s].remaining > plan->steps[start].remaining) start = s;
        plan->seconds = plan->steps[start].remaining;
        for (uint32_t at = (uint32_t)start; at != STEP_NONE; at = plan->steps[at].next) length++;
        plan->critical_path = arena_alloc(plan->arena, length * sizeof *plan->critical_path);
        const char *before = NULL; /* both halves of a replacement are one to look at */
        for (uint32_t at = (uint32_t)start; at != STEP_NONE; at = plan->steps[at].next) {
                const char *address = plan->steps[at].address;
                if (plan->steps[at].action == ACTION_JOIN || text_equal(address, before)) continue;
                plan->critical_path[plan->critical_count++] = before = address;
        }
}

void estimate_build(struct plan *plan)
{
        if (plan->count == 0) return;
        struct map known = {0};
        struct arena *scratch = arena_new();
        for (size_t s = 0; s < plan->count; s++) plan->steps[s].next = STEP_NONE;
        for (size_t s = plan->count; s-- > 0;) {
                struct step *step = &plan->steps[s];
                /* `remaining` holds the longest of what follows by now, as everything after it was passed before. */
                step->seconds = typical_seconds(plan->input, step, &known, scratch);
                if (step->recovery_of != NULL) continue;
                step->share = step_share(plan, step);
                step->remaining += step->seconds;
                for (size_t a = 0; a < step->after_count; a++) {
                        struct step *before = &plan->steps[step->after[a]];
                        if (before->next != STEP_NONE && before->remaining > step->remaining) continue;
                        before->remaining = step->remaining;
                        before->next = step->index;
                }
        }
        find_critical_path(plan);
        struct map work = {0};
        for (size_t s = 0; s < plan->count; s++) add_share(plan, &plan->steps[s], &work, scratch);
        map_release(&work);
        map_release(&known);
        arena_free(scratch);
}
