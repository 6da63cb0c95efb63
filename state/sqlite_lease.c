/*
 * Leases: one writer per environment, without anybody to unlock by hand after a crash.
 *
 * A lease is free when it has no holder, or when its holder did not renew it for its ttl. Whoever takes it raises the
 * fence; every commit compares the fence in its own transaction, so that a holder that was only asleep cannot write
 * any more. A lease's age is measured by the machine's own clock since it was started, which no jump of the wall clock
 * moves; only where the holder is of another boot does the wall clock tell, the one that boots and machines share. One that
 * went back would make a lease live longer than its ttl: a renewal that lies in the future is therefore moved to now by
 * the first one who asks for the lease, which bounds what remains.
 */
#include "state/sqlite_internal.h"

#include <string.h>

#include "base/clock.h"

struct held {
        int64_t id, fence, acquired_ms, renewed_ms, ttl_ms;
        char *holder; /* NULL: free */
        char *boot;   /* whose clock boot_ms is of; NULL: not known */
        int64_t boot_ms;
};

static void held_release(struct held *h)
{
        free(h->holder);
        free(h->boot);
}

/* On the clock of this boot as well as on the wall's. */
static void renewed_now(struct held *h)
{
        h->renewed_ms = clock_wall_ms();
        h->boot_ms = clock_boot_ms();
        free(h->boot);
        h->boot = mem_strdup(clock_boot_id());
}

static bool same_clock(const struct held *h)
{
        return h->boot != NULL && *h->boot != '\0' && strcmp(h->boot, clock_boot_id()) == 0;
}

/* How long the lease lasts unless it is renewed; 0 or less: it is over. */
static int64_t left_ms(const struct held *h)
{
        int64_t age = same_clock(h) ? clock_boot_ms() - h->boot_ms : clock_wall_ms() - h->renewed_ms;
        return h->ttl_ms - age;
}

static int load(struct store *s, const char *environment, struct held *h, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT id, fence, lease_acquired_ms, lease_renewed_ms, lease_ttl_ms, lease_holder, "
            "lease_boot, lease_boot_ms FROM environment"
            " WHERE name = ?",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        int found = sqlite_step(s, st, err);
        if (found == 0) return environment_missing(s, environment, err);
        if (found < 0) return -1;
        *h = (struct held){
            .id = column_int(st, 0),
            .fence = column_int(st, 1),
            .acquired_ms = column_int(st, 2),
            .renewed_ms = column_int(st, 3),
            .ttl_ms = column_int(st, 4),
            .holder = column_text(st, 5),
            .boot = column_text(st, 6),
            .boot_ms = column_int(st, 7),
        };
        return 0;
}

static int save(struct store *s, const struct held *h, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE environment SET fence = ?2, lease_acquired_ms = ?3, lease_renewed_ms = ?4, lease_ttl_ms "
            "= ?5,"
            " lease_holder = ?6, lease_boot = ?7, lease_boot_ms = ?8 WHERE id = ?1",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, h->id);
        bind_int(st, 2, h->fence);
        bind_int(st, 3, h->acquired_ms);
        bind_int(st, 4, h->renewed_ms);
        bind_int(st, 5, h->ttl_ms);
        bind_text(st, 6, h->holder);
        bind_text(st, 7, h->boot);
        bind_int(st, 8, h->boot_ms);
        return sqlite_run(s, st, err);
}

/* Somebody else's live lease: says so, having bounded it first if its renewal lies in the future. */
static int refuse(struct store *s, const char *environment, struct held *h, struct error **err)
{
        int64_t now = clock_wall_ms();
        if (h->renewed_ms > now && !same_clock(h)) {
                h->renewed_ms = now;
                if (h->acquired_ms > now) h->acquired_ms = now;
                if (save(s, h, err) < 0 || sqlite_commit(s, err) < 0) return -1;
        }
        char since[CLOCK_TEXT], left[CLOCK_TEXT];
        clock_text(h->acquired_ms, since);
        duration_text(left_ms(h), left);
        return error_set(err, ERROR_BUSY, NULL,
            "environment '%s' is held by %s since %s; unless renewed, its lease ends in %s", environment,
            h->holder, since, left);
}

int store_lease_holder(struct store *s, const char *environment, struct lease_holder *ret, struct error **err)
{
        struct held h __attribute__((__cleanup__(held_release))) = {0};
        *ret = (struct lease_holder){0};
        int64_t id = environment_id(s, environment, err);
        if (id <= 0) return id < 0 ? -1 : 0;
        if (load(s, environment, &h, err) < 0) return -1;
        int64_t left = left_ms(&h);
        if (h.holder == NULL || left <= 0) return 0;
        *ret = (struct lease_holder){.since_ms = h.acquired_ms, .expires_ms = clock_wall_ms() + left};
        ret->holder = steal(h.holder);
        return 0;
}

