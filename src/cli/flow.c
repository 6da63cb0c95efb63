/* Asking, running and undoing, as several commands do it; see flow.h. */
#include "cli/flow.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/render.h"
#include "cli/work.h"

static struct run_options run_options_of(const struct options *o)
{
        return (struct run_options){
            .parallel = o->parallel,
            .approve = o->approve.items,
            .approve_count = o->approve.count,
            .by = o->as,
            .on_failure_given = o->on_failure_given,
            .on_failure = o->on_failure,
        };
}

static void print_how_to(const char *file, const char *gate, const char *choices)
{
        struct text option __attribute__((__cleanup__(text_release_cleanup))) = {0};
        if (choices != NULL) text_add(&option, "--answer ");
        if (choices != NULL) text_add_shell(&option, choices); /* several words that are to be chosen from */
        printf("  ");
        print_named_hint("approve", file, gate, option.data);
        printf(" && ");
        print_hint("resume", file);
        putchar('\n');
}

/* Counts would be of what is known here, and nobody else can know it. */
static void print_unrecorded(const char *file)
{
        printf("%sFailed%s: the run broke off, as what it does cannot be recorded. What it did last is not "
               "in the record; `",
            style_on(STYLE_RED), style_off());
        print_hint("resume", file);
        printf("` finds out what became of it, and goes on.\n");
}

static void print_result(const struct session *s, const struct options *o, const struct run_result *r)
{
        if (o->json) return;
        const char *file = session_file(s); /* of the environment, also when a saved plan was applied */
        struct text summary = {0};
        const struct plan_summary *d = &r->done;
        bool did = d->create + d->update + d->replace + d->replace_delete + d->restore + d->delete_ +
                       d->forget + d->gates >
                   0;
        if (did || r->status == RUN_DONE) render_summary(d, true, &summary);
        if (r->status == RUN_FAILED || r->status == RUN_INTERRUPTED) text_add(&summary, did ? "; " : "");
        putchar('\n');
        for (size_t i = 0; i < error_count(r->problems); i++) {
                cleanup_free char *text = error_text(error_at(r->problems, i));
                printf("%serror:%s ", style_on(STYLE_RED), style_off());
                print_lines(stdout, text, 7);
                putchar('\n');
        }
        switch (r->status) {
        /* Of a run that is not done, what it did is told if it did something. */
        case RUN_DONE: printf("%sDone%s: %s.\n", style_on(STYLE_GREEN), style_off(), summary.data); break;
        case RUN_FAILED:
                if (r->unrecorded) {
                        print_unrecorded(file);
                        break;
                }
                printf("%sFailed%s: %s%zu failed, %zu skipped. What exists is recorded; %s\n",
                    style_on(STYLE_RED), style_off(), summary.data, r->failed, r->skipped,
                    r->rollback_due ? "what was done is undone now."
                    : r->destroys   ? "`tutti destroy` goes on from there."
                                    : "`tutti apply` goes on from there.");
                break;
        case RUN_WAITING:
                printf("%sWaiting%s for an answer%s%s.\n", style_on(STYLE_CYAN), style_off(), did ? ": " : "",
                    did ? summary.data : "");
                for (size_t i = 0; i < r->waiting_count; i++)
                        print_how_to(file, r->waiting[i], r->choices[i]);
                break;
        case RUN_INTERRUPTED:
                printf("%sInterrupted%s: %s%zu step%s remain%s. What exists is recorded; `",
                    style_on(STYLE_YELLOW), style_off(), summary.data, r->remaining, plural(r->remaining),
                    r->remaining == 1 ? "s" : "");
                print_hint("resume", file);
                printf("` %s.\n", r->rollback_due ? "undoes what was done" : "goes on");
                break;
        }
        text_release(&summary);
}

static int code_of(const struct run_result *r)
{
        switch (r->status) {
        case RUN_DONE: return EXIT_DONE;
        case RUN_WAITING: return EXIT_WAITING;
        case RUN_INTERRUPTED: return EXIT_INTERRUPTED;
        default: return EXIT_FAILED;
        }
}

/* --- waiting --------------------------------------------------------------------------------------------------------- */

static int64_t time_left(const struct options *o)
{
        int64_t left = o->wait_ms > 0 ? o->wait_until_ms - clock_monotonic_ms() : 0;
        return left > 0 ? left : 0;
}

/* Somebody took the environment, and there is time left to wait for it. */
static bool tries_again(const struct options *o, const struct error *err)
{
        return error_kind(err) == ERROR_BUSY && time_left(o) > 0;
}

static void say_held(void *context, const char *holder, int64_t since_ms)
{
        const struct options *o = context;
        char since[CLOCK_TEXT], wait[CLOCK_TEXT];
        clock_text(since_ms, since);
        duration_text(o->wait_ms, wait);
        fprintf(stderr, "Held by ");
        print_safe(stderr, holder);
        fprintf(stderr, " since %s; waiting up to %s.\n", since, wait);
}

