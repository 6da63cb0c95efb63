/*
 * The store: everything that must survive, behind one interface.
 *
 * Several environments share a store. All changes during a run go through store_commit: one transaction for a
 * batch of writes, fenced by the caller's lease, O(1) per write, durable (fsync) when it returns. Values cross as
 * texts that lang's value_encode made; secrets in them are sealed already.
 *
 * A store is used by one thread at a time (the engine's worker during a run). Reads give arrays that the caller
 * frees with the matching *_free. Every function returns 0 / -1 with *err, unless said otherwise.
 */
#ifndef TUTTI_STATE_STORE_H
#define TUTTI_STATE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct store;

enum store_mode {
        STORE_READ,   /* must exist: ERROR_MISSING otherwise; never writes */
        STORE_CREATE, /* made with its folder (mode 0700, a .gitignore) and migrated when absent or old */
};

/* `url` is sqlite:PATH, PATH absolute or relative to the current folder. A store of a newer schema than this
 * program knows, or a file that is no store, is refused without being touched. */
int store_open(const char *url, enum store_mode mode, struct store **ret, struct error **err);
void store_close(struct store *store); /* NULL-safe */
CLEANUP(struct store *, store_close);

/* The folder of the store, for the key file; borrowed. */
const char *store_folder(const struct store *store);
/* A file whose modification tells other processes that an approval or a change came in; borrowed. Watch it instead of
 * polling. store_commit and store_answer touch it. */
const char *store_signal_file(const struct store *store);

/* Environments */
struct environment_row {
        char *name;
        char *lineage;  /* random, drawn when the environment is first written */
        int64_t serial; /* grows with every commit that changes resources or outputs */
        int64_t created_ms;
};
/* The row of an environment; ERROR_MISSING if there is none and `create` is false. */
int store_environment(
    struct store *s, const char *name, bool create, struct environment_row *ret, struct error **err);
void environment_row_release(struct environment_row *row);
int store_environments(struct store *s, struct environment_row **rows, size_t *count, struct error **err);
void environment_rows_free(struct environment_row *rows, size_t count);

/* Leases: one writer per environment. `fence` grows with every acquisition; every commit compares it. */
struct lease {
        char *environment;
        int64_t fence;
        int64_t expires_ms; /* wall clock */
        int64_t ttl_ms;
        int64_t sure_until_ms; /* clock_boot_ms: until then nobody can have taken it over */
};
/* ERROR_BUSY when another holder's lease has not expired, saying who holds it (holder text) and since when. ERROR_MISSING
 * when there is no such environment. A lease that expired stays good for writing until another takes it over. */
int store_lease_acquire(struct store *s, const char *environment, const char *holder, int64_t ttl_ms,
    struct lease *ret, struct error **err);
/* The same, but a lease that has not expired is taken over too when `dead` says of its holder's text that the holder is known to
 * be gone (a process of this machine that no longer runs). Its late writes fail on the fence as ever. */
int store_lease_take(struct store *s, const char *environment, const char *holder, int64_t ttl_ms,
    bool (*dead)(const char *holder), struct lease *ret, struct error **err);
/* Who holds a lease that has not expired: the caller frees the text. Without one holder is NULL, also when there is no such
 * environment. */
struct lease_holder {
        char *holder;
        int64_t since_ms, expires_ms; /* unless renewed */
};
int store_lease_holder(
    struct store *s, const char *environment, struct lease_holder *ret, struct error **err);
/* Whoever held it last and did not let go, whether it has expired or not, in *holder; the caller frees. NULL: nobody. */
int store_lease_last(struct store *s, const char *environment, char **holder, struct error **err);
int store_lease_renew(
    struct store *s, struct lease *lease, int64_t ttl_ms, struct error **err); /* ERROR_CONFLICT if lost */
int store_lease_release(
    struct store *s, struct lease *lease, struct error **err); /* frees its memory when it returns 0 */
void lease_release_memory(struct lease *lease);

/* Resources */
struct resource_row {
        char *address; /* web[0], network/subnet["a"] */
        char *
            deposed; /* "" for the current object; else the token of one that a create-first replacement left to delete */
        char *type;
        char *provider;             /* name of the configured provider */
        char *id;                   /* remote id; "" if the type has none */
        char *properties, *outputs; /* value_encode texts */
        char *host;                 /* value_encode text, or NULL: the host an SSH type acted on */
        char *private_;             /* the provider's own bytes (text), or NULL */
        char *account;              /* where it was made: a JSON object without secrets, or NULL: not known */
        char **after; /* addresses it depends on, for deletion order when it has left the template */
        size_t after_count;
        size_t
            inherited_count; /* the last so many of these it comes after because what was between them is gone */
        char *token;         /* of the operation that created it */
        bool protect, keep;
        bool tainted; /* made but broken: the next plan replaces it */
        int64_t created_ms, updated_ms;
};
/* All of an environment, ordered by address then deposed; none when there is no such environment. */
int store_resources(
    struct store *s, const char *environment, struct resource_row **rows, size_t *count, struct error **err);
