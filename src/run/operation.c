/*
 * The life of an operation: enter the plug-in's state, make it durable, wait, call again; retry; find out; end.
 *
 * Functions stand in order of time. Nothing completes inside operation_start.
 */
#include "run/operation.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "run/operation_internal.h"
#include "run/operation_host.h"
#include "run/retry.h"

static void begin(void *context);
static void proceed(struct tutti_op *op);
static void deadline_passed(void *context);
static void fail_or_retry(struct tutti_op *op);

/* How long an action may take when neither the template nor the type says. */
static int64_t default_timeout_ms(const struct operation_request *r)
{
        switch (r->action) {
        case TUTTI_CREATE: return r->schema->timeout_ms[0] ? r->schema->timeout_ms[0] : 600000;
        case TUTTI_UPDATE: return r->schema->timeout_ms[1] ? r->schema->timeout_ms[1] : 600000;
        case TUTTI_DELETE: return r->schema->timeout_ms[2] ? r->schema->timeout_ms[2] : 600000;
        default: return r->schema->timeout_ms[3] ? r->schema->timeout_ms[3] : 120000;
        }
}

/* Finding out what became of an earlier creation may take as long as a read, however little time the creation itself is given. */
static int64_t enough_to_look(const struct operation_request *r)
{
        bool looks = r->action == TUTTI_CREATE && r->resumed;
        struct operation_request read = {.action = TUTTI_READ, .schema = r->schema};
        return looks ? default_timeout_ms(&read) : 0;
}

/* By its method, as HTTP defines it (RFC 9110, section 9.2.2). */
static bool is_idempotent(const struct operation_request *r)
{
        static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"};
        const struct value *method = r->schema->by_method && r->planned ? value_get(r->planned, "method")
                                                                        : NULL;
        if (method == NULL || value_kind(method) != TYPE_STRING || !value_is_present(method) ||
            !value_is_known(method))
                return false;
        for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
                if (strcmp(value_as_string(method), methods[i]) == 0) return true;
        return false;
}

static struct operation *operation_new(const struct operation_io *io, const struct operation_request *request,
    const struct operation_events *events)
{
        struct operation *operation = mem_alloc(sizeof *operation);
        struct tutti_op *op = &operation->op;
        op->io = io;
        op->request = *request;
        op->events = *events;
        op->state = request->state;
        op->saved = request->saved ? value_ref(request->saved) : NULL;
        op->id = request->id != NULL && *request->id != '\0' ? mem_strdup(request->id) : NULL;
        op->private_ = mem_strdup(request->private_);
        op->begun_ms = clock_boot_ms();
        op->started_ms = request->started_ms ? request->started_ms : clock_wall_ms();
        op->dirty = true; /* the intent itself */
        op->intended = request->resumed && request->before_run == NULL;
        op->sent = request->resumed;
        op->absent = request->absent;
        op->accepted = request->accepted;
        op->idempotent = is_idempotent(request);
        if (op->request.timeout_ms <= 0) op->request.timeout_ms = default_timeout_ms(request);
        if (op->request.timeout_ms < enough_to_look(request))
                op->request.timeout_ms = enough_to_look(request);
        return operation;
}

struct operation *operation_start(const struct operation_io *io, const struct operation_request *request,
    const struct operation_events *events)
{
        struct operation *operation = operation_new(io, request, events);
        struct tutti_op *op = &operation->op;
        op->deadline = timer_start(io->loop, op->request.timeout_ms, deadline_passed, op);
        op->timer = timer_start(io->loop, 0, begin, op);
        return operation;
}

static bool worth_a_retry(const struct tutti_op *op, unsigned attempts_max)
{
        switch (op->failure) {
        case TUTTI_TRANSIENT:
        case TUTTI_THROTTLED:
        case TUTTI_UNAVAILABLE:
        case TUTTI_BUSY: return op->uncounted || op->attempts < attempts_max;
        case TUTTI_UNSUCCESSFUL: return op->attempts < op->request.retry.attempts;
        default: return false;
        }
}

static void finish(struct tutti_op *op)
{
        operation_wait_abort(op);
        timer_cancel(op->deadline);
        op->deadline = NULL;
        if (op->finding != NULL) operation_drop(op->finding);
        op->finding = NULL;
}

static void release(struct tutti_op *op)
{
        value_free(op->saved);
        value_free(op->observed);
        arena_free(op->wait_arena);
        free(op->id);
        free(op->private_);
        free(op->message);
        free(op->last_progress);
        free((struct operation *)op);
}

