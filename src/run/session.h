/*
 * A session: an environment opened for work, and what can be done with it. This is what cli/ and serve/ call.
 *
 *     session_open → session_plan → session_run → session_close
 *
 * Opening touches no cloud. Planning reads the world (refresh and lookups) and builds the plan. Running takes the lease,
 * records everything, and returns when nothing more can be done without an answer or a repair.
 */
#ifndef TUTTI_RUN_SESSION_H
#define TUTTI_RUN_SESSION_H

#include "plan/plan.h"
#include "run/plugin.h"
#include "state/seal.h"
#include "state/store.h"
#include "template/notify.h"

struct session;

struct session_options {
        const char *file;      /* the environment file; or NULL with `plan_file` */
        const char *plan_file; /* a saved plan */
        const char
            *state_url; /* --state; NULL: the environment's, else sqlite:.tutti/state.db beside the file */
        struct parameter_source parameters; /* what it points to outlives the session */
        bool read_only;                     /* status, output, …: the store must exist and is not written */
        bool no_template; /* only the name and the state URL are needed: a broken template is no obstacle */
        bool allow_outside;
        const char *const *accepted; /* names of provider blocks, see plan_input; they outlive the session */
        size_t accepted_count;
};

/* ERROR_INPUT with every problem of the template; ERROR_MISSING when read_only and there is no store. */
int session_open(const struct session_options *options, struct session **ret, struct error **err);
void session_close(struct session *s); /* NULL-safe */
CLEANUP(struct session *, session_close);

const struct environment *session_environment(const struct session *s); /* NULL with no_template */
const char *session_name(const struct session *s);
const char *session_file(
    const struct session *s); /* the environment file, as it was given or as the saved plan names it */
struct store *session_store(struct session *s); /* NULL while there is none yet */
struct plugins *session_plugins(struct session *s);
const struct sealer *session_sealer(struct session *s);
const struct state *session_state(struct session *s); /* as of the last plan or reload */
int session_reload(struct session *s, struct error **err);

/* Planning */
struct plan_request {
        enum plan_mode mode;
        bool no_refresh;
        const char *const *targets, *const *excludes;
        size_t target_count, exclude_count;
        bool unchecked;    /* the plan is only looked at: see plan_input */
        unsigned parallel; /* of reads; 0: default */
        /* Called for each read that starts (done false) and ends, for progress; may be NULL. */
        void (*reading)(void *context, const char *address, bool done, size_t finished, size_t total);
        void *context;
};
/* What of the plan could not be read: its record was taken as it is. Borrowed; it lasts as long as the plan. */
struct unread {
        char *address, *reason;
};
size_t session_unread(const struct session *s, const struct unread **ret);
/* The plan is owned by the session and lives until the next session_plan or session_close. */
int session_plan(
    struct session *s, const struct plan_request *request, struct plan **ret, struct error **err);
/* All that can be found wrong without touching a cloud: builds a plan against the record, reading nothing, and drops it. */
int session_check(struct session *s, struct error **err);
/* Builds the plan that the saved file holds, and refuses it when it was used, is stale, or gives another digest. */
int session_plan_saved(struct session *s, struct plan **ret, struct error **err);
/* The document to save (see plan_write). */
int session_plan_write(struct session *s, struct text *out, struct error **err);

/* The plan that session_plan, session_plan_saved or a run that goes on built last; NULL for none. */
const struct plan *session_current_plan(const struct session *s);

/*
 * Plans the way back from what is recorded now to the state after `run`, or before it; BACK_UNDO: before it and all rounds of the same apply that
 * came before it, as its failure asked for. The plan is run by session_run as a run of kind "rollback". ERROR_MISSING: no such run. ERROR_CONFLICT, with every address: something
 * existed then, was changed since, and no recorded plan describes it; nothing can be done but what a person decides.
 */
enum back { BACK_AFTER, BACK_BEFORE, BACK_UNDO };
int session_plan_back(struct session *s, const struct plan_request *request, const char *run, enum back back,
    struct plan **ret, struct error **err);