void resource_row_release(struct resource_row *row);
void resource_rows_free(struct resource_row *rows, size_t count);
/* Changes of one address, newest first (state history): what was replaced, and by which change; a creation replaced nothing and
 * has empty texts. A resource that
 * was moved takes its history along. */
struct history_row {
        int64_t serial, time_ms;
        char *run, *action; /* run id; create, update, replace, delete, import, mv, rm */
        char *properties, *outputs;
};
int store_history(struct store *s, const char *environment, const char *address, struct history_row **rows,
    size_t *count, struct error **err);
void history_rows_free(struct history_row *rows, size_t count);

/* Outputs: one value_encode text of an object; NULL when there never were any. */
int store_outputs(struct store *s, const char *environment, char **ret, struct error **err);

/* Runs and their steps */
struct run_row {
        char *id;   /* short, unique within the environment, sortable: "r1", "r2", … */
        char *kind; /* apply, destroy, rollback, import, state */
        char *
            status; /* running, waiting, done, failed, interrupted, cancelled; rollback: failed, and its rollback is due */
        char *requester;
        char *digest;  /* of the plan */
        char *plan;    /* the whole plan document (JSON); only store_run fills it, lists leave it NULL */
        char *summary; /* JSON, when over; else NULL */
        char *
            on_failure; /* the policy of the whole run; NULL: as the template says; an update with NULL leaves it */
        char *undoes; /* rollback: the failed run that it was made for; else NULL; only on insert */
        char
            *follows; /* a later round of one apply: the run of the round before; else NULL; only on insert */
        char *proof;  /* what the key vouches for of it, or NULL; an update with NULL leaves it */
        int64_t started_ms, ended_ms; /* 0 while not over */
};
struct step_row {
        int64_t index;
        char *address, *type, *action;
        char *
            status; /* pending, running, waiting, done, failed, skipped; cancelled: a gate whose run was over before it was
                    answered; standby: a recovery step that did not have to run */
        char *message; /* of a failure or a skip; else NULL */
        int attempts;
        int64_t started_ms, ended_ms;
        char *recovery_of; /* a recovery step: of which address; else NULL; only on insert */
        /* What is expected of it; written with WRITE_STEPS only. */
        double seconds, share; /* its own; over what its provider does at once, 0: no limit */
        double remaining;      /* from its start to the end of the run */
        int64_t next;          /* the step that follows on the longest way there; -1: none */
};
/* The next run id for an environment; taken by the WRITE_RUN that follows. */
int store_next_run(struct store *s, const char *environment, char **ret, struct error **err);
int store_runs(struct store *s, const char *environment, struct run_row **rows, size_t *count,
    struct error **err); /* newest first */
int store_run(
    struct store *s, const char *environment, const char *id, struct run_row *ret, struct error **err);
int store_steps(struct store *s, const char *environment, const char *run, struct step_row **rows,
    size_t *count, struct error **err);
/* Adds proofs to runs that have none; one transaction, no lease: nothing else of them changes. */
struct proof_row {
        char *environment, *run, *proof;
};
int store_add_proofs(struct store *s, const struct proof_row *rows, size_t count, struct error **err);
void run_row_release(struct run_row *row);
void run_rows_free(struct run_row *rows, size_t count);
void step_rows_free(struct step_row *rows, size_t count);

/* Operations: the intent and the saved state of each action of which it is not known yet what became of it. */
struct operation_row {
        char *run;
        int64_t step;
        char *address, *deposed, *type, *provider, *action, *token;
        int32_t state;                           /* the provider's state number */
        char *saved;                             /* the provider's saved value (value_encode), or NULL */
        char *id;                                /* remote id once known, or NULL */
        char *prior, *planned, *host, *private_; /* value_encode texts / provider bytes, or NULL */
        int64_t started_ms;
        char **after; /* addresses that its object depends on, for the order of deletions */
        size_t after_count;
        bool absent;      /* a creation: nothing had its name when the intent was recorded */
        bool accepted;    /* a creation: the cloud answered it, so that it is never sent again */
        char *account;    /* where it acts, as of struct resource_row; or NULL */
        char *definition; /* digest of the type's description that `state` and `saved` belong to, or NULL */
};
int store_operations(
    struct store *s, const char *environment, struct operation_row **rows, size_t *count, struct error **err);