/* The failure says nothing of the object: nobody knows it yet, was allowed to look, or understood the answer. */
static bool says_nothing(const struct tutti_op *op)
{
        switch (op->failure) {
        case TUTTI_TRANSIENT:
        case TUTTI_THROTTLED:
        case TUTTI_BUSY:
        case TUTTI_DENIED:
        case TUTTI_UNCLEAR: return true;
        default: return op->timed_out;
        }
}

/* A creation whose requests never left made nothing, whatever id it was given beforehand. */
static bool made_nothing(const struct tutti_op *op)
{
        bool asked = op->wait_arena != NULL;
        return op->failed && op->request.action == TUTTI_CREATE && asked && !op->sent;
}

static void end(struct tutti_op *op)
{
        finish(op);
        if (made_nothing(op)) free(steal(op->id));
        bool broke_off = op->failed && op->request.action == TUTTI_CREATE;
        struct operation_outcome outcome = {
            .failed = op->failed,
            .failure = op->failure,
            .message = op->message,
            .gone = op->gone,
            .ambiguous = broke_off && op->id == NULL &&
                         (op->unanswered || (op->accepted && says_nothing(op))),
            .absent = op->absent,
            .unfinished = broke_off && op->id != NULL && says_nothing(op),
            .id = op->id,
            .observed = op->observed,
            .private_ = op->private_,
            .attempts = op->total + 1,
            .elapsed_ms = op_elapsed_ms(op),
        };
        op->events.done(op->events.context, &outcome);
        release(op);
}

bool operation_at_once(const struct operation_io *io, const struct operation_request *request,
    const struct operation_events *events)
{
        struct tutti_op *op = &operation_new(io, request, events)->op;
        bool over = !fault_here("provider.step");
        if (over) {
                enum tutti_result result = op->request.connection->provider->step(
                    op->request.connection->context, op);
                over = result == TUTTI_DONE || (result == TUTTI_FAILED && !worth_a_retry(op, 1));
        }
        if (over)
                end(op);
        else
                release(op);
        return over;
}

/* --- whose object it is --------------------------------------------------------------------------------------------- */

/* What a creation came by is not recorded elsewhere already. False when it is, and the operation has failed. */
static bool is_free(struct tutti_op *op)
{
        const char *owner = op->id != NULL && op->events.owner != NULL
                                ? op->events.owner(op->events.context, op->id)
                                : NULL;
        if (owner == NULL) return true;
        op_fail(op, TUTTI_REFUSED, 0, "%s is recorded as %s already: one object cannot be two resources",
            op->id, owner);
        free(steal(op->id));
        return false;
}

/* A question of its own on the way of a creation. `token` NULL: by name. */
static void ask(struct tutti_op *op, const char *token,
    void (*answered)(void *context, const struct operation_outcome *outcome))
{
        struct operation_request request = op->request;
        request.action = TUTTI_FIND;
        request.token = token;
        request.journal = NULL;
        request.resumed = request.absent = request.accepted = false;
        request.state = 0;
        request.saved = NULL;
        request.before_run = NULL;
        request.started_ms = 0;
        request.timeout_ms = 0;
        struct operation_events events = {.done = answered, .context = op};
        op->finding = operation_start(op->io, &request, &events);
}

/* A name proves that an object is ours only if nothing had it before. */
static bool must_look(const struct tutti_op *op)
{
        const struct schema *schema = op->request.schema;
        bool by_name = schema->can_find && !schema->finds_token && !schema->repeatable;
        return op->request.action == TUTTI_CREATE && op->request.journal != NULL && op->id == NULL &&
               (by_name || schema->overwrites) && !op->looked && !op->absent && !op->accepted &&
               !op->unanswered;
}

static void looked(void *context, const struct operation_outcome *outcome)
{
        struct tutti_op *op = context;
        op->finding = NULL;
        if (outcome->failed && outcome->failure != TUTTI_UNCLEAR && outcome->failure != TUTTI_REFUSED) {
                op_fail(op, outcome->failure, 0, "look whether its name is taken: %s", outcome->message);
                fail_or_retry(op);
                return;
        }
        op->looked = true;
        op->absent = !outcome->failed && outcome->gone;
        if (!op->absent && op->request.schema->overwrites) {
                op_fail(op, TUTTI_EXISTS, 0,
                    "there is one of that name already, and creating it would replace what it holds: `adopt: "
                    "if-exists` or `tutti import` takes it over");
                end(op);
                return;
        }
        proceed(op);
}

/* A creation may have made something that nobody knows of. */
static void doubt(struct tutti_op *op)
{
        bool unknown = op->request.action == TUTTI_CREATE && op->id == NULL && !op->accepted;
        if (unknown && !op->idempotent) op->unanswered = op->doubted = true;
}

