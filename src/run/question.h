/*
 * Questions: a step that failed waits for a person to say what becomes of it.
 *
 * `on_failure: ask` offers retry, skip (as though the policy were stop-dependants) and abort (stop-run), and where it is not known whether a
 * creation happened also adopt (it was made: take it over, by its id where the type can be imported) and forget (drop the intent). A creation
 * whose reply was lost and that nothing can tell of offers adopt, retry (it was not made: make it) and forget; so does the removal of what such
 * a creation may have made, where retry makes it once more to find out, adopt removes what has that id, and forget leaves alone whatever is there.
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
/* Nothing could tell whether there is an object, and a person said what to do about that. */
bool question_was_undecided(const struct step_run *r);
/* Going on with a run, before anything starts: an answer that ended it ends it. */
void question_recall(struct executor *x);
void question_free(struct step_run *r);

#endif
