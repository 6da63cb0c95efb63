/*
 * Commands as resources, shared by the providers exec (this machine) and ssh (a host): the same properties, the same state
 * machine; only the way a command is run differs.
 */
#ifndef TUTTI_PROVIDERS_COMMAND_H
#define TUTTI_PROVIDERS_COMMAND_H

#include "providers/provider.h"

extern const struct tutti_property command_properties[], command_outputs[];
enum { COMMAND_PROPERTIES = 8, COMMAND_OUTPUTS = 4 };

/* How a shell command is run: one wait. `script` is text for a POSIX shell. */
typedef enum tutti_result command_runner(struct tutti_op *op, const char *script, struct tutti_bytes input);

/* One step of create, update, delete or read. `host` and `run` are the plug-in's. */
enum tutti_result command_step(const struct tutti_host *host, struct tutti_op *op, command_runner *run);

/* `s` in single quotes for a POSIX shell; malloc'ed. */
char *command_quote(const char *s);

#endif