/* Before a creation is entered again whose request may have had its effect: ask the cloud. */
static bool must_find(const struct tutti_op *op)
{
        const struct schema *schema = op->request.schema;
        return op->unanswered && op->id == NULL && !op->accepted && op->request.action == TUTTI_CREATE &&
               (schema->finds_token || !schema->repeatable);
}

static void found(void *context, const struct operation_outcome *outcome)
{
        struct tutti_op *op = context;
        op->finding = NULL;
        if (outcome->failed) {
                op_fail(op, outcome->failure, 0, "find out whether it was created: %s", outcome->message);
                fail_or_retry(op);
                return;
        }
        if (!outcome->gone && outcome->id != NULL) {
                op_set_id(op, outcome->id);
                if (!is_free(op)) {
                        end(op);
                        return;
                }
                op_progress(op, "found what the interrupted request had created");
        }
        op->unanswered = false;
        proceed(op);
}

static void find_out(struct tutti_op *op)
{
        const struct schema *schema = op->request.schema;
        if (schema->finds_token || op->absent) {
                ask(op, op->request.token, found);
        } else {
                op_fail(op, TUTTI_REFUSED, 0,
                    "the reply to its creation was lost, and %s: look whether it exists",
                    schema->can_find ? "what has its name may have been there before"
                                     : "objects of its type cannot be looked up");
                end(op);
        }
}

static void proceed(struct tutti_op *op)
{
        if (must_find(op))
                find_out(op);
        else if (must_look(op))
                ask(op, NULL, looked);
        else
                operation_enter(op);
}

static void begin(void *context)
{
        struct tutti_op *op = context;
        op->timer = NULL;
        /* An intent that was on disk may have been acted on; nothing else tells. */
        if (op->request.resumed) doubt(op);
        proceed(op);
}

void operation_enter(struct tutti_op *op)
{
        operation_replied(op, NULL);
}

/* Saved texts for the store: encoded, secrets sealed. Encoding fails only if sealing does, which aborts nothing here. */
static const char *encoded(struct tutti_op *op, struct arena *arena, const struct value *v)
{
        if (v == NULL) return NULL;
        struct text text = {0};
        cleanup(error_free) struct error *err = NULL;
        if (value_encode(v, op->io->sealer, &text, &err) < 0) {
                log_error("%s: %s", op->request.address, error_message(err));
                text_release(&text);
                return NULL;
        }
        char *copy = arena_strndup(arena, text.data, text.len);
        text_release(&text);
        return copy;
}

static const char *action_text(enum tutti_action action)
{
        static const char *const names[] = {[TUTTI_CREATE] = "create",
            [TUTTI_UPDATE] = "update",
            [TUTTI_DELETE] = "delete",
            [TUTTI_READ] = "read",
            [TUTTI_FIND] = "find",
            [TUTTI_IMPORT] = "import",
            [TUTTI_LOOKUP] = "lookup"};
        return names[action];
}

void operation_durable(void *context)
{
        struct tutti_op *op = context;
        op->waiting_for_journal = false;
        op->intended = true;
        if (op->failed)
                end(op); /* the deadline passed meanwhile */
        else
                operation_wait_issue(op);
}

static void record(struct tutti_op *op)
{
        struct journal *j = op->request.journal;
        struct arena *a = journal_arena(j);
        struct operation_row *row = arena_alloc(a, sizeof *row);
        if (op->request.before_run != NULL) { /* one intent of one creation, whichever run has it */
                struct operation_row *before = arena_alloc(a, sizeof *before);
                before->run = arena_strdup(a, op->request.before_run);
                before->step = op->request.before_step;
                struct store_write over = {
                    .kind = WRITE_OPERATION_OVER, .run = before->run, .operation = before};
                journal_add(j, &over);
                op->request.before_run = NULL;
        }
        *row = (struct operation_row){
            .run = arena_strdup(a, op->request.run),
            .step = op->request.step,
            .address = arena_strdup(a, op->request.address),
            .deposed = arena_strdup(a, ""),
            .type = arena_strdup(a, op->request.schema->type),
            .provider = arena_strdup(a, op->request.connection->name),
            .action = arena_strdup(a, action_text(op->request.action)),
            .token = arena_strdup(a, op->request.token ? op->request.token : ""),
            .state = op->state,
            .saved = (char *)encoded(op, a, op->saved),
            .id = arena_strdup(a, op->id),
            .prior = (char *)encoded(op, a, op->request.prior),
            .planned = (char *)encoded(op, a, op->request.planned),
            .host = (char *)encoded(op, a, op->request.host),
            .private_ = arena_strdup(a, op->private_),
            .started_ms = op->started_ms,
            .after = arena_alloc(a, (op->request.after_count + 1) * sizeof *row->after),
            .after_count = op->request.after_count,
            .absent = op->absent,
            .accepted = op->accepted,
            .definition = arena_strdup(a, op->request.schema->definition),
            .account = arena_strdup(a, op->request.connection->account_text),
        };
        for (size_t i = 0; i < row->after_count; i++) row->after[i] = arena_strdup(a, op->request.after[i]);
        struct store_write w = {.kind = WRITE_OPERATION, .run = row->run, .operation = row};
        journal_add(j, &w);
        op->dirty = false;
}

