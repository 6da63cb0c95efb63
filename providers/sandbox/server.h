/*
 * The practice cloud as a program: a small cloud on loopback, for first steps, tests and benchmarks.
 */
#ifndef TUTTI_SANDBOX_SERVER_H
#define TUTTI_SANDBOX_SERVER_H

#include <stdbool.h>
#include "base/error.h"

/* All texts are as on the command line, and borrowed. */
struct sandbox_options {
        const char *listen;   /* "127.0.0.1:7070", "[::1]:0"; port 0 picks a free one. NULL: 127.0.0.1:7070 */
        const char *token;    /* NULL: one is drawn, and printed with the address */
        const char *latency;  /* "50ms", "50ms-150ms". NULL: none */
        const char *rate;     /* "50/s". NULL: no limit */
        const char *data;     /* a directory that keeps the objects over restarts. NULL: memory only */
        bool no_ssh;          /* servers are records only */
        bool allow_public;    /* lets `listen` name an address that others can reach */
        bool duplicate_names; /* lets two objects of a type have the same name */
        bool ignore_keys;     /* an Idempotency-Key means nothing */
};

/*
 * Serves until SIGINT, SIGTERM or a hang-up, then returns 0 and leaves no process behind. Prints one line on standard output once it
 * is ready: "sandbox ready on http://127.0.0.1:7070, SSH servers available", and the token when it drew one. Must be called
 * from the main thread of a process that does nothing else meanwhile. Errors: INPUT for an option or a damaged
 * journal, BUSY when another sandbox has the data directory, SYSTEM.
 */
int sandbox_serve(const struct sandbox_options *options, struct error **err);

#endif
