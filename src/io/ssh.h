/*
 * Commands on hosts over SSH by libssh2 on the loop. Connections are kept per host, user, key and jump host, and shared
 * by exchanges (several channels); a dead one is replaced.
 */
#ifndef TUTTI_IO_SSH_H
#define TUTTI_IO_SSH_H

#include <stdbool.h>
#include <stddef.h>
#include "io/loop.h"

struct ssh_host {
        const char *address;
        unsigned port; /* 0: 22 */
        const char *user;
        const char *key;        /* private key in PEM / OpenSSH form, or NULL */
        const char *key_file;   /* or its path, or NULL */
        const char *passphrase; /* of the key, or NULL */
        bool agent;             /* use SSH_AUTH_SOCK */
        const char *password;   /* or NULL */
        /* The host key that must be shown: "ssh-ed25519 AAAA…" (as in a .pub file or known_hosts), or NULL to look in known_hosts
         * files; then, if unknown there, `pin` allows it and reports it in the reply. A key that differs from a known one is refused. */
        const char *host_key;
        const char *known_hosts; /* file; NULL: ~/.ssh/known_hosts */
        bool pin;
        const struct ssh_host *jump; /* NULL for none; one level */
};

struct ssh_request {
        struct ssh_host host;
        const char *command; /* run by the user's shell there */
        const void *input;   /* standard input, or NULL */
        size_t input_len;
        int64_t connect_timeout_ms; /* 0: 10 s: for connecting, verifying and logging in */
        int64_t timeout_ms;         /* of the command; 0: none */
        size_t
            output_max; /* bytes kept of each of stdout and stderr; 0: 1 MiB; the rest is dropped and flagged */
        /* Asked at the last moment before the command starts; false: it does not, ERROR_RETRY. May be NULL. */
        bool (*may_start)(void *context);
        void *context; /* of may_start */
};

struct ssh_reply {
        int exit_status;         /* -1 when a signal or a lost connection ended it */
        const char *exit_signal; /* "TERM", or NULL */
        char *out, *err;         /* NUL behind each */
        size_t out_len, err_len;
        bool truncated;
        const char *host_key; /* the key that the host showed */
        bool pinned;          /* it was unknown before */
};

struct ssh;
struct ssh_exchange;

int ssh_new(struct loop *loop, struct ssh **ret, struct error **err);
void ssh_free(struct ssh *ssh);

/*
 * Copies the request. One callback follows unless cancelled. Error kinds: RETRY (refused, unreachable, dropped before the
 * command started), TIMEOUT, DENIED (host key differs or is unknown, login refused), INPUT (bad key file). `started` tells whether the
 * command may have begun to run. A command that exits non-zero is a reply, not an error.
 */
typedef void ssh_done(void *context, const struct ssh_reply *reply, const struct error *error, bool started);
struct ssh_exchange *ssh_start(
    struct ssh *ssh, const struct ssh_request *request, ssh_done *done, void *context);
void ssh_cancel(struct ssh_exchange *exchange);
/* Whether the command may have begun to run. */
bool ssh_has_started(const struct ssh_exchange *exchange);

#endif
