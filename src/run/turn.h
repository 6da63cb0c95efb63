/*
 * Turns: requests to one provider wait in line until its rate allows the next.
 *
 * One timer for the whole line, so that a pause or a new rate holds for all that wait, and nobody polls.
 */
#ifndef TUTTI_RUN_TURN_H
#define TUTTI_RUN_TURN_H

#include "base/ring.h"
#include "io/loop.h"
#include "run/limit.h"

struct turns;

/* The limiter is borrowed. */
struct turns *turns_new(struct limiter *limiter);
void turns_free(struct turns *turns); /* nobody waits any more */

struct turn {                /* embedded in what waits; zeroed before its first use */
        struct ring place;   /* in the line */
        struct turns *turns; /* NULL: does not wait */
        void (*ready)(void *context);
        void *context;
};

/* True when the request may leave at once. Else `ready` follows on a later turn of the loop, in the order of asking; `first`: before
 * all others, as one that was sent back. */
bool turn_take(struct turns *turns, struct loop *loop, struct turn *turn, bool first, void (*ready)(void *),
    void *context);
/* No `ready` follows. Harmless when it does not wait. */
void turn_cancel(struct turn *turn);

#endif