/* The id, to be freed, of the first round of the apply that `run` is a round of; `run` itself where it is none, or cannot be read. */
char *session_first_round(struct session *s, const char *run);
/* Ids, to be freed, or NULL: of a run that failed and whose rollback has not begun; of such a rollback that is not over. */
int session_rollback_due(struct session *s, char **failed, char **rollback, struct error **err);
/* The rollback that is due is given up, or has nothing to undo: its run has just failed. */
int session_rollback_over(struct session *s, struct error **err);
/* Ends the run `run`, which was interrupted or waits, as if another had taken its place: nothing is undone, its gates ask nobody any more.
 * ERROR_CONFLICT when it is not the one that is unfinished (any more), ERROR_BUSY when it is under way. */
int session_give_up(struct session *s, const char *run, struct error **err);

/*
 * Whether a rollback of the session's plan would be possible, should a step of it fail whose policy (the one `given` for the whole run, else its
 * resource's) asks for one. Looks at the record alone, and at the worst case: everything in the plan was tried. What a later session_plan builds
 * has to be asked about anew. ERROR_SYSTEM and the like when the record cannot be read.
 */
struct rollback_outlook {
        bool asked;             /* some failure would ask for a rollback */
        struct error *problems; /* why it could not return everything, with addresses; NULL: it could */
};
int session_foresee(struct session *s, bool given, enum failure_policy policy, struct error **err);
/* What was foreseen of the session's plan; borrowed until the next plan. */
const struct rollback_outlook *session_outlook(const struct session *s);

/* Running */
enum event_kind {
        EVENT_RUN_STARTED,
        EVENT_STEP_STARTED,
        EVENT_STEP_PROGRESS,
        EVENT_STEP_RETRY,
        EVENT_STEP_DONE,
        EVENT_STEP_FAILED,
        EVENT_STEP_SKIPPED,
        EVENT_GATE_WAITING,
        EVENT_GATE_APPROVED,
        EVENT_GATE_REJECTED,
        EVENT_GATE_PARTIAL,  /* an approval that counts, and more are needed */
        EVENT_GATE_REMINDER, /* it waits still; wait_ms: for so long in this process */
        EVENT_GATE_IGNORED,  /* an answer that does not count; message: why */
        EVENT_RUN_STOPPING, /* somebody interrupted it: nothing more starts, and the message says what is finished first */
        EVENT_RUN_WAITING,
        EVENT_RUN_DONE,
};
const char *event_name(enum event_kind kind); /* "run-started", … */
struct event {
        enum event_kind kind;
        int64_t time_ms;
        const char *run;
        const struct step *step;    /* NULL for run events */
        const char *message;        /* progress, reason, failure, comment; or NULL */
        const char *by;             /* gates: who */
        const char *gate;           /* gates and questions: the name by which it is answered */
        const char *details;        /* gates that wait: JSON of what is asked, as the store keeps it */
        const char *answer;         /* questions: retry, skip, … */
        bool is_signed;             /* gates: the answer is, or all that approved */
        unsigned approvals, needed; /* gates: how many count so far, of how many; needed 0: a question */
        unsigned attempt;           /* retries */
        int64_t wait_ms;            /* retries; step-done: elapsed */
        const struct plan_summary *summary; /* run-done: what was done */
        size_t failed, skipped;
        const struct error *problems; /* run-done */
        const char *status;           /* run-done: done, failed, interrupted, cancelled */
        bool rollback_due;            /* run-done: it failed, and what it did is to be undone */
        const char *run_kind,
            *undoes; /* run-started: apply, destroy, rollback; the failed run that a rollback undoes, or NULL */
        const char *follows; /* run-started: the round before, of the same apply; or NULL */
};

