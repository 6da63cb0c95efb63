/*
 * Copies of what a user said about an SSH host, and the name under which its connections are pooled. For ssh*.c only.
 */
#ifndef TUTTI_IO_SSH_HOST_H
#define TUTTI_IO_SSH_HOST_H

#include "io/ssh.h"

struct ssh_host *ssh_host_copy(const struct ssh_host *host); /* deep, port filled in; the caller frees */
void ssh_host_free(struct ssh_host *host);                   /* wipes secrets; NULL-safe */
/* Whether address, port and user (also of the jump host) can be what they claim. ERROR_INPUT. */
int ssh_host_check(const struct ssh_host *host, struct error **err);
/* The same text for the same host, credentials and jump host; a digest, so that it holds no secret. The caller frees. */
char *ssh_host_digest(const struct ssh_host *host);

#endif
