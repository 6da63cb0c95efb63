/*
 * Servers: which configuration of a provider serves an instance, and which one serves what is recorded. Internal to plan/.
 *
 * A record is served by the configuration that has its account, and by no other: its own block, at its own place or around that; else, where that
 * block is gone, the one that serves its instance now (it was renamed), or the environment variables where it is named like the provider
 * itself; else one that somebody named as accepted; else that block in the environment as it stands, where the plan is of one from before. Where none has the account, or there is
 * none, the plan is refused, before anything is read: what another cloud does not have was not deleted.
 */
#ifndef TUTTI_PLAN_SERVER_H
#define TUTTI_PLAN_SERVER_H

#include "plan/evaluation.h"

struct server {
        struct evaluation *ev; /* of the cell */
        struct cell *cell;     /* NULL: no block, but the environment variables */
        const char *name, *kind;
        const struct value *account; /* NULL: not known yet */
        const char *account_text;
        bool accepted; /* for a record of another account */
};

/* Of something that is made: its own configuration. In the arena. */
const struct server *server_of_instance(struct evaluation *ev, const struct instance *instance);
/* Of what is recorded; `instance` of the current template, or NULL. NULL with the reason, at the record's address. */
const struct server *server_of_record(struct evaluation *ev, const struct recorded *recorded,
    const struct instance *instance, struct error **err);
/* Finds the server of every record, and of what every open creation may have made, and keeps it. All that have none are problems. */
int servers_find(struct evaluation *ev, struct error **err);
/* As found, or NULL; while instances are still decided on, it is found here. */
const struct server *server_found(struct evaluation *ev, const struct recorded *recorded);

/* Who serves `address`, with the configuration as far as it is known now. `recorded` is that of the object that is acted upon, or NULL. */
int server_use(const struct server *server, const char *address, const struct recorded *recorded,
    struct provider_use *use, struct error **err);

#endif