/* Whether the wait can change anything: asking and sleeping do not. */
static bool is_harmless(const struct tutti_op *op)
{
        if (op->wait == WAIT_SLEEP) return true;
        return op->wait == WAIT_HTTP &&
               (strcmp(op->http.method, "GET") == 0 || strcmp(op->http.method, "HEAD") == 0);
}

/*
 * What may change the world waits until all that was said of this operation is on disk. Once the intent is there, a question does not wait:
 * what it asks about is found again from the intent, should the record of where it stood be lost.
 */
static void wait_begins(struct tutti_op *op)
{
        if (op->wait != WAIT_SLEEP) op->harmless = is_harmless(op);
        bool journalled = op->request.journal != NULL;
        if (journalled && op->intended && is_harmless(op)) {
                if (op->dirty) {
                        record(op);
                        op->ahead = true;
                }
                operation_wait_issue(op);
        } else if (journalled && (op->dirty || op->ahead)) {
                record(op);
                op->ahead = false;
                op->waiting_for_journal = true;
                journal_then(op->request.journal, operation_durable, op);
        } else {
                operation_wait_issue(op);
        }
}

/*
 * A refusal for good of a creation that was sent before: had it been made, the same request would have been answered with it. Not
 * so where the cloud does not know who asks, or says that such an object exists.
 */
static bool is_definite(const struct tutti_op *op, const struct tutti_reply *reply)
{
        bool for_good = op->failure == TUTTI_REFUSED || op->failure == TUTTI_INVALID ||
                        op->failure == TUTTI_NOT_FOUND || op->failure == TUTTI_DENIED;
        if (reply->kind != TUTTI_REPLY_HTTP) return for_good;
        bool asks_again = reply->status == 401 || reply->status == 407 || reply->status == 408 ||
                          reply->status == 425 || reply->status == 429;
        return for_good && !op->harmless && reply->status >= 400 && reply->status < 500 && !asks_again;
}

/* What a reply to a creation that failed says about whether anything was made. */
static void judge_creation(struct tutti_op *op, const struct tutti_reply *reply)
{
        if (op->request.action != TUTTI_CREATE || op->id != NULL || op->accepted) return;
        bool effect = !op->harmless && (op->failure == TUTTI_TRANSIENT || op->failure == TUTTI_UNCLEAR);
        if (effect) /* "internal error" does not say that nothing happened */
                doubt(op);
        else if (op->doubted && op->failure == TUTTI_EXISTS)
                op->unanswered = true; /* it may be the one that was made */
        else if (op->unanswered && is_definite(op, reply))
                op->unanswered = false;
}

/* Calls the plug-in, with a reply or to enter its state. */
void operation_replied(struct tutti_op *op, const struct tutti_reply *reply)
{
        op->wait = WAIT_NONE;
        op->reply = reply;
        bool had_id = op->id != NULL;
        if (reply != NULL && reply->kind != TUTTI_REPLY_SLEPT) op->sent = true;
        enum tutti_result result;
        if (fault_here("provider.step"))
                result = op_fail(op, TUTTI_TRANSIENT, 0, "injected fault");
        else
                result = op->request.connection->provider->step(op->request.connection->context, op);
        op->reply = NULL;
        if (reply != NULL && (reply->kind == TUTTI_REPLY_HTTP || reply->kind == TUTTI_REPLY_SSH) &&
            (result != TUTTI_FAILED || op->failure != TUTTI_THROTTLED))
                limiter_accepted(op->request.connection->limiter);
        if (result == TUTTI_WAIT && op->failed) result = TUTTI_FAILED; /* wait_ssh may refuse */
        if (op->id_too_long)
                result = op_fail(op, TUTTI_UNCLEAR, 0, "the id in the answer is longer than any id can be");
        if (!had_id && op->request.action == TUTTI_CREATE && !is_free(op)) result = TUTTI_FAILED;
        switch (result) {
        case TUTTI_WAIT:
                if (reply != NULL) op->attempts = 0; /* progress: only failures in a row count */
                wait_begins(op);
                break;
        case TUTTI_DONE: end(op); break;
        case TUTTI_FAILED:
                op->uncounted = op->failure == TUTTI_THROTTLED;
                if (reply != NULL) judge_creation(op, reply);
                fail_or_retry(op);
                break;
        }
}

