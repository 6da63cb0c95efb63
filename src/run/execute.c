/*
 * One step: resolve its values, start its operation, and record what came of it. See executor_internal.h.
 *
 * Functions stand in order of time. What happened and that the step is done are one transaction. Dependants start at once: the journal
 * keeps the order, so that their intents are on disk with it or after it, and none of their requests leaves before.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "run/credentials.h"
#include "run/gate.h"
#include "run/limit.h"
#include "run/question.h"
#include "run/record.h"

/* Nothing outside changes, so that there is no intent, and nothing waits for the disk. */
static bool without_effect(const struct step_run *r)
{
        return r->step->action == ACTION_READ || (r->step->schema != NULL && r->step->schema->local);
}

/* `ambiguous`: whether it had its effect is not known. */
static void fail(struct step_run *r, const char *message, bool ambiguous)
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
        fail(r, text, false);
}

static int connect_provider(struct step_run *r, struct error **err)
{
        struct executor *x = r->executor;
        cleanup(value_free) struct value *config = NULL;
        if (plan_provider_config(x->request.plan, r->step, &config, err) < 0) return -1;
        credentials_renew(x->request.present, x->request.schemas, r->step->address, r->step->provider,
            r->step->type, &config);
        const struct provider_block *block = r->step->provider
                                                 ? template_provider(x->request.plan->input->env->template,
                                                       r->step->provider)
                                                 : NULL;
        r->connection = plugins_connect(x->request.plugins, r->step->schema,
            r->step->provider ? r->step->provider : r->step->type, config, block ? block->parallel : 0,
            block ? block->rate : 0, err);
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

/* Whether a step may have left this intent. One that adopts what it finds leaves that of an update, else that of a creation. */
static bool leaves_intent(enum action action, const char *intent)
{
        switch (action) {
        case ACTION_UPDATE: return strcmp(intent, "update") == 0;
        case ACTION_DELETE:
        case ACTION_REPLACE_DELETE: return strcmp(intent, "delete") == 0;
        case ACTION_ADOPT: return strcmp(intent, "update") == 0 || strcmp(intent, "create") == 0;
        default: return strcmp(intent, "create") == 0;
        }
}

const struct operation_row *execute_intent(const struct step_run *r)
{
        const struct map *operations = r->executor->request.operations;
        const struct operation_row *row = operations && r->step->schema
                                              ? map_get(operations, r->step->address)
                                              : NULL;
        return row && leaves_intent(r->step->action, row->action) && text_equal(row->type, r->step->type)
                   ? row
                   : NULL;
}

static int decode_saved(
    const struct step_run *r, const char *text, struct value **ret, const char *what, struct error **err)
{
        struct value *v = value_decode(text, strlen(text), r->executor->request.io->sealer, err);
        if (v == NULL) return error_context(err, "%s of the interrupted operation", what);
        value_free(*ret);
        *ret = v;
        return 0;
}

/*
 * Goes on where the interrupted operation was: same token, state and saved value, and the same properties. What an expression
 * gives anew (a time, a draw, an environment variable) is not what the request had said that may have had its effect.
 */
static int take_up(struct step_run *r, struct operation_request *request, struct error **err)
{
        const struct operation_row *row = execute_intent(r);
        if (row == NULL || r->adopt_id != NULL || request->action == TUTTI_FIND) return 0;
        /* Somebody said to try again since: what the intent of the first try stood for is over. */
        if (question_count(r) > 0 && strcmp(row->token, r->token) != 0) return 0;
        request->resumed = true;
        request->state = row->state;
        request->started_ms = 0; /* a new deadline: the time in between was nobody's fault */
        snprintf(r->token, sizeof r->token, "%s", row->token);
        if (row->id != NULL && *row->id != '\0') request->id = row->id;
        if (row->private_ != NULL) request->private_ = row->private_;
        bool makes = request->action == TUTTI_CREATE || request->action == TUTTI_UPDATE;
        if (makes && row->planned != NULL &&
            decode_saved(r, row->planned, &r->properties, "properties", err) < 0)
                return -1;
        if (makes && row->host != NULL && decode_saved(r, row->host, &r->host, "host", err) < 0) return -1;
        if (row->saved != NULL && decode_saved(r, row->saved, &r->saved, "saved state", err) < 0) return -1;
        request->planned = r->properties;
        if (r->host != NULL) request->host = r->host;
        request->saved = r->saved;
        return 0;
}

static void start_operation(struct step_run *r, enum tutti_action action, bool by_name)
{
        struct executor *x = r->executor;
        const struct step *step = r->step;
        const struct recorded *record = step->recorded;
        bool makes = action == TUTTI_CREATE || action == TUTTI_FIND;
        struct operation_request request = {
            .action = action,
            .schema = step->schema,
            .connection = r->connection,
            .address = step->address,
            .token = by_name ? NULL : r->token,
            .id = r->adopted_id      ? r->adopted_id
                  : !makes && record ? record->id
                                     : NULL,
            .private_ = step->private_     ? step->private_
                        : record && !makes ? record->private_
                                           : NULL,
            .prior = r->adopted             ? r->adopted
                     : action == TUTTI_READ ? r->properties
                     : makes                ? NULL
                                            : step->prior,
            .planned = r->properties,
            .host = r->host  ? r->host
                    : record ? record->host
                             : NULL,
            .journal = without_effect(r) || action == TUTTI_FIND || r->adopt_id != NULL ? NULL
                                                                                        : x->request.journal,
            .run = x->request.run,
            .step = x->request.row_of_step[step->index],
        };
        if (step->resource != NULL) {
                request.retry = step->resource->retry;
                request.timeout_ms = step->resource->timeout_ms[timeout_verb(action)];
        }
        struct error *err = NULL;
        if (take_up(r, &request, &err) < 0) {
                refuse(r, err);
                return;
        }
        struct operation_events events = {
            operation_progressed, operation_retried, by_name ? adopt_found : operation_over, r};
        if (step->schema->local && operation_at_once(x->request.io, &request, &events)) return;
        r->operation = operation_start(x->request.io, &request, &events);
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
                r->adopted = value_ref(outcome->observed);
                r->adopted_id = mem_strdup(outcome->id);
        }
        start_operation(r, provider_action(r), false);
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
        if (r->adopted_id != NULL && !r->step->schema->no_read) {
                start_operation(r, r->step->schema->can_import ? TUTTI_IMPORT : TUTTI_READ, false);
                return;
        }
        struct operation_outcome outcome = {.id = r->adopted_id};
        operation_over(r, &outcome);
}

