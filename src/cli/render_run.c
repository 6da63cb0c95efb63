/*
 * A run as it goes: JSON events, or lines for people with a live line below them on a terminal.
 *
 * While a gate waits for an answer the prompt (prompt.h) takes the place of the live line; events still appear above it.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/prompt.h"
#include "cli/render.h"
#include "cli/work.h"
#include "run/eta.h"

struct display {
        struct session *session;
        const struct plan *plan;
        bool json, live, interactive;
        bool drawn;           /* the live line or a prompt stands on the terminal */
        size_t columns;       /* and is so wide */
        size_t total, over;   /* steps, without joins and recovery */
        bool *is_over;        /* of each step of the plan */
        int64_t *json_index;  /* of each step among those that plan --json shows */
        int64_t started_ms;   /* monotonic */
        struct eta_step *eta; /* of each step of the plan */
        uint32_t *in_flight;  /* step indices */
        size_t in_flight_count, in_flight_capacity;
        char *run; /* the id of the one that is under way, or NULL */
        int64_t heartbeat_ms;
        struct prompt *prompt;
};

static struct eta_step *eta_steps(const struct plan *plan)
{
        struct eta_step *steps = mem_alloc((plan->count + 1) * sizeof *steps);
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                steps[i] = (struct eta_step){
                    .address = step->action == ACTION_JOIN ? NULL : step->address,
                    .type = step->type,
                    .seconds = step->seconds,
                    .share = step->share,
                    .remaining = step->remaining,
                    .next = step->next == UINT32_MAX ? -1 : (int64_t)step->next,
                    .running_ms = -1,
                };
        }
        return steps;
}

/* Of the steps that the live line counts: it cannot be told before whether there is anything to recover from. */
static bool is_counted(const struct step *step)
{
        return step->action != ACTION_JOIN && step->recovery_of == NULL;
}

static void set_over(struct display *d, const struct step *step, bool over)
{
        if (!is_counted(step) || d->is_over[step->index] == over) return;
        d->is_over[step->index] = over;
        if (over)
                d->over++;
        else
                d->over--;
}

/* A run begins, or goes on with another plan. */
static void take_plan(struct display *d)
{
        const struct plan *plan = d->plan = session_current_plan(d->session);
        free(d->json_index);
        d->json_index = mem_alloc((plan->count + 1) * sizeof *d->json_index);
        free(d->is_over);
        d->is_over = mem_alloc((plan->count + 1) * sizeof *d->is_over);
        prompt_reset(d->prompt, plan); /* what waits opens again */
        d->total = d->over = d->in_flight_count = 0;
        int64_t written = 0;
        for (size_t i = 0; i < plan->count; i++) {
                const struct step *step = &plan->steps[i];
                d->json_index[i] = step->action == ACTION_JOIN ? -1 : written++;
                if (is_counted(step)) d->total++;
        }
        free(d->eta);
        d->eta = d->live ? eta_steps(plan) : NULL;
}

/* JSON */

