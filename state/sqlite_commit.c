/*
 * The one way by which a run changes the store: a batch of writes in one transaction, fenced by the lease.
 */
#include "state/sqlite_internal.h"

#include <assert.h>

static int write_one(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err)
{
        switch (w->kind) {
        case WRITE_RUN: return write_run(s, e, w->run_row, err);
        case WRITE_STEPS: return write_steps(s, e, w, err);
        case WRITE_STEP: return write_step(s, e, w, err);
        case WRITE_OPERATION: return write_operation(s, e, w->operation, err);
        case WRITE_OPERATION_OVER: return write_operation_over(s, e, w->operation, err);
        case WRITE_RESOURCE: return write_resource(s, e, w, err);
        case WRITE_RESOURCE_GONE: return write_resource_gone(s, e, w, err);
        case WRITE_RESOURCE_AFTER: return write_resource_after(s, e, w, err);
        case WRITE_RESOURCE_MOVE: return write_resource_move(s, e, w, err);
        case WRITE_OUTPUTS: return write_outputs(s, e, w->outputs, err);
        case WRITE_GATE: return write_gate(s, e, w->gate, err);
        case WRITE_GATES_OVER: return write_gates_over(s, e, w->run, err);
        case WRITE_ANSWER: return write_answer(s, e, w->answer, err);
        case WRITE_EVENT: return write_event(s, e, w->run, w->event.kind, w->event.data, err);
        case WRITE_NOTIFICATION: return write_notification(s, e, w->notification, err);
        case WRITE_DURATION:
                return write_duration(s, e, w->duration.type, w->action, w->duration.seconds, err);
        }
        assert(!"a known kind of write");
        return -1;
}

int store_commit(struct store *s, const struct lease *lease, const struct store_write *writes, size_t count,
    struct error **err)
{
        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;

        /* 1. still the one writer? The write lock is held, so the answer stays true until COMMIT */
        struct environment_state e;
        int found = environment_state_load(s, lease->environment, &e, err);
        if (found == 0) return environment_missing(s, lease->environment, err);
        if (found < 0) return -1;
        if (!e.leased || e.fence != lease->fence)
                return error_set(err, ERROR_CONFLICT, NULL,
                    "the lease of environment '%s' was lost to another run; nothing was written",
                    lease->environment);

        /* 2. the writes, in order */
        for (size_t i = 0; i < count; i++)
                if (write_one(s, &e, &writes[i], err) < 0) return -1;

        if (write_durations(s, &e, err) < 0) return -1;

        /* 3. what they changed of the environment: serial, next run, head of the event chain */
        if (environment_save(s, &e, err) < 0) return -1;
        if (sqlite_commit(s, err) < 0) return -1;
        store_signal(s);
        return 0;
}
