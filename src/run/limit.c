/* Slots, and a paced schedule whose rate follows what the cloud accepts; see limit.h. */
#include "run/limit.h"

#include "base/mem.h"

enum {
        BURST_MS = 1000,     /* how far the schedule may run behind the clock, to catch up */
        PAUSE_MS = 1000,     /* where the cloud does not say how long; doubled while it accepts nothing */
        PAUSE_DOUBLINGS = 5, /* at most */
        SAME_BURST_MS = 250, /* refusals this soon after another are the same one's */
        LULL_MS = 1000, /* nothing was asked for so long: what was accepted says nothing about the limit */
};
static const double RATE_LEAST = 1;   /* per second */
static const double DECREASE = 0.95;  /* of what was measured */
static const double GROWTH_SPAN = 15; /* seconds' worth of requests until the rate has doubled */

struct limiter {
        unsigned parallel, inside;
        double rate_max, rate; /* per second; 0: no limit */
        double known;          /* what the cloud was seen to accept; 0: it never throttled */
        double next_ms;        /* when the next request may leave: the bucket as a virtual schedule */
        double burst_ms;
        int64_t paused_until_ms, taken_ms;
        /* Since the last throttling, or the first request. */
        bool counting, lull;
        int64_t since_ms, paused_ms;
        unsigned accepted, silent; /* silent: throttlings in a row between which nothing was accepted */
};

struct limiter *limiter_new(unsigned parallel, double rate)
{
        struct limiter *l = mem_alloc(sizeof *l);
        l->parallel = parallel;
        l->rate_max = l->rate = rate;
        l->burst_ms = BURST_MS;
        return l;
}

void limiter_free(struct limiter *limiter)
{
        free(limiter);
}

bool limiter_full(const struct limiter *l)
{
        return l->parallel > 0 && l->inside >= l->parallel;
}

bool limiter_enter(struct limiter *l)
{
        if (limiter_full(l)) return false;
        l->inside++;
        return true;
}

bool limiter_leave(struct limiter *l)
{
        if (l->inside == 0) return false;
        l->inside--;
        return true;
}

double limiter_rate(const struct limiter *l)
{
        return l->rate;
}

/* Counted in requests, not in time: a rate that nobody uses proves nothing. */
static void grow(struct limiter *l)
{
        if (l->known <= 0) return;
        double seconds = l->accepted / l->known / GROWTH_SPAN;
        l->rate = l->known * (DECREASE + seconds * seconds);
        if (l->rate_max > 0 && l->rate > l->rate_max) l->rate = l->rate_max;
}

/* Generic cell rate algorithm (ITU-T I.371): the schedule may run behind the clock by the burst. 0 when a request may leave. */
static int64_t take_by_schedule(struct limiter *l, double now)
{
        double interval = 1000.0 / l->rate;
        double behind = l->burst_ms > interval ? l->burst_ms - interval : 0;
        if (l->next_ms < now - behind) l->next_ms = now - behind;
        if (l->next_ms > now) return (int64_t)(l->next_ms - now) + 1;
        l->next_ms += interval;
        return 0;
}

int64_t limiter_take(struct limiter *l, int64_t now_ms)
{
        if (now_ms < l->paused_until_ms) return l->paused_until_ms - now_ms;
        grow(l);
        int64_t wait = l->rate > 0 ? take_by_schedule(l, (double)now_ms) : 0;
        if (wait > 0) return wait;
        int64_t last = l->taken_ms > l->paused_until_ms ? l->taken_ms : l->paused_until_ms;
        if (l->counting && now_ms - last > LULL_MS) l->lull = true;
        if (!l->counting) l->since_ms = now_ms;
        l->counting = true;
        l->taken_ms = now_ms;
        return 0;
}

void limiter_accepted(struct limiter *l)
{
        l->accepted++;
        l->silent = 0;
}

/* The cloud had nothing left at the last throttling, and has nothing left now: it accepted its rate, if it was asked all the time. */
static double measured(const struct limiter *l, int64_t now_ms)
{
        /* A pause counts as far as it could be caught up. */
        double lost = (double)l->paused_ms * (1 - l->burst_ms / BURST_MS);
        double seconds = ((double)(now_ms - l->since_ms) - lost) / 1000;
        /* What it accepted at first came out of a full bucket, which tends to hold a second's worth. */
        double rate = l->accepted / (seconds > 1 ? seconds : 1);
        if (l->rate > 0) {
                if (l->lull || rate < l->rate / 2) rate = l->rate / (l->lull ? 1.5 : 2);
                if (rate > l->rate) rate = l->rate;
        }
        return rate > RATE_LEAST ? rate : RATE_LEAST;
}

static int64_t pause_ms(const struct limiter *l, int64_t retry_after_ms)
{
        if (retry_after_ms > 0) return retry_after_ms;
        return (int64_t)PAUSE_MS << (l->silent < PAUSE_DOUBLINGS ? l->silent : PAUSE_DOUBLINGS);
}

int64_t limiter_throttled(struct limiter *l, int64_t now_ms, int64_t retry_after_ms)
{
        int64_t pause = pause_ms(l, retry_after_ms);
        bool same = l->paused_until_ms > 0 &&
                    (now_ms < l->paused_until_ms || now_ms < l->since_ms + SAME_BURST_MS);
        if (now_ms + pause > l->paused_until_ms) l->paused_until_ms = now_ms + pause;
        if (same) return l->paused_until_ms - now_ms;
        /* Refused while catching up after a pause: so much at once is too much for its bucket. */
        if (l->known > 0 && l->accepted < l->rate * l->burst_ms / 1000 * 0.9) l->burst_ms /= 2;
        l->known = measured(l, now_ms);
        if (l->accepted == 0) l->silent++;
        l->accepted = 0;
        l->since_ms = now_ms;
        l->paused_ms = pause;
        l->lull = false;
        l->counting = true;
        grow(l);
        return l->paused_until_ms - now_ms;
}