static void print_event_json(const struct display *d, const struct event *e)
{
        char now[CLOCK_TEXT];
        clock_text(e->time_ms, now);
        struct text json = {0};
        text_addc(&json, '{');
        text_add_member(&json, "time", now);
        text_add_member(&json, "run", e->run);
        text_add_member(&json, "event", event_name(e->kind));
        if (e->step != NULL) {
                text_add(&json, ",\"address\":");
                text_json(&json, e->step->address);
                text_addf(&json, ",\"step\":%lld,\"action\":\"%s\"", (long long)d->json_index[e->step->index],
                    action_name(e->step->action));
        }
        if (e->message != NULL) {
                text_add(&json, ",\"message\":");
                text_json(&json, e->message);
        }
        if (e->by != NULL) {
                text_add(&json, ",\"by\":");
                text_json(&json, e->by);
        }
        if (e->answer != NULL) {
                text_add(&json, ",\"answer\":");
                text_json(&json, e->answer);
        }
        if (e->gate != NULL) {
                text_add(&json, ",\"gate\":");
                text_json(&json, e->gate);
        }
        if (e->needed > 0) text_addf(&json, ",\"approvals\":%u,\"needed\":%u", e->approvals, e->needed);
        if (e->needed > 0 || e->answer != NULL)
                text_addf(&json, ",\"signed\":%s", e->is_signed ? "true" : "false");
        if (e->kind == EVENT_GATE_REMINDER) text_addf(&json, ",\"waited_ms\":%lld", (long long)e->wait_ms);
        if (e->kind == EVENT_STEP_RETRY)
                text_addf(&json, ",\"attempt\":%u,\"wait_ms\":%lld", e->attempt, (long long)e->wait_ms);
        if (e->kind == EVENT_STEP_DONE) text_addf(&json, ",\"elapsed_ms\":%lld", (long long)e->wait_ms);
        if (e->kind == EVENT_RUN_STARTED) {
                text_add_member(&json, "kind", e->run_kind);
                if (e->undoes != NULL) text_add(&json, ",\"undoes\":");
                if (e->undoes != NULL) text_json(&json, e->undoes);
                if (e->follows != NULL) text_add(&json, ",\"follows\":");
                if (e->follows != NULL) text_json(&json, e->follows);
                work_outlook_json(session_outlook(d->session), &json);
        }
        if (e->kind == EVENT_RUN_DONE || e->kind == EVENT_RUN_WAITING) {
                const struct plan_summary *s = e->summary;
                text_addf(&json,
                    ",\"status\":\"%s\",\"summary\":{\"create\":%zu,\"update\":%zu,\"replace\":%zu,"
                    "\"replace_delete\":%zu,\"restore\":%zu,\"delete\":%zu,"
                    "\"forget\":%zu,\"gates\":%zu,\"failed\":%zu,\"skipped\":%zu}",
                    e->status, s->create, s->update, s->replace, s->replace_delete, s->restore, s->delete_,
                    s->forget, s->gates, e->failed, e->skipped);
                if (e->problems != NULL) {
                        text_add(&json, ",\"problems\":");
                        json_problems(&json, e->problems);
                }
                if (e->rollback_due) text_add(&json, ",\"rollback_due\":true");
        }
        text_addc(&json, '}');
        puts(json.data);
        fflush(stdout);
        text_release(&json);
}

/* The live line and the prompt */

static size_t terminal_width(void)
{
        struct winsize size;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20) return 80;
        return size.ws_col;
}

static void erase(struct display *d)
{
        size_t above = d->drawn && d->columns > 0 ? (d->columns - 1) / terminal_width() : 0;
        if (above > 0) printf("\033[%zuA", above);
        if (d->drawn) fputs(above > 0 ? "\r\033[J" : "\r\033[K", stdout);
        d->drawn = false;
}

/* Where each step is, asked of the session: the events tell of fewer things. */
static void ask_eta(struct display *d, struct eta *ret)
{
        for (size_t i = 0; i < d->plan->count; i++) {
                int64_t started;
                const char *status = session_step_status(d->session, (uint32_t)i, &started);
                bool begun = strcmp(status, "running") == 0;
                d->eta[i].running_ms = begun ? clock_monotonic_ms() - started : -1;
                d->eta[i].over = !begun && strcmp(status, "pending") != 0 && strcmp(status, "waiting") != 0;
        }
        eta_tell(d->eta, d->plan->count, ret);
}

