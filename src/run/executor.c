/*
 * Order of execution: counters, the ready heap, containment of failures, and the end of a run. See executor.h.
 */
#include "run/executor_internal.h"
#include "run/recovery.h"

#include <string.h>

#include "base/clock.h"
#include "run/connect.h"
#include "run/ending.h"
#include "run/gate.h"
#include "run/question.h"

static void connect_dependants(struct executor *x)
{
        size_t edges = 0;
        x->dependant_start = mem_alloc((x->count + 2) * sizeof *x->dependant_start);
        /* Recovery steps wait for nothing: what they stand behind says no more than where their lines are. */
        for (size_t i = 0; i < x->count; i++) {
                if (x->table[i].recovery_of != NULL) continue;
                for (size_t k = 0; k < x->table[i].after_count; k++)
                        x->dependant_start[x->table[i].after[k] + 2]++;
                edges += x->table[i].after_count;
                x->steps[i].blockers = (uint32_t)x->table[i].after_count;
        }
        for (size_t i = 2; i < x->count + 2; i++) x->dependant_start[i] += x->dependant_start[i - 1];
        x->dependants = mem_alloc((edges + 1) * sizeof *x->dependants);
        for (size_t i = 0; i < x->count; i++)
                for (size_t k = 0; k < x->table[i].after_count && x->table[i].recovery_of == NULL; k++)
                        x->dependants[x->dependant_start[x->table[i].after[k] + 1]++] = (uint32_t)i;
}

/* The two steps of each replacement find each other. */
static void connect_halves(struct executor *x)
{
        struct map replaced = {0}; /* address → struct step *: those that delete */
        bool any = false;
        for (size_t i = 0; i < x->count; i++)
                if (x->table[i].action == ACTION_REPLACE_DELETE) {
                        map_put(&replaced, x->table[i].address, &x->steps[i]);
                        any = true;
                }
        if (any) x->halves = mem_alloc(x->count * sizeof *x->halves);
        for (size_t i = 0; i < x->count && any; i++) x->halves[i] = UINT32_MAX;
        for (size_t i = 0; i < x->count && any; i++) {
                const struct step_run *half = NULL;
                if (x->table[i].action == ACTION_REPLACE) half = map_get(&replaced, x->table[i].address);
                if (half == NULL) continue;
                x->halves[i] = half->step->index;
                x->halves[half->step->index] = (uint32_t)i;
        }
        map_release(&replaced);
}

struct executor *executor_new(const struct executor_request *request)
{
        struct executor *x = mem_alloc(sizeof *x);
        x->request = *request;
        x->table = request->plan->steps;
        x->count = x->left = request->plan->count;
        x->steps = mem_alloc((x->count + 1) * sizeof *x->steps);
        for (size_t i = 0; i < x->count; i++) {
                x->steps[i].executor = x;
                x->steps[i].step = &x->table[i];
        }
        connect_dependants(x);
        connect_halves(x);
        return x;
}

void executor_free(struct executor *x)
{
        if (x == NULL) return;
        loop_forget(x->request.io->loop, x);
        for (size_t i = 0; i < x->count; i++) {
                struct step_run *r = &x->steps[i];
                if (r->operation != NULL) operation_drop(r->operation);
                if (r->connection != NULL) connection_leave(r->connection, NULL); /* it outlives the run */
                if (r->parked != NULL) r->parked->waiting.count = 0;
                gate_free(r);
                value_free(r->properties);
                value_free(r->host);
                value_free(r->adopted);
                value_free(r->wanted);
                value_free(r->saved);
                free(r->adopted_id);
                free(r->found_id);
                free(r->adopt_id);
                question_free(r);
        }
        map_release(&x->owners);
        map_release(&x->asked);
        recovery_release(x);
        error_free(x->problems);
        heap_release(&x->ready);
        free(x->dependants);
        free(x->dependant_start);
        free(x->halves);
        free(x->steps);
        free(x);
}

/* Events go to whoever watches; those that change something also into the log. */

