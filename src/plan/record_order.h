/*
 * The order that the record keeps: of each resource the addresses that it came after, some of its own (its references and `after` when it was
 * last applied), some inherited, because what stood between them is gone. It decides what is deleted first once the template does not say.
 *
 * Order survives what changes the record by hand: a move writes the new address wherever the old one stood, and what came after an address that is
 * forgotten comes after what that came after. These functions only say what is to be written.
 */
#ifndef TUTTI_PLAN_RECORD_ORDER_H
#define TUTTI_PLAN_RECORD_ORDER_H

#include "plan/plan.h"

enum { STATE_SPANS = 3 };
struct span {
        size_t first, end; /* indices into the state; `end` is not in it */
};
/* What is recorded at an address and at those that it covers, set-aside objects too. O(log V). */
void state_within(const struct state *state, const char *cover, struct span spans[STATE_SPANS]);
/* Whether a current object is recorded there that is not among `gone` (addresses; may be NULL). */
bool state_has_within(const struct state *state, const char *cover, const struct map *gone);

struct moved {
        const struct recorded *recorded;
        const char *to;
};
struct record_move {
        struct moved *moved; /* in the order of the state */
        size_t moved_count;
        struct record_order *orders; /* of resources under the addresses that they had before */
        size_t order_count;
};
/*
 * Everything that `from` covers gets an address that begins with `to`: one instance, all instances of a resource, a nested template. Where `to`
 * names one instance and `from` does not, only the one without an index is meant. All memory is the arena's. ERROR_MISSING when nothing is
 * recorded there, ERROR_CONFLICT when something is recorded at `to` already, ERROR_INPUT when one lies inside of the other.
 */
int record_move(const struct state *state, const char *from, const char *to, struct arena *arena,
    struct record_move *ret, struct error **err);
/* What is to be recorded of others when `r` is forgotten. */
void record_forget(
    const struct state *state, const struct recorded *r, struct arena *arena, struct record_move *ret);

#endif