static void draw_progress(struct display *d)
{
        struct text line = {0};
        char elapsed[CLOCK_TEXT], left[CLOCK_TEXT];
        int64_t ms = clock_monotonic_ms() - d->started_ms;
        duration_text(ms, elapsed);
        text_addf(&line, "%zu/%zu done, %s", d->over, d->total, elapsed);
        struct eta eta;
        ask_eta(d, &eta);
        if (eta.seconds > 1) {
                duration_text((int64_t)(eta.seconds * 1000), left);
                text_addf(&line, ", about %s left", left);
                for (size_t i = 0; i < eta.path_count && i < 4; i++) {
                        text_add(&line, i ? " → " : " by way of ");
                        text_add_shown(&line, eta.path[i]);
                }
                if (eta.path_count > 4) text_add(&line, " → …");
        }
        eta_release(&eta);
        if (d->in_flight_count > 0) text_add(&line, "; now");
        for (size_t i = 0; i < d->in_flight_count && i < 8; i++) {
                text_addc(&line, ' ');
                text_add_shown(&line, d->plan->steps[d->in_flight[i]].address);
        }
        if (d->in_flight_count > 8) text_addf(&line, " and %zu more", d->in_flight_count - 8);
        text_cut(&line, terminal_width() - 1);
        printf("%s%s%s", style_on(STYLE_DIM), line.data, style_off());
        d->columns = text_columns(line.data);
        text_release(&line);
}

static void draw(struct display *d)
{
        erase(d);
        bool asks = prompt_asks(d->prompt);
        if (asks)
                d->columns = prompt_draw(d->prompt);
        else if (d->live)
                draw_progress(d);
        d->drawn = asks || d->live;
        fflush(stdout);
}

static void ticked(void *context)
{
        struct display *d = context;
        if (!prompt_asks(d->prompt)) draw(d);
}

/* Lines for people */

static void in_flight_remove(struct display *d, uint32_t index)
{
        for (size_t i = 0; i < d->in_flight_count; i++) {
                if (d->in_flight[i] != index) continue;
                d->in_flight[i] = d->in_flight[--d->in_flight_count];
                return;
        }
}

static const char *done_word(const struct step *step)
{
        switch (step->action) {
        case ACTION_UPDATE: return "updated";
        case ACTION_DELETE: return "deleted";
        case ACTION_REPLACE_DELETE:
                return step->create_first ? "replaced, the old one deleted" : "deleted, to be replaced";
        case ACTION_FORGET: return "forgotten";
        case ACTION_READ: return "read";
        case ACTION_REPLACE: return step->create_first ? "the new one created" : "replaced";
        case ACTION_RESTORE: return "taken back";
        default: return "created";
        }
}

static const char *doing_word(enum action action)
{
        switch (action) {
        case ACTION_UPDATE: return "updating";
        case ACTION_DELETE:
        case ACTION_REPLACE_DELETE: return "deleting";
        case ACTION_FORGET: return "forgetting";
        case ACTION_READ: return "reading";
        case ACTION_RESTORE: return "taking back";
        default: return "creating";
        }
}

static void line_start(const struct event *e, enum style style, const char *mark)
{
        printf("%s%s%s %s", style_on(style), mark, style_off(), style_on(STYLE_BOLD));
        print_safe(stdout, e->step ? e->step->address : "");
        printf("%s ", style_off());
}

static void print_comment(const char *comment)
{
        if (comment == NULL || *comment == '\0') return;
        printf(": ");
        print_safe(stdout, comment);
}

