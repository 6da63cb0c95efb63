/*
 * Replies that are held back until a moment: for a client that would rather wait for an object than ask again and again. A heap, the
 * soonest first.
 */
#ifndef TUTTI_SANDBOX_HOLD_H
#define TUTTI_SANDBOX_HOLD_H

#include <stddef.h>
#include <stdint.h>

struct sandbox_holds {
        struct sandbox_held {
                int64_t until; /* monotonic, ms */
                void *what;
        } * items;
        size_t count, capacity;
};

void sandbox_holds_release(struct sandbox_holds *holds);
void sandbox_holds_add(struct sandbox_holds *holds, int64_t until, void *what);
/* Takes out the soonest if its moment has come; NULL when none has. */
void *sandbox_holds_take(struct sandbox_holds *holds, int64_t now);
/* Milliseconds until the soonest; -1 when there is none. */
int64_t sandbox_holds_next(const struct sandbox_holds *holds, int64_t now);

#endif
