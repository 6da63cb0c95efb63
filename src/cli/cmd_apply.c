/* tutti apply, destroy, resume: plan, show, ask, run; in rounds while parts of the plan are deferred. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/flow.h"
#include "cli/render.h"
#include "cli/supersede.h"
#include "cli/work.h"
#include "io/file.h"

/* A run sends what waits while it goes on; where nothing runs, this does. */
static void deliver(struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct deliver_request request = {.ms = DELIVER_MS};
        if (session_deliver(s, &request, &err) < 0) log_warn("notify: %s", error_message(err));
}

/* Plan, show, ask, run; again while parts were deferred and each round makes them fewer or moves on. */
static int rounds(struct session *s, const struct options *o, enum plan_mode mode, const char *question)
{
        for (int round = 0; round < WORK_ROUNDS_MAX; round++) {
                struct plan *plan;
                int code = EXIT_DONE;
                if (work_plan(s, o, mode, &plan, &code) < 0) return code;
                code = work_foresee(s, o);
                if (code != EXIT_DONE) return code;
                if (!o->json) work_show_plan(o, s, plan, round);
                bool empty = plan_is_empty(plan);
                if (round == 0) code = work_check_approve(s, o, plan);
                if (code != EXIT_DONE) return code;
                if (empty && round == 0) deliver(s);
                if (empty && !o->json) {
                        if (round == 0) code = supersede_end(s, o);
                        if (code == EXIT_DONE) code = flow_record_orders(s, o);
                        if (code == EXIT_DONE) flow_show_outputs(s, o);
                        return code;
                }
                if (empty && round > 0) return EXIT_DONE;
                if (!supersede_confirm(s, o, empty, question, &code)) return code;
                bool deferred = plan->summary.deferred > 0 && plan->count > 0;
                if (!o->json) putchar('\n');
                code = flow_run(s, o, FLOW_NEW);
                cleanup(error_free) struct error *err = NULL;
                if (session_reload(s, &err) < 0) return print_error(o, err);
                if (code != EXIT_DONE || !deferred) {
                        if (code == EXIT_DONE && mode == PLAN_APPLY && !o->json)
                                render_outputs(session_state(s)->outputs);
                        return code;
                }
        }
        return EXIT_FAILED;
}

/* A file that holds a JSON object is a saved plan; an environment is YAML that names itself. What comes through a pipe is neither: looking uses it up. */
static bool is_saved_plan(const char *path)
{
        struct text head = {0};
        struct stat st;
        FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
        char bytes[256];
        size_t n = f ? fread(bytes, 1, sizeof bytes - 1, f) : 0;
        if (f != NULL) fclose(f);
        text_addn(&head, bytes, n);
        const char *p = head.data + strspn(head.data, " \t\r\n");
        bool saved = *p == '{' && strstr(p, "\"format\"") != NULL;
        text_release(&head);
        return saved;
}

/* What a plan was made with is in it: nothing of that can be said again. */
static int refuse_planning_flags(const struct options *o, struct error **err)
{
        const char *flag = o->sets.count       ? "--set"
                           : o->values.count   ? "--values"
                           : o->targets.count  ? "--target"
                           : o->excludes.count ? "--exclude"
                           : o->accepted.count ? "--accept-provider"
                           : o->no_refresh     ? "--no-refresh"
                                               : NULL;
        if (flag == NULL) return 0;
        return error_set(err, ERROR_INPUT, NULL,
            "%s has no place beside a saved plan, which is run exactly as it was saved; plan again with it",
            flag);
}

static int apply_saved(const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        if (refuse_planning_flags(o, &err) < 0) return print_error(o, err);
        struct session_options so = options_session(o, NULL);
        so.plan_file = o->args[0];
        cleanup(session_close) struct session *s = NULL;
        struct plan *plan;
        if (session_open(&so, &s, &err) < 0) return print_error(o, err);
        int code;
        do {
                code = flow_await(s, o);
                if (code == EXIT_DONE) code = flow_settle_rollback(s, o);
                if (code != EXIT_DONE) continue;
                if (session_plan_saved(s, &plan, &err) < 0) return print_error(o, err);
                code = work_foresee(s, o);
                if (code != EXIT_DONE) return code;
                /* The plan was reviewed when it was saved: applying the file is the yes. */
                if (!o->json) work_show_plan(o, s, plan, 0);
                code = work_check_approve(s, o, plan);
                if (code == EXIT_DONE) code = supersede_tell(s, o);
                if (!o->json) putchar('\n');
                if (code == EXIT_DONE) code = flow_run(s, o, FLOW_NEW);
        } while (code == FLOW_AGAIN);
        if (code == EXIT_DONE) flow_show_outputs(s, o);
        return code;
}

int cmd_apply(const struct options *o)
{
        if (is_saved_plan(o->args[0])) return apply_saved(o);
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        do {
                code = flow_await(s, o);
                if (code == EXIT_DONE) code = flow_check_user(s, o, true);
                if (code == EXIT_DONE) code = flow_settle_rollback(s, o);
                if (code == EXIT_DONE) code = rounds(s, o, PLAN_APPLY, "Apply this plan?");
        } while (code == FLOW_AGAIN);
        return code;
}

int cmd_destroy(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        do {
                code = flow_await(s, o);
                if (code == EXIT_DONE) code = flow_check_user(s, o, false);
                if (code == EXIT_DONE) code = rounds(s, o, PLAN_DESTROY, "Delete all of this?");
        } while (code == FLOW_AGAIN);
        return code;
}

static int go_on(struct session *s, const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup_free char *failed = NULL, *rollback = NULL;
        if (session_rollback_due(s, &failed, &rollback, &err) < 0) return print_error(o, err);
        return failed ? flow_undo(s, o, failed, NULL) : flow_run(s, o, FLOW_RESUME);
}

int cmd_resume(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open_record(o, true, &code);
        if (s == NULL) return code;
        do {
                code = flow_await(s, o);
                if (code == EXIT_DONE) code = go_on(s, o);
        } while (code == FLOW_AGAIN);
        if (code == EXIT_DONE) flow_show_outputs(s, o);
        return code;
}