static void done_durable(void *context)
{
        step_finished(context, STEP_DONE, NULL);
}

static void forget(struct step_run *r)
{
        record_gone(r);
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

/* The interrupted run had found an object to adopt, and was about to update it: it is that one still. */
static int recall_adopted(struct step_run *r, struct error **err)
{
        const struct operation_row *row = execute_intent(r);
        if (r->step->action != ACTION_ADOPT || row == NULL || strcmp(row->action, "update") != 0) return 0;
        if (row->id == NULL || row->prior == NULL) return 0;
        if (decode_saved(r, row->prior, &r->adopted, "object found before", err) < 0) return -1;
        r->adopted_id = mem_strdup(row->id);
        return 0;
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

bool execute_start(struct step_run *r)
{
        struct executor *x = r->executor;
        const struct step *step = r->step;
        if (step->action == ACTION_JOIN) {
                step_finished(r, STEP_DONE, NULL);
                return true;
        }
        if (step->action == ACTION_GATE) {
                approval_open(r);
                return true;
        }
        if (step->action == ACTION_FORGET) {
                begin(r);
                forget(r);
                return true;
        }
        if (!question_before(r)) return true;
        struct error *err = NULL;
        if (connect_provider(r, &err) < 0) {
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
        if (r->adopt_id != NULL) {
                adopt_by_hand(r);
                return true;
        }
        if (recall_adopted(r, &err) < 0) {
                refuse(r, err);
                return true;
        }
        /* What was begun is gone on with; looking by name would find what it made itself. */
        bool adopt = step->action == ACTION_ADOPT && step->schema->can_find && execute_intent(r) == NULL;
        start_operation(r, adopt ? TUTTI_FIND : provider_action(r), adopt);
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

static void operation_over(void *context, const struct operation_outcome *outcome)
{
        struct step_run *r = context;
        struct executor *x = r->executor;
        r->operation = NULL;
        bool by_hand = r->adopt_id != NULL;
        free(steal(r->adopt_id));
        if (by_hand && (outcome->failed || outcome->gone)) {
                cleanup_free char *why = mem_printf(
                    "adopt it: %s", outcome->failed ? outcome->message : "there is no such object");
                fail(r, why, true);
                return;
        }
        if (outcome->failed) {
                /* An object that was found was there before: a change of it that failed does not make it a broken one of ours. */
                bool creates = needs_values(r->step->action) && r->step->action != ACTION_UPDATE &&
                               r->adopted == NULL;
                r->broken = creates && outcome->id != NULL && r->step->action != ACTION_READ;
                if (r->broken) record_tainted(r, outcome);
                if (!outcome->ambiguous) execute_forget_intent(r);
                fail(r, outcome->message, outcome->ambiguous);
                return;
        }
        if (needs_values(r->step->action)) {
                struct error *err = NULL;
                if (record_result(r, outcome, &err) < 0) {
                        execute_forget_intent(r);
                        refuse(r, err);
                        return;
                }
        } else {
                record_gone(r);
                plan_set_result(x->request.plan, r->step, NULL);
        }
        execute_forget_intent(r);
        record_duration(r, outcome->elapsed_ms);
        r->status = STEP_DONE;
        cleanup_free char *found = r->adopted ? mem_printf(STEP_ADOPTED "%s", r->adopted_id) : NULL;
        executor_record_step(r, found);
        r->status = STEP_RUNNING;
        executor_emit(x, EVENT_STEP_DONE, r, &(struct event){.wait_ms = outcome->elapsed_ms});
        journal_then(x->request.journal, done_durable, r);
        step_released(r);
}
