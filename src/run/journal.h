/*
 * The journal: store writes in order, from the engine's thread, committed by the worker in groups.
 *
 * While one batch is being committed the next one collects, so that steps which start or finish together share one fsync. A
 * callback follows when its write is durable. When a commit fails (disk full, lease lost) the journal breaks: `broken` is called
 * once, nothing is written any more, and no further callback follows.
 */
#ifndef TUTTI_RUN_JOURNAL_H
#define TUTTI_RUN_JOURNAL_H

#include "io/worker.h"
#include "state/store.h"

struct journal;

struct journal *journal_new(struct loop *loop, struct worker *worker, struct store *store,
    struct lease *lease, void (*broken)(void *context, const struct error *err), void *context);
void journal_free(struct journal *journal);

/* Strings for the writes of the batch that is collecting live in this arena; ask again before each group of writes. */
struct arena *journal_arena(struct journal *journal);
/* Adds a write to the batch that is collecting. */
void journal_add(struct journal *journal, const struct store_write *write);
/* Calls `durable` once all that was added up to now is on disk. */
void journal_then(struct journal *journal, void (*durable)(void *context), void *context);
/* No callback with this context follows any more. */
void journal_forget(struct journal *journal, void *context);
/* An event for the log; `json` is an object. */
void journal_event(struct journal *journal, const char *run, const char *kind, const char *json);
/* Keeps the lease alive: renews it on the worker every third of its time to live. */
void journal_keep_lease(struct journal *journal);
/*
 * Whether nobody else can hold the lease yet, by this machine's clock and with a sixth of its time to spare. A process that was stopped,
 * or a machine that slept, finds that it does not: then nothing with an effect may leave before a renewal has shown whose it is.
 */
bool journal_lease_holds(const struct journal *journal);
/* Renews the lease, then as journal_then. If it was lost, the journal breaks instead. */
void journal_renew_then(struct journal *journal, void (*renewed)(void *context), void *context);
/* Runs `read` on the worker, between batches, then `done` on the loop: for reads of the store while a run goes on. */
void journal_read(
    struct journal *journal, void (*read)(void *context), void (*done)(void *context), void *context);
bool journal_idle(const struct journal *journal);

#endif
