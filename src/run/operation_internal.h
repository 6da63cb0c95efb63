/*
 * The inside of an operation, shared by operation.c (its life), operation_wait.c (its I/O) and operation_host.c (what its
 * plug-in sees of it). Internal to run/.
 */
#ifndef TUTTI_RUN_OPERATION_INTERNAL_H
#define TUTTI_RUN_OPERATION_INTERNAL_H

#include "io/process.h"
#include "run/operation.h"
#include "run/turn.h"

enum wait_kind { WAIT_NONE, WAIT_HTTP, WAIT_SSH, WAIT_PROCESS, WAIT_SLEEP };

struct tutti_op {
        const struct operation_io *io;
        struct operation_request request;
        struct operation_events events;

        /* The state machine of the plug-in. */
        int state;
        struct value *saved;
        char *id, *private_;
        const struct tutti_reply *reply; /* valid during one call of step */
        bool dirty;                      /* (state, saved, id) changed since they were last made durable */

        /* The wait that step asked for; strings in wait_arena. */
        enum wait_kind wait;
        struct arena *wait_arena;
        struct http_request http;
        struct ssh_request ssh;
        struct ssh_host jump;
        struct process_request process;
        int64_t sleep_ms;
        bool patient; /* the http wait's */
        struct http_exchange *http_exchange;
        struct ssh_exchange *ssh_exchange;
        struct process *running;
        struct timer *timer;    /* sleep or backoff */
        struct turn turn;       /* the rate */
        struct timer *deadline; /* of the whole operation */
        int64_t started_ms;     /* wall clock */
        int64_t begun_ms;       /* clock_boot_ms, by this process */

        /* The result. */
        struct value *observed;
        bool gone;
        bool failed;
        enum tutti_failure failure;
        char *message;
        int64_t retry_after_ms;

        /* Retrying. */
        unsigned attempts;     /* in a row that failed and count */
        unsigned total;        /* all */
        bool sent;             /* something of it left, or may have before a crash */
        bool unanswered;       /* a creating request left, and whether it had its effect is not known */
        bool doubted;          /* that was so once */
        bool absent, accepted; /* see struct operation_row */
        bool looked;           /* it was looked whether the name is taken */
        bool id_too_long;      /* what the provider gave as its id is none */
        bool idempotent; /* its method says that its request may be sent twice: no lost reply is a doubt */
        bool harmless;   /* what was issued last cannot have changed anything */
        bool timed_out;
        bool uncounted; /* the failure at hand does not use up an attempt */
        bool sent_back; /* throttled: its next request goes before others */
        struct operation *finding;
        char *last_progress;
        bool waiting_for_journal;
        bool intended; /* the intent is on disk */
        bool ahead;    /* a question was asked before what was recorded last is on disk */
};

struct operation {
        struct tutti_op op; /* first: a plug-in's struct tutti_op * is the operation */
};

/* Issues the wait that was asked for, after the rate allows it. */
void operation_wait_issue(struct tutti_op *op);
/* Ends a wait that is under way, without its callback. */
void operation_wait_abort(struct tutti_op *op);

/* What a wait leads to. */
void operation_replied(struct tutti_op *op, const struct tutti_reply *reply);
void operation_fault(struct tutti_op *op, const struct error *error, bool maybe_effect, bool counts);
/* Calls the plug-in without a reply. */
void operation_enter(struct tutti_op *op);
/* What the journal was asked for is on disk: on with the wait that was asked for. */
void operation_durable(void *context);

#endif
