/*
 * Claim, send, report, and again when something is due; see outbox.h.
 *
 * Functions stand in order of time. A claim or a report is a job of the worker's; while one claim is under way no other begins.
 */
#include "run/outbox.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
        AT_ONCE = 8,                   /* attempts under way */
        CLAIM_MS = 15000,              /* longer than an attempt takes */
        GIVE_UP_MS = 24 * 3600 * 1000, /* after the message was made */
        RETRY_MS = 2000,               /* after the first failure; four times longer after each other one */
        RETRY_MAX_MS = 30 * 60 * 1000,
};

#define NO_TIME "there was no time to wait for an answer"

struct attempt {
        struct outbox *outbox;
        struct attempt *next;
        struct notification_row row;
        struct delivery *delivery; /* NULL once it is over, while it is reported */
        bool delivered;
        char *error; /* for the store */
        int64_t next_ms;
        struct error *problem;
};

struct outbox {
        struct outbox_request request;
        const char *names[NOTIFY_TARGETS_MAX];
        struct attempt *attempts;
        size_t under_way; /* claimed and not reported yet */
        struct timer *due, *deadline;
        bool claiming, again, over, told, claimed_all;
        struct notification_claim claim; /* of the job under way, with its results */
        struct notification_row *rows;
        size_t row_count;
        int64_t next_ms;
        struct error *claim_error;
        void (*finished)(void *context);
        void *finished_context;
};

struct outbox *outbox_new(const struct outbox_request *request)
{
        struct outbox *b = mem_alloc(sizeof *b);
        b->request = *request;
        for (size_t i = 0; i < request->target_count; i++) b->names[i] = request->targets[i].name;
        return b;
}

static void attempt_free(struct attempt *a)
{
        for (struct attempt **at = &a->outbox->attempts; *at != NULL; at = &(*at)->next)
                if (*at == a) {
                        *at = a->next;
                        break;
                }
        delivery_cancel(a->delivery);
        struct notification_row *row = mem_dup(&a->row, sizeof a->row);
        notification_rows_free(row, 1);
        error_free(a->problem);
        free(a->error);
        free(a);
}

void outbox_stop(struct outbox *b)
{
        if (b != NULL) b->over = true;
}

void outbox_free(struct outbox *b)
{
        if (b == NULL) return;
        loop_forget(b->request.loop, b);
        while (b->attempts != NULL) attempt_free(b->attempts);
        timer_cancel(b->due);
        timer_cancel(b->deadline);
        notification_rows_free(b->rows, b->row_count);
        error_free(b->claim_error);
        free(b);
}

static const struct notify_target *target_of(const struct outbox *b, const char *name)
{
        for (size_t i = 0; i < b->request.target_count; i++)
                if (strcmp(b->request.targets[i].name, name) == 0) return &b->request.targets[i];
        return NULL;
}

/* --- the end --------------------------------------------------------------------------------------------------------- */

static void say_finished(void *context)
{
        struct outbox *b = context;
        if (b->finished != NULL) steal(b->finished)(b->finished_context);
}

static void look_whether_finished(struct outbox *b)
{
        if (b->finished == NULL || b->under_way > 0 || b->claiming || b->told) return;
        timer_cancel(b->deadline);
        b->deadline = NULL;
        b->over = b->told = true;
        loop_defer(b->request.loop, say_finished, b);
}

/* --- report ---------------------------------------------------------------------------------------------------------- */

static void report(void *context) /* on the worker */
{
        struct attempt *a = context;
        struct store *store = a->outbox->request.store;
        if (a->delivered)
                store_notification_delivered(store, a->row.id, clock_wall_ms(), &a->problem);
        else
                store_notification_failed(store, a->row.id, a->error, a->next_ms, &a->problem);
}

static void reported(void *context)
{
        struct attempt *a = context;
        struct outbox *b = a->outbox;
        if (a->problem != NULL) log_warn("record a delivery: %s", error_message(a->problem));
        bool delivered = a->delivered;
        attempt_free(a);
        b->under_way--;
        /* What waited for room may go now; after a failure there is a new time to wait for. */
        if (!b->over && (b->again || (!delivered && b->finished == NULL))) outbox_wake(b);
        look_whether_finished(b);
}

static int64_t backoff(int attempts, int64_t at_least)
{
        int64_t ms = RETRY_MS;
        for (int i = 1; i < attempts && ms < RETRY_MAX_MS; i++) ms *= 4;
        if (ms > RETRY_MAX_MS) ms = RETRY_MAX_MS;
        return ms > at_least ? ms : at_least;
}

