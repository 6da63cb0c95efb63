/*
 * One step: resolve its values, start its operation, and record what came of it. See executor_internal.h.
 *
 * Functions stand in order of time. What happened and that the step is done are one transaction. Dependants start at once: the journal
 * keeps the order, so that their intents are on disk with it or after it, and none of their requests leaves before.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "run/connect.h"
#include "run/gate.h"
#include "run/limit.h"
#include "run/owner.h"
#include "run/question.h"
#include "run/record.h"

/* Nothing outside changes, so that there is no intent, and nothing waits for the disk. */
static bool without_effect(const struct step_run *r)
{
        return r->step->action == ACTION_READ || (r->step->schema != NULL && r->step->schema->local);
}

void execute_fail(struct step_run *r, const char *message, bool ambiguous)
{
        struct event e = {.message = message};
        executor_emit(r->executor, EVENT_STEP_FAILED, r, &e);
        if (question_ask(r, message, ambiguous)) return;
        enum step_status before = r->status;
        r->status = STEP_FAILED;
        executor_record_step(r, message);
        r->status = before;
        step_finished(r, STEP_FAILED, message);
}

static void refuse(struct step_run *r, struct error *err)
{
        cleanup_free char *text = error_text(error_at(err, 0));
        error_free(err);
        execute_fail(r, text, false);
}

static int connect_step(struct step_run *r, struct error **err)
{
        const struct executor_request *q = &r->executor->request;
        struct connector connector = {q->plugins, q->schemas, q->present};
        struct provider_use use;
        if (plan_provider(q->plan, r->step, &use, err) < 0) return -1;
        r->connection = provider_connect(&connector, &use, r->step->schema, err);
        return r->connection ? 0 : -1;
}

static void operation_progressed(void *context, const char *text)
{
        struct step_run *r = context;
        struct event e = {.message = text};
        executor_emit(r->executor, EVENT_STEP_PROGRESS, r, &e);
}

static void operation_retried(
    void *context, unsigned attempt, unsigned attempts, int64_t wait_ms, const char *why)
{
        struct step_run *r = context;
        (void)attempts;
        r->attempts++;
        struct event e = {.message = why, .attempt = attempt, .wait_ms = wait_ms};
        executor_emit(r->executor, EVENT_STEP_RETRY, r, &e);
}

/* An object that the operation came by, and that is recorded elsewhere already. */
static const char *owner_of(void *context, const char *id)
{
        return owner_claim(context, id);
}

static void operation_over(void *context, const struct operation_outcome *outcome);
static void adopt_found(void *context, const struct operation_outcome *outcome);

static enum tutti_action provider_action(const struct step_run *r)
{
        switch (r->step->action) {
        case ACTION_UPDATE: return TUTTI_UPDATE;
        case ACTION_DELETE:
        case ACTION_REPLACE_DELETE: return TUTTI_DELETE;
        case ACTION_READ: return TUTTI_LOOKUP;
        default: return r->adopted ? TUTTI_UPDATE : TUTTI_CREATE;
        }
}

static enum step_verb timeout_verb(enum tutti_action action)
{
        return action == TUTTI_CREATE   ? VERB_CREATE
               : action == TUTTI_UPDATE ? VERB_UPDATE
               : action == TUTTI_DELETE ? VERB_DELETE
                                        : VERB_READ;
}

/* What the operation of a step is about. An object that may be there, and is to be removed, is described by the intent of its creation. */
static void request_fill(const struct step_run *r, enum tutti_action action, struct operation_request *q)
{
        const struct step *step = r->step;
        const struct recorded *record = step->recorded;
        bool maybe = record != NULL && record->open != NULL;
        bool makes = action == TUTTI_CREATE || action == TUTTI_FIND;
        q->id = r->found_id        ? r->found_id
                : r->adopted_id    ? r->adopted_id
                : maybe            ? NULL
                : !makes && record ? record->id
                                   : NULL;
        q->private_ = step->private_ ? step->private_ : record && !makes ? record->private_ : NULL;
        q->prior = r->adopted             ? r->adopted
                   : action == TUTTI_READ ? r->properties
                   : makes                ? NULL
                                          : step->prior;
        q->planned = maybe ? record->open->planned : r->properties;
        q->host = r->host ? r->host : record ? record->host : NULL;
        q->after = maybe ? record->after : (const char *const *)step->depends;
        q->after_count = maybe ? record->after_count : step->depends_count;
}

