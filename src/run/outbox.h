/*
 * Delivery of the outbox: what waits in the store goes to its targets, beside a run or by itself.
 *
 * Everything happens on the loop, the store's part on its worker, and nothing here can fail a run: what goes wrong is written
 * down with the message, and tried again later, by whichever process comes along. A message is sent under the same id each time.
 */
#ifndef TUTTI_RUN_OUTBOX_H
#define TUTTI_RUN_OUTBOX_H

#include "io/http.h"
#include "io/worker.h"
#include "state/store.h"
#include "template/notify.h"

struct outbox;

struct outbox_request { /* borrowed for the life of the outbox */
        struct loop *loop;
        struct transfers *transfers;
        struct worker *worker;
        struct store *store; /* used on the worker only */
        const char *environment;
        const struct notify_target *targets;
        size_t target_count;
        bool all; /* also what is to be tried again later */
        /* One attempt is over: `error` is NULL when the target took it. May be NULL. */
        void (*attempted)(void *context, const struct notification_row *row, const struct error *error);
        void *context;
};

struct outbox *outbox_new(const struct outbox_request *request);
/* Nothing is begun any more: to be called before the worker is freed. NULL-safe. */
void outbox_stop(struct outbox *outbox);
/* Drops what is under way: it is due again when its claim ends. The worker has been freed before. NULL-safe. */
void outbox_free(struct outbox *outbox);

/* Something may be due: look. NULL-safe. */
void outbox_wake(struct outbox *outbox);

/* Sends what is due now, and calls `finished` on a later turn: when nothing of that is left, or after `ms`. What is still under way
 * then counts as an attempt that failed. Nothing is begun afterwards. */
void outbox_finish(struct outbox *outbox, int64_t ms, void (*finished)(void *context), void *context);
/* Somebody is in a hurry: as though the time of outbox_finish were up. NULL-safe. */
void outbox_hurry(struct outbox *outbox);

/* One attempt at sending, by itself: for tests of a target, and for the outbox. Exactly one callback follows unless cancelled. */
struct delivery;
typedef void delivery_done(void *context, const struct error *error, int64_t retry_after_ms);
/* NULL with *err when no message can be made of `body`. */
struct delivery *delivery_start(struct transfers *transfers, const struct notify_target *target,
    const char *id, const char *body, delivery_done *done, void *context, struct error **err);
void delivery_cancel(struct delivery *delivery); /* NULL-safe */

#endif
