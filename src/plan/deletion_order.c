/*
 * The order of deletions, beside what the records of two things that are both deleted say of each other (table.c): the template's own
 * order where everything is destroyed, and the order of two that only something in between links which is not deleted itself.
 */
#include <string.h>
#include "plan/address.h"
#include "plan/draft.h"
#include "plan/record_order.h"

/* ── By what is recorded as it is ── */

enum {
        ID_PART_MIN = 4,
        HELD_MAX = 64
}; /* shorter ids are compared as a whole: they may be part of anything */

static bool mentions(const struct value *v, const char *id)
{
        if (v == NULL || !value_is_known(v) || value_is_null(v)) return false;
        if (value_kind(v) == TYPE_STRING)
                return strcmp(value_as_string(v), id) == 0 ||
                       (strlen(id) >= ID_PART_MIN && strstr(value_as_string(v), id) != NULL);
        switch (value_kind(v)) {
        case TYPE_LIST:
        case TYPE_SET:
        case TYPE_TUPLE:
        case TYPE_MAP:
        case TYPE_OBJECT: break;
        default: return false;
        }
        for (size_t i = 0; i < value_count(v); i++)
                if (mentions(value_at(v, i), id)) return true;
        return false;
}

bool holds_id(const struct state *state, const struct recorded *r, const char *address)
{
        const struct recorded *one = map_get(&state->by_address, address);
        if (one != NULL && one->id[0] != '\0' && mentions(r->properties, one->id)) return true;
        if (one != NULL) return false;
        struct span spans[STATE_SPANS];
        size_t looked = 0;
        state_within(state, address, spans);
        for (unsigned s = 0; s < STATE_SPANS; s++)
                for (size_t i = spans[s].first; i < spans[s].end && looked < HELD_MAX; i++, looked++) {
                        const char *id = state->resources[i].id;
                        if (id[0] != '\0' && mentions(r->properties, id)) return true;
                }
        return false;
}

/* ── By the template ── */

/* Its nodes, by their places in the list, dependencies first. */
struct backwards {
        struct draft *draft;
        uint32_t *own;  /* the step that deletes it, or STEP_NONE */
        uint32_t *done; /* the step after which all that depends on it is deleted, or STEP_NONE */
        bool *joined;   /* `done` is a join of its own */
        bool *leads;    /* something that is deleted is it, or stands behind it */
};

static bool place_of_node(const struct evaluation *ev, const struct node *n, size_t *place)
{
        *place = n->visit;
        return n->visit < ev->node_count && ev->nodes[n->visit] == n;
}

static void find_leading(struct backwards *b)
{
        const struct evaluation *ev = b->draft->ev;
        size_t place;
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct node *node = ev->nodes[n];
                b->leads[n] = b->own[n] != STEP_NONE;
                for (uint32_t d = 0; d < node->dep_count && !b->leads[n]; d++)
                        b->leads[n] = place_of_node(ev, node->deps[d], &place) && b->leads[place];
        }
}

static void is_done_after(struct backwards *b, size_t n, uint32_t step)
{
        if (b->done[n] == STEP_NONE || b->done[n] == step) {
                b->done[n] = step;
                return;
        }
        if (!b->joined[n]) {
                uint32_t join = draft_join(b->draft, "");
                draft_edge(b->draft, b->done[n], join, BOND_FIRM);
                b->done[n] = join;
                b->joined[n] = true;
        }
        draft_edge(b->draft, step, b->done[n], BOND_FIRM);
}

static void connect(struct backwards *b)
{
        const struct evaluation *ev = b->draft->ev;
        size_t place;
        for (size_t n = ev->node_count; n-- > 0;) {
                const struct node *node = ev->nodes[n];
                uint32_t last = b->done[n];
                if (b->own[n] != STEP_NONE) {
                        draft_edge(b->draft, last, draft_entry(b->draft, b->own[n]), BOND_FAIR);
                        last = b->own[n];
                }
                for (uint32_t d = 0; last != STEP_NONE && d < node->dep_count; d++)
                        if (place_of_node(ev, node->deps[d], &place) && b->leads[place])
                                is_done_after(b, place, last);
        }
}