void execute_operation(struct step_run *r, enum tutti_action action, const char *token,
    void (*over)(void *context, const struct operation_outcome *outcome))
{
        struct executor *x = r->executor;
        const struct step *step = r->step;
        bool asks = action == TUTTI_FIND || r->adopt_id != NULL;
        struct operation_request request = {
            .action = action,
            .schema = step->schema,
            .connection = r->connection,
            .address = step->address,
            .token = token,
            .journal = without_effect(r) || asks ? NULL : x->request.journal,
            .run = x->request.run,
            .step = x->request.row_of_step[step->index],
        };
        request_fill(r, action, &request);
        if (step->resource != NULL) {
                request.retry = step->resource->retry;
                request.timeout_ms = step->resource->timeout_ms[timeout_verb(action)];
        }
        struct error *err = NULL;
        if (!asks && open_take_up(r, &request, &err) < 0) {
                refuse(r, err);
                return;
        }
        struct operation_events events = {
            operation_progressed, operation_retried, owner_of, over ? over : operation_over, r};
        if (step->schema->local && operation_at_once(x->request.io, &request, &events)) return;
        r->operation = operation_start(x->request.io, &request, &events);
}

static void start_operation(struct step_run *r, enum tutti_action action)
{
        execute_operation(r, action, r->token, NULL);
}

/* `adopt: if-exists`: an object of that name is taken over and brought to the wanted properties. */
static void adopt_found(void *context, const struct operation_outcome *outcome)
{
        struct step_run *r = context;
        r->operation = NULL;
        if (outcome->failed) {
                operation_over(context, outcome);
                return;
        }
        if (!outcome->gone && outcome->id != NULL && outcome->observed != NULL) {
                const char *owner = owner_claim(r, outcome->id);
                if (owner != NULL) {
                        cleanup_free char *why = mem_printf(
                            "adopt: %s is recorded as %s already: one object cannot be two resources",
                            outcome->id, owner);
                        execute_fail(r, why, false);
                        return;
                }
                r->adopted = value_ref(outcome->observed);
                r->adopted_id = mem_strdup(outcome->id);
        }
        start_operation(r, provider_action(r));
}

static bool needs_values(enum action action)
{
        return action != ACTION_DELETE && action != ACTION_REPLACE_DELETE;
}

/* Somebody said that the object exists, although its creation was never answered: it is read by its id, or taken for what was wanted. */
static void adopt_by_hand(struct step_run *r)
{
        free(r->adopted_id);
        r->adopted_id = *r->adopt_id != '\0' ? mem_strdup(r->adopt_id) : NULL;
        const char *owner = r->adopted_id != NULL ? owner_claim(r, r->adopted_id) : NULL;
        if (owner != NULL) {
                cleanup_free char *why = mem_printf(
                    "adopt it: %s is recorded as %s already: one object cannot be two resources",
                    r->adopted_id, owner);
                free(steal(r->adopt_id));
                r->left_open = true;
                r->undecidable = !r->step->schema->finds_token;
                execute_fail(r, why, true);
                return;
        }
        if (r->adopted_id != NULL && !r->step->schema->no_read) {
                start_operation(r, r->step->schema->can_import ? TUTTI_IMPORT : TUTTI_READ);
                return;
        }
        struct operation_outcome outcome = {.id = r->adopted_id};
        operation_over(r, &outcome);
}

static void done_durable(void *context)
{
        step_finished(context, STEP_DONE, NULL);
}

/* The step has nothing to do, as was found out now: it is done, and says why. What else is recorded of the object follows the template. */
static void spare(struct step_run *r, const char *why)
{
        struct executor *x = r->executor;
        const struct step *step = r->step;
        cleanup_free char *text = mem_printf("kept: %s", why);
        r->nothing = true;
        r->started_ms = loop_now_ms(x->request.io->loop);
        r->started_wall_ms = clock_wall_ms();
        x->running++;
        r->status = STEP_RUNNING;
        struct error *err = NULL;
        if (step->action == ACTION_REPLACE && record_kept(r, &err) < 0) {
                refuse(r, err);
                return;
        }
        r->status = STEP_DONE;
        executor_record_step(r, text);
        r->status = STEP_RUNNING;
        bool told = step->action != ACTION_GATE && step->action != ACTION_REPLACE_DELETE;
        if (told) executor_emit(x, EVENT_STEP_DONE, r, &(struct event){.message = text});
        journal_then(x->request.journal, done_durable, r);
        step_released(r);
}

/* A step of a replacement that only may be needed. True: it has come to an end. */
static bool end_unsure(struct step_run *r)
{
        const struct step *step = r->step;
        struct plan *plan = r->executor->request.plan;
        if (step->create_first && step->action == ACTION_REPLACE) plan_decide(plan, step);
        if (step->refused != NULL)
                execute_fail(r, step->refused, false);
        else if (step->spared != NULL)
                spare(r, step->spared);
        else
                plan_begun(plan, step);
        return step->refused != NULL || step->spared != NULL;
}

