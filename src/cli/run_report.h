/* One run with its steps and gates, for status and show. Internal to cli/. */
#ifndef TUTTI_CLI_RUN_REPORT_H
#define TUTTI_CLI_RUN_REPORT_H

#include "cli/options.h"

/* Prints it; `timeline` adds when each step ran, as bars. Gives the exit code. */
int run_report(struct session *s, const struct options *o, const char *run, bool timeline);

#endif
