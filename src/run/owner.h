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

/* Refuses rows that would record one object at two addresses, of theirs or of the state. O(n log n). */
int owner_check_rows(const struct state *state, const struct resource_row *rows, size_t count,
    const struct sealer *sealer, struct error **err);

/*
 * A step came by an object: it found it, was answered with it, or a person named it. NULL: it is the step's from now on, for the whole run,
 * whether or not it is recorded in the end; else whose it is already: the address of what is recorded, set aside, or being made. One that is
 * replaced only after its successor was made is not its own successor.
 */
const char *owner_claim(struct step_run *r, const char *id);
/* The step's object is gone. */
void owner_leave(struct step_run *r);

#endif
