/*
 * How requests are authorised: named schemes. A new one is a row of the table in auth.c.
 *
 * A scheme that needs a token first (Keystone, OAuth2) has `begin`: before a request leaves, it is asked whether something must be
 * sent first; the reply goes to `learn`, which keeps what it needs in the session of the provider's context. What it hands out as
 * `known` is the root `auth` of expressions. `sign` then completes a request.
 */
#ifndef TUTTI_REST_AUTH_H
#define TUTTI_REST_AUTH_H

#include "../provider.h"
#include "url.h"

struct header_list { /* of a request; names as they are sent */
        struct header_item {
                char *name, *value;
        } * items;
        size_t count;
};
void headers_set(
    struct header_list *h, const char *name, const char *value);        /* replaces; names ignore case */
const char *headers_get(const struct header_list *h, const char *name); /* NULL if there is none */
void headers_release(struct header_list *h);

struct outgoing { /* a request, complete but for its authorisation */
        const char *method;
        struct url url;
        struct header_list headers;
        struct buf body;
        int64_t timeout_ms;
        bool close;
};
void outgoing_release(struct outgoing *o);

struct
    auth_session; /* what a scheme keeps per provider context and service; NULL for the schemes that keep nothing */

struct auth_scheme {
        const char *name;
        const char *const *keys; /* `scheme` and its own; NULL ends them */
        /* What to send first: 1 with *first filled in, 0 for nothing, -1 with a malloc'ed *problem. NULL: never anything. */
        int (*begin)(const struct tutti_host *host, const struct value *auth, struct auth_session **session,
            int64_t now_ms, struct outgoing *first, char **problem);
        /* Takes the reply to it; 0, or -1 with *problem. */
        int (*learn)(const struct tutti_host *host, struct auth_session *session,
            const struct tutti_reply *reply, int64_t now_ms, char **problem);
        /* Forgets a token that was refused; true if there was one, so that trying again makes sense. */
        bool (*forget)(struct auth_session *session);
        const struct value *(*known)(
            const struct auth_session *session); /* root `auth`; borrowed, may be NULL */
        void (*end)(const struct tutti_host *host, struct auth_session *session);
        /* Completes a request; `auth` is the manifest's map, filled in. 0, or -1 with a malloc'ed *problem. */
        int (*sign)(const struct tutti_host *host, const struct value *auth, struct auth_session *session,
            int64_t now_ms, struct outgoing *o, char **problem);
};

const struct auth_scheme *auth_scheme_named(const char *name); /* NULL if there is none */
extern const char *const auth_scheme_names[];                  /* NULL ends them */

/* A key of `auth` as text, borrowed; NULL and a problem when it is missing or no text, unless it is optional. */
const char *auth_text(
    const struct tutti_host *host, const struct value *auth, const char *key, bool optional, char **problem);

int auth_sigv4_sign(const struct tutti_host *host, const struct value *auth, struct auth_session *session,
    int64_t now_ms, struct outgoing *o, char **problem);

#endif
