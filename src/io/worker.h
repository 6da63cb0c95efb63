/*
 * One worker thread for blocking calls (the database), in order of submission.
 */
#ifndef TUTTI_IO_WORKER_H
#define TUTTI_IO_WORKER_H

#include "io/loop.h"

struct worker;

int worker_new(struct loop *loop, struct worker **ret, struct error **err);
/* Waits for what was submitted; callbacks that did not run yet are run. NULL-safe. */
void worker_free(struct worker *worker);

/* `work` runs on the worker thread, then `done` on the loop's thread. The two never overlap for one context. */
void worker_submit(
    struct worker *worker, void (*work)(void *context), void (*done)(void *context), void *context);

#endif
