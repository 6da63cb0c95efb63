/*
 * One run: the lease, the run's rows, the executor on the loop, signals and answers, and the end of it all. See session.h.
 *
 * Functions stand in order of time.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/answer.h"
#include "io/file.h"
#include "io/guard.h"
#include "run/holder.h"
#include "run/proof.h"
#include "run/record.h"
#include "run/session_internal.h"

/* Free to take: its holder is gone, or is ourselves, whose letting go failed. */
static bool left_behind(const char *holder)
{
        cleanup_free char *ours = holder_text();
        return strcmp(holder, ours) == 0 || holder_is_dead(holder);
}

/* Who holds it, for people: what else its text tells is for other processes. */
static int refuse_held(struct session *s, struct error **problem, struct error **err)
{
        struct lease_holder h = {0};
        bool known = error_kind(*problem) == ERROR_BUSY &&
                     store_lease_holder(s->store, s->name, &h, NULL) == 0 && h.holder != NULL;
        if (!known) return error_move(err, problem);
        char since[CLOCK_TEXT], left[CLOCK_TEXT];
        clock_text(h.since_ms, since);
        duration_text(h.expires_ms - clock_wall_ms(), left);
        cleanup_free char *name = holder_short(h.holder);
        free(h.holder);
        return error_set(err, ERROR_BUSY, NULL,
            "environment '%s' is held by %s since %s; unless renewed, its lease ends in %s", s->name, name,
            since, left);
}

/* Nothing is to start beside what a dead holder of this machine had started: its guard is ending that, or has. */
static int await_commands(struct session *s, struct error **err)
{
        enum { PATIENCE_MS = 10000 };
        cleanup_free char *last = NULL;
        cleanup_free char *file = session_commands_file(s);
        if (store_lease_last(s->store, s->name, &last, err) < 0) return -1;
        if (last == NULL || !holder_is_dead(last)) return 0;
        return guard_await(file, holder_pid(last), PATIENCE_MS, err);
}

int session_hold(struct session *s, struct error **err)
{
        struct environment_row row = {0};
        int64_t ttl_ms;
        if (holder_lease_ttl(&ttl_ms, err) < 0) return -1;
        if (session_store_create(s, err) < 0 || store_environment(s->store, s->name, true, &row, err) < 0)
                return -1;
        environment_row_release(&row);
        if (await_commands(s, err) < 0) return -1;
        cleanup_free char *holder = holder_text();
        cleanup(error_free) struct error *problem = NULL;
        if (store_lease_take(s->store, s->name, holder, ttl_ms, left_behind, &s->lease, &problem) < 0)
                return refuse_held(s, &problem, err);
        return 0;
}

void session_let_go(struct session *s)
{
        if (s->lease.environment == NULL) return;
        store_lease_release(s->store, &s->lease, NULL); /* it expires anyway */
        lease_release_memory(&s->lease);
        s->lease = (struct lease){0};
}

/* The run's rows, before anything starts. */

/* The row that follows on the longest path; joins have none. */
static int64_t row_after(const struct plan *plan, size_t index, const int64_t *row_of_step)
{
        uint32_t next = plan->steps[index].next;
        while (next != UINT32_MAX && row_of_step[next] < 0) next = plan->steps[next].next;
        return next != UINT32_MAX ? row_of_step[next] : -1;
}

static void step_rows_fill(
    const struct plan *plan, struct step_row *rows, size_t *count, int64_t *row_of_step)
{
        *count = 0;
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                row_of_step[i] = -1;
                if (step->action == ACTION_JOIN) continue;
                row_of_step[i] = (int64_t)*count;
                rows[*count] = (struct step_row){
                    .index = (int64_t)*count,
                    .address = (char *)step->address,
                    .type = (char *)(step->type ? step->type : "gate"),
                    .action = (char *)action_name(step->action),
                    .status = (char *)(step->recovery_of ? "standby" : "pending"),
                    .recovery_of = (char *)step->recovery_of,
                    .seconds = step->seconds,
                    .share = step->share,
                    .remaining = step->remaining,
                };
                (*count)++;
        }
        for (size_t i = 0; i < plan->count; i++)
                if (row_of_step[i] >= 0) rows[row_of_step[i]].next = row_after(plan, i, row_of_step);
}

