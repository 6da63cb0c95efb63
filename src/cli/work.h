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

/* Whether a rollback that the session's plan may ask for would be possible; shown with the plan. Returns the exit code. */
int work_foresee(struct session *s, const struct options *o);
/* As the member `rollback` of a JSON object, with a comma before it; nothing where no rollback would be asked for. */
void work_outlook_json(const struct rollback_outlook *outlook, struct text *json);

/* Names what could not be read for the session's plan, if anything. */
void work_show_unread(const struct session *s);

/* The session's plan on standard output, for people or as JSON, and what was foreseen of it; 0 is the first of its rounds. Returns the exit
 * code. */
int work_show_plan(const struct options *o, struct session *s, const struct plan *plan, int round);
/* Before anything is done: ERROR_CONFLICT where `path` exists and is neither empty nor begins with `head`, as `what` does. A NULL path is
 * nothing to be written. */
int work_may_write(const char *path, const char *head, const char *what, struct error **err);
#define WORK_PLAN_HEAD "{\"format\":1,\"environment\":"

/* EXIT_DONE, or EXIT_INPUT with the problem printed, when --approve names what is a gate neither of the plan nor of the template. Where
 * parts of the plan are deferred it may come yet: that is a note. */
int work_check_approve(const struct session *s, const struct options *o, const struct plan *plan);

/* Saves the session's plan to -o FILE. Returns the exit code. */
int work_save_plan(const struct options *o, struct session *s);
enum { WORK_ROUNDS_MAX = 50 }; /* of planning what was deferred */

#endif
