/*
 * Gates: a step that waits for people. Opening one makes what it proposes durable; answers come from the terminal, from other
 * processes by way of the store, or were given beforehand. All of them are counted in one place, by the rules of answer.h: what the
 * store says of a gate is taken for what it is, somebody's claim. See executor_internal.h.
 *
 * Functions stand in order of time.
 */
#include <string.h>

#include "base/clock.h"
#include "run/answer.h"
#include "run/executor_internal.h"
#include "run/question.h"

#define EXPIRY "the clock" /* who rejects a gate that nobody answered before it lapsed */

struct gate {                      /* while it waits */
        struct proposal *proposal; /* as it was shown */
        uint32_t *behind;
        size_t behind_count;
        char **approved; /* persons whose approval counts, as of the last count */
        size_t approved_count;
        int64_t heard; /* the newest answer that was looked at: it is complained about once */
};

const char *gate_name(const struct step_run *r)
{
        if (question_name(r) != NULL) return question_name(r);
        return r->step->gate ? r->step->gate : r->step->address;
}

static void forget_approved(struct gate *g)
{
        for (size_t i = 0; i < g->approved_count; i++) free(g->approved[i]);
        free(g->approved);
        g->approved = NULL;
        g->approved_count = 0;
}

void gate_free(struct step_run *r)
{
        timer_cancel(r->expiry);
        r->expiry = NULL;
        struct gate *g = steal(r->gate);
        if (g == NULL) return;
        forget_approved(g);
        proposal_free(g->proposal);
        free(g->behind);
        free(g);
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

/* --- what it proposes ------------------------------------------------------------------------------------------------ */

static void propose_approvers(struct proposal *p, const struct value *approvers)
{
        size_t count = approvers == NULL || value_is_null(approvers) ? 0 : value_count(approvers);
        p->approvers = arena_alloc(p->arena, (count + 1) * sizeof *p->approvers);
        for (size_t i = 0; i < count; i++) {
                const struct value *name = value_at(approvers, i);
                if (value_kind(name) == TYPE_STRING && !value_is_null(name))
                        p->approvers[p->approver_count++] = arena_strdup(p->arena, value_as_string(name));
        }
}

/* What is to be asked now, of the plan as it is in this process. */
static struct proposal *propose(const struct step_run *r, const struct gate *g, struct error **err)
{
        const struct executor *x = r->executor;
        const struct approval *a = r->step->approval;
        cleanup_free char *message = NULL;
        cleanup(value_free) struct value *approvers = NULL;
        if (plan_gate_text(x->request.plan, r->step, &message, &approvers, err) < 0) return NULL;
        struct proposal *p = proposal_new();
        p->message = arena_strdup(p->arena, message ? message : "");
        p->plan = x->request.digest;
        p->requester = x->request.requester;
        propose_approvers(p, approvers);
        if (a != NULL) {
                p->needed = a->approvals;
                p->not_requester = a->not_requester;
                p->expires_ms = a->expires_ms;
                p->remind = a->expiry == EXPIRY_REMIND;
        }
        p->behind = arena_alloc(p->arena, (g->behind_count + 1) * sizeof *p->behind);
        for (size_t i = 0; i < g->behind_count; i++) {
                const struct step *s = &x->table[g->behind[i]];
                p->behind[p->behind_count++] = (struct proposal_step){s->address, action_name(s->action)};
        }
        proposal_seal(p);
        return p;
}

static struct ballot ballot_of(const struct step_run *r)
{
        const struct executor_request *q = &r->executor->request;
        return (struct ballot){.approvers = q->approvers,
            .proposal = r->gate->proposal,
            .lineage = q->lineage,
            .run = q->run,
            .gate = gate_name(r),
            .opened_ms = r->opened_ms};
}

/* Nobody could ever open it: better said now than waited for. */
static int check_people(const struct step_run *r, struct error **err)
{
        struct ballot b = ballot_of(r);
        size_t count;
        bool anyone;
        free(ballot_people(&b, &count, &anyone));
        if (anyone || count >= b.proposal->needed) return 0;
        return error_set(err, ERROR_DENIED, NULL, "gate '%s' needs %u approval%s, and only %zu may answer%s",
            b.gate, b.proposal->needed, b.proposal->needed == 1 ? "" : "s", count,
            b.proposal->not_requester ? ", the requester left out" : "");
}

/*
 * What was shown when the run was driven by another process still stands, if it covers what is to happen: then the answers to it do,
 * too. Otherwise the gate asks anew.
 */
static int open_proposal(struct step_run *r, const struct gate_row *before, struct error **err)
{
        struct gate *g = r->gate = mem_alloc(sizeof *g);
        g->behind = gate_behind(r, &g->behind_count);
        g->proposal = propose(r, g, err);
        if (g->proposal == NULL) return -1;
        struct proposal *shown = NULL;
        if (before != NULL && proposal_read(before->details, &shown, NULL) == 0 &&
            proposal_covers(shown, g->proposal)) {
                struct proposal *now = g->proposal;
                g->proposal = shown;
                shown = now;
        }
        proposal_free(shown);
        return check_people(r, err);
}

/* --- telling --------------------------------------------------------------------------------------------------------- */

static void show_gate(const struct step_run *r, bool open)
{
        const struct run_options *o = r->executor->request.options;
        const struct gate *g = r->gate;
        if (!o->interactive || o->gate == NULL) return;
        struct ballot b = ballot_of(r);
        struct gate_view view = {.step = r->step,
            .name = gate_name(r),
            .message = g->proposal->message,
            .approved = (const char *const *)g->approved,
            .approved_count = g->approved_count,
            .needed = g->proposal->needed,
            .behind = g->behind,
            .behind_count = g->behind_count,
            .run_started_ms = r->executor->request.run_started_ms,
            .opened_ms = r->opened_ms};
        const char **people = ballot_people(&b, &view.people_count, &view.anyone);
        view.people = people;
        o->gate(o->context, &view, open);
        free(people);
}

/* The prompt follows the event, which follows the disk. Answers that came in while nobody listened are looked for. */
static void ask(void *context)
{
        struct step_run *r = context;
        struct executor_request *q = &r->executor->request;
        if (r->status != STEP_WAITING || r->gate == NULL) return;
        show_gate(r, true);
        if (q->answers != NULL && map_has(q->answers, gate_name(r))) q->listen(q->context);
}

static void emit(
    const struct step_run *r, enum event_kind kind, const char *by, const char *message, bool is_signed)
{
        const struct gate *g = r->gate;
        struct event e = {.by = by,
            .message = message,
            .gate = gate_name(r),
            .details = g->proposal->text,
            .is_signed = is_signed,
            .approvals = (unsigned)g->approved_count,
            .needed = g->proposal->needed};
        executor_emit(r->executor, kind, r, &e);
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

static struct gate_row *write_row(struct step_run *r, const char *name, const char *status,
    const char *details, const char *by, const char *comment)
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
        return row;
}

void gate_write(struct step_run *r, const char *name, const char *status, const char *details, const char *by,
    const char *comment)
{
        write_row(r, name, status, details, by, comment);
}

static void write_answer(struct step_run *r, const struct answer_row *from)
{
        struct journal *j = r->executor->request.journal;
        struct arena *a = journal_arena(j);
        struct answer_row *row = arena_alloc(a, sizeof *row);
        *row = *from;
        row->run = arena_strdup(a, from->run);
        row->gate = arena_strdup(a, from->gate);
        row->answer = arena_strdup(a, from->answer);
        row->by = arena_strdup(a, from->by);
        row->comment = arena_strdup(a, from->comment);
        row->user = arena_strdup(a, from->user);
        row->digest = arena_strdup(a, from->digest);
        row->proposal = arena_strdup(a, from->proposal);
        row->signature = arena_strdup(a, from->signature);
        row->key = arena_strdup(a, from->key);
        struct store_write w = {.kind = WRITE_ANSWER, .run = row->run};
        w.answer = row;
        journal_add(j, &w);
}

/* --- closing --------------------------------------------------------------------------------------------------------- */

static void approved(void *context)
{
        struct step_run *r = context;
        step_finished(r, STEP_DONE, NULL);
}

static void close_gate(struct step_run *r, bool approve, const char *by, const char *comment, bool is_signed)
{
        struct executor *x = r->executor;
        gate_write(r, gate_name(r), approve ? "approved" : "rejected", r->gate->proposal->text, by, comment);
        show_gate(r, false);
        enum step_status waiting = r->status;
        r->status = approve ? STEP_DONE : STEP_FAILED;
        cleanup_free char *why = mem_printf(
            "rejected by %s%s%s", by, comment && *comment ? ": " : "", comment ? comment : "");
        executor_record_step(r, approve ? NULL : why);
        r->status = waiting;
        emit(r, approve ? EVENT_GATE_APPROVED : EVENT_GATE_REJECTED, by, comment, is_signed);
        gate_free(r);
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

/* --- counting -------------------------------------------------------------------------------------------------------- */

static void refused(void *context, const struct answer_row *row, const struct error *why)
{
        struct step_run *r = context;
        if (row->id <= r->gate->heard) return;
        cleanup_free char *text = mem_printf("this answer does not count: %s", error_message(why));
        emit(r, EVENT_GATE_IGNORED, row->by, text, false);
}

static void remember(struct gate *g, const struct tally *t)
{
        forget_approved(g);
        g->approved = mem_alloc((t->count + 1) * sizeof *g->approved);
        for (size_t i = 0; i < t->count; i++) g->approved[g->approved_count++] = mem_strdup(t->by[i]);
}

/* Counts all answers to an open gate. True when they close it. */
static bool count_answers(struct step_run *r, const struct answer_row *rows, size_t count)
{
        struct gate *g = r->gate;
        struct ballot b = ballot_of(r);
        struct tally t;
        size_t before = g->approved_count;
        answers_count(&b, rows, count, clock_wall_ms(), refused, r, &t);
        for (size_t i = 0; i < count; i++)
                if (rows[i].id > g->heard) g->heard = rows[i].id;
        remember(g, &t);
        bool closes = t.outcome != TALLY_OPEN;
        cleanup_free char *names = tally_names(&t);
        if (closes) {
                close_gate(r, t.outcome == TALLY_APPROVED, names, t.last->comment, t.all_signed);
        } else if (g->approved_count > before) {
                emit(r, EVENT_GATE_PARTIAL, t.last->by, t.last->comment, t.last->signature != NULL);
                show_gate(r, true);
        }
        tally_release(&t);
        return closes;
}

/* The store claims an outcome that no answer bears out: somebody wrote it there. */
static void doubt(struct step_run *r, const struct gate_row *row)
{
        cleanup_free char *text = mem_printf(
            "the store has it %.40s by %.100s, and no answer that counts says so: it waits on", row->status,
            row->answered_by ? row->answered_by : "nobody");
        emit(r, EVENT_GATE_IGNORED, row->answered_by, text, false);
}

/* --- time ------------------------------------------------------------------------------------------------------------ */

static bool has_lapsed(const struct step_run *r)
{
        const struct proposal *p = r->gate->proposal;
        return p->expires_ms > 0 && !p->remind && clock_wall_ms() > r->opened_ms + p->expires_ms;
}

static void lapsed(void *context)
{
        struct step_run *r = context;
        r->expiry = NULL;
        if (r->executor->over) return; /* it is for whoever resumes */
        close_gate(r, false, EXPIRY, "nobody answered in time", false);
}

static void remind(void *context)
{
        struct step_run *r = context;
        struct loop *loop = r->executor->request.io->loop;
        r->expiry = NULL;
        if (r->executor->over) return;
        r->expiry = timer_start(loop, r->gate->proposal->expires_ms, remind, r);
        struct event e = {.message = r->gate->proposal->message,
            .gate = gate_name(r),
            .details = r->gate->proposal->text,
            .approvals = (unsigned)r->gate->approved_count,
            .needed = r->gate->proposal->needed,
            .wait_ms = loop_now_ms(loop) - r->started_ms};
        executor_emit(r->executor, EVENT_GATE_REMINDER, r, &e);
}

/* The wall clock tells only how much of the time was over when this process came to the gate; from then on a clock that jumps changes
 * nothing. */
static void start_clock(struct step_run *r)
{
        const struct proposal *p = r->gate->proposal;
        if (p->expires_ms == 0) return;
        int64_t over = clock_wall_ms() - r->opened_ms;
        if (over < 0) over = 0;
        int64_t wait = p->remind ? p->expires_ms - over % p->expires_ms : p->expires_ms - over;
        r->expiry = timer_start(
            r->executor->request.io->loop, wait > 0 ? wait : 0, p->remind ? remind : lapsed, r);
}

/* --- answers of this process ----------------------------------------------------------------------------------------- */

static bool given_beforehand(const struct step_run *r)
{
        const struct run_options *o = r->executor->request.options;
        for (size_t i = 0; i < o->approve_count; i++)
                if (strcmp(o->approve[i], "all") == 0 || strcmp(o->approve[i], gate_name(r)) == 0)
                        return true;
        return false;
}

static bool has_approved(const struct gate *g, const char *person)
{
        for (size_t i = 0; i < g->approved_count; i++)
                if (strcmp(g->approved[i], person) == 0) return true;
        return false;
}

static int make_answer(const struct step_run *r, bool approve, const char *by, const char *comment,
    struct answer_row *ret, struct error **err)
{
        struct ballot b = ballot_of(r);
        struct answer_request request = {
            .by = by, .comment = comment, .user = r->executor->request.user, .approve = approve};
        if (approve && has_approved(r->gate, by))
                return error_set(err, ERROR_CONFLICT, NULL, "%s approved gate '%s' already", by, b.gate);
        return answer_make(&b, &request, clock_wall_ms(), ret, err);
}

/* The requester's approval by --approve is one among the others, under the same rules. True when it closes the gate. */
static bool answer_beforehand(struct step_run *r, const struct answer_slice *recorded)
{
        const char *by = r->executor->request.options->by;
        struct answer_row own = {0};
        cleanup(error_free) struct error *err = NULL;
        if (has_approved(r->gate, by)) return false;
        if (make_answer(r, true, by, "given beforehand", &own, &err) < 0) {
                cleanup_free char *text = mem_printf(
                    "the approval given beforehand does not count: %s", error_message(err));
                emit(r, EVENT_GATE_IGNORED, by, text, false);
                return false;
        }
        size_t count = recorded ? recorded->count : 0;
        cleanup_free struct answer_row *all = mem_alloc((count + 1) * sizeof *all);
        if (count > 0) memcpy(all, recorded->rows, count * sizeof *all);
        all[count] = own; /* its id, 0, is not one that was heard */
        write_answer(r, &own);
        bool closes = count_answers(r, all, count + 1);
        answer_row_release(&own);
        return closes;
}

/* --- opening --------------------------------------------------------------------------------------------------------- */

static void cannot_open(struct step_run *r, struct error *err)
{
        cleanup_free char *text = error_text(error_at(err, 0));
        error_free(err);
        struct event e = {.message = text};
        gate_free(r);
        executor_emit(r->executor, EVENT_STEP_FAILED, r, &e);
        step_finished(r, STEP_FAILED, text);
}

void gate_open(struct step_run *r)
{
        struct executor *x = r->executor;
        const struct executor_request *q = &x->request;
        const char *name = gate_name(r);
        const struct gate_row *before = q->answers ? map_get(q->answers, name) : NULL;
        const struct answer_slice *given = q->given ? map_get(q->given, name) : NULL;
        r->status = STEP_WAITING;
        r->started_wall_ms = clock_wall_ms();
        r->opened_ms = before ? before->opened_ms : r->started_wall_ms;
        r->started_ms = loop_now_ms(q->io->loop);
        x->gates_open++;

        struct error *err = NULL;
        if (open_proposal(r, before, &err) < 0) {
                cannot_open(r, err);
                return;
        }
        /* The gate comes before its answers; one that was closed on nobody's valid word opens again. */
        struct gate_row *row = write_row(r, name, "waiting", r->gate->proposal->text, NULL, NULL);
        row->reopen = true;
        if (given != NULL && count_answers(r, given->rows, given->count)) return;
        if (has_lapsed(r)) {
                close_gate(r, false, EXPIRY, "nobody answered in time", false);
                return;
        }
        if (before != NULL && strcmp(before->status, "waiting") != 0) doubt(r, before);
        if (given_beforehand(r) && answer_beforehand(r, given)) return;
        start_clock(r);
        executor_record_step(r, NULL);
        emit(r, EVENT_GATE_WAITING, NULL, r->gate->proposal->message, false);
        journal_then(q->journal, ask, r);
        executor_schedule(x);
}

/* --- answers that come in -------------------------------------------------------------------------------------------- */

/* A question that was answered waits for the disk, and for nobody. */
static bool can_be_answered(const struct step_run *r)
{
        return r->status == STEP_WAITING && (r->gate != NULL || question_name(r) != NULL);
}

static struct step_run *open_gate(struct executor *x, const char *name)
{
        for (size_t i = 0; i < x->count && x->gates_open > 0 && !x->over; i++) {
                struct step_run *r = &x->steps[i];
                if (can_be_answered(r) && strcmp(gate_name(r), name) == 0) return r;
        }
        return NULL;
}

static void hear(struct step_run *r, const struct gate_row *row, const struct answer_slice *answers)
{
        bool answered = strcmp(row->status, "waiting") != 0;
        if (question_name(r) != NULL) {
                if (answered && row->answered_by != NULL)
                        question_answer(r, row->status, row->answered_by, row->comment, true, NULL);
                return;
        }
        if (answers != NULL && count_answers(r, answers->rows, answers->count)) return;
        if (!answered) return;
        doubt(r, row);
        write_row(r, row->name, "waiting", r->gate->proposal->text, NULL, NULL)->reopen = true;
}

void executor_hear(struct executor *x, const struct gate_row *rows, size_t count, const struct map *answers)
{
        struct map by_name __attribute__((__cleanup__(map_release_cleanup))) = {0};
        if (x->over) return; /* it is for whoever resumes */
        for (size_t i = 0; i < count; i++) map_put(&by_name, rows[i].name, (void *)&rows[i]);
        for (size_t i = 0; i < x->count; i++) {
                struct step_run *r = &x->steps[i];
                if (!can_be_answered(r)) continue;
                const struct gate_row *row = map_get(&by_name, gate_name(r));
                if (row != NULL) hear(r, row, map_get(answers, row->name));
        }
}

static void listen(void *context)
{
        struct executor *x = context;
        x->request.listen(x->request.context);
}

int executor_answer(struct executor *x, const char *gate, const char *answer, const char *by,
    const char *comment, struct error **err)
{
        struct step_run *r = open_gate(x, gate);
        if (r == NULL) return error_set(err, ERROR_MISSING, NULL, "no gate '%s' waits in this run", gate);
        if (question_name(r) != NULL) return question_answer(r, answer, by, comment, false, err);
        bool approve = strcmp(answer, "approved") == 0;
        if (!approve && strcmp(answer, "rejected") != 0)
                return error_set(
                    err, ERROR_INPUT, NULL, "gate '%s' is approved or rejected, not '%.100s'", gate, answer);
        struct answer_row row = {0};
        if (make_answer(r, approve, by, comment, &row, err) < 0) return -1;
        /* It is counted once it is on disk, with those of others that came before it. */
        write_answer(r, &row);
        answer_row_release(&row);
        journal_then(x->request.journal, listen, x);
        return 0;
}