static int write_run(struct session *s, const char *status, const struct run_setup *setup,
    const struct text *document, const struct step_row *rows, size_t count, struct error **err)
{
        char digest[65];
        text_hex(s->plan->digest, sizeof s->plan->digest, digest);
        struct run_row row = {
            .id = s->run,
            .kind = (char *)setup->kind,
            .status = (char *)status,
            .requester = s->by,
            .digest = digest,
            .plan = document ? document->data : NULL,
            .started_ms = s->run_started_ms,
            .undoes = s->input.back ? (char *)s->input.back->undoes : NULL,
            .follows = (char *)setup->follows,
            .on_failure = s->resolved_options.on_failure_given
                              ? (char *)failure_policy_name(s->resolved_options.on_failure)
                              : NULL,
            .proof = (char *)setup->proof,
        };
        cleanup_free char *proof = NULL;
        const struct proved proved = {s->name, s->state->lineage, &row, rows, count};
        if (document != NULL && proof_write(&proved, &s->sealer, &proof, err) < 0) return -1;
        if (document != NULL) row.proof = proof;
        cleanup(arena_free) struct arena *arena = arena_new();
        struct store_write *writes = arena_alloc(arena, (s->plan->order_count + 5) * sizeof *writes);
        struct text superseded __attribute__((__cleanup__(text_release_cleanup))) = {0};
        size_t used = 0;
        writes[used] = (struct store_write){.kind = WRITE_RUN, .run = s->run};
        writes[used++].run_row = &row;
        if (rows != NULL) {
                writes[used] = (struct store_write){.kind = WRITE_STEPS, .run = s->run};
                writes[used].steps.rows = rows;
                writes[used++].steps.count = count;
        }
        if (setup->before != NULL) {
                writes[used] = (struct store_write){.kind = WRITE_RUN, .run = setup->before->id};
                writes[used++].run_row = setup->before;
                writes[used++] = (struct store_write){.kind = WRITE_GATES_OVER, .run = setup->before->id};
                session_superseded_event(s, setup->before, s->run, &superseded, &writes[used++]);
        }
        session_order_writes(s, arena, writes, &used);
        return store_commit(s->store, &s->lease, writes, used, err);
}

static int begin_run(
    struct session *s, const struct run_setup *setup, int64_t *row_of_step, struct error **err)
{
        s->run_started_ms = setup->started_ms > 0 ? setup->started_ms : clock_wall_ms();
        if (setup->run != NULL) {
                s->run = mem_strdup(setup->run);
                return write_run(s, "running", setup, NULL, NULL, 0, err);
        }
        struct text document __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (store_next_run(s->store, s->name, &s->run, err) < 0 || session_plan_write(s, &document, err) < 0)
                return -1;
        cleanup_free struct step_row *rows = mem_alloc((s->plan->count + 1) * sizeof *rows);
        size_t count;
        step_rows_fill(s->plan, rows, &count, row_of_step);
        return write_run(s, "running", setup, &document, rows, count, err);
}

/* Answers from other processes: the signal file changes, the worker reads the gates, the executor hears of it. */

static void read_gates(void *context) /* on the worker */
{
        struct session *s = context;
        /* In this order: an outcome that is read has its answers read as well. */
        if (store_gates(s->store, s->name, s->run, &s->gate_rows, &s->gate_count, &s->gate_error) == 0)
                store_answers(s->store, s->name, s->run, &s->answer_rows, &s->answer_count, &s->gate_error);
}

static void gates_read(void *context);

static void signal_file_changed(void *context)
{
        struct session *s = context;
        if (s->executor == NULL || !executor_has_gates(s->executor)) return;
        s->gates_changed = true;
        if (s->reading_gates) return;
        s->reading_gates = true;
        s->gates_changed = false;
        journal_read(s->journal, read_gates, gates_read, s);
}

