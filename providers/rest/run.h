/*
 * One call of `step`: what the state machine, its requests and their answers share.
 */
#ifndef TUTTI_REST_RUN_H
#define TUTTI_REST_RUN_H

#include "auth.h"
#include "manifest.h"

struct rest_context { /* a configured provider */
        struct rest_provider *provider;
        struct value *config; /* with environment variables and defaults */
};

struct run {
        const struct tutti_host *host;
        struct tutti_op *op;
        struct rest_context *context;
        const struct rest_type *type;
        struct service *service;
        enum tutti_action action;
        const struct requests *requests; /* of the action; `read` follows where the new state is wanted */
        size_t index;                    /* of the request under way */
        bool waiting;                    /* in its wait */
        /* What is saved between the calls. */
        struct value *vars, *next, *items; /* items: NULL while a list has no pages */
        int64_t loop, pages;
        int64_t again_state,
            again_loop;  /* `again` was said there: what was answered before is passed by; 0: not */
        int64_t made_ms; /* op_elapsed_ms when the id became known; 0: not in this action */
        /* Of this call. */
        struct value *roots;    /* what expressions see */
        struct value *observed; /* the new state, when an answer gave it */
        char *problem;          /* of an expression or a reply, for run_wrong */
};

void run_begin(struct run *r, struct rest_context *context, struct tutti_op *op);
void run_release(struct run *r);

/* scope.c: what expressions see. */
void run_root(struct run *r, const char *name, struct value *steal);
/* The roots that a request needs: `with`, `document`, `changes`, `changed`; -1 with r->problem. */
int run_prepare(struct run *r, const struct request *q);
/* Fills in a shape: a new reference, or NULL with r->problem. */
struct value *run_fill(struct run *r, const struct shape *s);
/* A condition: 1, 0, or -1 with r->problem. null counts as false; NULL shape gives `otherwise`. */
int run_true(struct run *r, const struct shape *s, int otherwise);
/* A primitive value as text, malloc'ed; NULL for others, and for a text with a NUL byte, which would be cut there: with r->problem. */
char *run_text(struct run *r, const struct value *v, const char *what);
/* A text, malloc'ed; NULL for null and for what does not fit (problems are dropped). */
char *run_text_or_null(struct run *r, const struct shape *s);
/* Takes the values of secrets out of a text that people will see; malloc'ed. */
char *run_masked(struct run *r, const char *text);
/* Moves the operation to a request or its wait, with everything that must survive. */
void run_to(struct run *r, size_t index, bool waiting);
/* Fails for a mistake of the manifest, or an answer that does not fit it; takes r->problem. */
enum tutti_result run_wrong(struct run *r, const struct request *q);
enum tutti_result run_fail(
    struct run *r, enum tutti_failure kind, int64_t retry_after_ms, const char *message);

/* document.c: properties to API and back. */
struct value *document_build(struct run *r, bool changes); /* new reference, or NULL with r->problem */
struct value *document_changed(struct run *r);
/* The object of properties and outputs that `item` shows; NULL with r->problem. */
struct value *document_observe(struct run *r, const struct value *item);
/* The recorded value of a property: of the planned ones, else of the prior ones; borrowed or NULL. */
const struct value *run_recorded(const struct run *r, const char *name);

/* request.c: TUTTI_WAIT, or TUTTI_FAILED. */
enum tutti_result request_send(struct run *r, const struct request *q);

/* answer.c: what an answer means. */
struct answer {
        enum means means;
        char *message;            /* for people, without secrets; malloc'ed */
        int64_t retry_after_ms;   /* 0: it did not say */
        const struct value *item; /* the object, borrowed of the root `item`; NULL: none */
        bool another_page;
};
void answer_release(struct answer *a);
/* Decodes the reply into the roots `reply` and `item`, and judges it. `w`: the wait that the request has or belongs to, or NULL. -1 with
 * r->problem. A body that no expression reads need not be what `wire` says. */
int answer_take(struct run *r, const struct request *q, const struct wait *w, struct answer *a);

#endif
