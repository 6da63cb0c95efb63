/* Files on a host: ssh.file. Its content is compared by checksum, so that a plan shows drift without holding the content. */
#ifndef TUTTI_PROVIDERS_SSH_FILE_H
#define TUTTI_PROVIDERS_SSH_FILE_H

#include "providers/exec/command.h"

extern const struct tutti_type file_type;

/* Fills in the wanted checksum where the content is known. 0, or -1 with a malloc'ed *problem. */
int file_plan(const struct tutti_host *host, const struct value *prior, const struct value *proposed,
    struct tutti_planned *planned, char **problem);
/* One step. Every wait is by `run`, with the path and the like on standard input. */
enum tutti_result file_step(const struct tutti_host *host, struct tutti_op *op, command_runner *run);

#endif
