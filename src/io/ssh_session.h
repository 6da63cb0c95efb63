/*
 * One SSH connection: transport, host key, login, and the channels that share it. For ssh*.c only.
 *
 * libssh2 allows one call at a time per connection: a call that could not send all its bytes must be repeated, unchanged,
 * before any other. The session therefore steps its channels one by one, and while such a call is pending only the one
 * that made it.
 */
#ifndef TUTTI_IO_SSH_SESSION_H
#define TUTTI_IO_SSH_SESSION_H

#include <libssh2.h>
#include <sys/types.h>
#include "io/ssh.h"

enum ssh_step {
        SSH_WAIT,  /* nothing more can be done before the host says or takes something */
        SSH_MOVED, /* call again */
        SSH_GONE,  /* the channel is closed and freed */
};

struct ssh_session;

/* What a session knows of a channel; embedded first in what the channel is for. */
struct ssh_channel {
        struct ssh_channel *next;
        struct ssh_session *session;
        LIBSSH2_CHANNEL *raw;
        size_t flow; /* for ssh_channel_flow */
        enum ssh_step (*step)(struct ssh_channel *channel);
        /* After SSH_GONE, once the session has forgotten the channel: its owner frees it. */
        void (*gone)(struct ssh_channel *channel);
        /* The connection is gone, and `raw` with it; the session forgets the channel before it calls. */
        void (*lost)(struct ssh_channel *channel, const struct error *error);
};

struct ssh_session_events {
        void (*ready)(void *context); /* logged in: channels may be added */
        /* It failed, or died later; after its channels were told. The receiver frees it. */
        void (*down)(void *context, const struct error *error);
};

/* Copies nothing: `host` must outlive the session. */
struct ssh_session *ssh_session_new(struct loop *loop, const struct ssh_host *host, int64_t timeout_ms,
    const struct ssh_session_events *events, void *context);
void ssh_session_connect(struct ssh_session *session); /* by TCP */
void ssh_session_use(
    struct ssh_session *session, int fd); /* over a connected socket, which becomes the session's */
void ssh_session_fail(struct ssh_session *session, const struct error *error); /* no connection can be had */
void ssh_session_free(struct ssh_session *session);                            /* tells nobody; NULL-safe */

void ssh_session_add(struct ssh_session *session, struct ssh_channel *channel);
void ssh_session_wake(struct ssh_session *session); /* steps the channels on the next turn */
/* Gives the connection up (from a step or from outside); `down` follows. Takes the error. */
void ssh_session_break(struct ssh_session *session, struct error *error);
/* As above, for a call of libssh2 that failed with `rc`: RETRY. */
void ssh_session_broke(struct ssh_session *session, int rc);

LIBSSH2_SESSION *ssh_session_raw(struct ssh_session *session);
bool ssh_session_blocked(struct ssh_session *session); /* a call is pending: repeat it before any other */
bool ssh_session_is_down(const struct ssh_session *session);
/* Opening, up to the answer to the first request, is one at a time: true when `channel` may (go on to) open. */
bool ssh_session_opening(struct ssh_session *session, struct ssh_channel *channel);
void ssh_session_opened(struct ssh_session *session);
bool ssh_session_is_opening(const struct ssh_session *session, const struct ssh_channel *channel);
/* An opening takes long (a jump host that waits for a dead one): others had better go elsewhere. */
bool ssh_session_is_clogged(const struct ssh_session *session);

/*
 * Calls each of a channel's flows once: each moves some bytes and returns how many, 0 for none, or an error of libssh2's. Begins
 * with the one whose call is pending; stops where one becomes so.
 */
typedef ssize_t ssh_flow(struct ssh_channel *channel);
enum ssh_step ssh_channel_flow(struct ssh_channel *channel, ssh_flow *const *flows, size_t count);
const char *ssh_session_label(const struct ssh_session *session);    /* "ssh user@host" */
const char *ssh_session_host_key(const struct ssh_session *session); /* "type base64" */
bool ssh_session_pinned(const struct ssh_session *session);

#endif
