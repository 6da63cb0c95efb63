/*
 * Gates: a step that waits for a person. Opening one makes the question durable; an answer comes from the terminal, from another
 * process by way of the store, or was given beforehand. See executor_internal.h.
 */
#include <string.h>

#include "base/clock.h"
#include "run/executor_internal.h"
#include "run/question.h"

#define EXPIRY "the clock" /* who rejects a gate that nobody answered before it lapsed */

const char *gate_name(const struct step_run *r)
{
        if (question_name(r) != NULL) return question_name(r);
        return r->step->gate ? r->step->gate : r->step->address;
}

/* A gate that this run opened while another process drove it; perhaps answered since. */
static const struct gate_row *recorded_gate(const struct step_run *r)
{
        const struct map *answers = r->executor->request.answers;
        return answers ? map_get(answers, gate_name(r)) : NULL;
}

/* When the question lapses, in wall-clock milliseconds; 0: never. It counts from when it was first asked, whichever process asked. */
static int64_t expires_at(const struct step_run *r)
{
        const struct approval *a = r->step->approval;
        return a != NULL && a->expires_ms > 0 ? r->opened_ms + a->expires_ms : 0;
}

static bool may_approve(const struct value *approvers, const char *by)
{
        if (approvers == NULL || value_is_null(approvers) || value_count(approvers) == 0) return true;
        for (size_t i = 0; i < value_count(approvers); i++) {
                const struct value *name = value_at(approvers, i);
                if (value_kind(name) == TYPE_STRING && strcmp(value_as_string(name), by) == 0) return true;
        }
        return false;
}

static const char *given_beforehand(const struct step_run *r)
{
        const struct executor *x = r->executor;
        const struct run_options *o = x->request.options;
        for (size_t i = 0; i < o->approve_count; i++)
                if (strcmp(o->approve[i], "all") == 0 || strcmp(o->approve[i], gate_name(r)) == 0)
                        return o->by;
        return NULL;
}

uint32_t *gate_behind(const struct step_run *r, size_t *count)
{
        const struct executor *x = r->executor;
        bool *seen = mem_alloc(x->count);
        uint32_t *queue = mem_alloc((x->count + 1) * sizeof *queue);
        size_t queued = 0, found = 0;
        queue[queued++] = r->step->index;
        for (size_t i = 0; i < queued; i++) {
                for (uint32_t k = x->dependant_start[queue[i]]; k < x->dependant_start[queue[i] + 1]; k++) {
                        uint32_t d = x->dependants[k];
                        if (seen[d]) continue;
                        seen[d] = true;
                        queue[queued++] = d;
                }
        }
        for (size_t i = 1; i < queued; i++)
                if (x->table[queue[i]].action != ACTION_JOIN) queue[found++] = queue[i];
        free(seen);
        *count = found;
        return queue;
}

static void add_string(struct text *json, const char *key, const char *s)
{
        text_addf(json, "\"%s\":", key);
        text_add_json(json, s, strlen(s));
}

char *gate_details(const struct step_run *r, const char *message, const struct value *approvers,
    const char *const *choices, const uint32_t *behind, size_t count)
{
        struct text json = {0};
        char digest[65];
        text_hex(r->executor->request.plan->digest, 32, digest);
        text_addc(&json, '{');
        add_string(&json, "message", message ? message : "");
        text_addc(&json, ',');
        add_string(&json, "digest", digest);
        text_add(&json, ",\"approvers\":");
        if (approvers != NULL)
                value_json(approvers, SECRETS_MASK, NULL, &json, NULL);
        else
                text_add(&json, "null");
        for (size_t i = 0; choices != NULL && choices[i] != NULL; i++) {
                text_add(&json, i ? "," : ",\"choices\":[");
                text_add_json(&json, choices[i], strlen(choices[i]));
        }
        text_add(&json, choices ? "],\"behind\":[" : ",\"behind\":[");
        for (size_t i = 0; i < count; i++) {
                const struct step *s = &r->executor->table[behind[i]];
                text_add(&json, i ? ",{" : "{");
                add_string(&json, "address", s->address);
                text_addf(&json, ",\"action\":\"%s\"}", action_name(s->action));
        }
        text_add(&json, "]}");
        return text_steal(&json);
}

