/*
 * Recovery steps: what a step's `on_failure: {run: [names]}` runs once it has failed for good, one after the other, before the policy
 * takes effect. Until then they stand by: no part of the order, and neither remaining nor skipped.
 *
 * Failures queue up: the next one's recovery begins when the one before it is over. A resource's recovery steps run once in a run,
 * however many of its instances fail. A recovery step that fails ends its recovery. Internal to run/.
 */
#ifndef TUTTI_RUN_RECOVERY_H
#define TUTTI_RUN_RECOVERY_H

#include "run/executor_internal.h"

/* Before the start: recovery steps stand by. */
void recovery_prepare(struct executor *x);
/* Going on with a run: what had failed and has recovery steps stays failed; what they have not done yet is done, then the policy follows. */
void recovery_recall(struct executor *x);
/* The step has failed for good. True: its recovery steps run, and step_apply_policy follows; false: it has none. */
bool recovery_begin(struct step_run *failed, const char *message);
/* A recovery step has ended. */
void recovery_step_over(struct step_run *r);
/* Starts the next recovery step if it can start now. Whether any is under way or still to start; one that waits for an answer to a
 * question about it holds up the others, and is not under way. */
bool recovery_go_on(struct executor *x);
void recovery_release(struct executor *x);

#endif
