/*
 * Logging in to an SSH host with what the user gave, one thing after another. For ssh*.c only.
 */
#ifndef TUTTI_IO_SSH_LOGIN_H
#define TUTTI_IO_SSH_LOGIN_H

#include <libssh2.h>
#include "io/ssh.h"

struct ssh_login;

/* Reads keys and asks the agent. `host` and `raw` are borrowed until ssh_login_free. ERROR_INPUT, ERROR_DENIED. */
int ssh_login_new(
    const struct ssh_host *host, LIBSSH2_SESSION *raw, struct ssh_login **ret, struct error **err);
void ssh_login_free(struct ssh_login *login); /* NULL-safe */
/* Goes on as far as it can without waiting: 1 logged in, 0 waiting for the host, -1 ERROR_DENIED, ERROR_INPUT, ERROR_RETRY. */
int ssh_login_step(struct ssh_login *login, struct error **err);

/* What libssh2 calls a session's abstract pointer. */
struct ssh_abstract {
        size_t received;      /* bytes, ever */
        const char *password; /* for keyboard-interactive */
};

#endif