static void show_gate(const struct step_run *r, const char *message, const struct value *approvers,
    const uint32_t *behind, size_t behind_count, bool open)
{
        const struct run_options *o = r->executor->request.options;
        if (!o->interactive || o->gate == NULL) return;
        struct gate_view view = {r->step, gate_name(r), message, NULL, approvers, behind, behind_count,
            r->executor->request.run_started_ms, r->opened_ms};
        o->gate(o->context, &view, open);
}

void gate_write(struct step_run *r, const char *name, const char *status, const char *details, const char *by,
    const char *comment)
{
        struct journal *j = r->executor->request.journal;
        struct arena *a = journal_arena(j);
        struct gate_row *row = arena_alloc(a, sizeof *row);
        *row = (struct gate_row){
            .run = arena_strdup(a, r->executor->request.run),
            .name = arena_strdup(a, name),
            .status = arena_strdup(a, status),
            .details = arena_strdup(a, details),
            .answered_by = arena_strdup(a, by),
            .comment = arena_strdup(a, comment),
            .opened_ms = r->opened_ms,
            .answered_ms = by ? clock_wall_ms() : 0,
        };
        struct store_write w = {.kind = WRITE_GATE, .run = row->run};
        w.gate = row;
        journal_add(j, &w);
}

static void approved(void *context)
{
        struct step_run *r = context;
        step_finished(r, STEP_DONE, NULL);
}

static void close_gate(struct step_run *r, bool approve, const char *by, const char *comment)
{
        timer_cancel(r->expiry);
        r->expiry = NULL;
        struct executor *x = r->executor;
        struct event e = {.by = by, .message = comment};
        enum step_status waiting = r->status;
        r->status = approve ? STEP_DONE : STEP_FAILED;
        cleanup_free char *why = mem_printf(
            "rejected by %s%s%s", by, comment && *comment ? ": " : "", comment ? comment : "");
        executor_record_step(r, approve ? NULL : why);
        r->status = waiting;
        executor_emit(x, approve ? EVENT_GATE_APPROVED : EVENT_GATE_REJECTED, r, &e);
        if (!approve) {
                step_finished(r, STEP_FAILED, why);
                return;
        }
        /* Answered: on its way to the disk, and closed to a second answer. */
        r->status = STEP_RUNNING;
        x->gates_open--;
        x->running++;
        journal_then(x->request.journal, approved, r);
}

static void lapsed(void *context)
{
        struct step_run *r = context;
        r->expiry = NULL;
        executor_answer(
            r->executor, gate_name(r), "rejected", EXPIRY, "nobody answered in time", false, NULL);
}

/* The prompt follows the event, which follows the disk. */
static void ask(void *context)
{
        struct step_run *r = context;
        cleanup_free char *message = NULL;
        cleanup(value_free) struct value *approvers = NULL;
        if (r->status != STEP_WAITING ||
            plan_gate_text(r->executor->request.plan, r->step, &message, &approvers, NULL) < 0)
                return;
        size_t behind_count;
        cleanup_free uint32_t *behind = gate_behind(r, &behind_count);
        show_gate(r, message, approvers, behind, behind_count, true);
}

