/*
 * Going on with a run that was interrupted or waits, and settling one before another begins. See session.h.
 *
 * The run's own saved plan is built again from its own sources against what is recorded now: what was done has become "keep", so
 * what the plan still holds is what remains. Each remaining step must be one that the run had shown; open intents are taken up with
 * their token and saved state.
 */
#include <string.h>

#include "base/clock.h"
#include "run/answer.h"
#include "run/hint.h"
#include "run/proof.h"
#include "run/record.h"
#include "run/session_internal.h"

static bool is_unfinished(const char *status)
{
        return strcmp(status, "running") == 0 || strcmp(status, "interrupted") == 0 ||
               strcmp(status, "waiting") == 0 || strcmp(status, RUN_ROLLBACK_DUE) == 0;
}

/* The newest run that changes the world, if it is not over. */
static const struct run_row *find_unfinished(const struct run_row *runs, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (!run_acts(runs[i].kind)) continue;
                return is_unfinished(runs[i].status) ? &runs[i] : NULL;
        }
        return NULL;
}

/* The run that is not over, to be freed, or NULL. A record that cannot be read is an error, never "there is none". */
static int load_last(struct session *s, char **run, char **status, struct error **err)
{
        struct run_row *runs = NULL;
        size_t count = 0;
        *run = NULL;
        if (status != NULL) *status = NULL;
        if (s->store == NULL || *s->state->lineage == '\0') return 0;
        int result = store_runs(s->store, s->name, &runs, &count, err);
        const struct run_row *found = find_unfinished(runs, count);
        if (found != NULL) *run = mem_strdup(found->id);
        if (found != NULL && status != NULL) *status = mem_strdup(found->status);
        run_rows_free(runs, count);
        return result;
}

bool session_unfinished(struct session *s, char **run, char **status)
{
        cleanup_free char *id = NULL, *is = NULL;
        load_last(s, &id, &is, NULL);
        bool found = id != NULL;
        if (found && run != NULL) *run = steal(id);
        if (found && status != NULL) *status = steal(is);
        return found;
}

int session_refuse_unfinished(struct session *s, struct error **err)
{
        cleanup_free char *run = NULL;
        if (load_last(s, &run, NULL, err) < 0) return -1;
        if (run == NULL) return 0;
        return error_set(err, ERROR_CONFLICT, NULL,
            "run %s is not over; `tutti resume` or `tutti apply` brings it to its end first", run);
}

struct unfinished { /* what is known of the run to go on with */
        struct run_row row;
        struct step_row *steps;
        size_t step_count;
        struct gate_row *gates;
        size_t gate_count;
        struct map answers; /* gate → struct gate_row *, as they stand */
        struct answer_row *given;
        size_t given_count;
        struct answer_slice *slices;
        struct map given_by_gate;
        struct saved_plan *saved;
        struct environment *env;
        int64_t *row_of_step;
};

static void unfinished_release(struct unfinished *u)
{
        run_row_release(&u->row);
        step_rows_free(u->steps, u->step_count);
        gate_rows_free(u->gates, u->gate_count);
        map_release(&u->answers);
        map_release(&u->given_by_gate);
        free(u->slices);
        answer_rows_free(u->given, u->given_count);
        free(u->row_of_step);
}

static int load_unfinished(struct session *s, const char *run, struct unfinished *u, struct error **err)
{
        if (store_run(s->store, s->name, run, &u->row, err) < 0 ||
            store_steps(s->store, s->name, run, &u->steps, &u->step_count, err) < 0 ||
            store_gates(s->store, s->name, run, &u->gates, &u->gate_count, err) < 0 ||
            store_answers(s->store, s->name, run, &u->given, &u->given_count, err) < 0)
                return -1;
        for (size_t i = 0; i < u->gate_count; i++) map_put(&u->answers, u->gates[i].name, &u->gates[i]);
        u->slices = answers_by_gate(u->given, u->given_count, &u->given_by_gate);
        if (u->row.plan == NULL)
                return error_set(err, ERROR_CONFLICT, NULL, "run %s has no recorded plan", run);
        if (session_check_proof(s, &u->row, u->steps, u->step_count, PROOF_PLAN | PROOF_STEPS, err) < 0)
                return -1;
        return saved_plan_read(u->row.plan, strlen(u->row.plan), SAVED_RECORD, &s->sealer, &u->saved, err);
}