static void print_gate_event(struct display *d, const struct event *e)
{
        char duration[CLOCK_TEXT];
        switch (e->kind) {
        case EVENT_GATE_WAITING:
                line_start(e, STYLE_CYAN, "?");
                if (e->step->action != ACTION_GATE) { /* a question about a failure, which was shown */
                        set_over(d, e->step, false);
                        printf("waits for a word on what is to become of it\n");
                        break;
                }
                printf("waits for approval%s", e->message && *e->message ? ": " : "");
                print_lines(stdout, e->message, 6);
                putchar('\n');
                break;
        case EVENT_GATE_APPROVED:
        case EVENT_GATE_REJECTED:
                if (e->step->action == ACTION_GATE || e->kind == EVENT_GATE_REJECTED)
                        set_over(d, e->step, true);
                line_start(e, e->kind == EVENT_GATE_APPROVED ? STYLE_GREEN : STYLE_RED,
                    e->kind == EVENT_GATE_APPROVED ? "✓" : "✗");
                if (e->answer != NULL)
                        printf("%s, says ", e->answer);
                else
                        printf("%s by ", e->kind == EVENT_GATE_APPROVED ? "approved" : "rejected");
                print_safe(stdout, e->by);
                print_comment(e->message);
                putchar('\n');
                break;
        case EVENT_GATE_PARTIAL:
                line_start(e, STYLE_CYAN, "✓");
                printf("approved by ");
                print_safe(stdout, e->by);
                printf(", %u of %u", e->approvals, e->needed);
                print_comment(e->message);
                putchar('\n');
                break;
        case EVENT_GATE_REMINDER:
                duration_text(e->wait_ms, duration);
                line_start(e, STYLE_CYAN, "?");
                printf("still waits for approval, since %s\n", duration);
                break;
        case EVENT_GATE_IGNORED:
                line_start(e, STYLE_YELLOW, "!");
                print_safe(stdout, e->message);
                putchar('\n');
                break;
        default: break; /* of the run as a whole */
        }
}

static void print_event(struct display *d, const struct event *e)
{
        char duration[CLOCK_TEXT];
        switch (e->kind) {
        case EVENT_STEP_STARTED:
                if (d->live) break; /* the live line shows it */
                line_start(e, STYLE_DIM, ">");
                printf("%s\n", doing_word(e->step->action));
                break;
        case EVENT_STEP_PROGRESS:
                if (d->live) break;
                line_start(e, STYLE_DIM, " ");
                print_safe(stdout, e->message);
                putchar('\n');
                break;
        case EVENT_STEP_RETRY:
                duration_text(e->wait_ms, duration);
                line_start(e, STYLE_YELLOW, "!");
                print_safe(stdout, e->message);
                printf("; trying again in %s\n", duration);
                break;
        case EVENT_STEP_DONE:
                set_over(d, e->step, true);
                duration_text(e->wait_ms, duration);
                line_start(e, STYLE_GREEN, "✓");
                if ((e->step->action == ACTION_DELETE || e->step->action == ACTION_ADOPT ||
                        e->step->spared != NULL) &&
                    e->message != NULL)
                        print_safe(stdout, e->message);
                else
                        printf("%s", done_word(e->step));
                printf(" %s(%s)%s\n", style_on(STYLE_DIM), duration, style_off());
                break;
        case EVENT_STEP_FAILED:
                set_over(d, e->step, true);
                line_start(e, STYLE_RED, "✗");
                print_lines(stdout, e->message, 6);
                putchar('\n');
                break;
        case EVENT_STEP_SKIPPED:
                set_over(d, e->step, true);
                line_start(e, STYLE_DIM, "-");
                printf("skipped: ");
                print_safe(stdout, e->message);
                putchar('\n');
                break;
        case EVENT_RUN_STOPPING:
                printf("%s", style_on(STYLE_YELLOW));
                print_safe(stdout, e->message);
                printf("%s\n", style_off());
                break;
        default: print_gate_event(d, e); break;
        }
}

/* What is under way, in any form of output. */
static void follow(struct display *d, const struct event *e)
{
        if (e->kind == EVENT_STEP_STARTED)
                vec_push(d->in_flight, d->in_flight_count, d->in_flight_capacity, e->step->index);
        else if (e->kind == EVENT_STEP_DONE || e->kind == EVENT_STEP_FAILED)
                in_flight_remove(d, e->step->index);
        if (e->run == NULL || text_equal(d->run, e->run)) return;
        free(d->run);
        d->run = mem_strdup(e->run);
}

