/*
 * Group commit: one batch collects while another is being committed; see journal.h.
 *
 * A batch owns an arena for the strings of its writes, the writes, and the callbacks that wait for it. Reads of the store ride along:
 * they run on the worker after the batch they were added to.
 */
#include "run/journal.h"

#include "base/clock.h"
#include "base/log.h"

struct waiter {
        void (*call)(void *context);
        void *context;
};

struct batch {
        struct journal *journal;
        struct arena *arena;
        struct store_write *writes;
        size_t write_count, write_capacity;
        struct waiter *waiters; /* once durable, on the loop */
        size_t waiter_count, waiter_capacity;
        struct waiter *reads; /* on the worker */
        size_t read_count, read_capacity;
        bool renew;            /* the lease */
        int64_t sure_until_ms; /* then: what its renewal gave */
        struct error *err;
};

struct journal {
        struct loop *loop;
        struct worker *worker;
        struct store *store;
        struct lease *lease;
        void (*broken)(void *context, const struct error *err);
        void *context;
        struct batch *collecting, *under_way;
        bool committing, scheduled, is_broken, freed;
        int64_t lease_ttl_ms, sure_until_ms; /* of the lease, whose own fields are the worker's */
        struct timer *lease_timer;
};

static struct batch *batch_new(struct journal *j)
{
        struct batch *b = mem_alloc(sizeof *b);
        b->journal = j;
        b->arena = arena_new();
        return b;
}

static void batch_free(struct batch *b)
{
        arena_free(b->arena);
        error_free(b->err);
        free(b->writes);
        free(b->waiters);
        free(b->reads);
        free(b);
}

struct journal *journal_new(struct loop *loop, struct worker *worker, struct store *store,
    struct lease *lease, void (*broken)(void *context, const struct error *err), void *context)
{
        struct journal *j = mem_alloc(sizeof *j);
        *j = (struct journal){loop, worker, store, lease, broken, context, .collecting = NULL};
        j->lease_ttl_ms = lease->ttl_ms;
        j->sure_until_ms = lease->sure_until_ms;
        j->collecting = batch_new(j);
        return j;
}

/* The worker has been freed before, so no batch is under way any more. */
void journal_free(struct journal *j)
{
        if (j == NULL) return;
        loop_forget(j->loop, j);
        timer_cancel(j->lease_timer);
        batch_free(j->collecting);
        free(j);
}

static void commit(void *context) /* on the worker */
{
        struct batch *b = context;
        struct journal *j = b->journal;
        if (b->renew && store_lease_renew(j->store, j->lease, j->lease_ttl_ms, &b->err) < 0) return;
        b->sure_until_ms = j->lease->sure_until_ms;
        if (b->write_count > 0) store_commit(j->store, j->lease, b->writes, b->write_count, &b->err);
        for (size_t i = 0; i < b->read_count && b->err == NULL; i++) b->reads[i].call(b->reads[i].context);
}

static void flush(void *context);

static void committed(void *context) /* on the loop */
{
        struct batch *b = context;
        struct journal *j = b->journal;
        j->committing = false;
        if (b->err != NULL) {
                if (!j->is_broken) {
                        j->is_broken = true;
                        timer_cancel(j->lease_timer);
                        j->lease_timer = NULL;
                        j->broken(j->context, b->err);
                }
                j->under_way = NULL;
                batch_free(b);
                return;
        }
        if (b->renew) j->sure_until_ms = b->sure_until_ms;
        /* Callbacks may add to the next batch; it is sent when they all have. */
        for (size_t i = 0; i < b->waiter_count && !j->is_broken; i++)
                if (b->waiters[i].call != NULL) b->waiters[i].call(b->waiters[i].context);
        j->under_way = NULL;
        batch_free(b);
        flush(j);
}

static bool has_work(const struct batch *b)
{
        return b->write_count > 0 || b->waiter_count > 0 || b->read_count > 0 || b->renew;
}

static void flush(void *context)
{
        struct journal *j = context;
        if (j->committing || j->is_broken || !has_work(j->collecting)) return;
        j->committing = true;
        struct batch *b = j->under_way = j->collecting;
        j->collecting = batch_new(j);
        worker_submit(j->worker, commit, committed, b);
}

static void flush_scheduled(void *context)
{
        struct journal *j = context;
        j->scheduled = false;
        flush(j);
}

static void flush_next(void *context)
{
        struct journal *j = context;
        loop_defer(j->loop, flush_scheduled, j);
}

/* Two turns later, so that everything that happens in this turn shares the batch, and what begins because of it: the outcome of a step
 * and the intents of its dependants are one commit. */
static void schedule(struct journal *j)
{
        if (j->scheduled || j->committing || j->is_broken) return;
        j->scheduled = true;
        loop_defer(j->loop, flush_next, j);
}

struct arena *journal_arena(struct journal *j)
{
        return j->collecting->arena;
}

void journal_add(struct journal *j, const struct store_write *write)
{
        struct batch *b = j->collecting;
        vec_push(b->writes, b->write_count, b->write_capacity, *write);
        schedule(j);
}

void journal_then(struct journal *j, void (*durable)(void *context), void *context)
{
        struct batch *b = j->collecting;
        struct waiter w = {durable, context};
        vec_push(b->waiters, b->waiter_count, b->waiter_capacity, w);
        schedule(j);
}

void journal_event(struct journal *j, const char *run, const char *kind, const char *json)
{
        struct arena *arena = journal_arena(j);
        struct store_write w = {.kind = WRITE_EVENT, .run = arena_strdup(arena, run)};
        w.event.kind = arena_strdup(arena, kind);
        w.event.data = arena_strdup(arena, json);
        journal_add(j, &w);
}

static void forget_in(struct batch *b, const void *context)
{
        if (b == NULL) return;
        for (size_t i = 0; i < b->waiter_count; i++)
                if (b->waiters[i].context == context) b->waiters[i].call = NULL;
}

void journal_forget(struct journal *j, void *context)
{
        forget_in(j->collecting, context);
        forget_in(j->under_way, context);
}

static void renew(void *context)
{
        struct journal *j = context;
        j->lease_timer = NULL;
        if (j->is_broken) return;
        j->collecting->renew = true;
        schedule(j);
        j->lease_timer = timer_start(j->loop, j->lease_ttl_ms / 3, renew, j);
}

void journal_keep_lease(struct journal *j)
{
        j->lease_timer = timer_start(j->loop, j->lease_ttl_ms / 3, renew, j);
}

bool journal_lease_holds(const struct journal *j)
{
        return !j->is_broken && clock_boot_ms() < j->sure_until_ms - j->lease_ttl_ms / 6;
}

void journal_renew_then(struct journal *j, void (*renewed)(void *context), void *context)
{
        j->collecting->renew = true;
        journal_then(j, renewed, context);
}

void journal_read(struct journal *j, void (*read)(void *context), void (*done)(void *context), void *context)
{
        struct batch *b = j->collecting;
        struct waiter w = {read, context};
        vec_push(b->reads, b->read_count, b->read_capacity, w);
        journal_then(j, done, context);
}

bool journal_idle(const struct journal *j)
{
        return !j->committing && !has_work(j->collecting);
}
