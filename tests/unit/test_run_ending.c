/*
 * When a run may be over: each step has its end, or a reason not to have one. Tables of steps in every state that a run can come to, and in
 * those that it must never come to. And the counts that lead there: slots, and who waits for one.
 */
#include "tap.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/ending.h"
#include "run/limit.h"

enum { STEPS = 4 };

struct table {
        struct step steps[STEPS];
        struct step_run runs[STEPS];
        struct executor executor;
};

/* a, b after a, c after b, d. A letter is each step's state: p, r(unning), w, d, f, s(kipped), y (on standby). */
static void table_fill(struct table *t, const char *states)
{
        static const uint32_t first = 0, second = 1;
        static const char *const names[] = {"a", "b", "c", "d"};
        *t = (struct table){0};
        for (uint32_t i = 0; i < STEPS; i++) {
                t->steps[i] = (struct step){.index = i, .address = names[i], .action = ACTION_CREATE};
                t->runs[i] = (struct step_run){.executor = &t->executor, .step = &t->steps[i]};
                t->runs[i].status = (enum step_status)(strchr("prwdfsy", states[i]) - "prwdfsy");
        }
        t->steps[1].after = &first;
        t->steps[2].after = &second;
        t->steps[1].after_count = t->steps[2].after_count = 1;
        t->executor.table = t->steps;
        t->executor.steps = t->runs;
        t->executor.count = STEPS;
}

/* The problem that the check finds, to be freed; NULL for none. */
static char *check(const struct table *t)
{
        cleanup(error_free) struct error *err = NULL;
        if (ending_check(&t->executor, &err) == 0) return NULL;
        return mem_strdup(error_message(err));
}

static void may_end(const char *states, const char *name)
{
        struct table t;
        table_fill(&t, states);
        cleanup_free char *problem = check(&t);
        is_str(problem, NULL, name);
}

static void must_not_end(const char *states, const char *address, const char *name)
{
        struct table t;
        table_fill(&t, states);
        cleanup_free char *problem = check(&t);
        ok(problem != NULL && strstr(problem, "internal error") && strstr(problem, address), "%s", name);
        printf("# %s\n", problem ? problem : "no problem");
        t.executor.stopping = true;
        cleanup_free char *stopped = check(&t);
        ok((strchr(states, 'r') != NULL) == (stopped != NULL), "%s, in a run that was stopped", name);
        t.executor.aborted = true;
        cleanup_free char *aborted = check(&t);
        is_str(aborted, NULL, "nor does anything count in one that was aborted");
}

static void ends(void)
{
        may_end("dddd", "all done");
        may_end("fssd", "what depends on a failure is skipped");
        may_end("dwpd", "one waits for people, another behind it");
        may_end("wppd", "a chain of steps behind one that waits");
        may_end("dddy", "a recovery step was not needed");
        must_not_end("dddp", "d (create)", "a step that nothing holds back");
        must_not_end("dpwd", "b (create)", "a step whose dependency is done");
        must_not_end("wppp", "d (create)", "a step beside one that waits");
        must_not_end("fppd", "b (create)", "a step behind one that failed, which is to be skipped");
        must_not_end("drdd", "b (create)", "a step that is under way");
}

static void recoveries(void)
{
        struct table t;
        table_fill(&t, "dfsy");
        t.steps[3].recovery_of = "b";
        t.executor.recovery_count = 1;
        cleanup_free char *problem = check(&t);
        ok(problem != NULL && strstr(problem, "recovery"), "a recovery that did not run");
        t.runs[3].status = STEP_WAITING;
        cleanup_free char *waits = check(&t);
        is_str(waits, NULL, "one that waits for people");
        t.runs[3].status = STEP_STANDBY;
        t.executor.interrupted = true;
        cleanup_free char *interrupted = check(&t);
        is_str(interrupted, NULL, "one that was interrupted");
        t.executor.interrupted = false;
        t.executor.recovery_next = 1;
        cleanup_free char *over = check(&t);
        is_str(over, NULL, "one that is over");
}

/* What a child does under TUTTI_STRICT=1 ends it. */
static bool aborts(void (*what)(void))
{
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
                setenv("TUTTI_STRICT", "1", 1);
                if (freopen("/dev/null", "w", stderr) == NULL) _exit(1);
                what();
                _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void break_rule(void)
{
        struct table t;
        table_fill(&t, "dddp");
        free(check(&t));
}

static void slots(void)
{
        struct limiter *l = limiter_new(2, 0);
        ok(!limiter_leave(l), "no slot is given back that nobody took");
        ok(limiter_enter(l) && limiter_enter(l) && !limiter_enter(l), "two slots");
        ok(limiter_leave(l) && limiter_leave(l) && !limiter_leave(l), "are given back once");
        ok(limiter_enter(l) && limiter_enter(l) && !limiter_enter(l), "and the count is as it was");
        limiter_free(l);
}

static void heaps(void)
{
        struct heap h = {0};
        for (uint32_t i = 0; i < 1000; i++) heap_push(&h, (i * 7919) % 10, i);
        double before = 10;
        uint32_t last = 0;
        bool sorted = true;
        for (unsigned n = 0; n < 1000; n++) {
                uint32_t index = heap_pop(&h);
                double urgency = (index * 7919) % 10;
                sorted &= urgency < before || (urgency == before && index > last);
                before = urgency;
                last = index;
        }
        ok(sorted && h.count == 0, "the most urgent first, of equals the first");
        heap_release(&h);
}

int main(void)
{
        unsetenv("TUTTI_STRICT");
        ends();
        recoveries();
        ok(aborts(break_rule), "in tests the program ends there");
        slots();
        heaps();
        return done();
}
