/*
 * SSH connections kept per host and shared. For ssh*.c only.
 *
 * A connection carries a few channels at once (sshd's MaxSessions is 10 by default); more work opens further
 * connections, up to a bound, and the rest waits its turn.
 */
#ifndef TUTTI_IO_SSH_POOL_H
#define TUTTI_IO_SSH_POOL_H

#include "base/ring.h"
#include "io/ssh_session.h"

struct ssh_pool;
struct ssh_link; /* a connection of the pool's */

/* Who wants a place on a connection; embedded in what it is for. */
struct ssh_client {
        struct ring place;     /* in a line that it waits in */
        struct ssh_link *link; /* on which it has a place, or waits for it to be ready */
        struct ssh_group *group;
        bool
            reused; /* the connection had been ready before: that it is dead by now says nothing of the host */
        int64_t connect_timeout_ms;
        void (*ready)(
            struct ssh_client *client, struct ssh_session *session); /* maybe from within ssh_pool_attach */
        void (*failed)(struct ssh_client *client, const struct error *error); /* its place is gone */
};

struct ssh_pool *ssh_pool_new(struct loop *loop);
void ssh_pool_free(struct ssh_pool *pool); /* tells nobody; NULL-safe */

void ssh_pool_attach(struct ssh_pool *pool, const struct ssh_host *host, struct ssh_client *client);
void ssh_pool_detach(struct ssh_client *client); /* gives the place back, or stops waiting for one */
/* The host refused one more channel on this connection: no more than now from here on. False when this one was alone. */
bool ssh_pool_limit(struct ssh_client *client);
bool ssh_pool_is_alone(const struct ssh_client *client); /* nobody else has a place on its connection */

#endif
