/*
 * Questions: a step that failed waits for a person to say what becomes of it.
 *
 * Two kinds. `on_failure: ask` offers retry, skip (as though the policy were stop-dependants) and abort (stop-run). A creation whose reply
 * was lost, of a type that cannot be looked up, offers adopt (it was made: take it over, by its id where the type can be imported),
 * retry (it was not: make it) and forget (drop the intent; the step fails).
 *
 * A question is a gate (gate.h): durable, answered at the terminal or with `tutti approve`, under the same rules, by whomever the environment
 * names. Its name is the step's address and ":failed", from the second failure on ":failed-2" and so on. An answer is one of the choices;
 * adopt may be followed by a blank and the id. Internal to run/.
 */
#ifndef TUTTI_RUN_QUESTION_H
#define TUTTI_RUN_QUESTION_H

#include "run/executor_internal.h"

/* What can be said to it, "retry|skip|abort", or NULL; the caller frees. */
char *question_choices(const struct step_run *r);
/* How often it was asked about in this run. A retry is another try at the world: it carries another token. */
unsigned question_count(const struct step_run *r);
/* The step failed with `message`: asks, and true; false where nobody is to be asked. `ambiguous` as in struct operation_outcome. */
bool question_ask(struct step_run *r, const char *message, bool ambiguous);
/*
 * Before a step starts: what was asked about it before, by whichever process drove the run. True: it may start. False: it is asked
 * again, or the answer ended it.
 */
bool question_before(struct step_run *r);
/* Going on with a run, before anything starts: an answer that ended it ends it. */
void question_recall(struct executor *x);
void question_free(struct step_run *r);

#endif