void gate_open(struct step_run *r)
{
        struct executor *x = r->executor;
        r->status = STEP_WAITING;
        const struct gate_row *before = recorded_gate(r);
        r->started_wall_ms = clock_wall_ms();
        r->opened_ms = before ? before->opened_ms : r->started_wall_ms;
        r->started_ms = loop_now_ms(x->request.io->loop);
        x->gates_open++;

        struct error *err = NULL;
        cleanup_free char *message = NULL;
        cleanup(value_free) struct value *approvers = NULL;
        if (plan_gate_text(x->request.plan, r->step, &message, &approvers, &err) < 0) {
                cleanup_free char *text = error_text(error_at(err, 0));
                error_free(err);
                struct event e = {.message = text};
                executor_emit(x, EVENT_STEP_FAILED, r, &e);
                step_finished(r, STEP_FAILED, text);
                return;
        }
        size_t behind_count;
        cleanup_free uint32_t *behind = gate_behind(r, &behind_count);
        cleanup_free char *details = gate_details(r, message, approvers, NULL, behind, behind_count);

        int64_t expiry = expires_at(r);
        bool answered = before != NULL && strcmp(before->status, "waiting") != 0 &&
                        before->answered_by != NULL;
        if (expiry > 0 && (answered ? before->answered_ms : clock_wall_ms()) > expiry) {
                gate_write(r, gate_name(r), "rejected", details, EXPIRY, "nobody answered in time");
                close_gate(r, false, EXPIRY, "nobody answered in time");
                return;
        }
        if (answered) {
                close_gate(r, strcmp(before->status, "approved") == 0, before->answered_by, before->comment);
                return;
        }
        const char *by = given_beforehand(r);
        if (by != NULL && !may_approve(approvers, by)) by = NULL;
        gate_write(r, gate_name(r), by ? "approved" : "waiting", details, by, by ? "given beforehand" : NULL);
        if (by != NULL) {
                close_gate(r, true, by, NULL);
                return;
        }
        if (expiry > 0) r->expiry = timer_start(x->request.io->loop, expiry - clock_wall_ms(), lapsed, r);
        executor_record_step(r, NULL);
        struct event e = {.message = message, .details = details};
        executor_emit(x, EVENT_GATE_WAITING, r, &e);
        if (x->request.options->interactive) journal_then(x->request.journal, ask, r);
        executor_schedule(x);
}

static struct step_run *open_gate(struct executor *x, const char *name)
{
        for (size_t i = 0; i < x->count && x->gates_open > 0; i++) {
                struct step_run *r = &x->steps[i];
                if (r->status == STEP_WAITING && strcmp(gate_name(r), name) == 0) return r;
        }
        return NULL;
}

int executor_answer(struct executor *x, const char *gate, const char *answer, const char *by,
    const char *comment, bool recorded, struct error **err)
{
        struct step_run *r = open_gate(x, gate);
        if (r == NULL) return error_set(err, ERROR_MISSING, NULL, "no gate '%s' waits in this run", gate);
        if (question_name(r) != NULL) return question_answer(r, answer, by, comment, recorded, err);
        bool approve = strcmp(answer, "approved") == 0;
        if (!approve && strcmp(answer, "rejected") != 0)
                return error_set(
                    err, ERROR_INPUT, NULL, "gate '%s' is approved or rejected, not '%.100s'", gate, answer);
        cleanup_free char *message = NULL;
        cleanup(value_free) struct value *approvers = NULL;
        if (plan_gate_text(x->request.plan, r->step, &message, &approvers, err) < 0) return -1;
        bool lapse = !approve && strcmp(by, EXPIRY) == 0;
        if (!lapse && !may_approve(approvers, by))
                return error_set(err, ERROR_DENIED, NULL,
                    "%s may not answer gate '%s': its approvers are others", by, gate);
        size_t behind_count;
        cleanup_free uint32_t *behind = gate_behind(r, &behind_count);
        if (!recorded) {
                cleanup_free char *details = gate_details(r, message, approvers, NULL, behind, behind_count);
                gate_write(r, gate_name(r), answer, details, by, comment);
        }
        show_gate(r, message, approvers, behind, behind_count, false);
        close_gate(r, approve, by, comment);
        return 0;
}
