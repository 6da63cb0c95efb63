/*
 * What a run was recorded with, proved by the store's key.
 *
 * `resume`, settling and the way back build plans from what the record says a run was planned from. Whoever can write the database could
 * put other sources there. So each run that has a plan gets a proof when it is recorded: digests of who it is of, of its plan and of
 * its steps, sealed with the key. Who has not the key can make no other, and one of another run, or of a plan that was edited since,
 * does not fit. What the plan is applied *to* (resources, intents, statuses) is not part of it: see docs/state.md.
 */
#ifndef TUTTI_RUN_PROOF_H
#define TUTTI_RUN_PROOF_H

#include "lang/value.h"
#include "state/store.h"

struct proved { /* all borrowed */
        const char *environment, *lineage;
        const struct run_row *run;    /* with its plan, where that is to be proved */
        const struct step_row *steps; /* all of the run, in their order */
        size_t step_count;
};

/* Kinds of runs that act on the world by a plan: the ones that have a proof. */
bool run_acts(const char *kind);

/* The proof of a run with its plan and steps; the caller frees it. */
int proof_write(const struct proved *p, const struct sealer *sealer, char **proof, struct error **err);

/* Besides the run itself, which is always looked at. */
enum proof_part { PROOF_PLAN = 1, PROOF_STEPS = 2 };
/*
 * Holds the run against its own proof: environment, lineage, id, kind, requester, policy, what it undoes and follows, plan digest and beginning, and
 * the `parts` (of enum proof_part). ERROR_DENIED, saying what differs, or that there is no proof, or that it is none of this key.
 */
int proof_check(const struct proved *p, unsigned parts, const struct sealer *sealer, struct error **err);

#endif
