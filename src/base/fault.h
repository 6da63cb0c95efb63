/*
 * Fault points: named places where a test can make the world fail, or kill the process.
 *
 * A point stands before every effect on the world outside, and behind those after which a crash is another one: a request
 * that leaves (http.send), a reply taken in (http.reply, ssh.reply), a transaction before and after its commit (state.write,
 * state.written), a read of the store (state.read), a file (file.read, file.write), a provider step (provider.step). Without
 * TUTTI_FAULT in the environment a point costs one predictable branch. docs/torture.md tells what is done with them.
 *
 *     TUTTI_FAULT=count:FILE          append one line per point passed
 *     TUTTI_FAULT=fail:N              the N-th point passed fails (counting from 1)
 *     TUTTI_FAULT=kill:N              the process kills itself (SIGKILL) at the N-th point
 *     TUTTI_FAULT=stop:N              it stops (SIGSTOP) there, until somebody continues it
 */
#ifndef TUTTI_BASE_FAULT_H
#define TUTTI_BASE_FAULT_H

#include <stdbool.h>

/* True when the caller must behave as though its next step failed. */
bool fault_here(const char *point);

#endif