int store_lease_last(struct store *s, const char *environment, char **holder, struct error **err)
{
        struct held h __attribute__((__cleanup__(held_release))) = {0};
        *holder = NULL;
        if (load(s, environment, &h, err) < 0) return -1;
        *holder = steal(h.holder);
        return 0;
}

int store_lease_acquire(struct store *s, const char *environment, const char *holder, int64_t ttl_ms,
    struct lease *ret, struct error **err)
{
        return store_lease_take(s, environment, holder, ttl_ms, NULL, ret, err);
}

int store_lease_take(struct store *s, const char *environment, const char *holder, int64_t ttl_ms,
    bool (*dead)(const char *holder), struct lease *ret, struct error **err)
{
        if (ttl_ms <= 0) return error_set(err, ERROR_INPUT, NULL, "a lease needs a time to live");
        if (sqlite_check(s, STORE_CHECK_RUN, err) < 0) return -1;
        int64_t sure_ms = clock_boot_ms() + ttl_ms; /* from before it can be seen */
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        struct held h __attribute__((__cleanup__(held_release))) = {0};
        if (load(s, environment, &h, err) < 0) return -1;
        bool held = h.holder != NULL && left_ms(&h) > 0;
        if (held && (dead == NULL || !dead(h.holder))) return refuse(s, environment, &h, err);
        free(h.holder);
        h.holder = mem_strdup(holder != NULL ? holder : "");
        h.fence++;
        renewed_now(&h);
        h.acquired_ms = h.renewed_ms;
        h.ttl_ms = ttl_ms;
        if (save(s, &h, err) < 0) return -1;
        if (sqlite_commit(s, err) < 0) return -1;
        *ret = (struct lease){.environment = mem_strdup(environment),
            .fence = h.fence,
            .expires_ms = h.renewed_ms + ttl_ms,
            .ttl_ms = ttl_ms,
            .sure_until_ms = sure_ms};
        return 0;
}

static int lost(const struct lease *lease, const struct held *h, struct error **err)
{
        if (h->holder == NULL && h->fence != lease->fence)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "the lease of environment '%s' was lost: another took it over, and has let go since",
                    lease->environment);
        if (h->holder == NULL)
                return error_set(err, ERROR_CONFLICT, NULL, "the lease of environment '%s' was released",
                    lease->environment);
        char since[CLOCK_TEXT];
        clock_text(h->acquired_ms, since);
        return error_set(err, ERROR_CONFLICT, NULL,
            "the lease of environment '%s' was lost: %s took it over at %s", lease->environment, h->holder,
            since);
}

/* In a transaction: 0 with the lease's row when it is still ours. An expired lease that nobody took is ours still. */
static int load_own(struct store *s, const struct lease *lease, struct held *h, struct error **err)
{
        if (load(s, lease->environment, h, err) < 0) return -1;
        return h->fence == lease->fence && h->holder != NULL ? 0 : lost(lease, h, err);
}

int store_lease_renew(struct store *s, struct lease *lease, int64_t ttl_ms, struct error **err)
{
        if (ttl_ms <= 0) return error_set(err, ERROR_INPUT, NULL, "a lease needs a time to live");
        int64_t sure_ms = clock_boot_ms() + ttl_ms;
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        struct held h __attribute__((__cleanup__(held_release))) = {0};
        if (load_own(s, lease, &h, err) < 0) return -1;
        renewed_now(&h);
        h.ttl_ms = ttl_ms;
        if (save(s, &h, err) < 0) return -1;
        if (sqlite_commit(s, err) < 0) return -1;
        lease->expires_ms = h.renewed_ms + ttl_ms;
        lease->ttl_ms = ttl_ms;
        lease->sure_until_ms = sure_ms;
        return 0;
}

int store_lease_release(struct store *s, struct lease *lease, struct error **err)
{
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        struct held h __attribute__((__cleanup__(held_release))) = {0};
        if (load_own(s, lease, &h, err) < 0) return -1;
        free(steal(h.holder));
        if (save(s, &h, err) < 0) return -1;
        if (sqlite_commit(s, err) < 0) return -1;
        store_signal(s); /* somebody may wait for it */
        lease_release_memory(lease);
        return 0;
}

void lease_release_memory(struct lease *lease)
{
        free(lease->environment);
        *lease = (struct lease){0};
}
