/* tutti plan, tutti drift: read the world, show what would change; change nothing. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/render.h"
#include "cli/work.h"

/* The run that is not over, and what would bring it to its end; one that is under way comes to it by itself. */
static void tell_unfinished(struct session *s, const char *run, const char *status)
{
        struct run_row row = {.id = (char *)run, .status = (char *)status};
        bool left = session_run_left(s, &row);
        if (strcmp(status, RUN_ROLLBACK_DUE) == 0)
                print_shown("Run %s failed, and its rollback is due; `tutti resume` does it.\n\n", run);
        else if (strcmp(status, "running") == 0 && !left)
                print_shown("Run %s is running; what it does meanwhile is not in this plan.\n\n", run);
        else
                print_shown("Run %s %s; `tutti resume` goes on with it.\n\n", run,
                    strcmp(status, "waiting") == 0 ? "is waiting" : "was interrupted");
}

int cmd_plan(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        if (work_may_write(o->out, WORK_PLAN_HEAD, "saved plan", &err) < 0) return print_error(o, err);
        cleanup(session_close) struct session *s = work_open(o, &code);
        struct plan *plan;
        enum plan_mode mode = o->destroy ? PLAN_DESTROY : PLAN_APPLY;
        if (s == NULL || work_plan(s, o, mode, &plan, &code) < 0) return code;
        code = work_foresee(s, o);
        if (code != EXIT_DONE) return code;
        if (o->json) {
                code = work_show_plan(o, s, plan, 0);
        } else {
                cleanup_free char *run = NULL, *status = NULL;
                if (session_unfinished(s, &run, &status)) tell_unfinished(s, run, status);
                work_show_plan(o, s, plan, 0);
        }
        if (code == EXIT_DONE && o->out != NULL) code = work_save_plan(o, s);
        if (code == EXIT_DONE && o->detailed_exitcode && !plan_is_empty(plan)) code = EXIT_CHANGES;
        return code;
}

/* Telling is no part of the answer: what goes wrong is said, and drift stays what was found. */
static void tell_drift(struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct deliver_request request = {.ms = DELIVER_MS};
        if (session_notify_drift(s, &err) < 0 || session_deliver(s, &request, &err) < 0)
                log_warn("notify of drift: %s", error_message(err));
}

static void show_drift(const struct plan *plan, size_t known, size_t unread)
{
        size_t drifted = 0, accepted = 0, read = known > unread ? known - unread : 0;
        if (plan->count == 0 && unread == 0)
                printf("No drift. %zu resource%s as recorded.\n", known, known == 1 ? " is" : "s are");
        else if (plan->count == 0)
                printf("%zu of %zu resource%s as recorded.\n", read, known, read == 1 ? " is" : "s are");
        if (plan->count == 0) return;
        printf("What was changed outside:\n\n");
        for (size_t i = 0; i < plan->count; i++) {
                if (plan->steps[i].action == ACTION_JOIN) continue;
                render_step(stdout, &plan->steps[i], 2);
                drifted++;
                accepted += text_equal(plan->steps[i].reason, DRIFT_ACCEPTED);
        }
        size_t healed = drifted - accepted;
        printf("\n%zu of %zu resource%s drifted.", drifted, known, plural(known));
        if (accepted == 0)
                printf(" `tutti apply` brings %s back.\n", drifted == 1 ? "it" : "them");
        else if (healed == 0)
                printf(" Nothing in the template says otherwise: `tutti apply` records %s so.\n",
                    drifted == 1 ? "it" : "them");
        else
                printf(" `tutti apply` brings %zu back, and records %zu as found: nothing in the template "
                       "says otherwise.\n",
                    healed, accepted);
}

int cmd_drift(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        struct plan *plan;
        if (s == NULL || work_plan(s, o, PLAN_DRIFT, &plan, &code) < 0) return code;
        const struct unread *unread;
        size_t unread_count = session_unread(s, &unread);
        if (o->json) {
                code = work_show_plan(o, s, plan, 0);
        } else {
                show_drift(plan, session_state(s)->count, unread_count);
                work_show_unread(s);
        }
        fflush(stdout);
        if (code == EXIT_DONE && (plan->count > 0 || unread_count == 0)) tell_drift(s);
        if (code == EXIT_DONE && o->detailed_exitcode && plan->count > 0) code = EXIT_CHANGES;
        /* The question was not answered: that is no "none". */
        return code == EXIT_DONE && unread_count > 0 ? EXIT_FAILED : code;
}