/* What was answered before somebody left counts: gates are left once they were looked at a last time. */
static void leave_gates(struct session *s)
{
        if (!s->leaving || s->reading_gates) return;
        s->resolved_options.interactive = false;
        executor_wake(s->executor);
}

static void gates_read(void *context)
{
        struct session *s = context;
        s->reading_gates = false;
        struct map by_gate = {0};
        struct answer_slice *slices = answers_by_gate(s->answer_rows, s->answer_count, &by_gate);
        if (s->gate_error == NULL)
                executor_hear(s->executor, s->gate_rows, s->gate_count, &by_gate);
        else
                log_warn("read the answers to gates: %s", error_message(s->gate_error));
        map_release(&by_gate);
        free(slices);
        gate_rows_free(s->gate_rows, s->gate_count);
        answer_rows_free(s->answer_rows, s->answer_count);
        s->answer_rows = NULL;
        s->answer_count = 0;
        s->gate_rows = NULL;
        s->gate_count = 0;
        error_free(steal(s->gate_error));
        if (s->gates_changed) signal_file_changed(s);
        leave_gates(s);
}

static void caught_signal(void *context, int signal)
{
        struct session *s = context;
        (void)signal;
        outbox_hurry(s->outbox); /* no more waiting for answers at the end */
        if (s->executor == NULL) return;
        if (++s->interrupts == 1)
                executor_stop(s->executor);
        else
                executor_stop_now(s->executor);
}

static void typed_line(void *context, const char *line)
{
        struct session *s = context;
        s->options->line(s->options->context, line);
}

static void tick(void *context)
{
        struct session *s = context;
        s->options->tick(s->options->context);
        s->tick = timer_start(s->engine->loop, s->options->tick_ms, tick, s);
}

static void journal_broke(void *context, const struct error *err)
{
        struct session *s = context;
        const struct problem *p = error_at(err, 0);
        error_set(&s->broken, p->kind, NULL, "record what happened: %s", p->message);
        executor_stop_now(s->executor);
        loop_stop(s->engine->loop);
}

/* The end. */

static const char *status_text(enum run_status status)
{
        static const char *const names[] = {[RUN_DONE] = "done",
            [RUN_FAILED] = "failed",
            [RUN_WAITING] = "waiting",
            [RUN_INTERRUPTED] = "interrupted"};
        return names[status];
}

/* What is not known, because what it comes from failed or is yet to be planned, stays as it was recorded, if it was. New reference. */
static struct value *known_outputs(const struct value *outputs, const struct value *recorded)
{
        struct value_builder b = {0};
        for (size_t i = 0; i < value_count(outputs); i++) {
                const char *name = value_key_at(outputs, i);
                const struct value *v = value_at(outputs, i);
                if (!value_is_wholly_known(v)) v = recorded ? value_get(recorded, name) : NULL;
                if (v != NULL) value_builder_add(&b, name, value_ref(v));
        }
        return value_builder_object(&b);
}

/* Outputs follow what was done: a run that is not over leaves them alone, and so does the removal of everything that was not completed. */
static void write_outputs(struct session *s)
{
        enum run_status status = s->result->status;
        if (status == RUN_WAITING || status == RUN_INTERRUPTED) return;
        if (status != RUN_DONE && s->input.mode == PLAN_DESTROY) return;
        struct error *err = NULL;
        cleanup(value_free) struct value *planned = plan_outputs(s->plan, &err);
        cleanup(value_free) struct value *outputs = planned ? known_outputs(planned, s->state->outputs)
                                                            : NULL;
        if (outputs == NULL) {
                error_move(&s->result->problems, &err);
                if (s->result->status == RUN_DONE) s->result->status = RUN_FAILED;
                return;
        }
        if (s->state->outputs != NULL && value_equal(outputs, s->state->outputs)) return;
        if (s->state->outputs == NULL && value_count(outputs) == 0) return;
        const char *text = record_text(outputs, &s->sealer, journal_arena(s->journal), &err);
        struct store_write w = {.kind = WRITE_OUTPUTS, .run = s->run};
        w.outputs = text;
        if (text != NULL) journal_add(s->journal, &w);
        error_free(err);
}

