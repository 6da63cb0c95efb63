/* The inside of the executor, shared by executor.c (order), execute.c (one step), gate.h and question.h. Internal to run/. */
#ifndef TUTTI_RUN_EXECUTOR_INTERNAL_H
#define TUTTI_RUN_EXECUTOR_INTERNAL_H

#include "run/executor.h"

enum step_status {
        STEP_PENDING,
        STEP_RUNNING,
        STEP_WAITING,
        STEP_DONE,
        STEP_FAILED,
        STEP_SKIPPED,
        STEP_STANDBY
};

struct step_run {
        struct executor *executor;
        const struct step *step;
        enum step_status status;
        bool released;      /* done, on its way to the disk; its dependants need not wait for that */
        uint32_t blockers;  /* steps that must be done first and are not */
        int64_t started_ms; /* monotonic */
        int64_t started_wall_ms;
        struct operation *operation;
        struct connection *connection;
        struct value *properties, *host; /* resolved */
        struct value *saved;             /* of a resumed operation */
        struct value *adopted;           /* what `adopt` found: the prior state of the update that follows */
        char *adopted_id;
        char token[33];
        unsigned attempts;
        bool broken;    /* its creation failed and left an object behind, recorded as tainted */
        char *adopt_id; /* somebody said that the object exists: its id, "" where it has none; else NULL */
        struct question *question; /* question.c: what was asked about it last, or NULL */
        struct gate *gate;         /* gate.c: while it waits for people, or NULL */
};

struct heap { /* step indices, most urgent first */
        uint32_t *items;
        size_t count, capacity;
};

struct executor {
        struct executor_request request;
        const struct step *table;
        struct step_run *steps;
        size_t count;
        uint32_t *dependants, *dependant_start; /* CSR: who waits for whom */
        uint32_t *
            halves; /* of each step the other half of its replacement, else UINT32_MAX; NULL: there is none */
        struct heap ready;
        struct map parked; /* connection name → struct heap *: waiting for a slot there */
        size_t running, left, gates_open;
        size_t recording; /* steps released and questions answered that are not yet durable */
        bool stopping, aborted, pump_scheduled, over;
        bool given_up;                /* a failure ended the whole run, as its policy says */
        bool rollback_due;            /* ...and what it did is to be undone */
        bool interrupted;             /* the user does not want to go on now */
        bool again;                   /* see struct run_result */
        struct recovery **recoveries; /* recovery.c: failures, in the order in which they came */
        size_t recovery_count, recovery_capacity, recovery_next;
        const struct recovery *recovery_told; /* whose failure the planner knows */
        struct plan_summary done;
        size_t failed, skipped;
        struct error *problems;
};

/* executor.c */
void step_finished(struct step_run *r, enum step_status status, const char *message);
/* A step is done, and its result was given to the journal: gives back the provider's slot and lets the dependants start. The journal keeps
 * the order, so that none of them acts outside before this step is on disk. step_finished follows when it is. */
void step_released(struct step_run *r);
/* What the failure of a step means: what was given for the whole run, else what its resource says. */
enum failure_policy step_policy(const struct step_run *r);
/* Lets that take effect, once its recovery steps are over. */
void step_apply_policy(struct step_run *r);
/* Going on with a run: the step had failed before, and is not tried again. */
void step_failed_before(struct step_run *r, const char *message);
/* From running or pending to waiting for a person: its slot is another's. */
void step_paused(struct step_run *r);
/* From waiting to ready again. */
void step_again(struct step_run *r);
void executor_record_step(struct step_run *r, const char *message);
/* Into the log, and to whoever watches once that is durable: nothing is shown that a crash could take back. */
void executor_emit(
    struct executor *x, enum event_kind kind, const struct step_run *r, const struct event *details);
void executor_schedule(struct executor *x);

/* execute.c: starts one step; it ends with step_finished on a later turn, or at once for joins and refusals. False when the
 * provider has no free slot: the step was parked. */
bool execute_start(struct step_run *r);
/* The intent of a step whose outcome nobody knew is dropped. */
void execute_forget_intent(struct step_run *r);
/* The intent that an interrupted run left open for this step, or NULL. */
const struct operation_row *execute_intent(const struct step_run *r);

#endif
