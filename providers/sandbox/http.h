/*
 * The practice cloud over HTTP/1.1, on libmicrohttpd: authentication, bounds, rate limit, faults, and replies that
 * leave only once the effects they tell of are durable.
 *
 * libmicrohttpd runs inside the server's own loop (one thread, epoll), so there are no locks, and thousands of
 * connections cost a descriptor each. A request that waits for the disk, or hangs by order, is suspended.
 */
#ifndef TUTTI_SANDBOX_HTTP_H
#define TUTTI_SANDBOX_HTTP_H

#include <stdbool.h>
#include "base/error.h"
#include "providers/sandbox/cloud.h"
#include "providers/sandbox/watch.h"

struct sandbox_http;

/* Serves on `listener`, a listening socket that it takes over. `token` is borrowed. */
struct sandbox_http *sandbox_http_new(struct sandbox_watches *watches, struct sandbox_cloud *cloud,
    int listener, const char *token, struct error **err);
void sandbox_http_free(struct sandbox_http *http); /* NULL-safe */
CLEANUP(struct sandbox_http *, sandbox_http_free);

/* How long the loop may wait before sandbox_http_run: ms, or -1. */
int sandbox_http_timeout(const struct sandbox_http *http);
/* Takes in requests, makes their effects durable, sends replies. Fails when the disk does. */
int sandbox_http_run(struct sandbox_http *http, struct error **err);

#endif
