/* tutti runs, tutti show: the history of an environment; one run with its timeline. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/run_report.h"
#include "cli/work.h"

static void print_run(const struct run_row *r)
{
        char started[CLOCK_TEXT], duration[CLOCK_TEXT] = "";
        clock_text(r->started_ms, started);
        if (r->ended_ms > 0) duration_text(r->ended_ms - r->started_ms, duration);
        print_cell(r->id, 7);
        print_cell(r->kind, 9);
        print_cell(r->status, 13);
        printf("%s  %-10s ", started, duration);
        print_safe(stdout, r->requester);
        putchar('\n');
}

static void add_json(struct text *json, const struct run_row *r)
{
        char started[CLOCK_TEXT], ended[CLOCK_TEXT];
        clock_text(r->started_ms, started);
        clock_text(r->ended_ms, ended);
        text_add(json, json->len > 1 ? ",{\"id\":" : "{\"id\":");
        text_json(json, r->id);
        text_add(json, ",\"kind\":");
        text_json(json, r->kind);
        text_add(json, ",\"status\":");
        text_json(json, r->status);
        text_add(json, ",\"requester\":");
        text_json(json, r->requester);
        text_add(json, ",\"digest\":");
        text_json(json, r->digest);
        text_add(json, ",\"undoes\":");
        text_json(json, r->undoes);
        text_add(json, ",\"follows\":");
        text_json(json, r->follows);
        text_addf(json, ",\"started\":\"%s\",\"ended\":", started);
        text_json(json, r->ended_ms > 0 ? ended : NULL);
        text_add(json, ",\"summary\":");
        text_json_recorded(json, r->summary);
        text_addc(json, '}');
}

int cmd_runs(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(error_free) struct error *err = NULL;
        cleanup(session_close) struct session *s = work_open_record(o, false, &code);
        if (s == NULL) return code;
        struct run_row *runs;
        size_t count;
        if (store_runs(session_store(s), session_name(s), &runs, &count, &err) < 0)
                return print_error(o, err);
        bool left = false;
        struct text json = {0};
        text_addc(&json, '[');
        for (size_t i = 0; i < count; i++) {
                if (session_run_left(s, &runs[i])) {
                        free(runs[i].status);
                        runs[i].status = mem_strdup("interrupted");
                        left = true;
                }
                if (o->json)
                        add_json(&json, &runs[i]);
                else
                        print_run(&runs[i]);
        }
        text_addc(&json, ']');
        if (o->json) puts(json.data);
        if (!o->json && left) {
                putchar('`');
                print_hint("resume", o->args[0]);
                printf("` goes on with what was interrupted.\n");
        }
        if (!o->json && count == 0) printf("Nothing has run yet.\n");
        text_release(&json);
        run_rows_free(runs, count);
        return EXIT_DONE;
}

int cmd_show(const struct options *o)
{
        int code = EXIT_DONE;
        cleanup(session_close) struct session *s = work_open_record(o, false, &code);
        return s ? run_report(s, o, o->args[1], true) : code;
}
