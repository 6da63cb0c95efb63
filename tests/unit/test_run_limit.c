/*
 * The limiter against simulated clouds on a simulated clock: it must find what a cloud allows, waste little of it, and be refused
 * rarely. Clouds differ in how they count: a bucket with a second's worth, strict pacing, a window of fixed length.
 */
#include "tap.h"

#include "run/limit.h"

enum { REPLIES = 512 }; /* in flight at once */

struct cloud {
        double rate, bucket; /* requests per second; how many at once. bucket 0: a window of `window_ms` */
        int64_t window_ms;
        bool silent; /* does not say how long to wait */
        double tokens;
        int64_t at_ms, window;
        double used;
        /* Counted. */
        size_t accepted, refused;
};

static bool admit(struct cloud *c, int64_t now)
{
        bool pass;
        if (c->window_ms > 0) {
                int64_t window = now / c->window_ms;
                if (window != c->window) c->used = 0;
                c->window = window;
                pass = c->used < c->rate * (double)c->window_ms / 1000;
                if (pass) c->used++;
        } else {
                c->tokens += c->rate * (double)(now - c->at_ms) / 1000;
                if (c->tokens > c->bucket) c->tokens = c->bucket;
                pass = c->tokens >= 1;
                if (pass) c->tokens--;
        }
        c->at_ms = now;
        if (pass)
                c->accepted++;
        else
                c->refused++;
        return pass;
}

/* Whole seconds, as the header Retry-After has them. */
static int64_t retry_after(const struct cloud *c, int64_t now)
{
        if (c->silent) return 0;
        int64_t wait = c->window_ms > 0 ? c->window_ms - now % c->window_ms
                                        : (int64_t)((1 - c->tokens) * 1000 / c->rate) + 1;
        return (wait + 999) / 1000 * 1000;
}

struct reply {
        int64_t at_ms, retry_after_ms;
        bool accepted;
};

/* Sends until `wanted` more were accepted, with replies after `delay`. Returns the seconds that it took. */
static double drive(struct limiter *l, struct cloud *c, size_t wanted, int64_t delay, int64_t *now)
{
        static struct reply replies[REPLIES];
        size_t head = 0, tail = 0, good = 0, out = 0;
        int64_t start = *now;
        while (good < wanted && *now - start < 3600000) {
                int64_t wait = good + out < wanted && out < REPLIES ? limiter_take(l, *now) : INT64_MAX;
                if (wait == 0) {
                        struct reply r = {.at_ms = *now + delay, .accepted = admit(c, *now)};
                        if (!r.accepted) r.retry_after_ms = retry_after(c, *now);
                        replies[tail++ % REPLIES] = r;
                        out++;
                        continue;
                }
                int64_t next = wait == INT64_MAX ? INT64_MAX : *now + wait;
                if (head != tail && replies[head % REPLIES].at_ms < next)
                        next = replies[head % REPLIES].at_ms;
                *now = next;
                while (head != tail && replies[head % REPLIES].at_ms <= *now) {
                        const struct reply *r = &replies[head++ % REPLIES];
                        out--;
                        if (r->accepted) {
                                limiter_accepted(l);
                                good++;
                        } else {
                                limiter_throttled(l, *now, r->retry_after_ms);
                        }
                }
        }
        return (double)(*now - start) / 1000;
}

/* `slack`: over the ideal, in per cent. `refused`: how many of a thousand requests may be, after the first burst. */
static void check(struct cloud c, int64_t delay, double slack, double refused, const char *name)
{
        struct limiter *l = limiter_new(0, 0);
        int64_t now = 1000;
        c.tokens = c.bucket;
        drive(l, &c, (size_t)(c.rate * 5 + c.bucket), delay, &now); /* finds the limit */
        size_t refused_first = c.refused;
        size_t wanted = 3000;
        double took = drive(l, &c, wanted, delay, &now), ideal = (double)wanted / c.rate;
        double share = (double)(c.refused - refused_first) * 1000 / (double)wanted;
        ok(took <= ideal * (1 + slack / 100), "%s: %.1f s where %.1f s are ideal (%+.1f %%)", name, took,
            ideal, (took / ideal - 1) * 100);
        ok(share <= refused, "%s: %.1f of 1000 requests were refused", name, share);
        limiter_free(l);
}

