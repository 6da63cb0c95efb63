/* Messages that were not delivered yet, for `notify` and `status`. Internal to cli/. */
#ifndef TUTTI_CLI_NOTIFY_REPORT_H
#define TUTTI_CLI_NOTIFY_REPORT_H

#include "base/text.h"
#include "state/store.h"

/* Appends [{delivery, event, target, run, attempts, error, created, next}]. */
void notify_json(const struct notification_row *rows, size_t count, struct text *out);
/* A line for each; `file`: the environment's, for a hint, or NULL. */
void notify_print(const struct notification_row *rows, size_t count, const char *file);

#endif
