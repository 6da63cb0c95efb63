/*
 * How requests are authorised: named schemes. A new one is a row of the table in auth.c.
 *
 * All schemes so far need nothing but the manifest's `auth` map and the request. One that needs a token first (Keystone, OAuth2)
 * gets a second function here, asked before each request whether something must be sent first; step.c is where it is sent.
 */
#ifndef TUTTI_REST_AUTH_H
#define TUTTI_REST_AUTH_H

#include "providers/provider.h"
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

struct auth_scheme {
        const char *name;
        const char *const *keys; /* `scheme` and its own; NULL ends them */
        /* Completes a request; `auth` is the manifest's map, filled in. 0, or -1 with a malloc'ed *problem. */
        int (*sign)(const struct tutti_host *host, const struct value *auth, int64_t now_ms,
            struct outgoing *o, char **problem);
};

const struct auth_scheme *auth_scheme_named(const char *name); /* NULL if there is none */
extern const char *const auth_scheme_names[];                  /* NULL ends them */

/* A key of `auth` as text, borrowed; NULL and a problem when it is missing or no text, unless it is optional. */
const char *auth_text(
    const struct tutti_host *host, const struct value *auth, const char *key, bool optional, char **problem);

int auth_sigv4_sign(const struct tutti_host *host, const struct value *auth, int64_t now_ms,
    struct outgoing *o, char **problem);

#endif
