/* Who is told what: messages out of events and drift, and the outbox beside a run or by itself. See session.h. */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"
#include "run/journal.h"
#include "run/message.h"
#include "run/session_internal.h"

/* --- what a run tells ------------------------------------------------------------------------------------------------ */

/* The event that targets are told of: an end is told as a success or a failure, by name. NULL: none. */
static const char *told_as(const struct event *e)
{
        if (e->kind != EVENT_RUN_DONE) return event_name(e->kind);
        return text_equal(e->status, "done")     ? "run-done"
               : text_equal(e->status, "failed") ? "run-failed"
                                                 : NULL;
}

/* What happened, in one text: told once, also if the run comes by again. A reminder is a new one each time. */
static char *subject_of(const struct event *e, const char *event, const char *gate)
{
        bool again = strcmp(event, "gate-reminder") == 0;
        return mem_printf(
            "%s %s %s %lld", event, e->run, gate ? gate : "", again ? (long long)e->time_ms : 0LL);
}

static void add_notification(struct session *s, const struct notify_target *target, const char *event,
    const char *subject, const char *body)
{
        struct arena *a = journal_arena(s->journal);
        struct notification_row *row = arena_alloc(a, sizeof *row);
        *row = (struct notification_row){
            .target = arena_strdup(a, target->name),
            .subject = arena_strdup(a, subject),
            .event = arena_strdup(a, event),
            .run = arena_strdup(a, s->run),
            .body = arena_strdup(a, body),
        };
        struct store_write w = {.kind = WRITE_NOTIFICATION, .run = row->run};
        w.notification = row;
        journal_add(s->journal, &w);
}

static void on_disk(void *context)
{
        struct session *s = context;
        outbox_wake(s->outbox);
}

void session_notify(struct session *s, const struct event *e, const char *summary)
{
        const struct environment *env = s->plan->input->env;
        const char *event = env->notify_count > 0 ? told_as(e) : NULL;
        unsigned bit = event ? notify_event_bit(event) : 0, wanted = 0;
        for (size_t i = 0; i < env->notify_count; i++) wanted |= env->notify[i].events;
        if ((wanted & bit) == 0) return;
        const char *gate = e->gate           ? e->gate
                           : e->step == NULL ? NULL
                           : e->step->gate   ? e->step->gate
                                             : e->step->address;
        struct message m = {
            .event = event,
            .environment = s->name,
            .file = s->file,
            .run = s->run,
            .time_ms = e->time_ms,
            .gate = gate,
            .details = e->details,
            .text = e->message,
            .summary = summary,
            .problems = e->problems,
        };
        struct text body __attribute__((__cleanup__(text_release_cleanup))) = {0};
        message_body(&m, &body);
        cleanup_free char *subject = subject_of(e, event, gate);
        for (size_t i = 0; i < env->notify_count; i++)
                if (env->notify[i].events & bit)
                        add_notification(s, &env->notify[i], event, subject, body.data);
        if (s->outbox != NULL) journal_then(s->journal, on_disk, s);
}

/* --- delivery -------------------------------------------------------------------------------------------------------- */

static struct outbox_request request_of(struct session *s, const struct environment *env)
{
        return (struct outbox_request){
            .loop = s->engine->loop,
            .transfers = s->engine->transfers,
            .worker = s->worker,
            .store = s->store,
            .environment = s->name,
            .targets = env->notify,
            .target_count = env->notify_count,
        };
}

void session_outbox_start(struct session *s)
{
        const struct environment *env = s->plan->input->env;
        if (env->notify_count == 0) return;
        struct outbox_request request = request_of(s, env);
        s->outbox = outbox_new(&request);
        outbox_wake(s->outbox);
}

static void stop_loop(void *context)
{
        struct session *s = context;
        loop_stop(s->engine->loop);
}

static bool something_waits(struct session *s)
{
        struct notification_row *rows = NULL;
        size_t count = 0;
        if (s->store == NULL || s->env == NULL) return false;
        if (store_notifications(s->store, s->name, &rows, &count, NULL) < 0) return false;
        notification_rows_free(rows, count);
        return count > 0;
}

int session_deliver(struct session *s, const struct deliver_request *deliver, struct error **err)
{
        if (!something_waits(s)) return 0; /* what is for targets that are no more is given up in time */
        if (session_engine(s, err) == NULL || worker_new(s->engine->loop, &s->worker, err) < 0) return -1;
        struct outbox_request request = request_of(s, s->env);
        request.all = deliver->all;
        request.attempted = deliver->attempted;
        request.context = deliver->context;
        s->outbox = outbox_new(&request);
        outbox_finish(s->outbox, deliver->ms, stop_loop, s);
        loop_run(s->engine->loop);
        outbox_stop(s->outbox);
        worker_free(steal(s->worker));
        outbox_free(steal(s->outbox));
        return 0;
}

/* --- drift ----------------------------------------------------------------------------------------------------------- */

