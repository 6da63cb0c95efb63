/*
 * Searching the record for the way back; see back_search.h. Which addresses later runs touched, and whether they existed then, the step
 * tables of these runs tell.
 */
#include "run/back_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "run/proof.h"

struct
    own { /* what one run did at one address: its first step that was tried, and whether one made it as planned */
        enum { OWN_PLANNED, OWN_TRIED, OWN_MADE } outcome;
        bool creates, forgets, finds;
        bool makes;    /* some step of it that was tried creates or replaces */
        bool recovery; /* it was a recovery step: nothing describes how it was, and nothing refers to it */
};

static bool is_creation(const char *action)
{
        return strcmp(action, "create") == 0 || strcmp(action, "adopt") == 0;
}

static bool is_managed(const char *action)
{
        return strcmp(action, "gate") != 0 && strcmp(action, "read") != 0;
}

static void take_step(struct search *q, size_t run, const struct step_row *row)
{
        if (!is_managed(row->action) || strcmp(row->status, "standby") == 0) return;
        struct map *steps = &q->steps[run];
        struct own *own = map_get(steps, row->address);
        if (own == NULL) {
                own = arena_alloc(q->arena, sizeof *own);
                own->recovery = row->recovery_of != NULL;
                map_put(steps, arena_strdup(q->arena, row->address), own);
        }
        if (strcmp(row->status, "pending") == 0 || strcmp(row->status, "skipped") == 0) return;
        if (own->outcome == OWN_PLANNED) {
                own->outcome = OWN_TRIED;
                own->creates = is_creation(row->action);
                own->forgets = strcmp(row->action, "forget") == 0;
        }
        bool taken = row->message != NULL && text_starts(row->message, STEP_TAKEN);
        own->makes |= (is_creation(row->action) || strcmp(row->action, "replace") == 0) && !taken;
        if (own->outcome == OWN_TRIED && row->message != NULL && strcmp(row->action, "adopt") == 0)
                own->finds |= text_starts(row->message, STEP_ADOPTED);
        bool makes = is_creation(row->action) || strcmp(row->action, "update") == 0 ||
                     strcmp(row->action, "replace") == 0 || strcmp(row->action, "restore") == 0;
        if (makes && strcmp(row->status, "done") == 0) own->outcome = OWN_MADE;
}

static int load_steps(struct search *q, size_t run, struct error **err)
{
        if (q->loaded[run]) return 0;
        struct step_row *rows = NULL;
        size_t count = 0;
        struct session *s = q->session;
        q->loaded[run] = true;
        if (!run_acts(q->runs[run].kind)) return 0; /* it has none */
        if (store_steps(s->store, s->name, q->runs[run].id, &rows, &count, err) < 0) return -1;
        int status = session_check_proof(s, &q->runs[run], rows, count, PROOF_STEPS, err);
        for (size_t i = 0; i < count && status == 0; i++) take_step(q, run, &rows[i]);
        step_rows_free(rows, count);
        return status;
}

/*
 * Whether an address whose first later step would create it existed all the same: its object was deleted outside, and the record was
 * not. Then the creation replaced a record, which history tells (of one that replaced none it has an empty version); or failed, and the
 * record is older than its run.
 */
static int existed_before(
    struct search *q, const char *address, const struct run_row *run, bool *ret, struct error **err)
{
        struct session *s = q->session;
        struct history_row *rows = NULL;
        size_t count = 0;
        if (store_history(s->store, s->name, address, &rows, &count, err) < 0) return -1;
        const struct history_row *first = NULL; /* rows are newest first */
        for (size_t i = 0; i < count; i++)
                if (rows[i].run != NULL && map_has(&q->is_later, rows[i].run)) first = &rows[i];
        const struct recorded *r = map_get(&s->state->by_address, address);
        if (first != NULL)
                *ret = *first->properties != '\0' &&
                       (is_creation(first->action) || strcmp(first->action, "rm") == 0);
        else
                *ret = r != NULL && r->created_ms < run->started_ms;
        history_rows_free(rows, count);
        return 0;
}

