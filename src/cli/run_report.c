/* One run for people and for scripts; see run_report.h. */
#include "cli/run_report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "cli/command.h"
#include "cli/gate_report.h"
#include "cli/notify_report.h"
#include "cli/print.h"
#include "cli/timeline.h"
#include "run/eta.h"

struct report {
        struct run_row run;
        struct step_row *steps;
        size_t step_count;
        struct gates gates;
        struct event_row *events; /* show: what the log tells of it */
        size_t event_count;
        struct notification_row *waiting; /* status: what was not delivered yet */
        size_t waiting_count;
};

static bool is_over(const struct run_row *run)
{
        return strcmp(run->status, "done") == 0 || strcmp(run->status, "failed") == 0 ||
               strcmp(run->status, "cancelled") == 0;
}

static void put_status(char **status, const char *is)
{
        free(*status);
        *status = mem_strdup(is);
}

/* What is recorded as going on, but is over: a run whose process died, and gates that nobody is asked about any more, in stores from
 * before a run's end closed them. */
static void look_closer(struct session *s, struct report *r)
{
        if (session_run_left(s, &r->run)) put_status(&r->run.status, "interrupted");
        if (!is_over(&r->run)) return;
        for (size_t i = 0; i < r->gates.count; i++)
                if (strcmp(r->gates.rows[i].status, "waiting") == 0)
                        put_status(&r->gates.rows[i].status, "cancelled");
        for (size_t i = 0; i < r->step_count; i++) {
                struct step_row *step = &r->steps[i];
                if (strcmp(step->status, "waiting") != 0) continue;
                put_status(&step->status, strcmp(step->action, "gate") == 0 ? "cancelled" : "failed");
                if (step->ended_ms == 0) step->ended_ms = r->run.ended_ms;
        }
}

static int load(struct session *s, const char *run, bool timeline, struct report *r, struct error **err)
{
        if (store_run(session_store(s), session_name(s), run, &r->run, err) < 0) return -1;
        if (store_steps(session_store(s), session_name(s), run, &r->steps, &r->step_count, err) < 0)
                return -1;
        /* Where the file's approvers are wrong nobody is known who could answer. */
        static const struct approvers nobody = {0};
        const struct approvers *approvers;
        if (session_approvers(s, &approvers, NULL) < 0) approvers = &nobody;
        if (gates_load(s, run, approvers, &r->gates, err) < 0) return -1;
        look_closer(s, r);
        if (timeline)
                return store_events(session_store(s), session_name(s), run, &r->events, &r->event_count, err);
        return store_notifications(session_store(s), session_name(s), &r->waiting, &r->waiting_count, err);
}

static void release(struct report *r)
{
        run_row_release(&r->run);
        step_rows_free(r->steps, r->step_count);
        gates_release(&r->gates);
        event_rows_free(r->events, r->event_count);
        notification_rows_free(r->waiting, r->waiting_count);
}

static void json_time(struct text *out, const char *key, int64_t ms)
{
        char when[CLOCK_TEXT];
        clock_text(ms, when);
        if (ms > 0)
                text_addf(out, ",\"%s\":\"%s\"", key, when);
        else
                text_addf(out, ",\"%s\":null", key);
}

static void json_member(struct text *out, const char *key, const char *s)
{
        text_addf(out, ",\"%s\":", key);
        text_json(out, s);
}

static void add_events(const struct report *r, struct text *json)
{
        text_add(json, ",\"events\":[");
        for (size_t i = 0; i < r->event_count; i++) {
                const struct event_row *e = &r->events[i];
                text_addf(json, "%s{\"seq\":%lld", i > 0 ? "," : "", (long long)e->seq);
                json_time(json, "time", e->time_ms);
                json_member(json, "event", e->kind);
                text_add(json, ",\"data\":");
                text_json_recorded(json, e->data);
                text_addc(json, '}');
        }
        text_addc(json, ']');
}