static enum tutti_failure failure_of(enum error_kind kind)
{
        switch (kind) {
        case ERROR_RETRY:
        case ERROR_TIMEOUT: return TUTTI_TRANSIENT;
        case ERROR_DENIED: return TUTTI_DENIED;
        case ERROR_INPUT: return TUTTI_INVALID;
        case ERROR_MISSING: return TUTTI_NOT_FOUND;
        default: return TUTTI_REFUSED;
        }
}

void operation_fault(struct tutti_op *op, const struct error *error, bool maybe_effect, bool counts)
{
        op_fail(op, failure_of(error_kind(error)), 0, "%s", error_message(error));
        if (maybe_effect) op->sent = true;
        if (maybe_effect && !op->harmless) doubt(op);
        op->uncounted = !counts;
        fail_or_retry(op);
}

static void retry_now(void *context)
{
        struct tutti_op *op = context;
        op->timer = NULL;
        proceed(op);
}

static int64_t backoff_ms(const struct tutti_op *op)
{
        unsigned power = op->uncounted ? (op->total < 4 ? op->total : 4) : op->attempts;
        return retry_wait_ms(&op->request.retry, power, op->retry_after_ms);
}

static void fail_or_retry(struct tutti_op *op)
{
        operation_wait_abort(op);
        unsigned usual = op->failure == TUTTI_BUSY ? RETRY_ATTEMPTS_BUSY : RETRY_ATTEMPTS;
        unsigned attempts_max = op->request.retry.attempts ? op->request.retry.attempts : usual;
        op->total++;
        if (!op->uncounted) op->attempts++;
        if (!worth_a_retry(op, attempts_max)) {
                op->total--;
                end(op);
                return;
        }
        bool throttled = op->failure == TUTTI_THROTTLED;
        int64_t wait = throttled ? limiter_throttled(op->request.connection->limiter,
                                       loop_now_ms(op->io->loop), op->retry_after_ms)
                                 : backoff_ms(op);
        if (op->events.retry != NULL)
                op->events.retry(op->events.context, op->attempts, attempts_max, wait, op->message);
        log_debug("%s: attempt %u failed: %s; again in %lld ms", op->request.address, op->total, op->message,
            (long long)wait);
        op->failed = false;
        op->sent_back = throttled; /* then the limiter holds it back, and all others with it */
        op->timer = timer_start(op->io->loop, throttled ? 0 : wait, retry_now, op);
}

static void deadline_passed(void *context)
{
        struct tutti_op *op = context;
        op->deadline = NULL;
        bool sent = op->http_exchange != NULL; /* what waits for its turn or for the disk has not left */
        op->sent |= sent || op->running != NULL ||
                    (op->ssh_exchange != NULL && ssh_has_started(op->ssh_exchange));
        operation_wait_abort(op);
        char limit[CLOCK_TEXT];
        duration_text(op->request.timeout_ms, limit);
        cleanup_free char *last = mem_strdup(op->message ? op->message : op->last_progress);
        if (sent && !op->harmless) doubt(op);
        op->timed_out = true;
        bool reads = op->request.action == TUTTI_READ || op->request.action == TUTTI_LOOKUP;
        op_fail(op, reads ? TUTTI_TRANSIENT : TUTTI_REFUSED, 0, "timed out after %s%s%s", limit,
            last ? "; last: " : "", last ? last : "");
        if (!op->waiting_for_journal) end(op);
}

bool operation_is_idle(const struct operation *operation)
{
        const struct tutti_op *op = &operation->op;
        if (op->finding != NULL) return operation_is_idle(op->finding);
        bool between = op->timer != NULL &&
                       op->wait != WAIT_SLEEP; /* which is its own waiting, for the cloud */
        bool away = op->http_exchange != NULL || op->running != NULL || op->ssh_exchange != NULL;
        return between || (!op->sent && !away);
}

void operation_drop(struct operation *operation)
{
        struct tutti_op *op = &operation->op;
        finish(op);
        if (op->waiting_for_journal) journal_forget(op->request.journal, op);
        release(op);
}

void operation_token(const char *lineage, const char *address, const char *generation, char token[33])
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        cleanup_free char *text = mem_printf(
            "%zu:%s %zu:%s %s", strlen(lineage), lineage, strlen(address), address, generation);
        EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
        text_hex(digest, 16, token);
}