static void log_event(
    struct executor *x, enum event_kind kind, const struct step_run *r, const struct event *e)
{
        if (kind == EVENT_STEP_PROGRESS) return;
        struct text json = {0};
        text_addc(&json, '{');
        if (r != NULL) text_add_member(&json, "address", r->step->address);
        if (r != NULL) text_add_member(&json, "action", action_name(r->step->action));
        if (e->message != NULL) text_add_member(&json, "message", e->message);
        if (e->by != NULL) text_add_member(&json, "by", e->by);
        if (e->answer != NULL) text_add_member(&json, "answer", e->answer);
        if (e->needed > 0)
                text_addf(&json, ",\"approvals\":%u,\"needed\":%u,\"signed\":%s", e->approvals, e->needed,
                    e->is_signed ? "true" : "false");
        if (kind == EVENT_STEP_DONE) text_addf(&json, ",\"elapsed_ms\":%lld", (long long)e->wait_ms);
        text_addc(&json, '}');
        journal_event(x->request.journal, x->request.run, event_name(kind), json.data);
        text_release(&json);
}

struct queued_event {
        const struct run_options *options;
        struct event event;
};

static void deliver(void *context)
{
        const struct queued_event *q = context;
        q->options->event(q->options->context, &q->event);
}

void executor_emit(
    struct executor *x, enum event_kind kind, const struct step_run *r, const struct event *details)
{
        struct event e = details ? *details : (struct event){0};
        e.kind = kind;
        e.time_ms = clock_wall_ms();
        e.run = x->request.run;
        e.step = r ? r->step : NULL;
        log_event(x, kind, r, &e);
        x->request.happened(x->request.context, &e);
        if (x->request.options->event == NULL) return;
        struct arena *a = journal_arena(x->request.journal);
        struct queued_event *q = arena_alloc(a, sizeof *q);
        e.message = arena_strdup(a, e.message);
        e.by = arena_strdup(a, e.by);
        e.answer = arena_strdup(a, e.answer);
        e.gate = arena_strdup(a, e.gate);
        e.details = arena_strdup(a, e.details);
        *q = (struct queued_event){x->request.options, e};
        journal_then(x->request.journal, deliver, q);
}

static const char *const status_names[] = {
    [STEP_PENDING] = "pending",
    [STEP_RUNNING] = "running",
    [STEP_WAITING] = "waiting",
    [STEP_DONE] = "done",
    [STEP_FAILED] = "failed",
    [STEP_SKIPPED] = "skipped",
    [STEP_STANDBY] = "standby",
};

void executor_record_step(struct step_run *r, const char *message)
{
        struct executor *x = r->executor;
        int64_t row = x->request.row_of_step[r->step->index];
        if (row < 0) return;
        struct arena *a = journal_arena(x->request.journal);
        struct step_row *s = arena_alloc(a, sizeof *s);
        bool over = r->status == STEP_DONE || r->status == STEP_FAILED || r->status == STEP_SKIPPED;
        *s = (struct step_row){
            .index = row,
            .status = (char *)status_names[r->status],
            .message = arena_strdup(a, message),
            .attempts = (int)r->attempts,
            .started_ms = r->started_wall_ms,
            .ended_ms = over ? clock_wall_ms() : 0,
        };
        struct store_write w = {.kind = WRITE_STEP, .run = arena_strdup(a, x->request.run)};
        w.steps.rows = s;
        w.steps.count = 1;
        journal_add(x->request.journal, &w);
}

static void count_done(struct plan_summary *done, enum action action)
{
        switch (action) {
        case ACTION_CREATE:
        case ACTION_ADOPT: done->create++; break;
        case ACTION_UPDATE: done->update++; break;
        case ACTION_REPLACE: done->replace++; break;
        case ACTION_RESTORE: done->restore++; break;
        case ACTION_DELETE: done->delete_++; break;
        case ACTION_FORGET: done->forget++; break;
        case ACTION_READ: done->read++; break;
        case ACTION_GATE: done->gates++; break;
        case ACTION_JOIN:
        case ACTION_REPLACE_DELETE: break; /* one replacement: its creation counts, see count_halves */
        }
}

static bool did_not_happen(const struct step_run *r)
{
        return r->status == STEP_FAILED || r->status == STEP_SKIPPED;
}

/* Of a replacement it is said once that it failed or was skipped. Its other half, where it has a row of its own, says no more of it. */
static bool is_told(struct step_run *d)
{
        struct executor *x = d->executor;
        uint32_t other = x->halves ? x->halves[d->step->index] : UINT32_MAX;
        if (other == UINT32_MAX || !did_not_happen(&x->steps[other])) return false;
        const int64_t *row = x->request.row_of_step;
        if (row[other] != row[d->step->index]) executor_record_step(d, NULL);
        return true;
}

