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
        struct connection *connection;   /* where it has a slot */
        struct connection *parked;       /* where it waits for one */
        struct value *properties, *host; /* resolved */
        struct value *saved;             /* of a resumed operation */
        struct value *wanted;  /* an earlier creation is continued: the properties that are wanted now */
        struct value *adopted; /* what `adopt` found: the prior state of the update that follows */
        char *adopted_id;
        char token[33];
        unsigned attempts;
        bool
            outdated; /* what an earlier run began to create is another one than is wanted, now that all is known */
        bool left_open;   /* it may have made something, or did not finish it: its intent stays */
        bool undecidable; /* ...and nothing can tell which, so that a person has to */
        bool broken;      /* its creation failed and left an object behind, recorded as tainted */
        bool nothing;     /* removing what an earlier run may have made: there was nothing */
        char *found_id;   /* removing what an earlier run may have made: its id, once known; else NULL */
        char *adopt_id;   /* somebody said that the object exists: its id, "" where it has none; else NULL */
        struct question *question; /* question.c: what was asked about it last, or NULL */
        struct gate *gate;         /* gate.c: while it waits for people, or NULL */
};

struct executor {
        struct executor_request request;
        const struct step *table;
        struct step_run *steps;
        size_t count;
        uint32_t *dependants, *dependant_start; /* CSR: who waits for whom */
        uint32_t *
            halves; /* of each step the other half of its replacement, else UINT32_MAX; NULL: there is none */
        struct heap ready; /* step indices, by the longest remaining path */
        size_t running, left, gates_open;
        size_t recording; /* steps released and questions answered that are not yet durable */
        bool stopping, aborted, pump_scheduled, over;
        bool faulty;                  /* the program itself failed: the run is not done, whatever was done */
        bool given_up;                /* a failure ended the whole run, as its policy says */
        bool rollback_due;            /* ...and what it did is to be undone */
        bool interrupted;             /* the user does not want to go on now */
        bool again;                   /* see struct run_result */
        struct recovery **recoveries; /* recovery.c: failures, in the order in which they came */
        size_t recovery_count, recovery_capacity, recovery_next;
        const struct recovery *recovery_told; /* whose failure the planner knows */
        struct map owners; /* owner.c: what identifies an object → the address at which it is recorded */
        bool owners_loaded;
        struct map asked; /* question.c: address → how many questions this process asked about it */
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
/* Starts an operation of the step; `over` is called with its outcome (NULL: what ends the step). */
void execute_operation(struct step_run *r, enum tutti_action action, const char *token,
    void (*over)(void *context, const struct operation_outcome *outcome));
/* The step has failed; `ambiguous`: it may have made something that nobody knows of. */
void execute_fail(struct step_run *r, const char *message, bool ambiguous);
/* What was removed is gone, or was never there: the record says so, and the step is done. */
void execute_removed(struct step_run *r, const char *message, int64_t elapsed_ms);
/* The intent of a step whose outcome nobody knew is dropped. */
void execute_forget_intent(struct step_run *r);

/* execute_open.c: what an earlier run began. */
/* Goes on where that operation was: same token, state and saved value, and the same properties. */
int open_take_up(struct step_run *r, struct operation_request *request, struct error **err);
/* What was made is that of then; what is wanted now follows as a change of it. */
bool open_goes_further(const struct step_run *r);
/* That run had found an object to adopt, and was about to change it: it is that one still. */
int open_recall_adopted(struct step_run *r, struct error **err);
/* Removes what a creation may have made, once it is known whether there is anything. */
void open_remove(struct step_run *r);
/* A person said of it: it exists by the id `adopt_id`; it was not made after all, so find out by making it; nobody will know. */
void open_remove_adopted(struct step_run *r);
void open_remove_repeated(struct step_run *r);
/* Drops what earlier runs began at this step's address: this step is the end of it. `creations`: theirs too. */
void open_forget(struct step_run *r, bool creations);
/* Drops what the plan has nothing to do about any more. */
void open_drop_obsolete(struct executor *x);

#endif
