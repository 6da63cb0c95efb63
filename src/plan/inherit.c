/*
 * What a resource comes after because something between the two is gone: a, b after a, c after b; when b leaves the template, c still comes
 * after a. So the record of c inherits, while b is there, the order of c to b, and, for when it is gone, that of b to a.
 *
 * What was inherited stays as long as the template does not order the two itself, and something is recorded there.
 */
#include <string.h>
#include "plan/address.h"
#include "plan/evaluation.h"
#include "plan/record_order.h"

enum { NAMED_MAX = 16 }; /* of the instances of one resource; more are named by their resource */

struct behind { /* what is recorded at one address and at those that it covers */
        bool stays, left;
        const char **leaving; /* some of those that left */
        size_t leaving_count;
        const char **after; /* what those that left came after, each once */
        size_t after_count;
};

struct inheritance {
        bool *left; /* by index into the state: left the template */
        size_t left_count;
        struct map behind; /* address → struct behind * */
};

static bool has_left(struct evaluation *ev, const struct recorded *r, struct text *scratch)
{
        if (r->deposed[0] != '\0') return false;
        if (ev->input->back != NULL) return back_is_absent(ev, r->address);
        return address_find_cover(&ev->deferred_bare, r->address, scratch) == NULL;
}

static struct inheritance *inheritance_of(struct evaluation *ev)
{
        if (ev->inheritance != NULL) return ev->inheritance;
        struct inheritance *h = ev->inheritance = arena_alloc(ev->arena, sizeof *h);
        const struct state *state = ev->input->state;
        cleanup_free bool *wanted = mem_alloc(state->count * sizeof *wanted);
        struct text scratch = {0};
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct instance *i = (const struct instance *)ev->nodes[n];
                if (i->node.kind == NODE_INSTANCE && i->recorded != NULL)
                        wanted[i->recorded - state->resources] = true;
        }
        h->left = arena_alloc(ev->arena, state->count * sizeof *h->left);
        for (size_t r = 0; r < state->count; r++) {
                h->left[r] = !wanted[r] && has_left(ev, &state->resources[r], &scratch);
                h->left_count += h->left[r];
        }
        text_release(&scratch);
        return h;
}

void inheritance_release(struct evaluation *ev)
{
        if (ev->inheritance != NULL) map_release(&ev->inheritance->behind);
}

bool inheritance_any(struct evaluation *ev)
{
        return inheritance_of(ev)->left_count > 0;
}

bool inheritance_has_left(struct evaluation *ev, const struct recorded *r)
{
        return inheritance_of(ev)->left[r - ev->input->state->resources];
}

static void gather_after(struct behind *b, const struct recorded *r, struct map *seen, size_t *capacity)
{
        for (size_t a = 0; a < r->after_count; a++) {
                if (map_has(seen, r->after[a])) continue;
                map_put(seen, r->after[a], b);
                vec_push(b->after, b->after_count, *capacity, r->after[a]);
        }
}

static const struct behind *look_behind(struct evaluation *ev, const char *address)
{
        struct inheritance *h = inheritance_of(ev);
        struct behind *b = map_get(&h->behind, address);
        if (b != NULL) return b;
        b = arena_alloc(ev->arena, sizeof *b);
        map_put(&h->behind, address, b);
        b->leaving = arena_alloc(ev->arena, NAMED_MAX * sizeof *b->leaving);
        const struct state *state = ev->input->state;
        struct span spans[STATE_SPANS];
        struct map seen = {0};
        size_t capacity = 0;
        state_within(state, address, spans);
        for (unsigned s = 0; s < STATE_SPANS; s++)
                for (size_t i = spans[s].first; i < spans[s].end; i++) {
                        const struct recorded *r = &state->resources[i];
                        b->stays |= !h->left[i] && r->deposed[0] == '\0';
                        if (!h->left[i]) continue;
                        b->left = true;
                        if (b->leaving_count < NAMED_MAX) b->leaving[b->leaving_count] = r->address;
                        b->leaving_count++;
                        gather_after(b, r, &seen, &capacity);
                }
        map_release(&seen);
        const char **after = arena_alloc(ev->arena, (b->after_count + 1) * sizeof *after);
        if (b->after_count > 0) memcpy(after, b->after, b->after_count * sizeof *after);
        free(b->after);
        b->after = after;
        return b;
}

