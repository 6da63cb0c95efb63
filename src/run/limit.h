/*
 * What one provider may be asked for at once: operations in parallel, and requests per second.
 *
 * Knows no clock and no loop: times are given, so that it can be tested against a simulated cloud. Who waits for a request's turn is
 * in turn.h.
 *
 * The rate is found by additive increase and multiplicative decrease (AIMD), with what the cloud accepts as the measure: a cloud that
 * throttles has given all that it allows, so between two throttlings it accepted exactly its rate, pauses included. After a throttling the
 * rate is a little below that, and grows with every request that is accepted, slowly around what is known, fast beyond it.
 */
#ifndef TUTTI_RUN_LIMIT_H
#define TUTTI_RUN_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct limiter;

/* parallel 0: no limit; rate 0: no limit, else at most so many requests per second with a burst of one second's worth (at least 1). */
struct limiter *limiter_new(unsigned parallel, double rate);
void limiter_free(struct limiter *limiter);

/* Takes a slot if one is free. */
bool limiter_enter(struct limiter *limiter);
/* Gives one back. False when none was taken: the caller has lost count, and reports that (error_internal). */
bool limiter_leave(struct limiter *limiter);
bool limiter_full(const struct limiter *limiter);

/* 0: a request may leave now, and is counted. Else the milliseconds after which to ask again. */
int64_t limiter_take(struct limiter *limiter, int64_t now_ms);
/* A request was answered with anything but "too many". */
void limiter_accepted(struct limiter *limiter);
/* The cloud said "too many", and how long to wait (0: it did not say). Nothing leaves before that; those that were refused in the
 * same burst count once. Returns the milliseconds of the pause. */
int64_t limiter_throttled(struct limiter *limiter, int64_t now_ms, int64_t retry_after_ms);
/* Requests per second at this moment; 0: not limited. */
double limiter_rate(const struct limiter *limiter);

#endif
