/* The inside of a session, shared by session.c (opening), session_plan.c, session_run.c, session_resume.c. Internal to run/. */
#ifndef TUTTI_RUN_SESSION_INTERNAL_H
#define TUTTI_RUN_SESSION_INTERNAL_H

#include "run/executor.h"
#include "run/outbox.h"
#include "run/session.h"

enum { SAVED_PLAN_MAX = 1 << 30, ENVIRONMENT_FILE_MAX = 16 << 20 };

/* What drives I/O; made when it is first needed. */
struct engine {
        struct loop *loop;
        struct transfers *transfers;
        struct ssh *ssh;
        struct operation_io io;
        char *known_hosts;
};

struct
    present { /* the environment as it stands, where the plan is one from before; all NULL: it is not, or that cannot be told */
        struct environment *env;
        struct world *world;
        struct plan_input input;
        struct plan *plan;
};

struct session {
        char *name, *file, *folder; /* folder of the environment file, absolute */
        char *state_url;            /* resolved */
        char *store_folder;         /* where the store is or would be */
        bool read_only, allow_outside;
        bool only_read; /* the store cannot be written, which was not asked for yet */
        struct environment *env;
        struct environment *back_env; /* that of an earlier run, on the way back to it; or NULL */
        struct plugins *plugins;
        struct schema_source schemas;
        struct store *store; /* NULL while there is none */
        struct seal *seal;
        struct sealer sealer;
        struct state *state;
        struct world *world;
        struct map durations; /* "type action" → double * */
        struct plan_input input;
        const char *const *accepted; /* blocks, as given when the session was opened */
        size_t accepted_count;
        struct arena *request_arena; /* copies of targets and excludes */
        struct plan *plan;
        struct unread *unread; /* of the plan */
        size_t unread_count, unread_capacity;
        char *round;                        /* the apply that this session brought to its end last; or NULL */
        struct rollback_outlook outlook;    /* of the plan */
        struct saved_plan *saved;           /* the session came from a plan file */
        struct parameter_source parameters; /* as the session was opened with */
        struct present present;
        struct engine *engine;
        struct arena *approvers_arena; /* NULL: not read yet */
        const struct approvers *approvers;

        /* While running. */
        const struct run_options *options;
        struct run_options resolved_options;
        char *by, *user;
        char digest[65]; /* of the run's plan, as it was shown when the run began */
        struct lease lease;
        struct worker *worker;
        struct journal *journal;
        struct waiting *waiting; /* session_wait.c */
        struct outbox *outbox;   /* NULL when nobody is to be told */
        struct executor *executor;
        struct watch *watch;
        struct input *typed;
        struct timer *tick;
        char *run;
        int64_t run_started_ms;
        int interrupts;
        bool reading_gates, gates_changed, leaving;
        struct gate_row *gate_rows;
        size_t gate_count;
        struct answer_row *answer_rows;
        size_t answer_count;
        struct error *gate_error;
        struct error *broken;
        struct run_result *result;
};

/* session.c */
int session_store_create(
    struct session *s, struct error **err); /* opens the store for writing, with its key */
int session_seal_open(struct session *s, bool create, struct error **err);
struct engine *session_engine(struct session *s, struct error **err);
/* The lock file by which one process waits for the commands of another that died (io/guard.h). The caller frees. */
char *session_commands_file(const struct session *s);

/* session_plan.c */
void session_drop_plan(struct session *s);
int session_build_with(struct session *s, const struct plan_request *request, struct error **err);
int session_build(struct session *s, struct error **err); /* s->input → s->plan, with the reads it wants */
void session_input(struct session *s, const struct environment *env, enum plan_mode mode, bool refresh);
/* An environment out of the sources of a saved plan. */
int session_load_saved(
    struct session *s, const struct saved_plan *saved, struct environment **ret, struct error **err);

/* session_run.c: the run that an apply of the session's plan goes on from as a later round of it: the last one of this session, if nothing has
 * run since. *ret: its id, to be freed, or NULL. */
int session_round(struct session *s, char **ret, struct error **err);

/* session_resume.c: the unfinished run, if any, as it is to be recorded when another takes its place; *found says so. */
int session_supersede(struct session *s, struct run_row *ret, bool *found, struct error **err);
/* Under the lease: ERROR_CONFLICT where the open operations are not those that the session's state has, and its plan is about. */
int session_check_open(struct session *s, struct error **err);

/*
 * session_present.c: finds s->present for a plan that is built from `saved`: from the file, with the parameters that are given today, else those
 * of then. After a reload, before the plan is built; it lasts as long as the plan.
 */
void session_find_present(struct session *s, const struct saved_plan *saved);
void session_drop_present(struct session *s);

/* session_proof.c */
/* Holds a run of this environment against its proof before anything is done on the strength of it; `parts` and errors as of proof_check. */
int session_check_proof(struct session *s, const struct run_row *run, const struct step_row *steps,
    size_t step_count, unsigned parts, struct error **err);
/* Proves the runs of a store that an older program made, once, and writes down that it was done. The store is open for writing. */
int session_prove_old(struct session *s, struct error **err);

/* session_plan.c: one more of what could not be read, to be filled in; it lasts as long as the plan. */
struct unread *session_unread_add(struct session *s);

/* read.c: performs reads and puts the answers into the world. */
int session_read(
    struct session *s, const struct plan *plan, const struct plan_request *request, struct error **err);

/* session_change.c */
/* The event that tells of a run which gave way to the run `by_run` (NULL: to none), in `data`, which has to outlive the write. */
void session_superseded_event(const struct session *s, const struct run_row *row, const char *by_run,
    struct text *data, struct store_write *ret);

/* session_order.c: of the plan. */
/* Adds a write for each order; there is room for all. They live in the arena. */
void session_order_writes(
    const struct session *s, struct arena *arena, struct store_write *writes, size_t *used);
/* The run is over: what is gone is not inherited any more. */
void session_settle_orders(struct session *s);

/* session_run.c */
/* The row of what stays, with what is to be recorded of it from now on; NULL where it cannot be made. In the arena. */
struct resource_row *session_changed_row(
    const struct session *s, const struct record_change *c, struct arena *arena);
/* Takes the lease of the environment, which begins to be recorded if it was not. ERROR_CONFLICT where another holds it. */
int session_hold(struct session *s, struct error **err);
struct run_setup {
        const char *run;                /* NULL: a new run */
        int64_t *row_of_step;           /* handed over; NULL: number the steps and write the step table */
        int64_t started_ms;             /* of a run that goes on; 0: now */
        const struct map *answers;      /* gates opened before */
        const struct map *given;        /* answers to them; see struct executor_request */
        const char *digest, *requester; /* of a run that goes on; NULL: of this one */
        const struct step_row *rows;    /* the run's step table as it stands; NULL for a new run */
        size_t row_count;
        const char *kind;
        const char *follows;    /* a new run: the round before it; or NULL */
        const char *on_failure; /* as recorded when the run began; NULL: not given then */
        const char *proof;      /* of a run that goes on, where what it proves changes; or NULL */
        struct run_row
            *before; /* an unfinished run that this one takes the place of, as it is to be; or NULL */
};
int session_execute(struct session *s, const struct run_options *options, const struct run_setup *setup,
    struct run_result *result, struct error **err);

/* session_notify.c */
/* While running: puts a message about `e` into the outbox, in the batch that is collecting, if a target wants to know. */
void session_notify(struct session *s, const struct event *e, const char *summary);
/* Begins to deliver beside the run. */
void session_outbox_start(struct session *s);

#endif