/* ── One resource ── */

struct asked {
        const char *address;
        bool inherited;
};

struct heir {
        struct evaluation *ev;
        const struct recorded *recorded;
        struct map own, seen, had;
        struct asked *queue;
        size_t queued, queue_capacity;
        const char **list;
        size_t count, capacity;
};

static void ask(struct heir *h, const char *address, bool inherited)
{
        if (map_has(&h->seen, address) || h->ev->root_budget == 0) return;
        h->ev->root_budget--;
        map_put(&h->seen, address, h);
        vec_push(h->queue, h->queued, h->queue_capacity, ((struct asked){address, inherited}));
}

static void inherit(struct heir *h, const char *address)
{
        if (map_has(&h->had, address)) return;
        map_put(&h->had, address, h);
        vec_push(h->list, h->count, h->capacity, address);
}

/* What it came after, by address: of its own, or inherited, of which the template cannot take anything away. */
static void settle(struct heir *h, struct asked asked, struct text *scratch)
{
        const struct behind *b = look_behind(h->ev, asked.address);
        if (address_is_within(h->recorded->address, asked.address)) return;
        bool said = address_find_cover(&h->own, asked.address, scratch) != NULL;
        bool whole = asked.inherited || !b->stays || b->leaving_count > NAMED_MAX;
        if (!said && whole && (b->stays || b->left)) inherit(h, asked.address);
        for (size_t i = 0; !said && !whole && i < b->leaving_count; i++) inherit(h, b->leaving[i]);
        for (size_t i = 0; i < b->after_count; i++) ask(h, b->after[i], true);
}

const char **inherited_order(
    struct evaluation *ev, const struct recorded *r, const char *const *own, size_t own_count, size_t *count)
{
        *count = 0;
        if (r->after_count == 0 || (r->inherited_count == 0 && !inheritance_any(ev))) return NULL;
        struct heir h = {.ev = ev, .recorded = r};
        struct text scratch = {0};
        for (size_t i = 0; i < own_count; i++) map_put(&h.own, own[i], &h);
        for (size_t a = 0; a < r->after_count; a++)
                ask(&h, r->after[a], a >= r->after_count - r->inherited_count);
        for (size_t i = 0; i < h.queued; i++) settle(&h, h.queue[i], &scratch);
        const char **list = arena_alloc(ev->arena, (h.count + 1) * sizeof *list);
        if (h.count > 0) memcpy(list, h.list, h.count * sizeof *list);
        *count = h.count;
        free(h.list);
        free(h.queue);
        map_release(&h.own);
        map_release(&h.seen);
        map_release(&h.had);
        text_release(&scratch);
        return list;
}

const char **instance_order(
    struct evaluation *ev, const struct instance *i, size_t *count, size_t *inherited_count)
{
        const char **own = instance_depends(ev, i, count);
        *inherited_count = 0;
        /* What is made anew stands on nothing but what it is made upon. */
        if (i->recorded == NULL || (i->acts && i->action != ACTION_UPDATE) || i->standby) return own;
        const char **inherited = inherited_order(ev, i->recorded, own, *count, inherited_count);
        if (*inherited_count == 0) return own;
        const char **all = arena_alloc(ev->arena, (*count + *inherited_count) * sizeof *all);
        if (*count > 0) memcpy(all, own, *count * sizeof *all);
        memcpy(all + *count, inherited, *inherited_count * sizeof *all);
        *count += *inherited_count;
        return all;
}
