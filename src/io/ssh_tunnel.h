/*
 * A connection through a jump host: a direct-tcpip channel of the jump host's session on one side, a socket pair on the
 * other, whose far end the second session uses as if it were TCP. For ssh*.c only.
 */
#ifndef TUTTI_IO_SSH_TUNNEL_H
#define TUTTI_IO_SSH_TUNNEL_H

#include "io/ssh_pool.h"

struct ssh_tunnel;

/* One callback follows unless cancelled: a socket, the receiver's, or -1 and an error. After that the tunnel lives as long as
 * both sides do, and frees itself. Until then it has a place in `tunnels`. */
typedef void ssh_tunnel_done(void *context, int fd, const struct error *error);
struct ssh_tunnel *ssh_tunnel_start(struct loop *loop, struct ssh_pool *pool, struct ring *tunnels,
    const struct ssh_host *jump, int64_t timeout_ms, const char *address, unsigned port,
    ssh_tunnel_done *done, void *context);
void ssh_tunnel_cancel(struct ssh_tunnel *tunnel); /* before its callback only; NULL-safe */
void ssh_tunnel_free_all(struct ring *tunnels);    /* at once, when their sessions are gone */

#endif