static bool goes_on(const struct report *r)
{
        return strcmp(r->run.status, "running") == 0;
}

/* What is left of a run that goes on, in the process that asks or in another. */
static void tell_eta(const struct report *r, struct eta *eta)
{
        struct eta_step *steps = mem_alloc((r->step_count + 1) * sizeof *steps);
        int64_t now = clock_wall_ms();
        for (size_t i = 0; i < r->step_count; i++) {
                const struct step_row *row = &r->steps[i];
                bool forward = row->next > (int64_t)i && row->next < (int64_t)r->step_count;
                steps[i] = (struct eta_step){
                    .address = row->address,
                    .type = row->type,
                    .seconds = row->seconds,
                    .share = row->share,
                    .remaining = row->remaining,
                    .next = forward ? row->next : -1,
                    .running_ms = row->started_ms > 0 ? now - row->started_ms : -1,
                    .over = row->ended_ms > 0 || strcmp(row->status, "standby") == 0,
                };
        }
        eta_tell(steps, r->step_count, eta);
        free(steps);
}

static void json_eta(struct text *json, const struct report *r)
{
        struct eta eta = {0};
        if (goes_on(r)) tell_eta(r, &eta);
        if (goes_on(r))
                text_addf(json, ",\"eta_seconds\":%.3f", eta.seconds);
        else
                text_add(json, ",\"eta_seconds\":null");
        text_add(json, ",\"critical_path\":[");
        for (size_t i = 0; i < eta.path_count; i++) {
                if (i > 0) text_addc(json, ',');
                text_json(json, eta.path[i]);
        }
        text_addc(json, ']');
        eta_release(&eta);
}

static void print_eta(const struct report *r)
{
        enum { SHOWN = 6 };
        struct eta eta;
        char left[CLOCK_TEXT];
        tell_eta(r, &eta);
        duration_text((int64_t)(eta.seconds * 1000), left);
        printf("About %s left; the longest path is ", left);
        for (size_t i = 0; i < eta.path_count && i < SHOWN; i++) {
                if (i > 0) printf(" → ");
                print_safe(stdout, eta.path[i]);
        }
        if (eta.path_count > SHOWN) printf(" → … %zu more", eta.path_count - SHOWN);
        putchar('\n');
        eta_release(&eta);
}

static void json_open(struct session *s, struct text *json)
{
        const struct state *state = session_state(s);
        text_add(json, ",\"open\":[");
        for (size_t i = 0; i < state->open_count; i++) {
                const struct open_operation *open = &state->open[i];
                text_add(json, i > 0 ? ",{\"address\":" : "{\"address\":");
                text_json(json, open->row->address);
                json_member(json, "action", open->row->action);
                json_member(json, "run", open->row->run);
                json_member(json, "type", open->row->type);
                json_member(json, "id", *open->object.id ? open->object.id : NULL);
                text_addc(json, '}');
        }
        text_addc(json, ']');
}