void order_by_template(struct draft *d, const struct removals *removals)
{
        const struct evaluation *ev = d->ev;
        size_t count = ev->node_count;
        cleanup_free uint32_t *own = mem_alloc(count * sizeof *own), *done = mem_alloc(count * sizeof *done);
        cleanup_free bool *joined = mem_alloc(count * sizeof *joined),
                          *leads = mem_alloc(count * sizeof *leads);
        struct backwards b = {.draft = d, .own = own, .done = done, .joined = joined, .leads = leads};
        for (size_t n = 0; n < count; n++) {
                own[n] = done[n] = STEP_NONE;
                ev->nodes[n]->visit = (uint32_t)n;
        }
        size_t place;
        for (size_t m = 0; m < removals->count; m++) {
                const struct removal *removal = &removals->items[m];
                if (removal->step == STEP_NONE || removal->action != ACTION_DELETE) continue;
                if (removal->instance != NULL && place_of_node(ev, &removal->instance->node, &place))
                        own[place] = removal->step;
        }
        find_leading(&b);
        connect(&b);
        for (size_t n = 0; n < count; n++) ev->nodes[n]->visit = 0;
}

/* ── By the record, through what is not deleted ── */

struct passing { /* a recorded resource that stays as it is, or of which only the record goes */
        const struct recorded *recorded;
        uint32_t join;
};

struct passage {
        struct draft *draft;
        bool *known;      /* by index into the state: has a step of its own, or is passed through */
        struct map asked; /* addresses whose resources are known */
        struct passing *items;
        size_t count, capacity;
};

/* What something came after, and is not deleted: it is passed through, if it came after something itself. */
static void pass_behind(struct passage *p, const struct recorded *r)
{
        const struct state *state = p->draft->ev->input->state;
        for (size_t a = 0; a < r->after_count; a++) {
                struct span spans[STATE_SPANS];
                if (map_has(&p->asked, r->after[a])) continue;
                map_put(&p->asked, r->after[a], p);
                state_within(state, r->after[a], spans);
                for (size_t s = 0; s < STATE_SPANS; s++)
                        for (size_t i = spans[s].first; i < spans[s].end; i++) {
                                struct passing item = {.recorded = &state->resources[i]};
                                if (p->known[i] || item.recorded->after_count == 0) continue;
                                p->known[i] = true;
                                vec_push(p->items, p->count, p->capacity, item);
                        }
        }
}

/* How many deletions there are, and of what. They are known, and so is what is updated: it is led over to what it comes after now. */
static size_t mark_deletions(struct passage *p, const struct removals *removals, bool *deleted)
{
        const struct evaluation *ev = p->draft->ev;
        const struct recorded *all = ev->input->state->resources;
        size_t deletions = 0;
        for (size_t m = 0; m < removals->count; m++) {
                const struct removal *removal = &removals->items[m];
                if (removal->step == STEP_NONE || removal->action != ACTION_DELETE) continue;
                if (removal->recorded->open != NULL) continue; /* nothing is recorded of it */
                deleted[removal->recorded - all] = p->known[removal->recorded - all] = true;
                deletions++;
        }
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct instance *i = (const struct instance *)ev->nodes[n];
                if (i->node.kind != NODE_INSTANCE || !i->acts || i->recorded == NULL) continue;
                p->known[i->recorded - all] = true;
                deleted[i->recorded - all] |= i->half != STEP_NONE;
                deletions += i->half != STEP_NONE;
        }
        return deletions;
}

void order_through_the_rest(struct draft *d, const struct removals *removals)
{
        const struct state *state = d->ev->input->state;
        cleanup_free bool *known = mem_alloc(state->count * sizeof *known);
        cleanup_free bool *deleted = mem_alloc(state->count * sizeof *deleted);
        struct passage p = {.draft = d, .known = known};
        size_t deletions = mark_deletions(&p, removals, deleted);
        if (deletions < 2 || deletions == state->count) return;
        for (size_t i = 0; i < state->count; i++)
                if (deleted[i]) pass_behind(&p, &state->resources[i]);
        for (size_t i = 0; i < p.count; i++) pass_behind(&p, p.items[i].recorded);
        struct text scratch = {0};
        for (size_t i = 0; i < p.count; i++) {
                p.items[i].join = draft_join(d, p.items[i].recorded->address);
                draft_enter_passing(d, p.items[i].recorded, p.items[i].join);
        }
        for (size_t i = 0; i < p.count; i++)
                draft_wait_for_deletions(d, p.items[i].recorded->address, p.items[i].join, &scratch);
        text_release(&scratch);
        map_release(&p.asked);
        free(p.items);
}