static void digest_text(EVP_MD_CTX *md, const char *s)
{
        EVP_DigestUpdate(md, s, strlen(s) + 1);
}

static EVP_MD_CTX *digest_start(void)
{
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) abort(); /* out of memory */
        return md;
}

static void digest_end(EVP_MD_CTX *md, char hex[65])
{
        unsigned char digest[32];
        EVP_DigestFinal_ex(md, digest, NULL);
        EVP_MD_CTX_free(md);
        text_hex(digest, sizeof digest, hex);
}

/* How subjects of drift begin that was looked for in the same part of the environment. */
static char *drift_prefix(const struct plan_input *in)
{
        char hex[65];
        if (in->target_count == 0 && in->exclude_count == 0) return mem_strdup("drift ");
        EVP_MD_CTX *md = digest_start();
        for (size_t i = 0; i < in->target_count; i++) digest_text(md, in->targets[i]);
        digest_text(md, "");
        for (size_t i = 0; i < in->exclude_count; i++) digest_text(md, in->excludes[i]);
        digest_end(md, hex);
        return mem_printf("drift of %.16s ", hex);
}

/* Which resources differ, and what the world has in their place: the same for the same drift, whenever it is looked at. */
static char *drift_subject(const struct plan *plan, const char *prefix)
{
        unsigned char digest[32];
        char hex[65];
        EVP_MD_CTX *md = digest_start();
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                if (step->action == ACTION_JOIN) continue;
                digest_text(md, step->address);
                digest_text(md, action_name(step->action));
                if (step->prior == NULL) continue;
                value_digest(step->prior, digest);
                EVP_DigestUpdate(md, digest, sizeof digest);
        }
        digest_end(md, hex);
        return mem_printf("%s%s", prefix, hex);
}

int session_notify_drift(struct session *s, struct error **err)
{
        const struct environment *env = s->env;
        if (s->store == NULL || *s->state->lineage == '\0' || env->notify_count == 0) return 0;
        struct message m = {
            .event = "drift-found",
            .environment = s->name,
            .file = s->file,
            .time_ms = clock_wall_ms(),
            .drift = s->plan,
        };
        struct text body __attribute__((__cleanup__(text_release_cleanup))) = {0};
        message_body(&m, &body);
        cleanup_free char *prefix = drift_prefix(s->plan->input);
        cleanup_free char *subject = drift_subject(s->plan, prefix);
        cleanup_free struct notification_row *rows = mem_alloc((env->notify_count + 1) * sizeof *rows);
        size_t count = 0;
        for (size_t i = 0; s->plan->count > 0 && i < env->notify_count; i++)
                if (env->notify[i].events & NOTIFY_DRIFT_FOUND)
                        rows[count++] = (struct notification_row){
                            .target = (char *)env->notify[i].name,
                            .subject = subject,
                            .event = (char *)m.event,
                            .run = (char *)"",
                            .body = body.data,
                        };
        return store_notify(s->store, s->name, prefix, rows, count, err);
}

/* --- trying the targets ---------------------------------------------------------------------------------------------- */

struct test {
        struct session *session;
        size_t left;
        void (*tested)(void *context, const struct notify_target *target, const struct error *error);
        void *context;
};

struct test_one {
        struct test *test;
        const struct notify_target *target;
};

static void tested(void *context, const struct error *error, int64_t retry_after_ms)
{
        struct test_one *one = context;
        (void)retry_after_ms;
        one->test->tested(one->test->context, one->target, error);
        if (--one->test->left == 0) loop_stop(one->test->session->engine->loop);
}

static char *random_id(void)
{
        char hex[33];
        unsigned char bytes[16];
        if (RAND_bytes(bytes, sizeof bytes) != 1) abort(); /* no randomness: nothing can be trusted */
        text_hex(bytes, sizeof bytes, hex);
        return mem_strdup(hex);
}

int session_notify_test(struct session *s,
    void (*report)(void *context, const struct notify_target *target, const struct error *error),
    void *context, struct error **err)
{
        const struct environment *env = s->env;
        if (env->notify_count == 0) return 0;
        if (session_engine(s, err) == NULL) return -1;
        struct message m = {
            .event = "test",
            .environment = s->name,
            .file = s->file,
            .time_ms = clock_wall_ms(),
            .text = "A message to try this target. Nothing happened.",
        };
        struct text body __attribute__((__cleanup__(text_release_cleanup))) = {0};
        message_body(&m, &body);
        struct test test = {s, env->notify_count, report, context};
        cleanup_free struct test_one *ones = mem_alloc(env->notify_count * sizeof *ones);
        for (size_t i = 0; i < env->notify_count; i++) {
                cleanup_free char *id = random_id();
                ones[i] = (struct test_one){&test, &env->notify[i]};
                /* A body of ours and checked targets: a message can always be made of them. */
                if (delivery_start(
                        s->engine->transfers, &env->notify[i], id, body.data, tested, &ones[i], err) == NULL)
                        return -1;
        }
        loop_run(s->engine->loop);
        return 0;
}
