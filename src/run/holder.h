/* The holder of a lease as text, so that its death can be told: user@host, pid, the pid's start time, boot. */
#ifndef TUTTI_RUN_HOLDER_H
#define TUTTI_RUN_HOLDER_H

#include <stdbool.h>

/* This process. The caller frees. */
char *holder_text(void);
/* Only a process of this boot of this machine can be known to be gone. */
bool holder_is_dead(const char *holder);
/* Its pid, if it is a process of this boot of this machine; else 0. */
long holder_pid(const char *holder);
/* For people: "ann@build1 (pid 17)". The caller frees. */
char *holder_short(const char *holder);

#endif