static void print_json(struct session *s, const struct report *r, bool timeline)
{
        struct text json = {0};
        text_add(&json, "{\"environment\":");
        text_json(&json, session_name(s));
        json_member(&json, "lineage", session_state(s)->lineage);
        text_addf(&json, ",\"resources\":%zu,\"run\":{\"id\":", session_state(s)->count);
        text_json(&json, r->run.id);
        json_member(&json, "kind", r->run.kind);
        json_member(&json, "status", r->run.status);
        json_member(&json, "requester", r->run.requester);
        json_member(&json, "digest", r->run.digest);
        json_member(&json, "on_failure", r->run.on_failure);
        json_member(&json, "undoes", r->run.undoes);
        json_member(&json, "follows", r->run.follows);
        json_time(&json, "started", r->run.started_ms);
        json_time(&json, "ended", r->run.ended_ms);
        if (r->run.summary != NULL) text_add(&json, ",\"summary\":");
        if (r->run.summary != NULL) text_json_recorded(&json, r->run.summary);
        json_eta(&json, r);
        text_add(&json, ",\"steps\":[");
        for (size_t i = 0; i < r->step_count; i++) {
                const struct step_row *step = &r->steps[i];
                text_addf(&json, "%s{\"index\":%lld", i ? "," : "", (long long)step->index);
                json_member(&json, "address", step->address);
                json_member(&json, "type", step->type);
                json_member(&json, "action", step->action);
                if (step->recovery_of != NULL) json_member(&json, "recovery_of", step->recovery_of);
                json_member(&json, "status", step->status);
                if (step->message != NULL) json_member(&json, "message", step->message);
                text_addf(&json, ",\"attempts\":%d", step->started_ms > 0 ? step->attempts + 1 : 0);
                json_time(&json, "started", step->started_ms);
                json_time(&json, "ended", step->ended_ms);
                text_addc(&json, '}');
        }
        text_add(&json, "],\"gates\":[");
        for (size_t i = 0; i < r->gates.count; i++) {
                if (i > 0) text_addc(&json, ',');
                gate_json(&r->gates, &r->gates.rows[i], &json);
        }
        text_addc(&json, ']');
        if (timeline) add_events(r, &json);
        text_addc(&json, '}');
        if (!timeline) {
                json_open(s, &json);
                text_add(&json, ",\"notifications\":");
                notify_json(r->waiting, r->waiting_count, &json);
        }
        text_addc(&json, '}');
        puts(json.data);
        text_release(&json);
}

static enum style status_style(const char *status)
{
        if (strcmp(status, "done") == 0 || strcmp(status, "approved") == 0) return STYLE_GREEN;
        if (strcmp(status, "failed") == 0 || strcmp(status, "rejected") == 0 ||
            strcmp(status, RUN_ROLLBACK_DUE) == 0)
                return STYLE_RED;
        if (strcmp(status, "running") == 0) return STYLE_BOLD;
        return strcmp(status, "waiting") == 0 ? STYLE_CYAN : STYLE_DIM;
}

/* A gate that several processes waited at waited from when it was opened until it was answered. */
static void stretch_gates(const struct report *r)
{
        struct map by_name = {0};
        for (size_t i = 0; i < r->gates.count; i++)
                map_put(&by_name, r->gates.rows[i].name, &r->gates.rows[i]);
        for (size_t i = 0; i < r->step_count; i++) {
                struct step_row *step = &r->steps[i];
                if (strcmp(step->action, "gate") != 0) continue;
                const struct gate_row *gate = map_get(&by_name, step->address);
                if (gate == NULL) continue;
                step->started_ms = gate->opened_ms;
                if (strcmp(step->status, "cancelled") != 0) step->ended_ms = gate->answered_ms;
        }
        map_release(&by_name);
}

/* Until when the chart tells of the run: now, while something may still happen; else when it ended, or last did anything. */
static int64_t told_until(const struct report *r)
{
        if (goes_on(r) || strcmp(r->run.status, "waiting") == 0) return clock_wall_ms();
        if (r->run.ended_ms > 0) return r->run.ended_ms;
        return r->event_count > 0 ? r->events[r->event_count - 1].time_ms : r->run.started_ms;
}

static void print_timeline(const struct report *r, bool all)
{
        stretch_gates(r);
        struct text chart = {0};
        struct timeline t = {
            .run = &r->run,
            .steps = r->steps,
            .count = r->step_count,
            .now_ms = told_until(r),
            .width = timeline_width(),
            .all = all,
            .unicode = timeline_unicode(),
        };
        timeline_render(&t, &chart);
        if (chart.len > 0) fputs(chart.data, stdout);
        text_release(&chart);
}

