/* tutti plan, tutti drift: read the world, show what would change; change nothing. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/render.h"
#include "cli/work.h"
#include "io/file.h"

static int print_json(const struct options *o, const struct plan *plan)
{
        cleanup(error_free) struct error *err = NULL;
        struct text json = {0};
        int code = EXIT_DONE;
        if (plan_json(plan, &json, &err) < 0)
                code = print_error(o, err);
        else
                puts(json.data);
        text_release(&json);
        return code;
}

static int save(const struct options *o, struct session *s)
{
        cleanup(error_free) struct error *err = NULL;
        struct text document = {0};
        int code = EXIT_DONE;
        /* A plan may hold secrets, sealed, and all of the template: it is its owner's to read. */
        if (session_plan_write(s, &document, &err) < 0 ||
            file_write(o->out, document.data, document.len, 0600, &err) < 0)
                code = print_error(o, err);
        else if (!o->json)
                printf("\nSaved to %s. `tutti apply %s` runs exactly this, once.\n", o->out, o->out);
        text_release(&document);
        return code;
}

int cmd_plan(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        struct plan *plan;
        if (s == NULL || work_plan(s, o, PLAN_APPLY, &plan, &code) < 0) return code;
        if (o->json) {
                code = print_json(o, plan);
        } else {
                cleanup_free char *run = NULL, *status = NULL;
                if (session_unfinished(s, &run, &status))
                        printf("Run %s is %s; `tutti resume` goes on with it.\n\n", run, status);
                render_plan(plan);
        }
        if (code == EXIT_DONE && o->out != NULL) code = save(o, s);
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

int cmd_drift(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        struct plan *plan;
        if (s == NULL || work_plan(s, o, PLAN_DRIFT, &plan, &code) < 0) return code;
        if (o->json) {
                code = print_json(o, plan);
        } else if (plan->count == 0) {
                printf("No drift. %zu resources are as recorded.\n", session_state(s)->count);
        } else {
                printf("What was changed outside:\n\n");
                for (size_t i = 0; i < plan->count; i++)
                        if (plan->steps[i].action != ACTION_JOIN) render_step(stdout, &plan->steps[i], 2);
                printf("\n%zu of %zu resources drifted. `tutti apply` brings them back.\n", plan->count,
                    session_state(s)->count);
        }
        fflush(stdout);
        if (code == EXIT_DONE) tell_drift(s);
        if (code == EXIT_DONE && o->detailed_exitcode && plan->count > 0) code = EXIT_CHANGES;
        return code;
}