/* Without a terminal, or a live line on it: a sign of life of what takes long. */
static void still(void *context)
{
        struct display *d = context;
        enum { SHOWN = 5 };
        size_t shown = 0, slow = 0;
        for (size_t i = 0; i < d->in_flight_count; i++) {
                const struct step *step = &d->plan->steps[d->in_flight[i]];
                int64_t started = 0;
                const char *status = session_step_status(d->session, step->index, &started);
                int64_t ms = clock_monotonic_ms() - started;
                if (!text_equal(status, "running") || ms < d->heartbeat_ms) continue;
                if (++slow > SHOWN) continue;
                char duration[CLOCK_TEXT];
                duration_text(ms, duration);
                cleanup_free char *message = mem_printf(
                    "still %s, after %s", doing_word(step->action), duration);
                struct event e = {.kind = EVENT_STEP_PROGRESS,
                    .time_ms = clock_wall_ms(),
                    .run = d->run,
                    .step = step,
                    .message = message};
                if (d->json)
                        print_event_json(d, &e);
                else
                        print_event(d, &e);
                shown++;
        }
        if (slow > shown && !d->json) printf("  and %zu more\n", slow - shown);
        fflush(stdout);
}

/* `TUTTI_HEARTBEAT`, or half a minute: less than any CI system waits for output. */
static int64_t heartbeat_ms(void)
{
        enum { HEARTBEAT_MS = 30000, HEARTBEAT_MIN_MS = 100 };
        const char *text = getenv("TUTTI_HEARTBEAT");
        int64_t ms;
        return text != NULL && duration_parse(text, &ms) && ms >= HEARTBEAT_MIN_MS ? ms : HEARTBEAT_MS;
}

static void happened(void *context, const struct event *e)
{
        struct display *d = context;
        if (e->kind == EVENT_RUN_STARTED) take_plan(d);
        follow(d, e);
        if (d->json) {
                print_event_json(d, e);
                return;
        }
        if (e->kind == EVENT_GATE_IGNORED) prompt_ignored(d->prompt, e->gate);
        erase(d);
        print_event(d, e);
        if (e->kind != EVENT_RUN_DONE && e->kind != EVENT_RUN_WAITING) draw(d);
}

/* Gates */

static void gate_changed(void *context, const struct gate_view *view, bool open)
{
        struct display *d = context;
        erase(d);
        prompt_gate(d->prompt, view, open, clock_monotonic_ms());
        draw(d);
}

static void typed(void *context, const char *line)
{
        struct display *d = context;
        if (line != NULL)
                d->drawn = false; /* the user's own newline ended it */
        else
                erase(d);
        if (prompt_line(d->prompt, line, clock_monotonic_ms())) draw(d);
}

static int answer(
    void *context, const char *gate, const char *answer, const char *comment, struct error **err)
{
        struct display *d = context;
        return session_answer(d->session, gate, answer, NULL, comment, err);
}

static void leave(void *context)
{
        struct display *d = context;
        session_leave_gates(d->session);
}

static void discard(void *context)
{
        struct display *d = context;
        session_discard_typed(d->session);
}

/* From new to free */

struct display *display_new(struct session *session, const struct options *o)
{
        struct display *d = mem_alloc(sizeof *d);
        const struct prompt_host host = {answer, leave, discard, d};
        d->session = session;
        d->json = o->json;
        d->interactive = !o->json && at_terminal();
        d->live = !o->json && isatty(STDOUT_FILENO) && !text_equal(getenv("TERM"), "dumb");
        d->started_ms = clock_monotonic_ms();
        d->prompt = prompt_new(stdout, &host);
        return d;
}

void display_attach(struct display *d, struct run_options *options)
{
        options->interactive = d->interactive;
        options->event = happened;
        options->gate = gate_changed;
        if (d->interactive) options->line = typed;
        if (d->live) {
                options->tick = ticked;
                options->tick_ms = 200;
        } else {
                options->tick = still;
                options->tick_ms = d->heartbeat_ms = heartbeat_ms();
        }
        options->context = d;
}

void display_free(struct display *d)
{
        if (d == NULL) return;
        prompt_free(d->prompt);
        free(d->is_over);
        free(d->in_flight);
        free(d->run);
        free(d->json_index);
        free(d->eta);
        free(d);
}
