/*
 * A TCP connection to a named host: all its addresses are tried, each next one a little later than the one before, and the
 * first that answers wins (RFC 8305). For ssh*.c only.
 */
#ifndef TUTTI_IO_SSH_CONNECT_H
#define TUTTI_IO_SSH_CONNECT_H

#include "io/loop.h"

struct ssh_connect;

/* One callback follows unless cancelled: a connected non-blocking socket, the receiver's, or -1 and an error (RETRY), borrowed. */
typedef void ssh_connect_done(void *context, int fd, const struct error *error);
struct ssh_connect *ssh_connect_start(
    struct loop *loop, const char *host, unsigned port, ssh_connect_done *done, void *context);
void ssh_connect_cancel(struct ssh_connect *connect); /* NULL-safe */

#endif
