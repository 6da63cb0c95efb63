/* What plan, apply, destroy and drift have in common: opening and planning with progress. Internal to cli/. */
#ifndef TUTTI_CLI_WORK_H
#define TUTTI_CLI_WORK_H

#include "cli/options.h"

/* Opens the environment named by the first argument. NULL with the problems printed and *code set. */
struct session *work_open(const struct options *o, int *code);
/* For commands that only look at the record: a broken template is no obstacle; the store must exist. */
struct session *work_open_record(const struct options *o, bool write, int *code);
/* Plans with a line of progress on a terminal. -1 with the problems printed and *code set. */
int work_plan(struct session *s, const struct options *o, enum plan_mode mode, struct plan **plan, int *code);

/* A plan on standard output, for people or as JSON; 0 is the first of its rounds. Returns the exit code. */
int work_show_plan(const struct options *o, const struct plan *plan, int round);
/* Saves the session's plan to -o FILE. Returns the exit code. */
int work_save_plan(const struct options *o, struct session *s);
enum { WORK_ROUNDS_MAX = 50 }; /* of planning what was deferred */

#endif
