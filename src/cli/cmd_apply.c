/* tutti apply, destroy, resume: plan, show, ask, run; in rounds while parts of the plan are deferred. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/render.h"
#include "cli/work.h"
#include "io/file.h"

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

static void print_result(const struct options *o, const struct session *s, const struct run_result *r)
{
        if (o->json) return;
        struct text summary = {0};
        render_summary(&r->done, true, &summary);
        putchar('\n');
        for (size_t i = 0; i < error_count(r->problems); i++) {
                cleanup_free char *text = error_text(error_at(r->problems, i));
                printf("%serror:%s ", style_on(STYLE_RED), style_off());
                print_safe(stdout, text);
                putchar('\n');
        }
        switch (r->status) {
        case RUN_DONE: printf("%sDone%s: %s.\n", style_on(STYLE_GREEN), style_off(), summary.data); break;
        case RUN_FAILED:
                printf("%sFailed%s: %s; %zu failed, %zu skipped. What exists is recorded; `tutti apply` goes "
                       "on from there.\n",
                    style_on(STYLE_RED), style_off(), summary.data, r->failed, r->skipped);
                break;
        case RUN_WAITING:
                printf("%sWaiting%s for an answer: %s.\n", style_on(STYLE_CYAN), style_off(), summary.data);
                for (size_t i = 0; i < r->waiting_count; i++)
                        printf("  tutti approve %s '%s'%s%s && tutti resume %s\n", o->args[0], r->waiting[i],
                            r->choices[i] ? " --answer " : "", r->choices[i] ? r->choices[i] : "",
                            o->args[0]);
                break;
        case RUN_INTERRUPTED:
                printf("%sInterrupted%s: %s; %zu steps remain. What exists is recorded; `tutti resume %s` "
                       "goes on.\n",
                    style_on(STYLE_YELLOW), style_off(), summary.data, r->remaining, o->args[0]);
                break;
        }
        text_release(&summary);
        (void)s;
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

enum run_kind { RUN_NEW, RUN_RESUME };

static int run(struct session *s, const struct options *o, enum run_kind kind)
{
        cleanup(error_free) struct error *err = NULL;
        struct display *display = display_new(s, o);
        struct run_options ro = run_options_of(o);
        display_attach(display, &ro);
        struct run_result result = {0};
        int status = kind == RUN_RESUME ? session_resume(s, &ro, &result, &err)
                                        : session_run(s, &ro, &result, &err);
        while (status == 0 && result.again) { /* a broken object goes first: the rest is planned anew */
                run_result_release(&result);
                status = session_resume(s, &ro, &result, &err);
        }
        display_free(display);
        if (status < 0) {
                int code = print_error(o, err);
                run_result_release(&result);
                return code;
        }
        print_result(o, s, &result);
        int code = code_of(&result);
        run_result_release(&result);
        return code;
}

static void show_outputs(struct session *s, const struct options *o)
{
        if (o->json || session_reload(s, NULL) < 0) return;
        render_outputs(session_state(s)->outputs);
}

/* An interrupted run is brought to an end before a new one begins: nothing that it had started is lost. */
static int settle(struct session *s, const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        cleanup_free char *run_id = NULL, *status = NULL;
        bool open = false;
        if (session_intents(s, &open, &err) < 0) return print_error(o, err);
        if (!open || !session_unfinished(s, &run_id, &status)) return EXIT_DONE;
        if (!o->json)
                printf("Run %s was interrupted: what it had under way is settled first, and a new plan takes "
                       "its place.\n",
                    run_id);
        struct run_options ro = run_options_of(o);
        return session_settle(s, &ro, &err) < 0 ? print_error(o, err) : EXIT_DONE;
}

/* A run sends what waits while it goes on; where nothing runs, this does. */
static void deliver(struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct deliver_request request = {.ms = DELIVER_MS};
        if (session_deliver(s, &request, &err) < 0) log_warn("notify: %s", error_message(err));
}

static bool confirm(const struct options *o, const char *question, int *code)
{
        if (o->yes) return true;
        if (o->json || !at_terminal()) {
                cleanup(error_free) struct error *err = NULL;
                error_set(&err, ERROR_INPUT, NULL,
                    "there is no terminal to ask at; look at the plan, then give --yes, or apply a saved "
                    "plan");
                *code = print_error(o, err);
                return false;
        }
        if (ask_yes(question)) return true;
        printf("Nothing was changed.\n");
        *code = EXIT_DONE;
        return false;
}

enum { ROUNDS_MAX = 50 };

/* Plan, show, ask, run; again while parts were deferred and each round makes them fewer or moves on. */
static int rounds(struct session *s, const struct options *o, enum plan_mode mode, const char *question)
{
        for (int round = 0; round < ROUNDS_MAX; round++) {
                struct plan *plan;
                int code = EXIT_DONE;
                if (work_plan(s, o, mode, &plan, &code) < 0) return code;
                if (!o->json) {
                        if (round > 0) printf("\nWhat was deferred:\n\n");
                        render_plan(plan);
                }
                bool empty = plan_is_empty(plan);
                if (empty && round == 0) deliver(s);
                if (empty && !o->json) {
                        show_outputs(s, o);
                        return EXIT_DONE;
                }
                if (empty && round > 0) return EXIT_DONE;
                if (!empty && !confirm(o, question, &code)) return code;
                bool deferred = plan->summary.deferred > 0 && plan->count > 0;
                if (!o->json) putchar('\n');
                code = run(s, o, RUN_NEW);
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

/* A file that holds a JSON object is a saved plan; an environment is YAML that names itself. */
static bool is_saved_plan(const char *path)
{
        struct text head = {0};
        FILE *f = fopen(path, "re");
        char bytes[256];
        size_t n = f ? fread(bytes, 1, sizeof bytes - 1, f) : 0;
        if (f != NULL) fclose(f);
        text_addn(&head, bytes, n);
        const char *p = head.data + strspn(head.data, " \t\r\n");
        bool saved = *p == '{' && strstr(p, "\"format\"") != NULL;
        text_release(&head);
        return saved;
}

static int apply_saved(const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        struct session_options so = options_session(o, NULL);
        so.plan_file = o->args[0];
        cleanup(session_close) struct session *s = NULL;
        struct plan *plan;
        if (session_open(&so, &s, &err) < 0) return print_error(o, err);
        int code = settle(s, o);
        if (code != EXIT_DONE) return code;
        if (session_plan_saved(s, &plan, &err) < 0) return print_error(o, err);
        /* The plan was reviewed when it was saved: applying the file is the yes. */
        if (!o->json) {
                render_plan(plan);
                putchar('\n');
        }
        code = run(s, o, RUN_NEW);
        if (code == EXIT_DONE) show_outputs(s, o);
        return code;
}

int cmd_apply(const struct options *o)
{
        if (is_saved_plan(o->args[0])) return apply_saved(o);
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        code = settle(s, o);
        return code == EXIT_DONE ? rounds(s, o, PLAN_APPLY, "Apply this plan?") : code;
}

int cmd_destroy(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        code = settle(s, o);
        return code == EXIT_DONE ? rounds(s, o, PLAN_DESTROY, "Delete all of this?") : code;
}

int cmd_resume(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open_record(o, true, &code);
        if (s == NULL) return code;
        code = run(s, o, RUN_RESUME);
        if (code == EXIT_DONE) show_outputs(s, o);
        return code;
}
