/* Slots and a token bucket whose rate falls on throttling and recovers with success; see limit.h. */
#include "run/limit.h"

#include "base/mem.h"

struct limiter {
        unsigned parallel, inside;
        double rate_max, rate; /* per second; 0: no limit */
        double next_ms;        /* when the next request may leave: the bucket as a virtual schedule */
        int64_t paused_until_ms;
        int64_t changed_ms; /* when the rate last changed, so that a burst of 429 counts once */
};

struct limiter *limiter_new(unsigned parallel, double rate)
{
        struct limiter *l = mem_alloc(sizeof *l);
        l->parallel = parallel;
        l->rate_max = l->rate = rate;
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

void limiter_leave(struct limiter *l)
{
        l->inside--;
}

int64_t limiter_book(struct limiter *l, int64_t now_ms)
{
        double start = (double)now_ms;
        if (l->rate > 0) {
                /* Generic cell rate algorithm: the schedule may run behind the clock by up to a second's worth. */
                double interval = 1000.0 / l->rate;
                double burst = interval > 1000.0 ? 0 : 1000.0 - interval;
                if (l->next_ms < start - burst) l->next_ms = start - burst;
                if (l->next_ms > start) start = l->next_ms;
                l->next_ms += interval;
        }
        if ((double)l->paused_until_ms > start) start = (double)l->paused_until_ms;
        return (int64_t)(start - (double)now_ms + 0.5);
}

/* Where nobody set a rate, throttling itself finds one: start from what one operation a slot would send. */
enum { RATE_FIRST = 100, RATE_LEAST = 1 };

void limiter_throttled(struct limiter *l, int64_t now_ms, int64_t pause_ms)
{
        if (now_ms + pause_ms > l->paused_until_ms) l->paused_until_ms = now_ms + pause_ms;
        if (now_ms - l->changed_ms < 1000) return;
        l->changed_ms = now_ms;
        l->rate = l->rate > 0 ? l->rate / 2 : RATE_FIRST;
        if (l->rate < RATE_LEAST) l->rate = RATE_LEAST;
}

void limiter_succeeded(struct limiter *l, int64_t now_ms)
{
        if (l->rate == l->rate_max || now_ms - l->changed_ms < 1000) return;
        l->changed_ms = now_ms;
        l->rate += l->rate / 10 + 1;
        if (l->rate_max > 0 && l->rate > l->rate_max) l->rate = l->rate_max;
        if (l->rate_max <= 0 && l->rate > 10 * RATE_FIRST) l->rate = 0; /* back to no limit */
}
