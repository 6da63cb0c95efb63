/*
 * Servers that one can log in to. Each has a port on loopback, a host key, a home directory and the
 * public keys that may enter. Its files are written at the first login, so that thousands of servers that nobody visits
 * cost a socket each.
 *
 * The sandbox itself listens on the ports and starts `sshd -i` per connection, under its own user. So no port is lost
 * between choosing and binding it, and sshd cannot outlive the sandbox: the kernel ends it when the sandbox goes, however that happens. Everything else that a session started is
 * found by HOST_ROOT in its environment, and ended with its server.
 */
#ifndef TUTTI_SANDBOX_HOSTS_H
#define TUTTI_SANDBOX_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "providers/sandbox/hostkey.h"
#include "providers/sandbox/watch.h"

struct sandbox_hosts;

/* What a server says of itself. */
struct sandbox_host_address {
        unsigned port;                  /* 0 when it cannot be logged in to */
        char key[SANDBOX_HOSTKEY_TEXT]; /* "ssh-ed25519 AAAA..." */
};

/* `directory` is where the hosts live (created if need be); NULL for a temporary one that goes with the hosts. With `enabled`
 * false, or without a usable sshd, there are no hosts, and sandbox_hosts_note says why. Ends what an earlier
 * sandbox that was killed left running there. Errors: SYSTEM. */
struct sandbox_hosts *sandbox_hosts_new(
    struct sandbox_watches *watches, const char *directory, bool enabled, struct error **err);
/* Ends all sessions. NULL-safe. */
void sandbox_hosts_free(struct sandbox_hosts *hosts);
CLEANUP(struct sandbox_hosts *, sandbox_hosts_free);

/* Why servers cannot be logged in to; NULL when they can. */
const char *sandbox_hosts_note(const struct sandbox_hosts *hosts);
const char *sandbox_hosts_user(const struct sandbox_hosts *hosts);

/* Makes a door for server `id`, on `port` if that is free and not 0; it opens at `sandbox_hosts_open`. The key and home of an
 * earlier run are kept. `name` becomes HOST_NAME in sessions. On failure (no free descriptor, disk full) there is none. */
int sandbox_hosts_start(struct sandbox_hosts *hosts, const char *id, const char *name, unsigned port,
    struct sandbox_host_address *ret, struct error **err);
/* Lets logins in from `at` (monotonic ms) on: until then a connection is closed at once, as while a machine boots. */
void sandbox_hosts_open(struct sandbox_hosts *hosts, const char *id, int64_t at);
int sandbox_hosts_rename(struct sandbox_hosts *hosts, const char *id, const char *name, struct error **err);
/* Sets who may log in: lines for authorized_keys. Takes effect from the next login on. */
int sandbox_hosts_authorize(
    struct sandbox_hosts *hosts, const char *id, const char *const *keys, size_t count, struct error **err);
/* Closes the door, ends its sessions and all they started, removes its home. */
void sandbox_hosts_stop(struct sandbox_hosts *hosts, const char *id);
/* Removes the homes of all servers that were not started: leftovers of a crash. */
void sandbox_hosts_tidy(struct sandbox_hosts *hosts);
/* Collects sessions that ended; to be called on SIGCHLD. */
void sandbox_hosts_reap(struct sandbox_hosts *hosts);

#endif
