/*
 * The executor: runs the steps of a plan. Readiness is one counter per step; ready steps start in order of longest remaining path.
 *
 * It only executes: what to do was decided by the plan. A failed step stops what depends on it, nothing else. Internal to run/;
 * session.c is the way in.
 */
#ifndef TUTTI_RUN_EXECUTOR_H
#define TUTTI_RUN_EXECUTOR_H

#include "run/operation.h"
#include "run/session.h"

struct executor;

struct answer_slice; /* answer.h */

struct executor_request { /* borrowed for the life of the executor */
        const struct operation_io *io;
        struct plugins *plugins;
        struct journal *journal;
        struct store *store;
        struct plan *plan;
        const struct run_options *options;
        const char *run, *lineage;
        const char *digest;                /* of the run's plan as it was shown, in hexadecimal */
        const char *requester;             /* who started the run */
        const char *user;                  /* the operating system's user */
        const struct approvers *approvers; /* of the environment file as it is now; NULL: nobody is named */
        int64_t run_started_ms;
        const int64_t *row_of_step;  /* the row in the run's step table of each step; -1 for joins */
        const struct map *answers;   /* gate name → struct gate_row *, opened by this run before; or NULL */
        const struct map *given;     /* gate name → struct answer_slice *: answers to these; or NULL */
        const struct step_row *rows; /* the run's step table as it was before, by row; NULL for a new run */
        size_t row_count;
        struct plan
            *present; /* of the environment as it stands now, for its credentials; NULL: those of the plan */
        const struct schema_source *schemas;
        bool goes_back; /* a rollback: its failure asks for no other */
        bool destroys;  /* `rollback` in the template is about making things, not about removing them all */
        /* Each event, in the turn in which it is recorded. */
        void (*happened)(void *context, const struct event *event);
        void (*listen)(void *context); /* there may be answers in the store: read them, and executor_hear */
        void (*finished)(void *context);
        void *context;
};

struct executor *executor_new(const struct executor_request *request);
void executor_free(struct executor *x); /* drops what is under way */

/* Starts; `finished` follows when nothing runs and nothing can start without an answer. */
void executor_start(struct executor *x);
/* No new steps; what is under way finishes. */
void executor_stop(struct executor *x);
/* Forgets what is under way: its intents stay on disk. `finished` follows. */
void executor_stop_now(struct executor *x);
/* The options changed: look again whether the run is over. */
void executor_wake(struct executor *x);
/* An answer to an open gate from the terminal. ERROR_MISSING when no such gate is open, ERROR_INPUT when that is no answer to it; for
 * approvals and rejections as answer_make of answer.h. */
int executor_answer(struct executor *x, const char *gate, const char *answer, const char *by,
    const char *comment, struct error **err);
/* What the store says: the gates of the run, and the answers to them (name → struct answer_slice *). Answers that do not count are told
 * and left. */
void executor_hear(struct executor *x, const struct gate_row *rows, size_t count, const struct map *answers);
/* How it ended. The problems are handed over. */
void executor_result(struct executor *x, struct run_result *result);
const char *executor_step_status(const struct executor *x, uint32_t index, int64_t *started_ms);
bool executor_has_gates(const struct executor *x);

#endif