/* Steps of one resource have one address: the one that did not happen is told by what it is. */
static char *why_skipped(const struct step *from, const struct step *step)
{
        if (!text_equal(from->address, step->address)) return mem_printf("%s did not happen", from->address);
        if (from->action == ACTION_GATE) return mem_strdup("its gate was not passed");
        return mem_printf("its step before (%s) did not happen", action_name(from->action));
}

/* What depended on a failed or skipped step is skipped; iterative, as the chain may be long. */
static void skip_dependants(struct executor *x, uint32_t from)
{
        uint32_t *stack = NULL;
        size_t count = 0, capacity = 0;
        vec_push(stack, count, capacity, from);
        while (count > 0) {
                uint32_t index = stack[--count];
                for (uint32_t k = x->dependant_start[index]; k < x->dependant_start[index + 1]; k++) {
                        struct step_run *d = &x->steps[x->dependants[k]];
                        if (d->status != STEP_PENDING) continue;
                        d->status = STEP_SKIPPED;
                        x->left--;
                        vec_push(stack, count, capacity, x->dependants[k]);
                        if (d->step->action == ACTION_JOIN || is_told(d)) continue;
                        x->skipped++;
                        cleanup_free char *why = why_skipped(&x->table[from], d->step);
                        executor_record_step(d, why);
                        struct event e = {.message = why};
                        executor_emit(x, EVENT_STEP_SKIPPED, d, &e);
                }
        }
        free(stack);
}

static void make_ready(struct executor *x, uint32_t index)
{
        heap_push(&x->ready, x->table[index].remaining, index);
}

/* Gives a step's slot to the most urgent of those that wait for one of the same connection. */
static void unpark(struct executor *x, struct connection *c)
{
        if (connection_leave(c, &x->problems) < 0) x->faulty = true;
        if (c->waiting.count == 0) return;
        uint32_t next = heap_pop(&c->waiting);
        x->steps[next].parked = NULL;
        make_ready(x, next);
}

/* It has no slot at its provider, whose connection it came back with. */
static void park(struct step_run *r)
{
        r->parked = steal(r->connection);
        heap_push(&r->parked->waiting, r->step->remaining, r->step->index);
}

static void release_dependants(struct executor *x, uint32_t index)
{
        for (uint32_t k = x->dependant_start[index]; k < x->dependant_start[index + 1]; k++) {
                struct step_run *d = &x->steps[x->dependants[k]];
                if (d->blockers > 0 && --d->blockers == 0 && d->status == STEP_PENDING)
                        make_ready(x, x->dependants[k]);
        }
}

enum failure_policy step_policy(const struct step_run *r)
{
        const struct executor_request *q = &r->executor->request;
        bool given = q->options->on_failure_given;
        if (r->step->recovery_of != NULL) return ON_FAILURE_STOP_DEPENDANTS;
        if (!given && r->step->resource == NULL) return ON_FAILURE_STOP_DEPENDANTS;
        enum failure_policy policy = given ? q->options->on_failure : r->step->resource->on_failure;
        bool moot = q->goes_back || (q->destroys && !given);
        return policy == ON_FAILURE_ROLLBACK && moot ? ON_FAILURE_STOP_DEPENDANTS : policy;
}

/* In the same transaction as the failure: from here on, whatever happens to this process, the run is to be undone. */
static void mark_rollback(struct executor *x)
{
        if (x->rollback_due) return;
        x->rollback_due = true;
        struct arena *a = journal_arena(x->request.journal);
        struct run_row *row = arena_alloc(a, sizeof *row);
        *row = (struct run_row){.id = arena_strdup(a, x->request.run), .status = (char *)RUN_ROLLBACK_DUE};
        struct store_write w = {.kind = WRITE_RUN, .run = row->id};
        w.run_row = row;
        journal_add(x->request.journal, &w);
}

void step_apply_policy(struct step_run *r)
{
        struct executor *x = r->executor;
        enum failure_policy policy = step_policy(r);
        if (policy == ON_FAILURE_STOP_RUN || policy == ON_FAILURE_ROLLBACK) x->stopping = x->given_up = true;
        if (policy == ON_FAILURE_ROLLBACK) mark_rollback(x);
}

void step_released(struct step_run *r)
{
        struct executor *x = r->executor;
        r->released = true;
        x->running--;
        x->recording++;
        if (r->connection != NULL) unpark(x, steal(r->connection));
        release_dependants(x, r->step->index);
        executor_schedule(x);
}