static void attempted(void *context, const struct error *error, int64_t retry_after_ms)
{
        struct attempt *a = context;
        struct outbox *b = a->outbox;
        a->delivery = NULL;
        a->delivered = error == NULL;
        a->error = error ? mem_strdup(error_message(error)) : NULL;
        a->next_ms = clock_wall_ms() + backoff(a->row.attempts, retry_after_ms);
        if (error != NULL) log_info("notify %s of %s: %s", a->row.target, a->row.event, error_message(error));
        if (b->request.attempted != NULL) b->request.attempted(b->request.context, &a->row, error);
        worker_submit(b->request.worker, report, reported, a);
}

/* --- send ------------------------------------------------------------------------------------------------------------ */

static void begin_attempt(struct outbox *b, struct notification_row *row)
{
        struct attempt *a = mem_alloc(sizeof *a);
        a->outbox = b;
        a->row = *row;
        a->next = b->attempts;
        b->attempts = a;
        b->under_way++;
        cleanup(error_free) struct error *err = NULL;
        if (b->over) /* time was up while it was claimed */
                error_set(&err, ERROR_TIMEOUT, NULL, NO_TIME);
        else
                a->delivery = delivery_start(b->request.transfers, target_of(b, a->row.target), a->row.id,
                    a->row.body, attempted, a, &err);
        if (a->delivery == NULL) attempted(a, err, 0);
}

static void due_again(void *context)
{
        struct outbox *b = context;
        b->due = NULL;
        outbox_wake(b);
}

static void wait_for_next(struct outbox *b)
{
        timer_cancel(b->due);
        b->due = NULL;
        if (b->next_ms == 0 || b->over || b->finished != NULL) return;
        int64_t wait = b->next_ms - clock_wall_ms();
        b->due = timer_start(b->request.loop, wait < RETRY_MS / 2 ? RETRY_MS / 2 : wait, due_again, b);
}

/* --- claim ----------------------------------------------------------------------------------------------------------- */

static void claim(void *context) /* on the worker */
{
        struct outbox *b = context;
        store_notifications_claim(b->request.store, b->request.environment, &b->claim, &b->rows,
            &b->row_count, &b->next_ms, &b->claim_error);
}

static void claimed(void *context)
{
        struct outbox *b = context;
        b->claiming = false;
        if (b->claim_error != NULL) {
                log_warn("read the outbox: %s", error_message(b->claim_error));
                error_free(steal(b->claim_error));
        }
        size_t count = b->row_count;
        struct notification_row *rows = steal(b->rows);
        b->row_count = 0;
        b->again |= count > 0 && count == b->claim.limit;
        for (size_t i = 0; i < count; i++) begin_attempt(b, &rows[i]);
        free(rows); /* what they hold went to the attempts */
        if (count == 0) wait_for_next(b);
        if (b->again && b->under_way < AT_ONCE) outbox_wake(b);
        look_whether_finished(b);
}

void outbox_wake(struct outbox *b)
{
        if (b == NULL || b->over) return;
        b->again = true;
        if (b->claiming || b->under_way >= AT_ONCE) return;
        b->again = false;
        b->claiming = true;
        b->claim = (struct notification_claim){
            .targets = b->names,
            .target_count = b->request.target_count,
            .all = b->request.all && !b->claimed_all,
            .limit = AT_ONCE - b->under_way,
            .claim_ms = CLAIM_MS,
            .give_up_ms = GIVE_UP_MS,
        };
        b->claimed_all = true;
        worker_submit(b->request.worker, claim, claimed, b);
}

/* --- finishing ------------------------------------------------------------------------------------------------------- */

static void time_is_up(void *context)
{
        struct outbox *b = context;
        b->deadline = NULL;
        b->over = true;
        cleanup(error_free) struct error *err = NULL;
        error_set(&err, ERROR_TIMEOUT, NULL, NO_TIME);
        for (struct attempt *a = b->attempts, *next; a != NULL; a = next) {
                next = a->next;
                if (a->delivery == NULL) continue;
                delivery_cancel(steal(a->delivery));
                attempted(a, err, 0);
        }
        look_whether_finished(b);
}

void outbox_finish(struct outbox *b, int64_t ms, void (*finished)(void *context), void *context)
{
        b->finished = finished;
        b->finished_context = context;
        timer_cancel(b->due);
        b->due = NULL;
        b->deadline = timer_start(b->request.loop, ms, time_is_up, b);
        outbox_wake(b);
        look_whether_finished(b);
}

void outbox_hurry(struct outbox *b)
{
        if (b == NULL || b->deadline == NULL) return;
        timer_cancel(steal(b->deadline));
        time_is_up(b);
}
