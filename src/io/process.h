/*
 * Local commands: an argv, never a shell unless the argv names one. None outlives us: see io/guard.h.
 */
#ifndef TUTTI_IO_PROCESS_H
#define TUTTI_IO_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include "io/loop.h"

struct process_request {
        const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
        const char *const *env; /* "NAME=value", NULL-terminated, added to ours without TUTTI_…; NULL: none */
        const char *folder;     /* to run in; NULL: ours */
        const void *input;
        size_t input_len;
        int64_t timeout_ms; /* then SIGTERM, after 5 s SIGKILL, to its whole process group; 0: none */
        size_t output_max;  /* as in ssh_request */
};

struct process_reply {
        int exit_status; /* -1 when a signal ended it */
        int exit_signal; /* or 0 */
        char *out, *err;
        size_t out_len, err_len;
        bool truncated;
};

struct process;

/* Copies the request. One callback follows unless cancelled (which kills the group). Error kinds: MISSING (no such
 * program), TIMEOUT, SYSTEM. */
typedef void process_done(void *context, const struct process_reply *reply, const struct error *error);
struct process *process_start(
    struct loop *loop, const struct process_request *request, process_done *done, void *context);
void process_cancel(struct process *process);

#endif
