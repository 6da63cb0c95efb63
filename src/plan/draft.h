/*
 * The table of steps while it is drawn up: steps in the order in which they are added, and edges of which some may give way. Drawn up
 * by table.c; deletion_order.c adds what decides the order of deletions beside the recorded addresses themselves. Internal to plan/.
 */
#ifndef TUTTI_PLAN_DRAFT_H
#define TUTTI_PLAN_DRAFT_H

#include "plan/evaluation.h"
#include "plan/graph.h"

struct draft {
        struct evaluation *ev;
        struct arena *arena;
        struct step *steps;
        size_t count, capacity;
        struct graph graph;
        uint32_t *seen, mark; /* per step: the set it was last put into */
        size_t seen_capacity;
        struct map groups; /* recorded address → struct group *, those that depend on it */
        uint32_t consent;  /* rollback: the gate before what it would lose, or STEP_NONE */
};

/* A step that does nothing and stands for all that lead to it. */
uint32_t draft_join(struct draft *d, const char *address);
/* Either may be STEP_NONE: no edge then. */
void draft_edge(struct draft *d, uint32_t from, uint32_t to, enum graph_bond bond);
/* The step that everything before a guarded one leads to: its gate, which was added right after it. */
uint32_t draft_entry(const struct draft *d, uint32_t step);
/* `join` stands in the place of what is recorded and not deleted: what that comes after waits for it, where that can be. */
void draft_enter_passing(struct draft *d, const struct recorded *r, uint32_t join);
/* `step` waits for all that was entered so and comes after `address`. */
void draft_wait_for_deletions(struct draft *d, const char *address, uint32_t step, struct text *scratch);

/* Whether the recorded properties of `r` hold the id of something that is recorded at `address` or that it covers: a cloud would refuse to
 * delete that first. Of many only the first are looked at. */
bool holds_id(const struct state *state, const struct recorded *r, const char *address);
/* What the template says comes after something is deleted before it, also through what is not deleted: gates, locals, instances that
 * nothing is recorded of. */
void order_by_template(struct draft *d, const struct removals *removals);
/* The same by the record, through what is recorded and not deleted. */
void order_through_the_rest(struct draft *d, const struct removals *removals);

#endif
