/*
 * Who holds a lease, in words from which others can tell whether it lives still, and for how long a lease is good.
 */
#ifndef TUTTI_RUN_HOLDER_H
#define TUTTI_RUN_HOLDER_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* This process: user@host (pid, the process's start time, boot id, the namespace that the pid is of). The caller frees. */
char *holder_text(void);
/* Only what can be known is said: the holder is a process of this boot and namespace, and no such process runs any more. */
bool holder_is_dead(const char *holder);
/* Its pid, if it is a process of this boot and namespace; else 0. */
long holder_pid(const char *holder);
/* For people: "ann@build1 (pid 17)". The caller frees. */
char *holder_short(const char *holder);
/* The time to live of leases that this process takes: TUTTI_LEASE_TTL (1s to 1h), else 30 s. ERROR_INPUT. */
int holder_lease_ttl(int64_t *ms, struct error **err);

#endif
