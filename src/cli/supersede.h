/* What another run takes the place of, told before it does: for apply, destroy and rollback. Internal to cli/. */
#ifndef TUTTI_CLI_SUPERSEDE_H
#define TUTTI_CLI_SUPERSEDE_H

#include "cli/options.h"

/*
 * Where a run waits or was interrupted, whose place the plan at hand will take: says so, with its gates and what was answered at them, and
 * that `tutti resume` would go on with it, if nothing is missing. With --json an event `run-superseded`. Nothing where there is no such
 * run, or somebody works at it. Trouble with reading it is left to what follows.
 */
void supersede_tell(struct session *s, const struct options *o);

#endif