/* What was accepted when the run began, and what is now. */
static void accept_both(struct session *s, const struct saved_plan *saved)
{
        size_t count = saved->accepted_count + s->accepted_count;
        const char **all = arena_alloc(saved->arena, (count + 1) * sizeof *all);
        for (size_t i = 0; i < count; i++)
                all[i] = i < saved->accepted_count ? saved->accepted[i]
                                                   : s->accepted[i - saved->accepted_count];
        s->input.accepted = all;
        s->input.accepted_count = count;
}

/* The run's plan against what is recorded now. The environment of the session gives way to the run's own. */
static int rebuild(struct session *s, struct unfinished *u, struct error **err)
{
        if (session_reload(s, err) < 0 || session_load_saved(s, u->saved, &u->env, err) < 0) return -1;
        session_find_present(s, u->saved);
        session_input(s, u->env, u->saved->mode, false);
        /* Lookups are those that the plan saw; records are newer than what a refresh saw then. */
        struct world *world = world_new(u->saved->world->time_ms, u->saved->world->files);
        for (map_foreach (&u->saved->world->observations, e)) {
                const struct observation *o = e->value;
                if (map_has(&s->state->by_address, e->key) || o->gone) continue;
                if (strstr(e->key, "lookup.") == NULL) continue;
                world_put(world, e->key, value_ref(o->observed), o->private_);
        }
        s->world = world;
        s->input.world = world;
        s->input.targets = (const char *const *)u->saved->targets;
        s->input.target_count = u->saved->target_count;
        s->input.excludes = (const char *const *)u->saved->excludes;
        s->input.exclude_count = u->saved->exclude_count;
        accept_both(s, u->saved);
        s->input.back = u->saved->back;
        return session_build(s, err);
}

/* Actions that stand for the same promise: half of a replacement may be done. */
static bool same_promise(const char *shown, enum action now)
{
        switch (now) {
        case ACTION_CREATE:
        case ACTION_REPLACE:
        case ACTION_ADOPT:
                return strcmp(shown, "create") == 0 || strcmp(shown, "replace") == 0 ||
                       strcmp(shown, "adopt") == 0;
        case ACTION_DELETE:
        case ACTION_REPLACE_DELETE:
                return strcmp(shown, "delete") == 0 || strcmp(shown, "replace-delete") == 0;
        case ACTION_UPDATE: /* less than what was shown: the object is there, and differs from what is wanted */
                return strcmp(shown, "update") == 0 || strcmp(shown, "create") == 0 ||
                       strcmp(shown, "replace") == 0 || strcmp(shown, "adopt") == 0;
        default: return strcmp(shown, action_name(now)) == 0;
        }
}

struct shown { /* steps of one address in the run's table */
        const struct step_row *rows[8];
        size_t count;
};

/*
 * Maps what remains to the rows of the run's step table. A step that the run had not shown is refused: the world must have changed
 * in between, and only a new plan may answer that. A replacement shown as two rows stands for a creation with a broken object before it.
 */
