/* tutti rollback: plan the way back to the state after a run, show, ask, run; in rounds while parts of it are deferred. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/flow.h"
#include "cli/render.h"
#include "cli/supersede.h"
#include "cli/work.h"

static int plan_back(struct session *s, const struct options *o, struct plan **plan)
{
        cleanup(error_free) struct error *err = NULL;
        struct plan_request request = {.parallel = o->parallel, .no_refresh = o->no_refresh};
        enum back back = o->before ? BACK_BEFORE : BACK_AFTER;
        return session_plan_back(s, &request, o->args[1], back, plan, &err) < 0 ? print_error(o, err)
                                                                                : EXIT_DONE;
}

static int rounds(struct session *s, const struct options *o)
{
        for (int round = 0; round < WORK_ROUNDS_MAX; round++) {
                struct plan *plan;
                int code = plan_back(s, o, &plan);
                if (code != EXIT_DONE) return code;
                bool empty = plan_is_empty(plan);
                if (!o->json || o->plan_only) work_show_plan(o, s, plan, round);
                if (o->out != NULL) return work_save_plan(o, s);
                /* With --json, nothing to do is told by the events of a run without steps, as apply tells it. */
                if (o->plan_only || (empty && round > 0)) return EXIT_DONE;
                if (empty && !o->json) return supersede_end(s, o);
                if (round == 0) code = work_check_approve(s, o, plan);
                if (code != EXIT_DONE || !supersede_confirm(s, o, empty, "Go back?", &code)) return code;
                bool deferred = plan->summary.deferred > 0;
                if (!o->json) putchar('\n');
                code = flow_run(s, o, FLOW_NEW);
                if (code == EXIT_DONE && !deferred) flow_show_outputs(s, o);
                if (code != EXIT_DONE || !deferred) return code;
        }
        return EXIT_FAILED;
}

int cmd_rollback(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        if (work_may_write(o->out, WORK_PLAN_HEAD, "saved plan", &err) < 0) return print_error(o, err);
        cleanup(session_close) struct session *s = work_open_record(o, true, &code);
        if (s == NULL) return code;
        do {
                bool runs = !o->plan_only && o->out == NULL;
                code = runs ? flow_await(s, o) : EXIT_DONE;
                if (code == EXIT_DONE && runs) code = flow_check_user(s, o, false);
                if (code == EXIT_DONE) code = rounds(s, o);
        } while (code == FLOW_AGAIN);
        return code;
}