static int touch(struct search *q, const char *address, const struct own *own, const struct run_row *run,
    struct error **err)
{
        struct touched *t = arena_alloc(q->arena, sizeof *t);
        *t = (struct touched){.address = address,
            .existed = !own->creates,
            .makes = own->makes,
            .found = own->finds,
            .forgotten = own->forgets};
        if (own->recovery && !own->creates) t->forgotten = true;
        if (own->creates && existed_before(q, address, run, &t->existed, err) < 0) return -1;
        map_put(&q->seen, address, t);
        vec_push(q->touched, q->count, q->capacity, t);
        return 0;
}

/* 1. What later runs touched, from the oldest of them on: the first step at an address tells whether it existed. */
static int find_touched(struct search *q, struct error **err)
{
        for (size_t run = q->later; run-- > 0;) {
                if (load_steps(q, run, err) < 0) return -1;
                for (map_foreach (&q->steps[run], e)) {
                        const struct own *own = e->value;
                        struct touched *seen = map_get(&q->seen, e->key);
                        if (seen != NULL) seen->makes |= own->makes;
                        if (own->outcome == OWN_PLANNED || seen != NULL) continue;
                        if (touch(q, e->key, own, &q->runs[run], err) < 0) return -1;
                }
        }
        return 0;
}

static bool is_kind(const struct run_row *run, const char *kind)
{
        return strcmp(run->kind, kind) == 0;
}

static bool must_return(const struct touched *t)
{
        return t->existed && !t->forgotten;
}

/* NULL with *err: it has none, or it cannot be read. */
static struct saved_plan *load_saved(struct session *s, const char *run, struct error **err)
{
        struct run_row row = {0};
        struct saved_plan *saved = NULL;
        if (store_run(s->store, s->name, run, &row, err) < 0) return NULL;
        if (row.plan == NULL)
                error_set(err, ERROR_CONFLICT, NULL, "run %s has no recorded plan", run);
        else if (session_check_proof(s, &row, NULL, 0, PROOF_PLAN, err) == 0)
                saved_plan_read(row.plan, strlen(row.plan), SAVED_RECORD, &s->sealer, &saved, err);
        run_row_release(&row);
        return saved;
}

/* The run whose sources a run was planned from: its own, or those that a rollback went back to. */
static int find_sources(struct search *q, size_t run, size_t *ret, struct error **err)
{
        *ret = run;
        if (!is_kind(&q->runs[run], "rollback")) return 0;
        cleanup(saved_plan_free) struct saved_plan *saved = load_saved(q->session, q->runs[run].id, err);
        if (saved == NULL) return -1;
        for (size_t i = run; i < q->run_count; i++)
                if (saved->back != NULL && text_equal(saved->back->base, q->runs[i].id)) *ret = i;
        return 0;
}

/* The newest run up to the wanted state that made an address as it was then. */
static int find_maker(struct search *q, struct touched *t, struct error **err)
{
        for (size_t run = q->later; run < q->run_count; run++) {
                if (!is_kind(&q->runs[run], "apply") && !is_kind(&q->runs[run], "rollback")) continue;
                if (load_steps(q, run, err) < 0) return -1;
                const struct own *own = map_get(&q->steps[run], t->address);
                if (own == NULL || own->outcome != OWN_MADE) continue;
                t->described = true;
                t->made = run;
                return find_sources(q, run, &t->maker, err);
        }
        return 0;
}

/* Whether the plan of a run describes an address as it was: the run made it so, or had nothing to do about it. */
static bool describes(const struct search *q, size_t run, bool whole, const struct touched *t)
{
        if (t->described && t->maker == run) return true;
        if (t->described && t->made < run) return false; /* a newer run changed it */
        return whole && map_get(&q->steps[run], t->address) == NULL;
}

/* How many of the addresses that are to return a run's plan does not describe. */
static size_t count_undescribed(const struct search *q, size_t run, bool whole)
{
        size_t missing = 0;
        for (size_t i = 0; i < q->count; i++)
                if (must_return(q->touched[i]) && !describes(q, run, whole, q->touched[i])) missing++;
        return missing;
}