struct gate_view { /* a gate that waits, for a prompt */
        const struct step *step;
        const char *name, *message;
        const char *const
            *choices; /* of a question (see run/question.h), ends with NULL; NULL: approve or reject */
        const char *const *people; /* who may answer, groups resolved */
        size_t people_count;
        bool anyone;                 /* nobody is named: everybody may */
        bool yours;                  /* whoever runs may answer */
        const char *const *approved; /* who did */
        size_t approved_count;
        unsigned needed;
        const uint32_t *behind; /* steps that wait for it, directly or through others */
        size_t behind_count;
        int64_t run_started_ms, opened_ms; /* wall clock */
};

struct run_options {
        unsigned parallel;          /* steps under way at once over all providers; 0: no cap */
        const char *const *approve; /* gate names answered beforehand; "all" answers every gate */
        size_t approve_count;
        const char *by; /* who runs and approves; NULL: the operating system's user */
        /* The policy of every step of this run, whatever the template says; recorded with the run, so that resume keeps it. */
        bool on_failure_given;
        enum failure_policy on_failure;
        bool
            interactive; /* somebody can answer: the run waits at open gates instead of ending with WAITING */
        void (*event)(void *context, const struct event *event);
        /* With `interactive`: a gate opened or changed, or closed, of which only its name is told; the answer comes through
         * session_answer. Follows the event about it. May be NULL. */
        void (*gate)(void *context, const struct gate_view *gate, bool open);
        /* A line typed by the user while gates wait; set with `interactive` to have standard input read on the loop. */
        void (*line)(void *context, const char *line_or_null);
        /* Called on the loop every `tick_ms` for a live display; may be NULL. */
        void (*tick)(void *context);
        int64_t tick_ms;
        void *context;
};

#define STEP_ADOPTED \
        "adopted " /* how the recorded message of a step begins that found its object and took it over */
#define STEP_TAKEN \
        "taken for what was made: " /* ...of one whose object a person named, so that nobody knows who made it */
#define RUN_ROLLBACK_DUE "rollback" /* the recorded status of a run that failed and whose rollback is due */

enum run_status { RUN_DONE, RUN_FAILED, RUN_WAITING, RUN_INTERRUPTED };
struct run_result {
        enum run_status status;
        bool
            unrecorded; /* it failed as nothing could be recorded any more: what it did last is known when it was resumed */
        char *run;                /* id */
        struct plan_summary done; /* what was done */
        size_t failed, skipped, remaining;
        bool rollback_due;      /* a failure's policy asks for a rollback: session_plan_back with BACK_UNDO */
        bool destroys;          /* it is a run of `destroy` */
        char *undoes;           /* a rollback: the failed run that it undoes; or NULL */
        struct error *problems; /* of failed steps, with addresses */
        char **waiting;         /* names of gates that wait */
        char **choices;         /* of each, where it is a question: "retry|skip|abort"; else NULL */
        size_t waiting_count;
        bool again; /* interrupted by itself: what remains needs another plan, which session_resume makes */
};
void run_result_release(struct run_result *result);

/* Runs the session's current plan. -1 only when nothing was started: lease busy (ERROR_BUSY), store trouble, a stale plan. */
int session_run(
    struct session *s, const struct run_options *options, struct run_result *result, struct error **err);
/* Goes on with the last run that is interrupted or waiting. ERROR_MISSING when there is none. */
int session_resume(
    struct session *s, const struct run_options *options, struct run_result *result, struct error **err);
/* True (and its id in *run, to be freed) when the last run was interrupted or waits. */
bool session_unfinished(struct session *s, char **run, char **status);
/* Whether a run that is recorded as running has nobody any more who works at it: its process is known to be gone, or did not renew its
 * lease. It was interrupted, and can be resumed. */
bool session_run_left(struct session *s, const struct run_row *run);
/* ERROR_CONFLICT when a run is not over: the record is not to be changed by hand under it. */
int session_refuse_unfinished(struct session *s, struct error **err);
/* Answers an open gate of the run that this process is running: "approved" or "rejected"; a question with one of its choices.
 * ERROR_MISSING, ERROR_DENIED, ERROR_INPUT. */
