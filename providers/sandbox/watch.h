/*
 * Descriptors that the server's one thread waits for: each watch names the function to call.
 */
#ifndef TUTTI_SANDBOX_WATCH_H
#define TUTTI_SANDBOX_WATCH_H

#include <stdint.h>
#include "base/error.h"

/* To be embedded in what owns the descriptor. */
struct sandbox_watch {
        void (*ready)(struct sandbox_watch *watch, uint32_t events);
};

struct sandbox_watches {
        int epoll;
};

int sandbox_watches_open(struct sandbox_watches *watches, struct error **err);
void sandbox_watches_close(struct sandbox_watches *watches);
/* `events` as in epoll(7), level-triggered. */
int sandbox_watches_add(struct sandbox_watches *watches, int fd, uint32_t events, struct sandbox_watch *watch,
    struct error **err);
void sandbox_watches_remove(struct sandbox_watches *watches, int fd);
/* Waits up to timeout_ms (-1: for ever) and calls at most one watch, so that a watch may free any other. */
int sandbox_watches_run(struct sandbox_watches *watches, int timeout_ms, struct error **err);

#endif
