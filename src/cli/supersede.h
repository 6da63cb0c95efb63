/* What another run takes the place of, told before it does: for apply, destroy and rollback. Internal to cli/. */
#ifndef TUTTI_CLI_SUPERSEDE_H
#define TUTTI_CLI_SUPERSEDE_H

#include "cli/options.h"

/*
 * Where a run waits or was interrupted and nobody works at it, whose place the plan at hand will take: says so, with its gates and what was answered at them, and
 * that `tutti resume` would go on with it, if nothing is missing. With --json an event `run-superseded`. Trouble with reading it is left to what
 * follows. Returns the exit code: a run that somebody else started, and that waits for people, gives way to a --yes only with --supersede.
 */
int supersede_tell(struct session *s, const struct options *o);
/* Tells it and asks `question`, as flow_confirm does. `empty`: the plan has nothing to do, so a yes is needed only where a run gives way. */
bool supersede_confirm(
    struct session *s, const struct options *o, bool empty, const char *question, int *code);
/* The plan at hand has nothing to do, so no run will take its place: tells it all the same and, after a yes, ends it. Where nobody can say yes
 * it goes on waiting, which is said. Returns the exit code. Not with --json, where a run without steps takes its place. */
int supersede_end(struct session *s, const struct options *o);

#endif