/* What a step did in the record alone is written. */
static void end_at_once(struct step_run *r)
{
        open_forget(r, false);
        r->status = STEP_DONE;
        executor_record_step(r, NULL);
        r->status = STEP_RUNNING;
        executor_emit(r->executor, EVENT_STEP_DONE, r, NULL);
        journal_then(r->executor->request.journal, done_durable, r);
        step_released(r);
}

static void begin(struct step_run *r)
{
        struct executor *x = r->executor;
        r->status = STEP_RUNNING;
        r->started_ms = loop_now_ms(x->request.io->loop);
        r->started_wall_ms = clock_wall_ms();
        x->running++;
        if (!without_effect(r)) executor_record_step(r, NULL); /* the others' begin goes with their end */
        executor_emit(x, EVENT_STEP_STARTED, r, NULL);
}

/* The same after a crash, another after somebody said to try again. */
static void draw_token(struct step_run *r)
{
        struct executor *x = r->executor;
        long long row = (long long)x->request.row_of_step[r->step->index];
        unsigned tries = question_count(r);
        cleanup_free char *generation = tries > 0 ? mem_printf("%s/%lld/%u", x->request.run, row, tries)
                                                  : mem_printf("%s/%lld", x->request.run, row);
        operation_token(x->request.lineage, r->step->address, generation, r->token);
}

/* The description of the type is another one than that of the intent, but it is known which object it made: that is read. */
static bool is_read_again(const struct step_run *r)
{
        const struct open_operation *open = r->step->open;
        return open != NULL && open->creates && open->object.id[0] != '\0' && r->adopt_id == NULL &&
               !text_equal(open->row->definition, r->step->schema->definition);
}

static void begin_operation(struct step_run *r)
{
        const struct step *step = r->step;
        struct error *err = NULL;
        bool maybe = step->recorded != NULL && step->recorded->open != NULL;
        if (maybe && r->adopt_id != NULL) {
                open_remove_adopted(r);
        } else if (maybe && question_was_undecided(r)) {
                open_remove_repeated(r);
        } else if (maybe) {
                open_remove(r);
        } else if (r->adopt_id != NULL || is_read_again(r)) {
                if (r->adopt_id == NULL) r->adopt_id = mem_strdup(step->open->object.id);
                adopt_by_hand(r);
        } else if (open_recall_adopted(r, &err) < 0) {
                refuse(r, err);
        } else {
                /* A creation that was begun is continued; a look by name would find what it made itself. */
                bool adopt = step->action == ACTION_ADOPT && step->schema->can_find && step->open == NULL;
                if (adopt)
                        execute_operation(r, TUTTI_FIND, NULL, adopt_found);
                else
                        start_operation(r, provider_action(r));
        }
}

bool execute_start(struct step_run *r)
{
        struct executor *x = r->executor;
        const struct step *step = r->step;
        if (step->action == ACTION_JOIN) {
                if (step->unsure) plan_decide(x->request.plan, step);
                step_finished(r, STEP_DONE, NULL);
                return true;
        }
        if (step->action == ACTION_GATE) {
                const char *spared = plan_gate_spared(x->request.plan, step);
                if (spared != NULL)
                        spare(r, spared);
                else
                        approval_open(r);
                return true;
        }
        if (step->unsure && end_unsure(r)) return true;
        if (step->action == ACTION_FORGET || step->action == ACTION_RESTORE) {
                struct error *unwritten = NULL;
                begin(r);
                if (step->action == ACTION_FORGET)
                        record_gone(r);
                else if (record_restored(r, &unwritten) < 0)
                        refuse(r, unwritten);
                if (r->status == STEP_RUNNING) end_at_once(r);
                return true;
        }
        if (!question_before(r)) return true;
        struct error *err = NULL;
        if (connect_step(r, &err) < 0) {
                refuse(r, err);
                return true;
        }
        if (!limiter_enter(r->connection->limiter)) return false;
        begin(r);
        if (needs_values(step->action) &&
            plan_resolve(x->request.plan, step, &r->properties, &r->host, &err) < 0) {
                refuse(r, err);
                return true;
        }
        draw_token(r);
        begin_operation(r);
        return true;
}

void execute_forget_intent(struct step_run *r)
{
        if (without_effect(r)) return;
        struct executor *x = r->executor;
        struct arena *a = journal_arena(x->request.journal);
        struct operation_row *row = arena_alloc(a, sizeof *row);
        row->run = arena_strdup(a, x->request.run);
        row->step = x->request.row_of_step[r->step->index];
        struct store_write w = {.kind = WRITE_OPERATION_OVER, .run = row->run, .operation = row};
        journal_add(x->request.journal, &w);
}

