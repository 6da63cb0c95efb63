/*
 * What one provider may be asked for at once: operations in parallel and requests per second.
 *
 * Waiting is by event: a slot or a request token that becomes free starts the longest waiting of the most urgent.
 */
#ifndef TUTTI_RUN_LIMIT_H
#define TUTTI_RUN_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include "io/loop.h"

struct limiter;

/* parallel 0: no limit; rate 0: no limit, else requests per second with a burst of one second's worth (at least 1). */
struct limiter *limiter_new(unsigned parallel, double rate);
void limiter_free(struct limiter *limiter);

/* Takes a slot if one is free. */
bool limiter_enter(struct limiter *limiter);
void limiter_leave(struct limiter *limiter);
bool limiter_full(const struct limiter *limiter);

/* Milliseconds until the next request may leave, which is thereby booked; 0: now. */
int64_t limiter_book(struct limiter *limiter, int64_t now_ms);
/* The cloud said "too many": nothing leaves before `now + pause`, and the rate is halved; it recovers with success (AIMD). */
void limiter_throttled(struct limiter *limiter, int64_t now_ms, int64_t pause_ms);
void limiter_succeeded(struct limiter *limiter, int64_t now_ms);

#endif
