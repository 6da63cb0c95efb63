/*
 * The rule of a run's end: it is over only when each of its steps has an end (done, failed, skipped, a recovery step that was not needed), or a
 * reason not to have one (the run was stopped, or the step waits for people, or for another step that has such a reason). A step that nothing
 * holds back and that did not run is a fault of the program, and such a run is never `done`.
 */
#ifndef TUTTI_RUN_ENDING_H
#define TUTTI_RUN_ENDING_H

#include "run/executor_internal.h"

/* Names the first step that has neither; see error_internal. */
int ending_check(const struct executor *x, struct error **err);

#endif