void operation_rows_free(struct operation_row *rows, size_t count);

/* Gates and the answers to them: the gate's row is the question and, in the end, its outcome; who said what stands in the answers. */
struct gate_row {
        char *run, *name; /* name: the address of the gate, or of the resource whose `approve` asks */
        char
            *status; /* waiting, approved, rejected, cancelled; of questions the answer: see run/question.h */
        char *details;               /* JSON: the question as it is shown, see run/proposal.h */
        char *answered_by, *comment; /* of the outcome, or NULL; several names with commas */
        int64_t opened_ms, answered_ms;
        bool reopen; /* writing: waits, whatever outcome is recorded: it did not count */
};
int store_gates(struct store *s, const char *environment, const char *run, struct gate_row **rows,
    size_t *count, struct error **err);
void gate_rows_free(struct gate_row *rows, size_t count);
/* What one person answered. Whether it counts is for its reader to decide: the store does not know keys. */
struct answer_row {
        int64_t id; /* in order of arrival; the store's */
        char *run, *gate;
        char *answer;            /* approved, rejected */
        char *by, *comment;      /* the person; comment or NULL */
        char *user;              /* the operating system's user whose process handed it in */
        char *digest, *proposal; /* of the run's plan and of what was shown, in hexadecimal */
        int64_t opened_ms;       /* when that was first asked */
        int64_t answered_ms;     /* when it came in; the store's clock */
        char *signature, *key;   /* base64, and the public key as it is written; NULL: unsigned */
        int64_t signed_ms, expires_ms;
};
/* The answers to the gates of a run, or of all runs (NULL), in the order of their gates' names, then of arrival. */
int store_answers(struct store *s, const char *environment, const char *run, struct answer_row **rows,
    size_t *count, struct error **err);
void answer_row_release(struct answer_row *row);
void answer_rows_free(struct answer_row *rows, size_t count);
/*
 * Adds an answer from any process, without a lease, with the event gate-answered; `outcome` (status, by, comment) is what the gate
 * comes to by it, NULL: it goes on waiting. `seen` is how many answers to the gate the caller knew when it decided so: ERROR_RETRY,
 * and nothing written, when there are others. ERROR_MISSING if there is no such gate, ERROR_CONFLICT if it does not wait any more,
 * unless `reopen` says that the outcome which is recorded does not count.
 */
int store_answer(struct store *s, const char *environment, const struct answer_row *answer,
    const struct gate_row *outcome, bool reopen, size_t seen, struct error **err);

/* Events: append-only, hash-chained per environment (SHA-256 over the previous hash and the row). */
struct event_row {
        int64_t seq, time_ms;
        char *run, *kind, *data; /* data: JSON object */
        char hash[65];
};
int store_events(struct store *s, const char *environment, const char *run_or_null, struct event_row **rows,
    size_t *count, struct error **err);
void event_rows_free(struct event_row *rows, size_t count);
/* 0 if the chain holds, every row is as it says, and the whole store is sound; -1 with ERROR_SYSTEM for damage, with
 * ERROR_CONFLICT naming the rows that are not (up to twenty). *checked counts events. Linear in the log and the store. */
int store_verify(struct store *s, const char *environment, size_t *checked, struct error **err);
/* Before something is done on the strength of the answers to a run's gates: the chain holds, and none of them was taken out or altered since it
 * came in. What was put in is for whoever counts them to refuse. Linear in the log: some tenths of a second in a million events. */
int store_verify_answers(struct store *s, const char *environment, const char *run, struct error **err);

/* How long actions took: a moving average per type and action, in seconds; for estimates. */
struct duration_row {
        char *type, *action;
        double seconds;
        int64_t samples;
};
int store_durations(struct store *s, struct duration_row **rows, size_t *count, struct error **err);
void duration_rows_free(struct duration_row *rows, size_t count);

/* The outbox: messages to the environment's targets that were not taken yet. They hold no secrets. Of those that were settled, and need
 * not be remembered so that nobody is told twice, the newest are kept; of those that wait as many, and then the oldest are given up. */
