/*
 * Gates that ask for approval: what they propose, by when, and what comes of it; see gate.h.
 *
 * What comes of it stands first, as all else leads there; then functions stand in order of time.
 */
#include <string.h>

#include "base/clock.h"
#include "run/gate.h"

#define EXPIRY "the clock" /* who rejects a gate that nobody answered before it lapsed */

/* --- closing --------------------------------------------------------------------------------------------------------- */

static void approved(void *context)
{
        struct step_run *r = context;
        step_finished(r, STEP_DONE, NULL);
}

struct outcome {
        bool approve, is_signed;
        const char *by, *comment;
        int64_t when_ms; /* of the answer that decided; 0: now */
};

static void close_gate(struct step_run *r, const struct outcome *o)
{
        struct executor *x = r->executor;
        bool approve = o->approve;
        const char *by = o->by, *comment = o->comment;
        gate_write(r, approve ? ANSWER_APPROVED : ANSWER_REJECTED, by, comment, o->when_ms);
        enum step_status waiting = r->status;
        r->status = approve ? STEP_DONE : STEP_FAILED;
        cleanup_free char *why = mem_printf(
            "rejected by %s%s%s", by, comment && *comment ? ": " : "", comment ? comment : "");
        executor_record_step(r, approve ? NULL : why);
        r->status = waiting;
        gate_emit(r, approve ? EVENT_GATE_APPROVED : EVENT_GATE_REJECTED, by, comment, o->is_signed);
        gate_show_closed(r);
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

static void decided(struct step_run *r, const struct tally *t)
{
        cleanup_free char *names = tally_names(t), *comment = mem_strdup(t->last->comment);
        close_gate(r, &(struct outcome){.approve = t->outcome == TALLY_APPROVED,
                          .is_signed = t->all_signed,
                          .by = names,
                          .comment = comment,
                          .when_ms = t->last->answered_ms});
}

static void reject_late(struct step_run *r)
{
        close_gate(r, &(struct outcome){.by = EXPIRY, .comment = "nobody answered in time"});
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
static struct proposal *propose(
    const struct step_run *r, const uint32_t *behind, size_t count, struct error **err)
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
        p->behind = arena_alloc(p->arena, (count + 1) * sizeof *p->behind);
        for (size_t i = 0; i < count; i++) {
                const struct step *s = &x->table[behind[i]];
                p->behind[p->behind_count++] = (struct proposal_step){s->address, action_name(s->action)};
        }
        proposal_seal(p);
        return p;
}

/* Nobody could ever open it: better said now than waited for. */
static int check_people(const struct step_run *r, struct error **err)
{
        struct ballot b = gate_ballot(r);
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
        size_t count;
        uint32_t *behind = gate_behind(r, &count);
        struct proposal *now = propose(r, behind, count, err), *shown = NULL;
        if (now == NULL) {
                free(behind);
                return -1;
        }
        if (before != NULL && proposal_read(before->details, &shown, NULL) == 0 &&
            proposal_covers(shown, now)) {
                struct proposal *other = now;
                now = shown;
                shown = other;
        }
        proposal_free(shown);
        gate_begin(
            r, gate_name(r), before ? before->opened_ms : r->started_wall_ms, behind, count, now, decided);
        return check_people(r, err);
}

/* --- time ------------------------------------------------------------------------------------------------------------ */

static bool has_lapsed(const struct step_run *r)
{
        const struct proposal *p = r->gate->proposal;
        return p->expires_ms > 0 && !p->remind && clock_wall_ms() > r->gate->opened_ms + p->expires_ms;
}

static void lapsed(void *context)
{
        struct step_run *r = context;
        r->gate->expiry = NULL;
        if (r->executor->over) return; /* it is for whoever resumes */
        reject_late(r);
}

static void remind(void *context)
{
        struct step_run *r = context;
        struct loop *loop = r->executor->request.io->loop;
        r->gate->expiry = NULL;
        if (r->executor->over) return;
        r->gate->expiry = timer_start(loop, r->gate->proposal->expires_ms, remind, r);
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
        int64_t over = clock_wall_ms() - r->gate->opened_ms;
        if (over < 0) over = 0;
        int64_t wait = p->remind ? p->expires_ms - over % p->expires_ms : p->expires_ms - over;
        r->gate->expiry = timer_start(
            r->executor->request.io->loop, wait > 0 ? wait : 0, p->remind ? remind : lapsed, r);
}

/* --- given beforehand ------------------------------------------------------------------------------------------------ */

static bool given_beforehand(const struct step_run *r)
{
        const struct run_options *o = r->executor->request.options;
        /* Who said `all` had seen the gates of a plan. What a rollback would lose was in none: it has to be named. */
        bool shown = r->step->resource != NULL;
        for (size_t i = 0; i < o->approve_count; i++)
                if ((shown && strcmp(o->approve[i], "all") == 0) || strcmp(o->approve[i], gate_name(r)) == 0)
                        return true;
        return false;
}

/* The requester's approval by --approve is one among the others, under the same rules. True when it closes the gate. */
static bool answer_beforehand(struct step_run *r, const struct answer_slice *recorded)
{
        const char *by = r->executor->request.options->by;
        struct answer_row own = {0};
        cleanup(error_free) struct error *err = NULL;
        if (gate_has_approved(r, by)) return false;
        if (gate_make_answer(r, ANSWER_APPROVED, by, "given beforehand", &own, &err) < 0) {
                cleanup_free char *text = mem_printf(
                    "the approval given beforehand does not count: %s", error_message(err));
                gate_emit(r, EVENT_GATE_IGNORED, by, text, false);
                return false;
        }
        size_t count = recorded ? recorded->count : 0;
        cleanup_free struct answer_row *all = mem_alloc((count + 1) * sizeof *all);
        if (count > 0) memcpy(all, recorded->rows, count * sizeof *all);
        all[count] = own; /* its id, 0, is not one that was heard */
        gate_write_answer(r, &own);
        bool closes = gate_count(r, all, count + 1);
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

void approval_open(struct step_run *r)
{
        struct executor *x = r->executor;
        const struct executor_request *q = &x->request;
        const char *name = gate_name(r);
        const struct gate_row *before = q->answers ? map_get(q->answers, name) : NULL;
        const struct answer_slice *given = q->given ? map_get(q->given, name) : NULL;
        r->status = STEP_WAITING;
        r->started_wall_ms = clock_wall_ms();
        r->started_ms = loop_now_ms(q->io->loop);
        x->gates_open++;

        struct error *err = NULL;
        if (open_proposal(r, before, &err) < 0) {
                cannot_open(r, err);
                return;
        }
        /* The gate comes before its answers; one that was closed on nobody's valid word opens again. */
        gate_write_waiting(r);
        if (given != NULL && gate_count(r, given->rows, given->count)) return;
        if (has_lapsed(r)) {
                reject_late(r);
                return;
        }
        if (before != NULL && strcmp(before->status, "waiting") != 0) gate_doubt(r, before);
        if (given_beforehand(r) && answer_beforehand(r, given)) return;
        start_clock(r);
        executor_record_step(r, NULL);
        gate_emit(r, EVENT_GATE_WAITING, NULL, r->gate->proposal->message, false);
        gate_ask(r);
}
