/*
 * Processes that a host's sessions left running, found by a variable in their environment.
 */
#ifndef TUTTI_SANDBOX_STRAYS_H
#define TUTTI_SANDBOX_STRAYS_H

/* Kills every process of ours whose environment says HOST_ROOT=`root`, or HOST_ROOT=`root`/..., until there is
 * none. Never this process. */
void sandbox_strays_kill(const char *root);

#endif