/* The row that a recorded resource was decoded from. */
static const struct resource_row *row_of(const struct state *state, const struct recorded *r)
{
        size_t index =
            (size_t)(r - state->resources); /* rows come in the same order, unless a store sorts otherwise */
        if (state->rows[index].address == r->address) return &state->rows[index];
        for (size_t i = 0; i < state->row_count; i++)
                if (state->rows[i].address == r->address) return &state->rows[i];
        return NULL;
}

/* What was seen of it, in texts. */
static int seen_texts(
    const struct session *s, const struct record_change *c, struct arena *a, struct resource_row *row)
{
        const struct schema *schema = s->schemas.find(s->schemas.context, c->recorded->type, NULL);
        if (schema == NULL) return -1;
        cleanup(value_free) struct value *properties = NULL, *outputs = NULL;
        record_change_values(c, schema, &properties, &outputs);
        row->properties = (char *)record_text(properties, &s->sealer, a, NULL);
        row->outputs = (char *)record_text(outputs, &s->sealer, a, NULL);
        return row->properties && row->outputs ? 0 : -1;
}

struct resource_row *session_changed_row(
    const struct session *s, const struct record_change *c, struct arena *a)
{
        const struct resource_row *old = row_of(s->state, c->recorded);
        if (old == NULL) return NULL;
        struct resource_row *row = arena_alloc(a, sizeof *row);
        *row = *old;
        row->after = arena_alloc(a, (c->depends_count + 1) * sizeof *row->after);
        row->after_count = c->depends_count;
        row->inherited_count = c->inherited_count;
        for (size_t d = 0; d < c->depends_count; d++) row->after[d] = arena_strdup(a, c->depends[d]);
        row->protect = c->protect;
        row->keep = c->keep;
        if (c->seen != NULL && seen_texts(s, c, a, row) < 0) return NULL;
        if (c->provider != NULL) row->provider = arena_strdup(a, c->provider);
        if (c->account != NULL) row->account = arena_strdup(a, c->account);
        if (c->host != NULL) row->host = (char *)record_text(c->host, &s->sealer, a, NULL);
        return c->host == NULL || row->host != NULL ? row : NULL;
}

/* What decides over a resource once it has left the template follows the template while it is there. */
static void write_record_changes(struct session *s)
{
        for (size_t i = 0; i < s->plan->record_change_count; i++) {
                const struct record_change *c = &s->plan->record_changes[i];
                if (c->host == NULL && c->account == NULL && c->seen == NULL && !record_change_matters(c))
                        continue; /* its order is recorded */
                struct store_write w = {.kind = WRITE_RESOURCE, .run = s->run, .action = "update"};
                w.resource = session_changed_row(s, c, journal_arena(s->journal));
                if (w.resource != NULL) journal_add(s->journal, &w);
        }
        session_settle_orders(s);
}

static char *summary_json(const struct run_result *r)
{
        return mem_printf("{\"create\":%zu,\"update\":%zu,\"replace\":%zu,\"replace_delete\":%zu,"
                          "\"restore\":%zu,\"delete\":%zu,\"forget\":%zu,\"gates\":%zu,\"failed\":%zu,"
                          "\"skipped\":%zu,\"remaining\":%zu}",
            r->done.create, r->done.update, r->done.replace, r->done.replace_delete, r->done.restore,
            r->done.delete_, r->done.forget, r->done.gates, r->failed, r->skipped, r->remaining);
}

static enum event_kind end_kind(const struct run_result *r)
{
        return r->status == RUN_WAITING ? EVENT_RUN_WAITING : EVENT_RUN_DONE;
}

static struct event end_event(struct session *s)
{
        const struct run_result *r = s->result;
        return (struct event){
            .kind = end_kind(r),
            .time_ms = clock_wall_ms(),
            .run = s->run,
            .summary = &r->done,
            .failed = r->failed,
            .skipped = r->skipped,
            .problems = r->problems,
            .status = status_text(r->status),
            .rollback_due = r->rollback_due,
        };
}

