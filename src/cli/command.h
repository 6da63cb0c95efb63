/*
 * The command table: one entry per command, one cmd_<name>.c each.
 */
#ifndef TUTTI_CLI_COMMAND_H
#define TUTTI_CLI_COMMAND_H

#include "cli/options.h"

enum exit_code {
        EXIT_DONE = 0,
        EXIT_FAILED = 1,
        EXIT_CHANGES = 2, /* with --detailed-exitcode */
        EXIT_WAITING = 3,
        EXIT_INPUT = 4,
        EXIT_BUSY = 5,
        EXIT_INTERRUPTED = 130,
};

struct command {
        const char *name;
        const char *arguments; /* "ENV.yaml [-o FILE]" */
        const char *summary;   /* one line */
        const char *details;   /* a paragraph and examples, for `tutti help NAME` */
        unsigned flags;        /* accepted: OPTION_* */
        int positional_min, positional_max;
        int (*run)(const struct options *options);
};

extern const struct command commands[]; /* ends with a NULL name */
const struct command *command_find(const char *name);

int cmd_approve(const struct options *o);
int cmd_approver(const struct options *o);
int cmd_apply(const struct options *o);
int cmd_audit(const struct options *o);
int cmd_check(const struct options *o);
int cmd_destroy(const struct options *o);
int cmd_drift(const struct options *o);
int cmd_eval(const struct options *o);
int cmd_graph(const struct options *o);
int cmd_help(const struct options *o);
int cmd_import(const struct options *o);
int cmd_init(const struct options *o);
int cmd_notify(const struct options *o);
int cmd_output(const struct options *o);
int cmd_plan(const struct options *o);
int cmd_provider(const struct options *o);
int cmd_resume(const struct options *o);
int cmd_rollback(const struct options *o);
int cmd_runs(const struct options *o);
int cmd_schema(const struct options *o);
int cmd_show(const struct options *o);
int cmd_state(const struct options *o);
int cmd_status(const struct options *o);
int cmd_version(const struct options *o);

#endif
