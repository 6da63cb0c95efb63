/*
 * The credentials of today for a run of yesterday: what is settled is that run's, in the cloud that it worked in, but its tokens may have
 * been exchanged since.
 */
#ifndef TUTTI_RUN_CREDENTIALS_H
#define TUTTI_RUN_CREDENTIALS_H

#include "plan/plan.h"
#include "template/schema.h"

/*
 * Replaces in *config (a reference of the caller's) those properties that are sensitive by those that the same provider has in `present`, a
 * plan of the environment as it stands. Everything else, such as where the cloud is, stays. What cannot be told is left as it was.
 */
void credentials_renew(struct plan *present, const struct schema_source *schemas, const struct step *step,
    struct value **config);

#endif