/* `run` is the newest that could have been the base; its index is past the last where there is none. */
static int refuse_undescribed(const struct search *q, size_t run, struct error **err)
{
        /* If its steps describe everything, it is the plan that does not: it was restricted. */
        bool whole = run < q->run_count && count_undescribed(q, run, true) > 0;
        for (size_t i = 0; i < q->count; i++) {
                const struct touched *t = q->touched[i];
                if (!must_return(t) || (run < q->run_count && describes(q, run, whole, t))) continue;
                struct place place = {.address = t->address};
                error_set(err, ERROR_CONFLICT, &place,
                    "existed before and was changed since; no recorded plan describes it as it was, together "
                    "with the rest");
        }
        return -1;
}

/*
 * 2. The run whose plan describes everything that has to return: the newest one, as a rule. A run that was restricted or
 * failed in part describes only what it made.
 */
static int find_base(struct search *q, struct saved_plan **ret, size_t *base, struct error **err)
{
        size_t first = q->run_count, needed = 0;
        for (size_t i = 0; i < q->count; i++) {
                if (!must_return(q->touched[i])) continue;
                needed++;
                if (find_maker(q, q->touched[i], err) < 0) return -1;
        }
        for (size_t run = q->later; run < q->run_count; run++) {
                if (is_kind(&q->runs[run], "destroy") && needed == 0) return 0;
                if (!is_kind(&q->runs[run], "apply")) continue;
                if (load_steps(q, run, err) < 0) return -1;
                if (first == q->run_count) first = run;
                if (count_undescribed(q, run, true) > 0) continue;
                cleanup(saved_plan_free) struct saved_plan *saved = load_saved(
                    q->session, q->runs[run].id, err);
                if (saved == NULL) return -1;
                bool whole = saved->target_count == 0 && saved->exclude_count == 0;
                if (count_undescribed(q, run, whole) > 0) continue;
                *base = run;
                *ret = steal(saved);
                return 0;
        }
        return needed > 0 ? refuse_undescribed(q, first, err) : 0;
}

/* Where nothing has to be described, providers are configured as they were by the newest run. */
struct saved_plan *search_newest(struct search *q, struct error **err)
{
        for (size_t run = 0; run < q->run_count; run++) {
                bool has = is_kind(&q->runs[run], "apply") || is_kind(&q->runs[run], "destroy");
                if (has) return load_saved(q->session, q->runs[run].id, err);
        }
        error_set(err, ERROR_MISSING, NULL, "no run has a recorded plan");
        return NULL;
}

static void release_rows(struct search *q)
{
        for (size_t i = 0; q->steps != NULL && i < q->run_count; i++) map_release(&q->steps[i]);
        run_rows_free(q->runs, q->run_count);
}

static void begin(struct search *q, struct session *s)
{
        *q = (struct search){.session = s, .arena = arena_new()};
}

/* What the runs did is loaded when it is asked for. */
static void make_room(struct search *q)
{
        q->steps = arena_alloc(q->arena, (q->run_count + 1) * sizeof *q->steps);
        q->loaded = arena_alloc(q->arena, (q->run_count + 1) * sizeof *q->loaded);
}

static void set_later(struct search *q, size_t later)
{
        q->later = later;
        for (size_t l = 0; l < q->later; l++) map_put(&q->is_later, q->runs[l].id, &q->runs[l]);
}

/* The run of this id, from index `from` on; the count where there is none. */
static size_t find_run(const struct search *q, size_t from, const char *id)
{
        while (from < q->run_count && strcmp(q->runs[from].id, id) != 0) from++;
        return from;
}

/* Rounds of an apply are undone together: the first of them that a run goes on from, through others. */
static size_t first_round(const struct search *q, size_t run)
{
        for (size_t before; q->runs[run].follows != NULL; run = before) {
                before = find_run(q, run + 1, q->runs[run].follows);
                if (before == q->run_count) break;
        }
        return run;
}

int search_begin(struct search *q, struct session *s, const char *run, enum back back, struct error **err)
{
        begin(q, s);
        if (s->store == NULL || *s->state->lineage == '\0')
                return error_set(err, ERROR_MISSING, NULL, "environment '%s' has no runs", s->name);
        if (store_runs(s->store, s->name, &q->runs, &q->run_count, err) < 0) return -1;
        make_room(q);
        size_t at = find_run(q, 0, run);
        if (at == q->run_count) return error_set(err, ERROR_MISSING, NULL, "there is no run '%s'", run);
        set_later(q, back == BACK_AFTER ? at : back == BACK_BEFORE ? at + 1 : first_round(q, at) + 1);
        return 0;
}

