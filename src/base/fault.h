/*
 * Fault points: named places where a test can make the world fail, or kill the process.
 *
 * A point stands before every effect on the world outside: an HTTP reply taken in, a state write, a file
 * read, a provider step. Without TUTTI_FAULT in the environment a point costs one predictable branch.
 *
 *     TUTTI_FAULT=count:FILE          append one line per point passed
 *     TUTTI_FAULT=fail:N              the N-th point passed fails (counting from 1)
 *     TUTTI_FAULT=kill:N              the process kills itself (SIGKILL) at the N-th point
 */
#ifndef TUTTI_BASE_FAULT_H
#define TUTTI_BASE_FAULT_H

#include <stdbool.h>

/* True when the caller must behave as though its next step failed. */
bool fault_here(const char *point);

#endif