static int map_steps(struct session *s, struct unfinished *u, struct error **err)
{
        struct arena *arena = arena_new();
        struct map by_address = {0};
        for (size_t i = 0; i < u->step_count; i++) {
                struct shown *shown = map_get(&by_address, u->steps[i].address);
                if (shown == NULL)
                        map_put(&by_address, u->steps[i].address, shown = arena_alloc(arena, sizeof *shown));
                if (shown->count < sizeof shown->rows / sizeof *shown->rows)
                        shown->rows[shown->count++] = &u->steps[i];
        }
        u->row_of_step = mem_alloc((s->plan->count + 1) * sizeof *u->row_of_step);
        int result = 0;
        for (size_t i = 0; i < s->plan->count; i++) {
                const struct step *step = &s->plan->steps[i];
                u->row_of_step[i] = -1;
                if (step->action == ACTION_JOIN) continue;
                const struct shown *shown = map_get(&by_address, step->address);
                for (size_t k = 0; shown != NULL && k < shown->count; k++)
                        if (same_promise(shown->rows[k]->action, step->action))
                                u->row_of_step[i] = shown->rows[k]->index;
                /* A recovery step that has run since would be made anew at the next failure. */
                if (u->row_of_step[i] < 0 && shown != NULL && step->recovery_of != NULL)
                        u->row_of_step[i] = shown->rows[0]->index;
                bool mends = shown != NULL && step->recorded != NULL && step->recorded->tainted;
                if (u->row_of_step[i] < 0 && mends) u->row_of_step[i] = shown->rows[0]->index;
                if (u->row_of_step[i] >= 0) continue;
                struct place place = {.address = step->address};
                result = error_set(err, ERROR_CONFLICT, &place,
                    "run %s had not shown that it would %s this; the state changed in between. `tutti apply` "
                    "plans anew",
                    u->row.id, action_name(step->action));
        }
        map_release(&by_address);
        arena_free(arena);
        return result;
}

/* The plan and its inputs belong to the unfinished run: they go before it does. */
static void leave(struct session *s, struct unfinished *u)
{
        session_drop_plan(s);
        environment_free(u->env);
        saved_plan_free(u->saved);
        unfinished_release(u);
}

/* A policy that is given now is recorded with the run, which is then proved with it. *proof is NULL where nothing changes. */
static int renew_proof(struct session *s, const struct unfinished *u, const struct run_options *options,
    char **proof, struct error **err)
{
        struct run_row row = u->row;
        if (!options->on_failure_given) return 0;
        row.on_failure = (char *)failure_policy_name(options->on_failure);
        const struct proved p = {s->name, s->state->lineage, &row, u->steps, u->step_count};
        return proof_write(&p, &s->sealer, proof, err);
}

static int continue_run(struct session *s, const char *run, const struct run_options *options,
    struct run_result *result, struct error **err)
{
        struct unfinished u = {0};
        int status = load_unfinished(s, run, &u, err);
        /* A rejection that somebody took out of the store would be none. */
        if (status == 0 && u.gate_count > 0) status = store_verify_answers(s->store, s->name, run, err);
        if (status == 0) status = rebuild(s, &u, err);
        if (status == 0) status = map_steps(s, &u, err);
        cleanup_free char *proof = NULL;
        if (status == 0) status = renew_proof(s, &u, options, &proof, err);
        if (status == 0) {
                struct run_setup setup = {
                    .run = run,
                    .proof = proof,
                    .row_of_step = u.row_of_step,
                    .started_ms = u.row.started_ms,
                    .rows = u.steps,
                    .row_count = u.step_count,
                    .answers = &u.answers,
                    .given = &u.given_by_gate,
                    .digest = u.row.digest,
                    .requester = u.row.requester,
                    .kind = u.row.kind,
                    .on_failure = u.row.on_failure,
                };
                status = session_execute(s, options, &setup, result, err);
        }
        leave(s, &u);
        return status;
}

int session_resume(
    struct session *s, const struct run_options *options, struct run_result *result, struct error **err)
{
        *result = (struct run_result){0};
        cleanup_free char *run = NULL;
        if (load_last(s, &run, NULL, err) < 0) return -1;
        if (run == NULL)
                return error_set(err, ERROR_MISSING, NULL,
                    "environment '%s' has no run that was interrupted or waits%s", s->name,
                    s->state->open_count > 0
                        ? "; `tutti apply` finds out what became of what a run before left open"
                        : "");
        if (session_hold(s, err) < 0) return -1;
        /* Under the lease, it is this run still, or another process has seen to it. */
        cleanup_free char *now = NULL;
        int status = load_last(s, &now, NULL, err);
        if (status == 0 && !text_equal(run, now))
                status = error_set(
                    err, ERROR_CONFLICT, NULL, "run %s was gone on with by another process meanwhile", run);
        if (status == 0) status = continue_run(s, run, options, result, err);
        session_let_go(s);
        return status;
}

