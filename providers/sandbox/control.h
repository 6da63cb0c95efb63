/*
 * How the practice cloud behaves: latency, rate limit, eventual consistency and faults, as set by flags and by
 * POST /_control. Holds no objects; times are milliseconds on the monotonic clock.
 */
#ifndef TUTTI_SANDBOX_CONTROL_H
#define TUTTI_SANDBOX_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "providers/sandbox/refusal.h"

enum sandbox_fault {
        SANDBOX_FAULT_NONE,
        SANDBOX_FAULT_500,          /* an error reply instead of the effect */
        SANDBOX_FAULT_503,          /* the same */
        SANDBOX_FAULT_429,          /* the same, with Retry-After */
        SANDBOX_FAULT_RESET_BEFORE, /* the connection is reset, nothing was done */
        SANDBOX_FAULT_RESET_AFTER,  /* done, then the connection is reset instead of a reply */
        SANDBOX_FAULT_TRUNCATE,     /* done, and half of the reply's body is sent */
        SANDBOX_FAULT_HANG,         /* done, and no reply ever comes */
        SANDBOX_FAULT_500_AFTER,    /* done, and an error reply tells nothing of it */
};

struct sandbox_fault_rule {
        char *match; /* "POST /v1/servers" */
        enum sandbox_fault fault;
        int64_t times, skip; /* what is left of each */
};

struct sandbox_control {
        int64_t latency_low, latency_high, visible_after;
        bool duplicate_names; /* lets two objects of a type have one name */
        bool ignore_keys;     /* an Idempotency-Key is noted in the journal, and means nothing */
        double rate;          /* requests per second; 0 for no limit */
        double tokens;        /* in the bucket, up to one second's worth (at least one) */
        int64_t refilled_at;
        struct sandbox_fault_rule *rules;
        size_t rule_count;
};

void sandbox_control_release(struct sandbox_control *control);

/* "50ms", "50ms-150ms", "0". False when malformed; the range is then untouched. */
bool sandbox_control_parse_latency(const char *text, int64_t *low, int64_t *high);
/* "50/s", "100/m", "3600/h", or "0", "off", "none" for no limit. */
bool sandbox_control_parse_rate(const char *text, double *per_second);

/* Sets what the object names (latency, rate, visible_after, name_unique, idempotency, faults) and leaves the rest; all or nothing. A
 * list of faults replaces the one before. */
int sandbox_control_set(struct sandbox_control *control, const json_t *body, struct sandbox_refusal *refusal);
/* The settings as they are now, in the same words. A new reference. */
json_t *sandbox_control_get(const struct sandbox_control *control);

/* How long the next creation takes: uniformly from the range. */
int64_t sandbox_control_draw_latency(const struct sandbox_control *control);
/* Takes one request out of the bucket. 0 when it may pass, else the ms until the next one may. */
int64_t sandbox_control_admit(struct sandbox_control *control, int64_t now);
/* The fault that the first matching rule with something left asks for; counts it. */
enum sandbox_fault sandbox_control_fault(
    struct sandbox_control *control, const char *method, const char *path);

#endif
