/*
 * OpenSSH's server as the practice cloud uses it: found, configured per host, and started per connection
 * in inetd mode.
 */
#ifndef TUTTI_SANDBOX_SSHD_H
#define TUTTI_SANDBOX_SSHD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/text.h"

struct sandbox_sshd {
        const char *missing;  /* why there is no login; NULL when there is */
        char *program, *sftp; /* absolute paths; sftp may be NULL */
        char *user;           /* who logs in: the user of this process */
};

/* Looks for a usable sshd in PATH and the usual folders. Always succeeds; see `missing`. */
void sandbox_sshd_look(struct sandbox_sshd *sshd, bool enabled);
void sandbox_sshd_release(struct sandbox_sshd *sshd);

/* True when the path can stand in sshd's configuration and in a shell command as it is. */
bool sandbox_sshd_takes_path(const char *path);

/* Writes sshd_config and the `enter` script into a host's directory. `name` becomes HOST_NAME, with whatever cannot
 * stand in a host name turned into '-'. */
int sandbox_sshd_configure(
    const struct sandbox_sshd *sshd, const char *directory, const char *name, struct error **err);
/* Writes authorized_keys. A login that happens meanwhile sees the old file or the new one. */
int sandbox_sshd_authorize(const char *directory, const struct text *keys, struct error **err);

/* Starts sshd on a connected socket, which the caller still closes. The process ends with this one. Returns its
 * pid, to be waited for, or -1. */
pid_t sandbox_sshd_spawn(
    const struct sandbox_sshd *sshd, const char *directory, int connection, struct error **err);

#endif
