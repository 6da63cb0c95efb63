/* A line in front of a limiter; see turn.h. */
#include "run/turn.h"

#include "base/mem.h"

struct turns {
        struct limiter *limiter;
        struct ring line;
        struct loop *loop;
        struct timer *timer;
};

struct turns *turns_new(struct limiter *limiter)
{
        struct turns *t = mem_alloc(sizeof *t);
        t->limiter = limiter;
        ring_init(&t->line);
        return t;
}

void turns_free(struct turns *turns)
{
        free(turns);
}

static bool nobody_waits(const struct turns *t)
{
        return ring_first(&t->line) == NULL;
}

static void call_next(void *context)
{
        struct turns *t = context;
        t->timer = NULL;
        while (!nobody_waits(t)) {
                int64_t wait = limiter_take(t->limiter, loop_now_ms(t->loop));
                if (wait > 0) {
                        if (t->timer == NULL) t->timer = timer_start(t->loop, wait, call_next, t);
                        return;
                }
                struct turn *turn = ring_owner(ring_first(&t->line), struct turn, place);
                void (*ready)(void *) = turn->ready;
                void *of = turn->context;
                turn_cancel(turn);
                ready(of);
        }
        timer_cancel(t->timer); /* one who joined meanwhile has had his turn, too */
        t->timer = NULL;
}

bool turn_take(
    struct turns *t, struct loop *loop, struct turn *turn, bool first, void (*ready)(void *), void *context)
{
        int64_t wait = nobody_waits(t) || first ? limiter_take(t->limiter, loop_now_ms(loop)) : 1;
        if (wait == 0) return true;
        *turn = (struct turn){.turns = t, .ready = ready, .context = context};
        if (first)
                ring_add_first(&t->line, &turn->place);
        else
                ring_add_last(&t->line, &turn->place);
        t->loop = loop;
        if (t->timer == NULL) t->timer = timer_start(loop, wait, call_next, t);
        return false;
}

void turn_cancel(struct turn *turn)
{
        struct turns *t = turn->turns;
        if (t == NULL) return;
        ring_remove(&turn->place);
        turn->turns = NULL;
        if (!nobody_waits(t)) return;
        timer_cancel(t->timer);
        t->timer = NULL;
}