/* How it goes on where nobody knows whether something was made, or what there is could not be brought to its end. */
static char *what_remains(const struct step_run *r, const struct operation_outcome *outcome)
{
        if (outcome->unfinished)
                return mem_printf(
                    "%s; it exists as %s, and the next apply goes on with it", outcome->message, outcome->id);
        if (outcome->ambiguous)
                return mem_printf(
                    "%s; whether it was made is not known: the next apply finds out, `tutti state rm` "
                    "with its address gives it up",
                    outcome->message);
        (void)r;
        return mem_strdup(outcome->message);
}

/* Neither the cloud nor another try can tell whether there is an object. */
static bool is_undecidable(const struct step_run *r, const struct operation_outcome *outcome)
{
        const struct schema *s = r->step->schema;
        /* One that exists may be the one that was made, and was not found as that: only a person can tell. */
        if (outcome->failure == TUTTI_EXISTS) return true;
        return !s->finds_token && !(s->can_find && (outcome->absent || s->repeatable));
}

static void operation_failed(struct step_run *r, const struct operation_outcome *outcome)
{
        /* An object that was found was there before: a change of it that failed does not make it a broken one of ours. */
        bool creates = needs_values(r->step->action) && r->step->action != ACTION_UPDATE &&
                       r->adopted == NULL;
        r->broken = creates && outcome->id != NULL && !outcome->unfinished && r->step->action != ACTION_READ;
        if (r->broken) record_tainted(r, outcome);
        /* Of what may be there, or is not finished, the intent stays: the next run continues from it. */
        bool open = outcome->ambiguous || outcome->unfinished;
        if (!open) {
                execute_forget_intent(r);
                open_forget(r, false);
        }
        r->left_open = open;
        r->undecidable = outcome->ambiguous && is_undecidable(r, outcome);
        cleanup_free char *why = what_remains(r, outcome);
        execute_fail(r, why, outcome->ambiguous);
}

/* The step is done: what it left is in the journal already. */
static void done(struct step_run *r, const char *message, int64_t elapsed_ms)
{
        struct executor *x = r->executor;
        execute_forget_intent(r);
        open_forget(r, false);
        record_duration(r, elapsed_ms);
        r->status = STEP_DONE;
        executor_record_step(r, message);
        r->status = STEP_RUNNING;
        executor_emit(x, EVENT_STEP_DONE, r, &(struct event){.wait_ms = elapsed_ms, .message = message});
        journal_then(x->request.journal, done_durable, r);
        step_released(r);
}

void execute_removed(struct step_run *r, const char *message, int64_t elapsed_ms)
{
        done(r, message, elapsed_ms);
}

/* What an earlier run began to create is there, as it was wanted then. */
static void change_further(
    struct step_run *r, const struct operation_outcome *outcome, const struct value *attributes)
{
        r->adopted = value_ref(attributes);
        r->adopted_id = mem_strdup(outcome->id);
        value_free(r->properties);
        r->properties = value_ref(r->wanted);
        value_free(steal(r->saved));
        start_operation(r, TUTTI_UPDATE);
}

static void operation_over(void *context, const struct operation_outcome *outcome)
{
        struct step_run *r = context;
        struct executor *x = r->executor;
        r->operation = NULL;
        bool by_hand = r->adopt_id != NULL;
        const struct open_operation *open = r->step->open;
        bool known = open != NULL && open->creates && text_equal(open->object.id, r->adopt_id);
        free(steal(r->adopt_id));
        if (by_hand && (outcome->failed || outcome->gone)) {
                cleanup_free char *why = mem_printf(
                    "adopt it: %s", outcome->failed ? outcome->message : "there is no such object");
                r->left_open = true;
                r->undecidable = !r->step->schema->finds_token;
                execute_fail(r, why, true);
                return;
        }
        if (outcome->failed) {
                operation_failed(r, outcome);
                return;
        }
        cleanup(value_free) struct value *attributes = NULL;
        if (needs_values(r->step->action)) {
                struct error *err = NULL;
                if (record_result(r, outcome, &attributes, &err) < 0) {
                        execute_forget_intent(r);
                        refuse(r, err);
                        return;
                }
        } else {
                record_gone(r);
                plan_set_result(x->request.plan, r->step, NULL);
        }
        if (r->outdated) { /* it is recorded, and there is nothing else that this plan may do about it */
                execute_forget_intent(r);
                open_forget(r, false);
                execute_fail(r,
                    "an earlier run had made another one than is wanted now that all is known; it is "
                    "recorded, and "
                    "`tutti apply` replaces it",
                    false);
                return;
        }
        if (open_goes_further(r)) {
                change_further(r, outcome, attributes);
                return;
        }
        const char *how = by_hand && !known && outcome->id != NULL ? STEP_TAKEN
                          : r->adopted && r->wanted == NULL        ? STEP_ADOPTED
                                                                   : NULL;
        cleanup_free char *found = how ? mem_printf("%s%s", how, outcome->id ? outcome->id : r->adopted_id)
                                       : NULL;
        done(r, found, outcome->elapsed_ms);
}