static void note_failure(struct step_run *r, const char *message)
{
        struct executor *x = r->executor;
        struct place place = {.address = r->step->address};
        x->failed++;
        error_set(&x->problems, ERROR_PROVIDER, &place, "%s", message);
        skip_dependants(x, r->step->index);
}

void step_finished(struct step_run *r, enum step_status status, const char *message)
{
        struct executor *x = r->executor;
        const struct step *step = r->step;
        bool ran = r->status == STEP_RUNNING;
        if (r->status == STEP_WAITING) x->gates_open--;
        r->status = status;
        r->operation = NULL;
        x->left--;
        if (ran && !r->released) x->running--;
        if (r->released) x->recording--;
        if (r->connection != NULL) unpark(x, steal(r->connection));
        if (status == STEP_DONE) {
                if (!r->nothing) count_done(&x->done, step->action);
                if (!r->released) release_dependants(x, step->index);
        } else {
                note_failure(r, message);
        }
        if (step->recovery_of != NULL)
                recovery_step_over(r);
        else if (status != STEP_DONE && !recovery_begin(r, message))
                step_apply_policy(r);
        executor_schedule(x);
}

void step_failed_before(struct step_run *r, const char *message)
{
        r->status = STEP_FAILED;
        r->executor->left--;
        note_failure(r, message);
        recovery_begin(r, message);
}

void step_paused(struct step_run *r)
{
        struct executor *x = r->executor;
        if (r->status == STEP_RUNNING) x->running--;
        if (r->connection != NULL) unpark(x, steal(r->connection));
        r->operation = NULL;
        r->status = STEP_WAITING;
        x->gates_open++;
}

void step_again(struct step_run *r)
{
        struct executor *x = r->executor;
        r->status = STEP_PENDING;
        x->gates_open--;
        value_free(steal(r->properties));
        value_free(steal(r->host));
        value_free(steal(r->saved));
        value_free(steal(r->adopted));
        value_free(steal(r->wanted));
        free(steal(r->adopted_id));
        free(steal(r->found_id));
        if (r->step->recovery_of != NULL)
                r->status = STEP_STANDBY; /* its recovery begins it */
        else
                make_ready(x, r->step->index);
        executor_schedule(x);
}

static void end(struct executor *x)
{
        if (x->over) return;
        x->over = true;
        x->request.finished(x->request.context);
}

/* So many in one turn: then the journal, signals and replies have theirs. So many ahead of the disk: their rows are in memory. */
enum { STARTS_PER_TURN = 256, RECORDING_MAX = 4096 };

static bool may_start(const struct executor *x)
{
        unsigned cap = x->request.options->parallel;
        return x->ready.count > 0 && !x->stopping && x->recording < RECORDING_MAX &&
               (cap == 0 || x->running < cap);
}

static void pump(void *context)
{
        struct executor *x = context;
        x->pump_scheduled = false;
        for (int starts = 0; may_start(x); starts++) {
                if (starts == STARTS_PER_TURN) {
                        executor_schedule(x);
                        return;
                }
                struct step_run *r = &x->steps[heap_pop(&x->ready)];
                if (r->status == STEP_PENDING && !execute_start(r)) park(r);
        }
        bool recovers = recovery_go_on(x);
        bool can_go_on = x->ready.count > 0 && !x->stopping;
        bool wait_for_gates = x->gates_open > 0 && x->request.options->interactive && !x->stopping;
        if (x->running == 0 && x->recording == 0 && !can_go_on && !wait_for_gates && !recovers) end(x);
}

void executor_schedule(struct executor *x)
{
        if (x->pump_scheduled || x->over) return;
        x->pump_scheduled = true;
        loop_defer(x->request.io->loop, pump, x);
}

void executor_start(struct executor *x)
{
        recovery_prepare(x);
        recovery_recall(x);
        question_recall(x);
        open_drop_obsolete(x);
        for (size_t i = 0; i < x->count; i++)
                if (x->steps[i].blockers == 0 && x->steps[i].status == STEP_PENDING)
                        make_ready(x, (uint32_t)i);
        executor_schedule(x);
}

void executor_wake(struct executor *x)
{
        executor_schedule(x);
}

/* What waits for another try is not under way: its intent stays on disk, and `resume` goes on with it. */
static void drop_waiting(struct executor *x)
{
        for (size_t i = 0; i < x->count; i++) {
                struct step_run *r = &x->steps[i];
                if (r->operation == NULL || !operation_is_idle(r->operation)) continue;
                operation_drop(steal(r->operation));
                r->status = STEP_PENDING;
                x->running--;
                if (r->connection != NULL) unpark(x, steal(r->connection));
        }
}