static void print_steps(const struct report *r)
{
        size_t width = 8, status = 8;
        for (size_t i = 0; i < r->step_count; i++) {
                size_t len = strlen(r->steps[i].address);
                if (len > width && len <= 48) width = len;
                if (strcmp(r->steps[i].status, "cancelled") == 0) status = strlen("cancelled");
        }
        for (size_t i = 0; i < r->step_count; i++) {
                const struct step_row *step = &r->steps[i];
                printf("  %s", style_on(status_style(step->status)));
                print_cell(step->status, status + 1);
                printf("%s", style_off());
                print_cell(step->address, width + 1);
                char duration[CLOCK_TEXT] = "";
                if (step->started_ms && step->ended_ms)
                        duration_text(step->ended_ms - step->started_ms, duration);
                print_cell(step->action, 15);
                printf("%s", duration);
                if (step->message != NULL) {
                        printf("  ");
                        print_safe(stdout, step->message);
                }
                putchar('\n');
        }
}

/* Operations of this run and earlier ones with an unknown outcome; a live run still knows its own. */
static void print_open(struct session *s, const struct report *r)
{
        const struct state *state = session_state(s);
        for (size_t i = 0; i < state->open_count && !goes_on(r); i++) {
                const struct open_operation *open = &state->open[i];
                printf("Open: ");
                print_safe(stdout, open->row->address);
                printf(", the %s of run %s", open->creates ? "creation" : open->row->action, open->row->run);
                if (*open->object.id != '\0') printf(open->creates ? ", which made " : " of ");
                print_safe(stdout, open->object.id);
                printf("; `tutti apply` finds out what became of it, `tutti state rm` gives it up.\n");
        }
}

static void print_text(struct session *s, const struct options *o, const struct report *r, bool timeline)
{
        char started[CLOCK_TEXT];
        clock_text(r->run.started_ms, started);
        printf("Environment '%s': run ", session_name(s));
        print_safe(stdout, r->run.id);
        printf(" (");
        print_safe(stdout, r->run.kind);
        printf(" by ");
        print_safe(stdout, r->run.requester);
        printf(") %s", style_on(status_style(r->run.status)));
        print_safe(stdout, r->run.status);
        printf("%s, started %s", style_off(), started);
        if (r->run.ended_ms > 0) {
                char duration[CLOCK_TEXT];
                duration_text(r->run.ended_ms - r->run.started_ms, duration);
                printf(", took %s", duration);
        }
        if (r->run.on_failure != NULL) printf(", on failure ");
        print_safe(stdout, r->run.on_failure);
        if (r->run.undoes != NULL) printf(", undoes ");
        print_safe(stdout, r->run.undoes);
        if (r->run.follows != NULL) printf(", goes on from ");
        print_safe(stdout, r->run.follows);
        printf("\n");
        if (timeline)
                print_timeline(r, o->all);
        else
                print_steps(r);
        if (!timeline) print_open(s, r);
        if (goes_on(r) && !timeline) print_eta(r);
        for (size_t i = 0; i < r->gates.count; i++) gate_print(&r->gates, &r->gates.rows[i], o);
        if (strcmp(r->run.status, RUN_ROLLBACK_DUE) == 0) {
                printf("It failed, and its rollback is due: `");
                print_hint("resume", o->args[0]);
                printf("` does it.\n");
        }
        if (strcmp(r->run.status, "interrupted") == 0 || strcmp(r->run.status, "waiting") == 0) {
                putchar('`');
                print_hint("resume", o->args[0]);
                printf("` goes on with it.\n");
        }
        notify_print(r->waiting, r->waiting_count, o->args[0]);
}

int run_report(struct session *s, const struct options *o, const char *run, bool timeline)
{
        cleanup(error_free) struct error *err = NULL;
        struct report r = {0};
        int code = EXIT_DONE;
        if (load(s, run, timeline, &r, &err) < 0)
                code = print_error(o, err);
        else if (o->json)
                print_json(s, &r, timeline);
        else
                print_text(s, o, &r, timeline);
        release(&r);
        return code;
}
