/*
 * Commands as resources, shared by the providers exec (this machine) and ssh (a host): the same properties, the same state
 * machine; only the way a command is run differs.
 */
#ifndef TUTTI_PROVIDERS_COMMAND_H
#define TUTTI_PROVIDERS_COMMAND_H

#include "providers/provider.h"

extern const struct tutti_property command_properties[], command_outputs[];
enum { COMMAND_PROPERTIES = 8, COMMAND_OUTPUTS = 4 };

/* How a shell command is run: one wait. `command` is text for a POSIX shell, and holds nothing that is secret. */
typedef enum tutti_result command_runner(struct tutti_op *op, const char *command, struct tutti_bytes input);

/* One wait for `script`, which may hold secrets: it goes by standard input, ahead of `input`, so that no list of processes shows it.
 * Without input (data NULL) the script's standard input is /dev/null. Fails where the script is larger than 256 KiB. */
enum tutti_result command_run(const struct tutti_host *host, struct tutti_op *op, command_runner *run,
    const char *script, struct tutti_bytes input);

/* One step of create, update, delete or read. `host` and `run` are the plug-in's. */
enum tutti_result command_step(const struct tutti_host *host, struct tutti_op *op, command_runner *run);

/* `s` in single quotes for a POSIX shell; malloc'ed. */
char *command_quote(const char *s);

#endif