static void tell_stopping(struct executor *x)
{
        enum { SHOWN = 5 };
        struct text message = {0};
        size_t count = 0;
        for (size_t i = 0; i < x->count; i++) {
                if (x->steps[i].operation == NULL) continue;
                if (count < SHOWN) text_addf(&message, "%s%s", count > 0 ? ", " : "", x->table[i].address);
                count++;
        }
        if (count > SHOWN) text_addf(&message, " and %zu more", count - SHOWN);
        cleanup_free char *all =
            count > 0
                ? mem_printf("stopping: nothing more starts; %zu step%s under way %s finished first (%s). "
                             "Ctrl-C again stops at once, and `tutti resume` settles the rest",
                      count, count == 1 ? "" : "s", count == 1 ? "is" : "are", message.data)
                : mem_strdup("stopping: nothing more starts");
        executor_emit(x, EVENT_RUN_STOPPING, NULL, &(struct event){.message = all});
        text_release(&message);
}

void executor_stop(struct executor *x)
{
        x->stopping = x->interrupted = true;
        drop_waiting(x);
        tell_stopping(x);
        executor_schedule(x);
}

void executor_stop_now(struct executor *x)
{
        x->stopping = x->aborted = true;
        for (size_t i = 0; i < x->count; i++) {
                struct step_run *r = &x->steps[i];
                if (r->operation == NULL) continue; /* not started, or its result is on its way to the disk */
                operation_drop(steal(r->operation));
                r->status = STEP_PENDING;
                x->running--;
        }
        executor_schedule(x);
}

/* What was deleted to be replaced, and was not replaced. */
static size_t count_halves(const struct executor *x)
{
        size_t count = 0;
        for (size_t i = 0; i < x->count && x->halves != NULL; i++) {
                bool deleted = x->table[i].action == ACTION_REPLACE_DELETE && x->steps[i].status == STEP_DONE;
                uint32_t other = x->halves[i];
                count += deleted && (other == UINT32_MAX || x->steps[other].status != STEP_DONE);
        }
        return count;
}

static void list_open(struct executor *x, struct run_result *result)
{
        for (size_t i = 0; i < x->count; i++) {
                struct step_run *r = &x->steps[i];
                bool open = r->status == STEP_PENDING || r->status == STEP_RUNNING ||
                            r->status == STEP_WAITING;
                if (open && r->step->action != ACTION_JOIN) result->remaining++;
                if (r->status != STEP_WAITING) continue;
                size_t capacity = result->waiting_count;
                result->waiting = mem_realloc(result->waiting, (capacity + 1) * sizeof *result->waiting);
                result->choices = mem_realloc(result->choices, (capacity + 1) * sizeof *result->choices);
                result->choices[capacity] = question_choices(r);
                result->waiting[result->waiting_count++] = mem_strdup(gate_name(r));
        }
}

static enum run_status status_of(const struct executor *x, const struct run_result *result, bool again)
{
        if (x->faulty) return RUN_FAILED;
        if (x->aborted || again ||
            (x->interrupted && (x->rollback_due || x->recovery_next < x->recovery_count)))
                return RUN_INTERRUPTED;
        if (x->stopping && x->failed == 0 && result->remaining > 0) return RUN_INTERRUPTED;
        if (result->waiting_count > 0 && !x->given_up) return RUN_WAITING;
        return x->failed > 0 ? RUN_FAILED : RUN_DONE;
}

void executor_result(struct executor *x, struct run_result *result)
{
        if (ending_check(x, &x->problems) < 0) x->faulty = true;
        result->done = x->done;
        result->done.replace_delete = count_halves(x);
        result->failed = x->failed;
        result->skipped = x->skipped;
        result->problems = steal(x->problems);
        list_open(x, result);
        /* A failure that ended the run, or asks for the way back, leaves nothing to plan anew for. */
        bool again = x->again && !x->given_up;
        result->again = again && !x->aborted && !x->faulty;
        result->rollback_due = x->rollback_due;
        result->status = status_of(x, result, again);
}

const char *executor_step_status(const struct executor *x, uint32_t index, int64_t *started_ms)
{
        if (started_ms != NULL) *started_ms = x->steps[index].started_ms;
        return status_names[x->steps[index].status];
}

bool executor_has_gates(const struct executor *x)
{
        return x->gates_open > 0;
}
