/*
 * One object, one address: two resources that are one object would change and delete it behind each other's back. An object is told from all others
 * by its type, its id, the host that it is on, and where it lives: its account, or, in a record of an older program, the name of its provider block.
 * Internal to run/.
 */
#ifndef TUTTI_RUN_OWNER_H
#define TUTTI_RUN_OWNER_H

#include "run/executor_internal.h"

struct object {
        const char *type, *id;
        const char *provider,
            *account;             /* the name of its block; the text of its account, or NULL: not known */
        const struct value *host; /* or NULL */
};

/* The address other than `address` at which the object is recorded; borrowed from the state; NULL. O(n): for a single question. */
const char *owner_recorded(const struct state *state, const struct object *object, const char *address);

/* The same, before a run or by it, of an object that a step came by; NULL. */
const char *owner_of_id(struct step_run *r, const char *id);
/* The step recorded an object by this id, or its object is gone. */
void owner_take(struct step_run *r, const char *id);
void owner_leave(struct step_run *r);

#endif
