/* Recovery steps, one after the other; see recovery.h. */
#include "run/recovery.h"

#include <string.h>

struct recovery { /* of one step that failed */
        struct step_run *failed;
        char *message;
        size_t next; /* into its step's `recovery` */
};

void recovery_prepare(struct executor *x)
{
        for (size_t i = 0; i < x->count; i++)
                if (x->table[i].recovery_of != NULL) x->steps[i].status = STEP_STANDBY;
}

static void enqueue(struct step_run *failed, const char *message)
{
        struct executor *x = failed->executor;
        struct recovery *q = mem_alloc(sizeof *q);
        *q = (struct recovery){.failed = failed, .message = mem_strdup(message ? message : "")};
        vec_push(x->recoveries, x->recovery_count, x->recovery_capacity, q);
}

bool recovery_begin(struct step_run *failed, const char *message)
{
        struct executor *x = failed->executor;
        if (failed->step->recovery_count == 0) return false;
        enqueue(failed, message);
        /* A policy that ends the run lets nothing else begin in the meantime. */
        enum failure_policy policy = step_policy(failed);
        if (policy == ON_FAILURE_STOP_RUN || policy == ON_FAILURE_ROLLBACK) x->stopping = x->given_up = true;
        executor_schedule(x);
        return true;
}

static void end_first(struct executor *x)
{
        struct recovery *q = x->recoveries[x->recovery_next++];
        step_apply_policy(q->failed);
        executor_schedule(x);
}

/* What would have come after a recovery step that failed. */
static void skip_rest(struct recovery *q, const char *failed)
{
        struct executor *x = q->failed->executor;
        const struct step *step = q->failed->step;
        cleanup_free char *why = mem_printf("%s did not happen", failed);
        for (; q->next < step->recovery_count; q->next++) {
                struct step_run *r = &x->steps[step->recovery[q->next]];
                if (r->status != STEP_STANDBY) continue;
                r->status = STEP_SKIPPED;
                x->skipped++;
                executor_record_step(r, why);
                struct event e = {.message = why};
                executor_emit(x, EVENT_STEP_SKIPPED, r, &e);
        }
}

void recovery_step_over(struct step_run *r)
{
        struct executor *x = r->executor;
        if (x->recovery_next == x->recovery_count)
                return; /* one that an interrupted run had under way is settled */
        struct recovery *q = x->recoveries[x->recovery_next];
        if (r->status == STEP_FAILED) skip_rest(q, r->step->address);
        if (q->next == q->failed->step->recovery_count) end_first(x);
}

bool recovery_go_on(struct executor *x)
{
        while (x->recovery_next < x->recovery_count && !x->interrupted && !x->aborted && !x->again) {
                struct recovery *q = x->recoveries[x->recovery_next];
                const struct step *step = q->failed->step;
                /* Those of another instance of the same resource may have run already. */
                while (
                    q->next < step->recovery_count && x->steps[step->recovery[q->next]].status == STEP_DONE)
                        q->next++;
                if (q->next == step->recovery_count) {
                        end_first(x);
                        continue;
                }
                struct step_run *r = &x->steps[step->recovery[q->next]];
                if (r->status == STEP_RUNNING) return true;
                if (r->status == STEP_WAITING) return false; /* for an answer: as any other step */
                if (r->status != STEP_STANDBY) {             /* failed or skipped for another instance */
                        q->next++;
                        continue;
                }
                if (q->next == 0 || x->recovery_told != q)
                        plan_set_failure(x->request.plan, step->address, q->message);
                x->recovery_told = q;
                r->status = STEP_PENDING;
                if (!execute_start(r)) { /* no slot at its provider: asked again when one is free */
                        r->connection = NULL;
                        r->status = STEP_STANDBY;
                        return true;
                }
                if (r->status == STEP_RUNNING) return true;
        }
        return false;
}

static const struct step_row *row_of(const struct executor *x, uint32_t index)
{
        int64_t row = x->request.row_of_step[index];
        bool known = x->request.rows != NULL && row >= 0 && (size_t)row < x->request.row_count;
        return known ? &x->request.rows[row] : NULL;
}

static bool row_is(const struct step_row *row, const char *status)
{
        return row != NULL && strcmp(row->status, status) == 0;
}

/* What its recovery steps had come to when the run was interrupted. */
static void recall_steps(struct executor *x, const struct step *step)
{
        for (size_t k = 0; k < step->recovery_count; k++) {
                struct step_run *r = &x->steps[step->recovery[k]];
                if (row_is(row_of(x, step->recovery[k]), "done")) r->status = STEP_DONE;
                if (row_is(row_of(x, step->recovery[k]), "failed")) r->status = STEP_FAILED;
                if (row_is(row_of(x, step->recovery[k]), "skipped")) r->status = STEP_SKIPPED;
        }
}

void recovery_recall(struct executor *x)
{
        for (size_t i = 0; i < x->count; i++) {
                const struct step *step = &x->table[i];
                const struct step_row *row = row_of(x, (uint32_t)i);
                if (step->recovery_count == 0 || !row_is(row, "failed") || x->steps[i].status != STEP_PENDING)
                        continue;
                recall_steps(x, step);
                step_failed_before(&x->steps[i], row->message ? row->message : "it failed");
        }
}

void recovery_release(struct executor *x)
{
        for (size_t i = 0; i < x->recovery_count; i++) {
                free(x->recoveries[i]->message);
                free(x->recoveries[i]);
        }
        free(x->recoveries);
}
