/* tutti notify: delivers what waits for the environment's targets, or tries the targets with a message of their own. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/notify_report.h"
#include "cli/print.h"
#include "cli/work.h"

enum { WAIT_MS = 60000 }; /* several rounds of attempts */

struct outcome {
        const struct options *options;
        struct text json;
        size_t good, bad;
};

static void tested(void *context, const struct notify_target *target, const struct error *error)
{
        struct outcome *o = context;
        if (error != NULL)
                o->bad++;
        else
                o->good++;
        text_addf(&o->json, "%s{\"target\":", o->json.len > 0 ? "," : "");
        text_json(&o->json, target->name);
        text_addf(&o->json, ",\"kind\":\"%s\",\"on\":[", notify_kind_name(target->kind));
        const char *separator = "";
        for (size_t i = 0; i < NOTIFY_EVENTS; i++) {
                if (!(target->events & 1u << i)) continue;
                text_addf(&o->json, "%s\"%s\"", separator, notify_event_name(i));
                separator = ",";
        }
        text_addf(&o->json, "],\"ok\":%s", error ? "false" : "true");
        if (error != NULL) {
                text_add(&o->json, ",\"error\":");
                text_json(&o->json, error_message(error));
        }
        text_addc(&o->json, '}');
        if (o->options->json) return;
        printf(
            "%s%s%s  ", style_on(error ? STYLE_RED : STYLE_GREEN), error ? "failed" : "ok    ", style_off());
        print_safe(stdout, target->name);
        if (error != NULL) {
                printf(": ");
                print_safe(stdout, error_message(error));
        }
        putchar('\n');
}

static int test_targets(struct session *s, const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        struct outcome outcome = {.options = o};
        int code = EXIT_DONE;
        if (session_notify_test(s, tested, &outcome, &err) < 0)
                code = print_error(o, err);
        else if (outcome.bad > 0)
                code = EXIT_FAILED;
        if (err == NULL && o->json)
                printf("{\"targets\":[%s]}\n", outcome.json.data ? outcome.json.data : "");
        text_release(&outcome.json);
        return code;
}

static void attempted(void *context, const struct notification_row *row, const struct error *error)
{
        struct outcome *o = context;
        if (error != NULL)
                o->bad++;
        else
                o->good++;
        if (o->options->json || error != NULL) return; /* what failed is listed at the end */
        printf("%sdelivered%s  ", style_on(STYLE_GREEN), style_off());
        print_safe(stdout, row->event);
        printf(" to ");
        print_safe(stdout, row->target);
        putchar('\n');
}

static int deliver(struct session *s, const struct options *o)
{
        cleanup(error_free) struct error *err = NULL;
        struct outcome outcome = {.options = o};
        struct deliver_request request = {
            .all = true, .ms = WAIT_MS, .attempted = attempted, .context = &outcome};
        if (session_deliver(s, &request, &err) < 0) return print_error(o, err);
        struct notification_row *rows = NULL;
        size_t count = 0;
        if (session_store(s) != NULL &&
            store_notifications(session_store(s), session_name(s), &rows, &count, &err) < 0)
                return print_error(o, err);
        if (o->json) {
                struct text json = {0};
                notify_json(rows, count, &json);
                printf("{\"delivered\":%zu,\"notifications\":%s}\n", outcome.good, json.data);
                text_release(&json);
        } else {
                notify_print(rows, count, NULL);
                if (count == 0 && outcome.good == 0) printf("Nothing waits to be delivered.\n");
        }
        notification_rows_free(rows, count);
        return count > 0 ? EXIT_FAILED : EXIT_DONE;
}

int cmd_notify(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        if (session_environment(s)->notify_count == 0 && !o->json)
                printf("Environment '%s' tells nobody: it has no 'notify'.\n", session_name(s));
        return o->test ? test_targets(s, o) : deliver(s, o);
}
