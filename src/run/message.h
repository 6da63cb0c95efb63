/*
 * Messages about a run: what happened, for machines and for people. Pure: no I/O, no clock.
 *
 * A message is one JSON object, the *body*. It is what a webhook gets and what the outbox keeps; texts for Slack and e-mail are made
 * out of it when they are sent. A body holds no secret, and is bounded: long lists are cut, and their full length is told.
 */
#ifndef TUTTI_RUN_MESSAGE_H
#define TUTTI_RUN_MESSAGE_H

#include "plan/plan.h"
#include "template/notify.h"

struct message {           /* what is absent is NULL or 0 */
        const char *event; /* "gate-waiting", … */
        const char *environment, *file, *run;
        int64_t time_ms;
        const char *gate;    /* its name */
        const char *details; /* gates: JSON with `approvers` and `behind`, as the store keeps it */
        const char *text;    /* what the gate asks, or what there is to say */
        const char *summary; /* JSON object of counts */
        const struct error *problems;
        const struct plan *drift;
};
enum { MESSAGE_LIST_MAX = 50, MESSAGE_TEXT_MAX = 2000 };

/*
 * Appends {"event", "environment", "run", "time", "gate"?, "message"?, "approvers"?, "behind"? [{address, action}], "summary"?,
 * "problems"? [{message, address?}], "drift"? [{address, action, paths […]}], "how_to"}. A list that was cut has its length in
 * "behind_count", "problem_count" or "drift_count".
 */
void message_body(const struct message *m, struct text *out);

/* The value of Tutti-Signature: "t=SECONDS,v1=" and HMAC-SHA-256 over "SECONDS.body" under the secret, in hexadecimal. */
void message_signature(const char *secret, int64_t seconds, const char *body, size_t len, struct text *out);

/* {"text": …} as Slack's incoming webhooks take it, with &, < and > escaped. ERROR_INPUT if the body is none of ours. */
int message_slack(const char *body, struct text *out, struct error **err);

/* A mail (RFC 5322) with CRLF line ends: headers that nothing in the body can break out of, and quoted-printable text. */
int message_mail(const char *body, const struct notify_target *target, const char *id, int64_t now_ms,
    struct text *out, struct error **err);

#endif