/* The limit moves while work goes on. */
static void check_change(double before, double after, const char *name)
{
        struct limiter *l = limiter_new(0, 0);
        struct cloud c = {.rate = before, .bucket = before, .tokens = before};
        int64_t now = 1000;
        drive(l, &c, (size_t)(before * 20), 20, &now);
        c.rate = c.bucket = after;
        double took = drive(l, &c, (size_t)(after * 60), 20, &now);
        ok(took < 60 * 1.2, "%s: a minute's worth took %.1f s", name, took);
        limiter_free(l);
}

static void test_given_rate(void)
{
        struct limiter *l = limiter_new(0, 20);
        struct cloud c = {.rate = 50, .bucket = 50, .tokens = 50};
        int64_t now = 1000;
        double took = drive(l, &c, 220, 5, &now);
        is_int(c.refused, 0, "a rate below the cloud's is never refused");
        ok(took > 9.5 && took < 10.5, "and is kept: 220 requests at 20/s after a burst of 20 took %.1f s",
            took);
        limiter_throttled(l, now, 2000);
        is_int(limiter_take(l, now), 2000, "a pause is kept, too");
        drive(l, &c, 400, 5, &now);
        ok(limiter_rate(l) <= 20, "and what was given is never exceeded: %.1f/s", limiter_rate(l));
        limiter_free(l);
}

static void test_lull(void)
{
        struct limiter *l = limiter_new(0, 0);
        struct cloud c = {.rate = 50, .bucket = 50, .tokens = 50};
        int64_t now = 1000;
        drive(l, &c, 600, 5, &now);
        for (int i = 0; i < 30; i++) { /* a minute in which little is asked for */
                now += 2000;
                drive(l, &c, 1, 5, &now);
        }
        double took = drive(l, &c, 1500, 5, &now);
        ok(took < 33, "a lull is not taken for a low limit: 1500 requests took %.1f s", took);
        limiter_free(l);
}

static void test_silence(void)
{
        struct limiter *l = limiter_new(0, 0);
        limiter_take(l, 1000);
        int64_t now = 1000, before = 0;
        for (int i = 0; i < 7; i++) {
                int64_t pause = limiter_throttled(l, now, 0);
                ok(pause >= before && pause <= 32000, "refusal %d without a word of how long: %lld ms", i + 1,
                    (long long)pause);
                before = pause;
                now += pause;
                while (limiter_take(l, now) > 0) now++;
                now += 300;
        }
        is_int(before, 32000, "a cloud that accepts nothing is asked ever more rarely");
        limiter_free(l);
}

static void test_slots(void)
{
        struct limiter *l = limiter_new(2, 0);
        ok(limiter_enter(l) && limiter_enter(l) && !limiter_enter(l) && limiter_full(l), "two slots");
        limiter_leave(l);
        ok(!limiter_full(l) && limiter_enter(l), "one is given back");
        limiter_free(l);
}

int main(void)
{
        check((struct cloud){.rate = 50, .bucket = 50}, 5, 5, 10, "a bucket of a second");
        check((struct cloud){.rate = 50, .bucket = 50}, 200, 10, 40, "the same, slow to reply");
        check((struct cloud){.rate = 5, .bucket = 5}, 5, 10, 80, "a low limit");
        check((struct cloud){.rate = 1000, .bucket = 1000}, 20, 10, 30, "a high limit");
        check((struct cloud){.rate = 50, .bucket = 200}, 5, 5, 30, "a deep bucket");
        check((struct cloud){.rate = 50, .bucket = 50, .silent = true}, 5, 10, 10,
            "one that does not say how long");
        check((struct cloud){.rate = 50, .window_ms = 10000}, 5, 15, 100, "a window of ten seconds");
        check((struct cloud){.rate = 50, .bucket = 2}, 5, 120, 30, "strict pacing, with pauses of a second");
        check_change(50, 200, "a limit that rises");
        check_change(200, 50, "a limit that falls");
        test_given_rate();
        test_lull();
        test_silence();
        test_slots();
        return done();
}
