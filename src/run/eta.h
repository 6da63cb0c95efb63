/*
 * What is left of a run: how long it may still take, and the path that decides it.
 *
 * From the estimates that the plan made, and from how far each step is: the longest way to the end, or what is left to do for a provider
 * over what it does at once, whichever takes longer. Waiting for people is not counted.
 */
#ifndef TUTTI_RUN_ETA_H
#define TUTTI_RUN_ETA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eta_step {
        const char *address; /* NULL: not shown in the path (a join) */
        const char *type;    /* up to its first dot, the provider; NULL: none */
        double seconds;      /* expected */
        double share;        /* of these, over what its provider does at once; 0: no limit */
        double remaining;    /* expected from its start to the end of the plan, along the longest path */
        int64_t next;        /* the step that follows on this path: an index; -1: none */
        int64_t running_ms;  /* how long it has been going; -1: not begun */
        bool over;
};

struct eta {
        double seconds;
        const char **
            path; /* addresses of what is not over on the longest path, in order; borrowed, the array is owned */
        size_t path_count;
};

/* `next` indexes `steps`, and goes forward only. */
void eta_tell(const struct eta_step *steps, size_t count, struct eta *ret);
void eta_release(struct eta *eta);

#endif