static void emit_end(struct session *s)
{
        struct event e = end_event(s);
        if (s->options->event != NULL) s->options->event(s->options->context, &e);
}

static void delivered(void *context)
{
        struct session *s = context;
        loop_stop(s->engine->loop);
}

static void recorded(void *context)
{
        struct session *s = context;
        emit_end(s);
        if (s->outbox != NULL)
                outbox_finish(s->outbox, DELIVER_MS, delivered, s);
        else
                loop_stop(s->engine->loop);
}

static void happened(void *context, const struct event *e)
{
        struct session *s = context;
        session_notify(s, e, NULL);
}

static void finished(void *context)
{
        struct session *s = context;
        executor_result(s->executor, s->result);
        if (s->broken != NULL) return; /* nothing can be written any more */
        /* What a rollback will undo is not handed out: outputs stay as they were. */
        if (!s->result->rollback_due) write_record_changes(s);
        if (!s->result->rollback_due) write_outputs(s);
        struct run_result *r = s->result;
        struct arena *a = journal_arena(s->journal);
        struct run_row *row = arena_alloc(a, sizeof *row);
        cleanup_free char *summary = summary_json(r);
        bool over = r->status == RUN_DONE || r->status == RUN_FAILED;
        *row = (struct run_row){
            .id = arena_strdup(a, s->run),
            .status = arena_strdup(a, r->rollback_due ? RUN_ROLLBACK_DUE : status_text(r->status)),
            .summary = arena_strdup(a, summary),
            .started_ms = s->run_started_ms,
            .ended_ms = over ? clock_wall_ms() : 0,
        };
        struct store_write w = {.kind = WRITE_RUN, .run = row->id};
        w.run_row = row;
        journal_add(s->journal, &w);
        /* What others would be asked still, if the run did not end without their answer. */
        struct store_write gates = {.kind = WRITE_GATES_OVER, .run = row->id};
        if (over && r->waiting_count > 0) journal_add(s->journal, &gates);
        struct event e = end_event(s);
        journal_event(s->journal, s->run, event_name(e.kind), summary);
        session_notify(s, &e, summary);
        journal_then(s->journal, recorded, s);
}

static void stop_listening(struct session *s)
{
        watch_stop(s->watch);
        if (s->typed != NULL) input_stop(s->typed);
        timer_cancel(s->tick);
        s->watch = NULL;
        s->typed = NULL;
        s->tick = NULL;
}

static int listen_to_world(struct session *s, struct error **err)
{
        struct loop *loop = s->engine->loop;
        if (loop_on_signal(loop, caught_signal, s, err) < 0) return -1;
        if (watch_start(loop, store_signal_file(s->store), signal_file_changed, s, &s->watch, err) < 0)
                return -1;
        if (s->options->interactive && s->options->line != NULL &&
            input_start(loop, typed_line, s, &s->typed, err) < 0)
                return -1;
        if (s->options->tick != NULL && s->options->tick_ms > 0)
                s->tick = timer_start(loop, s->options->tick_ms, tick, s);
        return 0;
}

