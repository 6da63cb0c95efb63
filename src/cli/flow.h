/* What apply, destroy, resume and rollback have in common: asking, running, and undoing what failed. Internal to cli/. */
#ifndef TUTTI_CLI_FLOW_H
#define TUTTI_CLI_FLOW_H

#include "cli/options.h"

enum flow_kind { FLOW_NEW, FLOW_RESUME };

/* Runs the session's plan, or goes on with the unfinished run, and prints how it ended. Where its failure asks for a rollback, that is
 * planned, shown and run as well. Returns the exit code. */
int flow_run(struct session *s, const struct options *o, enum flow_kind kind);
/* With --wait: waits until nobody holds the environment. Returns the exit code. flow_run gives FLOW_AGAIN in place of one,
 * without a word, when somebody was faster and there is time left: begin anew with waiting. */
int flow_await(struct session *s, const struct options *o);
enum { FLOW_AGAIN = -1 };
/* Refused before anything is touched: a run in a name that is not to be had (--as); and, with `undoes`, where an earlier run is to be undone
 * first, and a yes is needed that nobody can say. EXIT_DONE otherwise. */
int flow_check_user(struct session *s, const struct options *o, bool undoes);
/* A rollback that is due, or was interrupted, comes before anything else. EXIT_DONE when there is none, or none any more. */
int flow_settle_rollback(struct session *s, const struct options *o);
/* Undoes a run that failed: the way back to the state before it. *undone, unless NULL: whether that state was reached. Returns
 * EXIT_FAILED even then, as the run has failed. */
int flow_undo(struct session *s, const struct options *o, const char *run, bool *undone);
/* Whether a yes was given beforehand, or somebody is there to say it. */
bool flow_can_confirm(const struct options *o);
/* False, with the reason printed and *code set, when nobody said yes: EXIT_INTERRUPTED when somebody said no. */
bool flow_confirm(const struct options *o, const char *question, int *code);
/* Nothing is to be done: what changed of the order of things is recorded all the same, without a word. EXIT_DONE, or FLOW_AGAIN as above. */
int flow_record_orders(struct session *s, const struct options *o);
void flow_show_outputs(struct session *s, const struct options *o);

#endif
