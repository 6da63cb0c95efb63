/*
 * The guard of local commands: a process of our own that outlives us for as long as it takes to end what we ran.
 *
 * A command must not go on when the program that started it has died, however it died: a second copy would be started beside it. A
 * process that is killed cannot see to that, and the kernel's own means (PR_SET_PDEATHSIG) reaches only a direct child, not its
 * group. So there is a guard: it is told of each process group as it starts and ends, through a pipe, and when the pipe
 * closes because we are gone it ends the groups that are left: SIGTERM, then SIGKILL for what remains when the leader has ended, or after
 * 5 s.
 *
 * Others can wait for that: in the lock file, byte P is locked for as long as the guard of process P lives.
 */
#ifndef TUTTI_IO_GUARD_H
#define TUTTI_IO_GUARD_H

#include <sys/types.h>

#include "base/error.h"

struct guard;

enum { GUARD_GROUPS_MAX = 4096 }; /* at once */

/* Forks it; also where there are threads. `lock_file` is made if it does not exist; NULL, or one that cannot be opened or locked, is done
 * without: then nobody can wait. ERROR_SYSTEM. */
int guard_start(const char *lock_file, struct guard **ret, struct error **err);
/* Ends it; groups that it knows of still are ended, as if we had died. NULL-safe. */
void guard_free(struct guard *guard);

/* `group` is the id of a process group, and of its leader, that lives. When this has returned 0 it does not outlive us. ERROR_SYSTEM:
 * the guard is gone, or has too many. */
int guard_add(struct guard *guard, pid_t group, struct error **err);
/* The leader has ended and was reaped just now: what it left behind is no business of the guard. Harmless for one it does not know. */
void guard_remove(struct guard *guard, pid_t group);

/* Waits until the guard of process `pid`, which is dead, has ended as well; at once where there is none. ERROR_BUSY: not within
 * `ms`. */
int guard_await(const char *lock_file, long pid, long ms, struct error **err);

#endif