int session_supersede(struct session *s, struct run_row *ret, bool *found, struct error **err)
{
        cleanup_free char *run = NULL;
        cleanup_free char *status = NULL;
        *found = false;
        if (load_last(s, &run, &status, err) < 0) return -1;
        if (run == NULL || !is_unfinished(status)) return 0;
        if (store_run(s->store, s->name, run, ret, err) < 0) return -1;
        /* A run that failed has failed, whether it was rolled back or something else took its place. */
        bool due = strcmp(status, RUN_ROLLBACK_DUE) == 0;
        free(ret->status);
        ret->status = mem_strdup(due ? "failed" : "cancelled");
        if (ret->ended_ms == 0) ret->ended_ms = clock_wall_ms();
        *found = true;
        return 0;
}

int session_rollback_due(struct session *s, char **failed, char **rollback, struct error **err)
{
        cleanup_free char *id = NULL;
        cleanup_free char *status = NULL;
        *failed = *rollback = NULL;
        if (load_last(s, &id, &status, err) < 0) return -1;
        if (id == NULL || !is_unfinished(status)) return 0;
        struct run_row row = {0};
        if (store_run(s->store, s->name, id, &row, err) < 0) return -1;
        if (strcmp(status, RUN_ROLLBACK_DUE) == 0)
                *failed = steal(id);
        else if (strcmp(row.kind, "rollback") == 0 && row.undoes != NULL)
                *rollback = steal(id);
        run_row_release(&row);
        return 0;
}

/* `run` NULL: whichever it is. */
static int end_unfinished(struct session *s, const char *run, struct error **err)
{
        if (session_hold(s, err) < 0) return -1;
        struct run_row row = {0};
        bool found = false;
        int status = session_supersede(s, &row, &found, err);
        if (status == 0 && run != NULL && !(found && strcmp(row.id, run) == 0))
                status = error_set(
                    err, ERROR_CONFLICT, NULL, "run %s was gone on with by another process meanwhile", run);
        struct text data __attribute__((__cleanup__(text_release_cleanup))) = {0};
        struct store_write writes[3] = {
            {.kind = WRITE_RUN, .run = row.id}, {.kind = WRITE_GATES_OVER, .run = row.id}};
        writes[0].run_row = &row;
        if (found) session_superseded_event(s, &row, NULL, &data, &writes[2]);
        if (status == 0 && found) status = store_commit(s->store, &s->lease, writes, 3, err);
        session_let_go(s);
        run_row_release(&row);
        return status;
}

int session_rollback_over(struct session *s, struct error **err)
{
        return end_unfinished(s, NULL, err);
}

int session_give_up(struct session *s, const char *run, struct error **err)
{
        return end_unfinished(s, run, err);
}

static bool same_operation(const struct operation_row *a, const struct operation_row *b)
{
        return strcmp(a->run, b->run) == 0 && a->step == b->step && text_equal(a->token, b->token) &&
               text_equal(a->id, b->id) && a->state == b->state;
}

int session_check_open(struct session *s, struct error **err)
{
        struct operation_row *rows = NULL;
        size_t count = 0;
        if (store_operations(s->store, s->name, &rows, &count, err) < 0) return -1;
        bool same = count == s->state->operation_count;
        for (size_t i = 0; same && i < count; i++) same = same_operation(&rows[i], &s->state->operations[i]);
        operation_rows_free(rows, count);
        if (same) return 0;
        return error_set(err, ERROR_CONFLICT, NULL,
            "another run was interrupted since the plan was made; plan again, or `tutti resume`");
}
