/*
 * The one way to a provider: for steps of a run, reads, a provider's own planning, and imports. So the configuration of the place, the
 * current credentials, and the block's own limits hold whoever asks, also for the block of a nested template.
 */
#ifndef TUTTI_RUN_CONNECT_H
#define TUTTI_RUN_CONNECT_H

#include "plan/plan.h"
#include "run/plugin.h"

struct connector { /* borrowed */
        struct plugins *plugins;
        const struct schema_source *schemas;
        struct plan *present; /* whose credentials count (credentials.h); NULL: those of the use */
};

/* The connection for `use`, whose configuration must be known; borrowed, lives as long as the plugins. NULL with what is wrong. */
struct connection *provider_connect(const struct connector *connector, const struct provider_use *use,
    const struct schema *schema, struct error **err);

/* Gives a slot back, which limiter_enter took. An error is one of the program. */
int connection_leave(struct connection *connection, struct error **err);

#endif