static int run_loop(
    struct session *s, const struct run_setup *setup, const int64_t *row_of_step, struct error **err)
{
        struct executor_request request = {
            .io = &s->engine->io,
            .plugins = s->plugins,
            .journal = s->journal,
            .store = s->store,
            .plan = s->plan,
            .options = s->options,
            .run = s->run,
            .lineage = s->state->lineage,
            .run_started_ms = s->run_started_ms,
            .row_of_step = row_of_step,
            .rows = setup->rows,
            .row_count = setup->row_count,
            .answers = setup->answers,
            .given = setup->given,
            .digest = s->digest,
            .requester = setup->requester ? setup->requester : s->by,
            .user = s->user,
            .approvers = s->approvers,
            .listen = signal_file_changed,
            .present = s->present.plan,
            .schemas = &s->schemas,
            .destroys = s->input.mode == PLAN_DESTROY,
            .happened = happened,
            .goes_back = s->input.back != NULL,
            .finished = finished,
            .context = s,
        };
        const char *undoes = s->input.back ? s->input.back->undoes : NULL;
        s->executor = executor_new(&request);
        if (listen_to_world(s, err) < 0) return -1;
        journal_keep_lease(s->journal);
        if (s->options->event != NULL) {
                struct event e = {.kind = EVENT_RUN_STARTED,
                    .time_ms = clock_wall_ms(),
                    .run = s->run,
                    .run_kind = setup->kind,
                    .undoes = undoes,
                    .follows = setup->follows,
                    .summary = &s->plan->summary};
                s->options->event(s->options->context, &e);
        }
        struct text details __attribute__((__cleanup__(text_release_cleanup))) = {0};
        char digest[65];
        text_hex(s->plan->digest, sizeof s->plan->digest, digest);
        text_addf(&details, "{\"kind\":\"%s\",\"by\":", setup->kind);
        text_add_json(&details, s->by, strlen(s->by));
        if (setup->run != NULL)
                text_add(
                    &details, ",\"resumed\":true"); /* the digest is that of the plan that it began with */
        else
                text_addf(&details, ",\"digest\":\"%s\"", digest);
        if (undoes != NULL) {
                text_add(&details, ",\"undoes\":");
                text_add_json(&details, undoes, strlen(undoes));
        }
        if (setup->follows != NULL) {
                text_add(&details, ",\"follows\":");
                text_add_json(&details, setup->follows, strlen(setup->follows));
        }
        text_addc(&details, '}');
        journal_event(s->journal, s->run, event_name(EVENT_RUN_STARTED), details.data);
        session_outbox_start(s);
        executor_start(s->executor);
        loop_run(s->engine->loop);
        return 0;
}

/* A session that applies once more goes on with what it deferred: another round. */
static void keep_round(struct session *s, const struct run_setup *setup, const struct run_result *r)
{
        bool done = strcmp(setup->kind, "apply") == 0 && r->status == RUN_DONE;
        free(s->round);
        s->round = done ? mem_strdup(r->run) : NULL;
}

int session_execute(struct session *s, const struct run_options *options, const struct run_setup *setup,
    struct run_result *result, struct error **err)
{
        if (session_engine(s, err) == NULL) return -1;
        if (session_approvers(s, NULL, err) < 0) return -1;
        s->user = session_user();
        s->by = mem_strdup(options->by ? options->by : s->user);
        if (setup->digest != NULL)
                snprintf(s->digest, sizeof s->digest, "%s", setup->digest);
        else
                text_hex(s->plan->digest, sizeof s->plan->digest, s->digest);
        s->resolved_options = *options;
        s->resolved_options.by = s->by;
        if (!options->on_failure_given && setup->on_failure != NULL)
                s->resolved_options.on_failure_given = failure_policy_find(
                    setup->on_failure, &s->resolved_options.on_failure);
        s->options = &s->resolved_options;
        s->result = result;
        s->interrupts = 0;
        s->leaving = s->reading_gates = s->gates_changed = false;
        *result = (struct run_result){0};

        cleanup_free int64_t *own_rows = mem_alloc((s->plan->count + 1) * sizeof *own_rows);
        const int64_t *row_of_step = setup->row_of_step ? setup->row_of_step : own_rows;
        int status = begin_run(s, setup, own_rows, err);
        if (status == 0) status = worker_new(s->engine->loop, &s->worker, err);
        if (status == 0) {
                s->journal = journal_new(s->engine->loop, s->worker, s->store, &s->lease, journal_broke, s);
                status = run_loop(s, setup, row_of_step, err);
        }
        stop_listening(s);
        outbox_stop(s->outbox);
        worker_free(s->worker);
        outbox_free(steal(s->outbox));
        executor_free(s->executor);
        journal_free(s->journal);
        s->worker = NULL;
        s->executor = NULL;
        s->journal = NULL;
        result->run = steal(s->run);
        result->destroys = s->input.mode == PLAN_DESTROY;
        if (s->input.back != NULL && s->input.back->undoes != NULL)
                result->undoes = mem_strdup(s->input.back->undoes);
        if (s->broken != NULL) {
                result->status = RUN_FAILED;
                result->unrecorded = true;
                result->rollback_due = false; /* nothing more can be recorded now */
                error_move(&result->problems, &s->broken);
        }
        free(steal(s->by));
        free(steal(s->user));
        s->options = NULL;
        keep_round(s, setup, result);
        return status;
}