int session_answer(struct session *s, const char *gate, const char *answer, const char *by,
    const char *comment, struct error **err);
/* While running: what was typed at the terminal and did not come as a line yet never will. */
void session_discard_typed(struct session *s);
/* While running: nobody will answer; the run finishes what it can and ends as waiting. */
void session_leave_gates(struct session *s);
/* While running: a step's state ("pending", "running", "waiting", "done", "failed", "skipped", "standby") and when it started (monotonic ms). */
const char *session_step_status(const struct session *s, uint32_t index, int64_t *started_ms);

/* Waiting for an environment that another run holds; by event, never by polling. The session's plan is dropped: plan after it. */
struct wait_request {
        int64_t ms, left_ms; /* as asked for, and what is left of it */
        /* Somebody holds it, and since when (wall clock); called again when it is somebody else. May be NULL. */
        void (*held)(void *context, const char *holder, int64_t since_ms);
        void *context;
};
/* 0 when nobody holds it, which may change at once; ERROR_BUSY naming the holder when time is up, ERROR_CANCELLED on a signal. */
int session_wait(struct session *s, const struct wait_request *request, struct error **err);

/* Telling: messages to the environment's targets (`notify:`). A run sends what waits while it goes on, and at its end waits a few
 * seconds for answers. */
struct deliver_request {
        bool all;   /* also what is to be tried again later */
        int64_t ms; /* at most so long */
        /* One attempt is over; `error` is NULL when the target took the message. May be NULL. */
        void (*attempted)(void *context, const struct notification_row *row, const struct error *error);
        void *context;
};
enum { DELIVER_MS = 5000 }; /* what a command waits for answers before it ends */
/* Sends what is due, outside a run. Does nothing without targets or when nothing waits. */
int session_deliver(struct session *s, const struct deliver_request *request, struct error **err);
/* Puts a message about the drift that the session's plan shows into the outbox, once for each drift that differs from the one
 * before. Without drift, the next one is told whatever it is. */
int session_notify_drift(struct session *s, struct error **err);
/* Sends a message `test` to each target, and reports each; it is not kept. */
int session_notify_test(struct session *s,
    void (*tested)(void *context, const struct notify_target *target, const struct error *error),
    void *context, struct error **err);

/* Who may answer gates, by the environment file as it is now, not by any plan; NULL: it names nobody. Lives as long as the session; `ret` may
 * be NULL. ERROR_INPUT when the block is wrong. */
int session_approvers(struct session *s, const struct approvers **ret, struct error **err);

/* May a run be in the name of `by` (NULL: of who runs this)? ERROR_DENIED, see answer_prove. */
int session_check_requester(struct session *s, const char *by, struct error **err);

/* Writing the record by hand (state mv, rm, import; import): takes the lease, and then looks at what is recorded, so that what is decided on it
 * stays so until session_let_go. ERROR_CONFLICT where a run is not over, unless `unfinished` may be. */
int session_hold_record(struct session *s, bool unfinished, struct error **err);
/* Refuses rows that would record one object at two addresses. */
int session_check_owners(
    struct session *s, const struct resource_row *rows, size_t count, struct error **err);
/* Such a change is a run of its own in the history, of that kind, begun and done at once, with an event `record-changed` for each resource:
 * writes[0] is left free for that run's; the `run` of all others is filled in. */
int session_commit(
    struct session *s, const char *kind, const struct store_write *writes, size_t count, struct error **err);
void session_let_go(struct session *s);
/*
 * Of a plan that has nothing to do: whether the order of things, the way to a host, or what was seen, is to be recorded; and doing so, in one commit with an
 * event `record-changed`, without a run. *outdated: nothing was written, as the record changed since it was planned.
 */
bool session_has_orders(const struct session *s);
int session_record_orders(struct session *s, bool *outdated, struct error **err);
/* The operating system's name of who runs this; the caller frees. */
char *session_user(void);
/* Takes over an existing object: reads it by id and records it. */
int session_import(struct session *s, const char *address, const char *id, struct error **err);

#endif
