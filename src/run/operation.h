/*
 * One operation: an action of a provider on one object, driven from its first step to its outcome.
 *
 * It issues the provider's waits, makes (state, saved value, id) durable before each of them, retries what is transient with
 * exponential backoff and jitter, keeps the deadline, and, when the reply to a creating request was lost, finds out what
 * became of it before anything is sent again.
 *
 * What proves that an object is ours: the token, where the type finds by it; else its name, if no object had that name when the intent was
 * recorded, which is looked at before the request leaves. A name alone proves nothing. Where neither can tell, a creation that may be
 * repeated is repeated with its token, and of any other the outcome stays unknown.
 */
#ifndef TUTTI_RUN_OPERATION_H
#define TUTTI_RUN_OPERATION_H

#include "io/http.h"
#include "io/ssh.h"
#include "plan/plan.h"
#include "run/journal.h"
#include "run/plugin.h"

struct operation;

struct operation_io { /* what operations share */
        struct loop *loop;
        struct transfers *transfers;
        struct ssh *ssh;
        const struct sealer *sealer;
        const char *environment;
        const char *folder;      /* of the environment file */
        const char *known_hosts; /* file of host keys pinned by this environment */
};

struct operation_request { /* everything is borrowed until `done` */
        enum tutti_action action;
        const struct schema *schema;
        struct connection *connection;
        const char *address, *token, *id, *private_;
        const struct value *prior, *planned, *host;
        const char *const *after; /* addresses that the object depends on, for the record of the intent */
        size_t after_count;
        struct retry_policy retry;
        int64_t timeout_ms;      /* of the whole; 0: the schema's, else 10 min (reads: 2 min) */
        struct journal *journal; /* NULL: nothing is made durable (reads) */
        const char *run;
        int64_t step;
        /* Coming back to an intent: where it was. `resumed` with state 0 and no saved value is a valid intent. */
        bool resumed, absent, accepted; /* see struct operation_row */
        int state;
        const struct value *saved;
        const char *
            before_run; /* the intent is recorded of this run and step; ours takes its place. NULL: of ours, or none */
        int64_t before_step;
        int64_t started_ms; /* wall clock; 0: now */
};

struct operation_outcome { /* borrowed for the call of `done` */
        bool failed;
        enum tutti_failure failure;
        const char *message; /* of a failure; no secrets */
        bool gone;           /* READ, IMPORT: no such object; FIND: none */
        bool
            ambiguous; /* a creation without an id: it may or may not have happened, and nothing says which */
        bool absent;   /* nothing had its name before */
        bool
            unfinished; /* a creation with an id that failed, and not because the cloud said so of the object */
        const char *id; /* when known: the object exists, or may, also when the operation failed */
        const struct value *observed;
        const char *private_;
        unsigned attempts;
        int64_t elapsed_ms;
};

struct operation_events {
        void (*progress)(void *context, const char *text);
        void (*retry)(void *context, unsigned attempt, unsigned attempts, int64_t wait_ms, const char *why);
        /* A creation came by this id: the address at which that very object is recorded already, or NULL. May be NULL. */
        const char *(*owner)(void *context, const char *id);
        void (*done)(
            void *context, const struct operation_outcome *outcome); /* the operation is freed after it */
        void *context;
};

/* `done` follows on a later turn of the loop, exactly once unless dropped. */
struct operation *operation_start(const struct operation_io *io, const struct operation_request *request,
    const struct operation_events *events);
/* A local action, which waits for nothing: runs it here and now, and calls `done` before it returns. False, with no callback, when
 * the plug-in wants to wait or failed in a way that is worth another attempt: operation_start it, then. */
bool operation_at_once(const struct operation_io *io, const struct operation_request *request,
    const struct operation_events *events);
/*
 * The run is to end soon. True: nothing of it is under way, as it waits for another try or has sent nothing yet; it can be dropped. False: it is to
 * finish.
 */
bool operation_is_idle(const struct operation *op);
/* Forgets it at once: its intent stays on disk, no callback follows. */
void operation_drop(struct operation *op);

/* The token of an operation: 32 hex digits of SHA-256 over lineage, address and generation. */
void operation_token(const char *lineage, const char *address, const char *generation, char token[33]);

#endif
