/* Requests in line: the order of asking, one that was sent back before all, cancelling, and nothing left behind. */
#include "tap.h"

#include "io/loop.h"
#include "run/turn.h"

enum { MANY = 6 };

static struct loop *loop;
static struct turns *turns;
static struct turn waiting[MANY];
static char order[64];
static int left;

static void ready(void *context)
{
        struct turn *turn = context;
        char name[2] = {(char)('a' + (turn - waiting)), '\0'};
        strcat(order, name);
        if (--left == 0) loop_stop(loop);
}

static bool ask(int i, bool first)
{
        return turn_take(turns, loop, &waiting[i], first, ready, &waiting[i]);
}

static void run(int expected)
{
        left = expected;
        order[0] = '\0';
        loop_run(loop);
}

int main(void)
{
        struct error *err = NULL;
        if (loop_new(&loop, &err) < 0) return 1;
        struct limiter *limiter = limiter_new(0, 200);
        turns = turns_new(limiter);

        int at_once = 0;
        while (ask(0, false)) at_once++;
        ok(at_once >= 200 && at_once < 300, "a second's worth leaves at once: %d", at_once);
        for (int i = 1; i < 4; i++) ok(!ask(i, false), "then one waits");
        ok(!ask(4, true), "one that was sent back waits, too");
        turn_cancel(&waiting[2]);
        run(4);
        is_str(order, "eabd",
            "it is first; the others follow in the order of asking, without the one that left");

        limiter_throttled(limiter, loop_now_ms(loop), 50);
        ok(!ask(0, false) && !ask(1, false), "nobody passes in a pause");
        run(2);
        is_str(order, "ab", "after it they do");

        limiter_throttled(limiter, loop_now_ms(loop), 3600000);
        ok(!ask(3, false), "one more waits");
        turn_cancel(&waiting[3]);
        turn_cancel(&waiting[3]);
        ok(waiting[3].turns == NULL, "and may leave, twice");
        turns_free(turns);
        limiter_free(limiter);
        loop_free(loop);
        return done();
}
