/*
 * What is known about the keys of SSH hosts: a key that the template gives, and known_hosts files. For ssh*.c only.
 */
#ifndef TUTTI_IO_SSH_KNOWN_H
#define TUTTI_IO_SSH_KNOWN_H

#include "base/text.h"
#include "io/ssh.h"

enum ssh_trust { SSH_KEY_UNKNOWN, SSH_KEY_KNOWN, SSH_KEY_DIFFERS, SSH_KEY_REVOKED };

/* The keys known for one host: "type base64" each. `struct ssh_known known = {0};` */
struct ssh_known {
        struct ssh_known_key {
                char *type, *base64;
                bool revoked;
        } * keys;
        size_t count, capacity;
        char *source; /* "the template", or the files, for messages */
};

/* Gathers what is known of `host`. ERROR_INPUT (a malformed key in the template), ERROR_DENIED and others of file_read. */
int ssh_known_load(struct ssh_known *known, const struct ssh_host *host, struct error **err);
/* `key` is "type base64". */
enum ssh_trust ssh_known_check(const struct ssh_known *known, const char *key);
void ssh_known_release(struct ssh_known *known);

/* Whether a line of a known_hosts file (`hosts` is its first field) speaks of `name`: lists, * and ?, ! and |1| hashes. */
bool ssh_known_match(const char *hosts, const char *name);

#endif