int flow_await(struct session *s, const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        if (o->wait_ms == 0) return EXIT_DONE;
        struct wait_request request = {
            .ms = o->wait_ms, .left_ms = time_left(o), .held = say_held, .context = (void *)o};
        return session_wait(s, &request, &err) < 0 ? print_error(o, err) : EXIT_DONE;
}

/* Runs, without what follows from a failure. -1 with *code set when nothing was started, and the problems printed unless it is
 * FLOW_AGAIN, which only what is `patient` gives. */
static int run(struct session *s, const struct options *o, enum flow_kind kind, bool patient,
    struct run_result *result, int *code)
{
        cleanup(error_free) struct error *err = NULL;
        struct display *display = display_new(s, o);
        struct run_options ro = run_options_of(o);
        display_attach(display, &ro);
        int status = kind == FLOW_RESUME ? session_resume(s, &ro, result, &err)
                                         : session_run(s, &ro, result, &err);
        while (status == 0 && result->again) { /* a broken object goes first: the rest is planned anew */
                run_result_release(result);
                status = session_resume(s, &ro, result, &err);
        }
        display_free(display);
        if (status < 0) {
                *code = patient && tries_again(o, err) ? FLOW_AGAIN : print_error(o, err);
                return -1;
        }
        print_result(s, o, result);
        if (o->json && result->unrecorded)
                print_problems(result->problems); /* no event could tell of the end */
        *code = code_of(result);
        return 0;
}

void flow_show_outputs(struct session *s, const struct options *o)
{
        if (o->json || session_reload(s, NULL) < 0) return;
        render_outputs(session_state(s)->outputs);
}

int flow_record_orders(struct session *s, const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        bool outdated = false;
        /* A run that waits still records it when it goes on, or the next apply does. */
        if (!session_has_orders(s) || session_unfinished(s, NULL, NULL)) return EXIT_DONE;
        if (session_record_orders(s, &outdated, &err) < 0)
                return tries_again(o, err) ? FLOW_AGAIN : print_error(o, err);
        if (!outdated) return EXIT_DONE;
        return session_reload(s, &err) < 0 ? print_error(o, err) : FLOW_AGAIN;
}

/* Nobody can say yes: refuses, with the exit code. */
static int refuse_unasked(const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        error_set(&err, ERROR_INPUT, NULL,
            "there is no terminal to ask at; look at the plan, then give --yes, or apply a saved plan");
        return print_error(o, err);
}

bool flow_can_confirm(const struct options *o)
{
        return o->yes || (!o->json && at_terminal());
}

int flow_check_user(struct session *s, const struct options *o, bool undoes)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup_free char *failed = NULL, *rollback = NULL;
        if (session_check_requester(s, o->as, &err) < 0) return print_error(o, err);
        if (!undoes || flow_can_confirm(o)) return EXIT_DONE;
        if (session_rollback_due(s, &failed, &rollback, &err) < 0) return print_error(o, err);
        return failed != NULL || rollback != NULL ? refuse_unasked(o) : EXIT_DONE;
}

bool flow_confirm(const struct options *o, const char *question, int *code)
{
        if (o->yes) return true;
        if (!flow_can_confirm(o)) {
                *code = refuse_unasked(o);
                return false;
        }
        if (ask_yes(question)) return true;
        printf("Nothing was changed.\n");
        *code = EXIT_INTERRUPTED; /* nothing that was to follow may take it for done */
        return false;
}

/* --- undoing --------------------------------------------------------------------------------------------------------- */

/* What exists although it should not, or does not although it should: what is left of the way back. */
static void show_rest(struct session *s, const struct options *o, const char *failed)
{
        struct plan *plan;
        struct plan_request request = {.no_refresh = true};
        cleanup_free char *first = session_first_round(s, failed);
        if (o->json || session_plan_back(s, &request, failed, BACK_UNDO, &plan, NULL) < 0) return;
        if (plan_is_empty(plan)) return;
        print_shown("\nWhat differs from the state before run %s, and is not undone:\n\n", first);
        for (size_t i = 0; i < plan->count; i++)
                if (plan->steps[i].action != ACTION_JOIN) render_step(stdout, &plan->steps[i], 2);
        printf("\n`");
        print_named_hint("rollback", session_file(s), first, "--before");
        printf("` tries again; `tutti apply` goes forward from here.\n");
}