enum { STORE_NOTIFICATIONS_KEPT = 100, STORE_NOTIFICATIONS_MAX = 5000 };
struct notification_row {
        char *id;      /* of the delivery: the store draws it; the same each time the message is sent */
        char *target;  /* name of the target in the environment file */
        char *subject; /* what it is about: a target is told once of one subject */
        char *event, *run, *body; /* run: "" for none; body: JSON */
        char *status;             /* pending, delivered, given-up; dropped: what it asks for is over */
        int attempts;
        char *error; /* of the last attempt, or NULL */
        int64_t created_ms, next_ms, claimed_ms, settled_ms;
};
/* Those that are pending, oldest first. */
int store_notifications(struct store *s, const char *environment, struct notification_row **rows,
    size_t *count, struct error **err);
void notification_rows_free(struct notification_row *rows, size_t count);
/* Adds messages without a lease, all of one subject (target, subject, event, run and body count). Other subjects that begin with
 * `prefix` are over with it: they will be told again when they come again. With count 0 all of them are over. */
int store_notify(struct store *s, const char *environment, const char *prefix,
    const struct notification_row *rows, size_t count, struct error **err);
struct notification_claim {
        const char *const *targets; /* the names that the caller can send to */
        size_t target_count;
        bool all;           /* what is to be tried again later is due now */
        size_t limit;       /* at most so many */
        int64_t claim_ms;   /* for so long nobody else takes them */
        int64_t give_up_ms; /* what is older is given up, and the event log says so */
};
/* Takes what is due, without a lease: *rows are the caller's to send and then to report with one of the next two. *next_ms: when the
 * earliest of what is left is due; 0 when nothing is left. */
int store_notifications_claim(struct store *s, const char *environment,
    const struct notification_claim *claim, struct notification_row **rows, size_t *count, int64_t *next_ms,
    struct error **err);
int store_notification_delivered(struct store *s, const char *id, int64_t now_ms, struct error **err);
int store_notification_failed(
    struct store *s, const char *id, const char *error, int64_t next_ms, struct error **err);

/* Writing: one transaction for all of `writes`. Everything in a write is borrowed for the duration of the call. */
enum store_write_kind {
        WRITE_RUN,   /* insert or update by id: status, summary, ended; plan only on insert */
        WRITE_STEPS, /* insert the step table of a run */
        WRITE_STEP,  /* update one step's status, message, attempts, times; ERROR_MISSING if there is none */
        WRITE_OPERATION,      /* insert or update by run + step: intent, saved state, id */
        WRITE_OPERATION_OVER, /* delete by run + step: the operation is settled; again is no error */
        WRITE_RESOURCE,      /* insert or update by address + deposed; history gets the version it replaces */
        WRITE_RESOURCE_GONE, /* delete by address + deposed; history keeps it; again is no error */
        WRITE_RESOURCE_AFTER, /* by address + deposed, only what it comes after: no version of history; none there is no error */
        WRITE_RESOURCE_MOVE, /* new address or deposed; ERROR_MISSING if nothing is there, ERROR_CONFLICT if the new one is taken */
        WRITE_OUTPUTS, /* text */
        WRITE_GATE, /* insert or update by run + name; one that waits does not undo an outcome, unless `reopen` */
        WRITE_GATES_OVER, /* the gates of a run that still wait become `cancelled`: nobody is to answer them, nor to be asked to;
                             so do their steps, and steps that a question was about have failed */
        WRITE_ANSWER,   /* append, with the event gate-answered */
        WRITE_EVENT,    /* append; time and hash are the store's */
        WRITE_DURATION, /* feed the moving average: type, action, seconds */
        WRITE_NOTIFICATION, /* a message for the outbox, as store_notify takes it; a subject told before is no error */
};
struct store_write {
        enum store_write_kind kind;
        const char *run;    /* run id, where one applies */
        const char *action; /* WRITE_RESOURCE*: what history says; WRITE_DURATION */
        union {
                const struct run_row *run_row;
                struct {
                        const struct step_row *rows;
                        size_t count;
                } steps;                               /* WRITE_STEPS, and WRITE_STEP with count 1 */
                const struct operation_row *operation; /* WRITE_OPERATION; for _OVER run and step count */
                const struct resource_row
                    *resource; /* also _GONE and _AFTER: address and deposed count, and `after` */
                struct {
                        const char *from, *from_deposed, *to, *to_deposed;
                } move;
                const char *outputs;
                const struct gate_row *gate;
                const struct notification_row *notification;
                const struct answer_row *answer;
                struct {
                        const char *kind, *data;
                } event;
                struct {
                        const char *type;
                        double seconds;
                } duration;
        };
};
/* ERROR_CONFLICT and nothing written when the lease was lost. ERROR_SYSTEM and nothing written when the disk is full. */
int store_commit(struct store *s, const struct lease *lease, const struct store_write *writes, size_t count,
    struct error **err);

#endif
