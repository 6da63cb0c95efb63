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

#endif
