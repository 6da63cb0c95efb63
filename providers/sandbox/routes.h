/*
 * From a complete request to a complete reply: paths, methods, queries, problem documents (RFC 9457). Knows
 * nothing of sockets, so faults and durability are the caller's.
 */
#ifndef TUTTI_SANDBOX_ROUTES_H
#define TUTTI_SANDBOX_ROUTES_H

#include <stddef.h>
#include "providers/sandbox/cloud.h"

enum { SANDBOX_QUERY_MAX = 100 };

struct sandbox_request {
        const char *method, *path; /* the path is decoded and has no query */
        const char *key;           /* Idempotency-Key, or NULL */
        const char *body;          /* may be NULL when body_len is 0 */
        size_t body_len;
        struct {
                const char *name, *value; /* decoded; value may be NULL */
        } query[SANDBOX_QUERY_MAX];
        size_t query_count;
        bool may_hold; /* the reply may be held back, as ?wait asks */
};

struct sandbox_reply {
        int status;
        const char *content_type;
        char *body; /* owned; NULL for none */
        size_t len;
        char location[96];   /* "" for none */
        char *link;          /* the page that follows; owned, NULL for none */
        const char *allow;   /* methods, with 405 */
        int64_t retry_after; /* ms; 0 for none */
        int64_t
            hold_until; /* monotonic, ms: there is no reply yet; route the request again then. 0: there is one */
};

void sandbox_reply_release(struct sandbox_reply *reply);
/* Makes the reply a problem document. `field` may be NULL. */
void sandbox_reply_problem(struct sandbox_reply *reply, const struct sandbox_refusal *refusal);

/* True for paths of the cloud proper, which rate limits and faults apply to; /_control and /_journal are exempt. */
bool sandbox_route_is_public(const char *path);
/* Does what the request asks for and fills in the reply, which is empty before. */
void sandbox_route(
    struct sandbox_cloud *cloud, const struct sandbox_request *request, struct sandbox_reply *reply);

#endif