char *session_first_round(struct session *s, const char *run)
{
        struct search q;
        bool found = search_begin(&q, s, run, BACK_UNDO, NULL) == 0 && q.later > 0;
        char *first = mem_strdup(found ? q.runs[q.later - 1].id : run);
        search_release(&q);
        return first;
}

/* A run that is yet to be, before those that are recorded. `follows` is handed over. */
static void put_in_front(struct search *q, char *follows)
{
        struct run_row *runs = mem_alloc((q->run_count + 1) * sizeof *runs);
        if (q->run_count > 0) memcpy(runs + 1, q->runs, q->run_count * sizeof *runs);
        free(q->runs);
        q->runs = runs;
        q->run_count++;
        runs[0] = (struct run_row){.id = mem_strdup(""),
            .kind = mem_strdup("apply"),
            .follows = follows,
            .started_ms = clock_wall_ms()};
}

int search_begin_ahead(struct search *q, struct session *s, const struct plan *plan, struct error **err)
{
        begin(q, s);
        char *round;
        if (store_runs(s->store, s->name, &q->runs, &q->run_count, err) < 0) return -1;
        if (session_round(s, &round, err) < 0) return -1;
        put_in_front(q, round);
        make_room(q);
        set_later(q, first_round(q, 0) + 1);
        q->loaded[0] = true;
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                /* Recovery steps do not return, whatever they did. */
                if (step->action == ACTION_JOIN || step->recovery_of != NULL) continue;
                struct step_row row = {.address = (char *)step->address,
                    .action = (char *)action_name(step->action),
                    .status = (char *)"failed"};
                take_step(q, 0, &row);
        }
        return 0;
}

int search_way_back(struct search *q, struct saved_plan **saved, size_t *base, struct error **err)
{
        return find_touched(q, err) < 0 || find_base(q, saved, base, err) < 0 ? -1 : 0;
}

void search_release(struct search *q)
{
        release_rows(q);
        map_release(&q->seen);
        map_release(&q->is_later);
        free(q->touched);
        arena_free(q->arena);
}

int search_compare(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum way { WAY_RETURNING, WAY_ABSENT, WAY_RELEASED, WAY_MADE };

/* The addresses that go one way; sorted, as a plan is to be the same each time. */
static const char *const *list_addresses(
    const struct search *q, struct arena *arena, enum way way, size_t *count)
{
        const char **list = arena_alloc(arena, (q->count + 1) * sizeof *list);
        *count = 0;
        for (size_t i = 0; i < q->count; i++) {
                const struct touched *t = q->touched[i];
                enum way of = t->existed ? WAY_RETURNING : t->found ? WAY_RELEASED : WAY_ABSENT;
                if (way == WAY_MADE ? !t->makes : t->forgotten || of != way) continue;
                list[(*count)++] = arena_strdup(arena, t->address);
        }
        qsort(list, *count, sizeof *list, search_compare);
        return list;
}

/* Lookups are those that the base saw; what is recorded is read anew. */
struct world *search_world(const struct saved_plan *saved, struct files *files)
{
        struct world *world = world_new(saved->world->time_ms, files);
        for (map_foreach (&saved->world->observations, e)) {
                const struct observation *o = e->value;
                if (o->gone || strstr(e->key, "lookup.") == NULL) continue;
                world_put(world, e->key, value_ref(o->observed), o->private_);
        }
        return world;
}

struct way_back *search_way(const struct search *q, struct arena *arena)
{
        struct way_back *back = arena_alloc(arena, sizeof *back);
        back->run = q->later < q->run_count ? arena_strdup(arena, q->runs[q->later].id) : NULL;
        back->returning = list_addresses(q, arena, WAY_RETURNING, &back->returning_count);
        back->absent = list_addresses(q, arena, WAY_ABSENT, &back->absent_count);
        back->released = list_addresses(q, arena, WAY_RELEASED, &back->released_count);
        back->made = list_addresses(q, arena, WAY_MADE, &back->made_count);
        return back;
}