/* How a rollback ended: an exit code of EXIT_FAILED when it is over, as what it undid had failed. */
static int end_rollback(struct session *s, const struct options *o, const struct run_result *r, bool *undone)
{
        if (r->status != RUN_DONE && r->status != RUN_FAILED) return code_of(r);
        if (r->status == RUN_DONE && undone != NULL) *undone = true;
        cleanup_free char *first = session_first_round(s, r->undoes);
        if (!o->json && r->status == RUN_DONE && text_equal(first, r->undoes))
                print_shown("Run %s failed; run %s rolled it back.\n", r->undoes, r->run);
        else if (!o->json && r->status == RUN_DONE)
                print_shown(
                    "Run %s failed; run %s rolled it back, and the rounds before it from run %s on.\n",
                    r->undoes, r->run, first);
        if (!o->json && r->status == RUN_FAILED)
                print_shown(
                    "Run %s failed, and so did run %s, which was to roll it back.\n", r->undoes, r->run);
        if (r->status == RUN_FAILED) show_rest(s, o, r->undoes);
        return EXIT_FAILED;
}

int flow_run(struct session *s, const struct options *o, enum flow_kind kind)
{
        struct run_result result = {0};
        int code = EXIT_DONE;
        if (run(s, o, kind, true, &result, &code) == 0) {
                if (result.rollback_due && result.status == RUN_FAILED)
                        code = flow_undo(s, o, result.run, NULL);
                else if (result.undoes != NULL)
                        code = end_rollback(s, o, &result, NULL);
        }
        run_result_release(&result);
        return code;
}

/* It cannot go on now; the problem is printed. */
static int put_off(struct session *s, const struct options *o, const char *run, int code)
{
        if (!o->json) {
                print_shown("The rollback of run %s is due: `", run);
                print_hint("resume", session_file(s));
                printf("` tries again.\n");
        }
        return code == EXIT_INPUT ? EXIT_FAILED : code;
}

/* It cannot be planned. If that is for good, nothing waits for it any longer. */
static int give_up(struct session *s, const struct options *o, const char *run, const struct error *err)
{
        int code = print_error(o, err);
        enum error_kind kind = error_kind(err);
        bool for_good = kind == ERROR_CONFLICT || kind == ERROR_INPUT || kind == ERROR_MISSING;
        if (for_good && session_rollback_over(s, NULL) == 0) {
                if (!o->json)
                        print_shown(
                            "Run %s cannot be rolled back. What exists is recorded; `tutti apply` goes on "
                            "from "
                            "there.\n",
                            run);
                return EXIT_FAILED;
        }
        return put_off(s, o, run, code);
}

/* One round; *more: parts of it were deferred. */
static int undo_round(
    struct session *s, const struct options *o, const char *run_id, bool first, bool *undone, bool *more)
{
        cleanup(error_free) struct error *err = NULL;
        struct plan *plan;
        struct plan_request request = {.parallel = o->parallel, .no_refresh = o->no_refresh};
        *more = false;
        if (session_plan_back(s, &request, run_id, BACK_UNDO, &plan, &err) < 0)
                return give_up(s, o, run_id, err);
        bool empty = plan_is_empty(plan);
        if (empty && first && !o->json) print_shown("\nRun %s left nothing to undo.\n", run_id);
        if (empty) {
                *undone = true;
                return session_rollback_over(s, &err) < 0 ? print_error(o, err) : EXIT_FAILED;
        }
        if (!o->json) {
                cleanup_free char *round = session_first_round(s, run_id);
                print_shown("\nThe way back to the state before run %s:\n\n", round);
                render_plan(plan);
                putchar('\n');
        }
        bool deferred = plan->summary.deferred > 0;
        struct run_result result = {0};
        int code = EXIT_DONE;
        if (run(s, o, FLOW_NEW, false, &result, &code) == 0) {
                *more = deferred && result.status == RUN_DONE;
                code = end_rollback(s, o, &result, undone);
        }
        run_result_release(&result);
        return code;
}

int flow_undo(struct session *s, const struct options *o, const char *run_id, bool *undone)
{
        bool reached = false, more = true;
        int code = EXIT_FAILED;
        for (int round = 0; more && round < WORK_ROUNDS_MAX; round++)
                code = undo_round(s, o, run_id, round == 0, &reached, &more);
        if (undone != NULL) *undone = reached && !more;
        return code;
}

int flow_settle_rollback(struct session *s, const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup_free char *failed = NULL, *rollback = NULL;
        bool undone = false;
        int code = EXIT_DONE;
        if (session_rollback_due(s, &failed, &rollback, &err) < 0) return print_error(o, err);
        if (failed != NULL) {
                if (!o->json)
                        print_shown("Run %s failed, and its rollback is due: it comes first.\n", failed);
                code = flow_undo(s, o, failed, &undone);
        } else if (rollback != NULL) {
                if (!o->json) print_shown("The rollback %s was interrupted: it goes on first.\n", rollback);
                struct run_result result = {0};
                if (run(s, o, FLOW_RESUME, false, &result, &code) == 0)
                        code = end_rollback(s, o, &result, &undone);
                run_result_release(&result);
        }
        if (!undone) return code;
        return session_reload(s, &err) < 0 ? print_error(o, err) : EXIT_DONE;
}
