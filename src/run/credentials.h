/*
 * The credentials of today for what was planned before: a run that goes on or is settled, the way back, a saved plan. Each works in the cloud
 * that it was planned for; but its tokens may have been exchanged since.
 */
#ifndef TUTTI_RUN_CREDENTIALS_H
#define TUTTI_RUN_CREDENTIALS_H

#include "plan/plan.h"
#include "template/schema.h"

/*
 * Replaces in *config (a reference of the caller's; NULL is nothing to replace) the credentials by those that the provider of that name has in
 * `present`, a plan of the environment as it stands, where `address` stands: all of them together, so that a key does not meet another's
 * secret; one that is not configured any more is left out, for the provider to find in the environment variables. Everything else, such as where the cloud
 * is, stays. Nothing is replaced where the environment does not configure that provider now, or its credentials cannot be told. `type` is of a resource.
 */
void credentials_renew(struct plan *present, const struct schema_source *schemas, const char *address,
    const char *provider, const char *type, struct value **config);

#endif