int session_round(struct session *s, char **ret, struct error **err)
{
        *ret = NULL;
        if (s->round == NULL) return 0;
        struct run_row *runs = NULL;
        size_t count = 0;
        if (store_runs(s->store, s->name, &runs, &count, err) < 0) return -1;
        if (count > 0 && strcmp(runs[0].id, s->round) == 0) *ret = mem_strdup(s->round);
        run_rows_free(runs, count);
        return 0;
}

int session_check_requester(struct session *s, const char *by, struct error **err)
{
        cleanup_free char *user = session_user();
        const struct approvers *approvers;
        if (by == NULL || strcmp(by, user) == 0) return 0;
        if (session_approvers(s, &approvers, err) < 0) return -1;
        return answer_prove(approvers, by, err);
}

int session_run(
    struct session *s, const struct run_options *options, struct run_result *result, struct error **err)
{
        *result = (struct run_result){0};
        if (session_check_requester(s, options->by, err) < 0) return -1;
        int64_t serial = s->state->serial;
        cleanup_free char *lineage = mem_strdup(s->state->lineage);
        if (session_hold(s, err) < 0) return -1;
        struct environment_row row = {0};
        int status = store_environment(s->store, s->name, false, &row, err);
        if (status == 0 && *lineage != '\0' && (row.serial != serial || strcmp(row.lineage, lineage) != 0))
                status = error_set(
                    err, ERROR_CONFLICT, NULL, "the state changed since the plan was made; plan again");
        if (status == 0 && *lineage == '\0' && row.serial != 0)
                status = error_set(err, ERROR_CONFLICT, NULL,
                    "the environment was recorded since the plan was made; plan again");
        if (status == 0 && *lineage == '\0') { /* the first run draws the lineage */
                free(s->state->lineage);
                s->state->lineage = mem_strdup(row.lineage);
        }
        environment_row_release(&row);
        /* An intent is no change of the record: another process may have left one since we looked. */
        if (status == 0) status = session_check_open(s, err);
        struct run_row before = {0};
        bool unfinished = false;
        if (status == 0) status = session_supersede(s, &before, &unfinished, err);
        cleanup_free char *round = NULL;
        if (status == 0 && s->input.back == NULL) status = session_round(s, &round, err);
        struct run_setup setup = {.kind = s->input.back                   ? "rollback"
                                          : s->input.mode == PLAN_DESTROY ? "destroy"
                                                                          : "apply",
            .follows = round,
            .before = unfinished ? &before : NULL};
        if (status == 0) status = session_execute(s, options, &setup, result, err);
        session_let_go(s);
        run_row_release(&before);
        return status;
}

int session_answer(struct session *s, const char *gate, const char *answer, const char *by,
    const char *comment, struct error **err)
{
        if (s->executor == NULL) return error_set(err, ERROR_MISSING, NULL, "nothing runs here");
        return executor_answer(s->executor, gate, answer, by ? by : s->by, comment, err);
}

const struct plan *session_current_plan(const struct session *s)
{
        return s->plan;
}

void session_discard_typed(struct session *s)
{
        if (s->typed != NULL) input_discard(s->typed);
}

void session_leave_gates(struct session *s)
{
        if (s->executor == NULL) return;
        s->leaving = true;
        signal_file_changed(s);
        leave_gates(s);
}

const char *session_step_status(const struct session *s, uint32_t index, int64_t *started_ms)
{
        return s->executor ? executor_step_status(s->executor, index, started_ms) : "pending";
}

void run_result_release(struct run_result *r)
{
        free(r->run);
        free(r->undoes);
        error_free(r->problems);
        for (size_t i = 0; i < r->waiting_count; i++) {
                free(r->waiting[i]);
                free(r->choices[i]);
        }
        free(r->waiting);
        free(r->choices);
        *r = (struct run_result){0};
}
