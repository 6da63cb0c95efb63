/* Order in the record: looking up, moving, forgetting; see record_order.h. */
#include "plan/record_order.h"

#include <string.h>
#include "plan/address.h"

/* ── What is recorded where ── */

/* All whose addresses begin with `cover` and then `c`: they stand together, as bytes decide the order. */
static struct span begins_with(const struct state *state, const char *cover, char c, struct text *scratch)
{
        text_clear(scratch);
        text_addf(scratch, "%s%c", cover, c);
        size_t first = state_first_at(state, scratch->data);
        scratch->data[scratch->len - 1]++;
        return (struct span){first, state_first_at(state, scratch->data)};
}

void state_within(const struct state *state, const char *cover, struct span spans[STATE_SPANS])
{
        struct text scratch __attribute__((__cleanup__(text_release_cleanup))) = {0};
        size_t first = state_first_at(state, cover), end = first;
        while (end < state->count && strcmp(state->resources[end].address, cover) == 0) end++;
        spans[0] = (struct span){first, end};
        spans[1] = begins_with(state, cover, '/', &scratch);
        spans[2] = begins_with(state, cover, '[', &scratch);
}

bool state_has_within(const struct state *state, const char *cover, const struct map *gone)
{
        struct span spans[STATE_SPANS];
        state_within(state, cover, spans);
        for (unsigned s = 0; s < STATE_SPANS; s++)
                for (size_t i = spans[s].first; i < spans[s].end; i++) {
                        const struct recorded *r = &state->resources[i];
                        if (r->deposed[0] == '\0' && !(gone && map_has(gone, r->address))) return true;
                }
        return false;
}

/* ── Lists of addresses, each once ── */

struct list {
        const char **own, **inherited;
        size_t own_count, own_capacity, inherited_count, inherited_capacity;
        struct map seen;
};

static void add(struct list *l, const char *address, bool inherited)
{
        if (map_has(&l->seen, address)) return;
        map_put(&l->seen, address, l);
        if (inherited)
                vec_push(l->inherited, l->inherited_count, l->inherited_capacity, address);
        else
                vec_push(l->own, l->own_count, l->own_capacity, address);
}

static bool is_own(const struct recorded *r, size_t at)
{
        return at < r->after_count - r->inherited_count;
}

static bool is_recorded_so(const struct recorded *r, const struct list *l)
{
        if (r->after_count != l->own_count + l->inherited_count || r->inherited_count != l->inherited_count)
                return false;
        for (size_t i = 0; i < r->after_count; i++)
                if (strcmp(r->after[i], i < l->own_count ? l->own[i] : l->inherited[i - l->own_count]) != 0)
                        return false;
        return true;
}

/* An order for `ret` if it is another than the recorded one; the list is empty then, and to be filled anew. */
static void take(struct list *l, const struct recorded *r, struct arena *arena, struct record_move *ret)
{
        if (!is_recorded_so(r, l)) {
                struct record_order *order = &ret->orders[ret->order_count++];
                size_t count = l->own_count + l->inherited_count;
                *order = (struct record_order){
                    .recorded = r, .count = count, .inherited_count = l->inherited_count};
                order->after = arena_alloc(arena, (count + 1) * sizeof *order->after);
                for (size_t i = 0; i < count; i++)
                        order->after[i] = i < l->own_count ? l->own[i] : l->inherited[i - l->own_count];
        }
        l->own_count = l->inherited_count = 0;
        map_release(&l->seen);
}

static void list_release(struct list *l)
{
        map_release(&l->seen);
        free(l->own);
        free(l->inherited);
}

/* ── Moving ── */

struct move {
        const struct state *state;
        const char *from, *to;
        bool single;                 /* the one without an index, of a resource that may have others */
        struct map leaving, staying; /* addresses that cover `from`: whether something else stays there */
        struct map moved;            /* addresses */
        struct arena *arena;
};

static bool moves(const struct move *m, const char *address)
{
        if (!address_is_within(address, m->from)) return false;
        return !m->single || address[strlen(m->from)] != '[';
}

static const char *moved_address(const struct move *m, const char *address)
{
        return arena_printf(m->arena, "%s%s", m->to, address + strlen(m->from));
}

/* How many nested templates an address stands in. */
static size_t depth_of(const char *address)
{
        size_t lengths[ADDRESS_COVERS], covers = address_covers(address, lengths), depth = 0;
        for (size_t c = 0; c < covers; c++) depth += address[lengths[c]] == '/';
        return depth;
}

static int check_move(const struct move *m, struct error **err)
{
        if (strcmp(m->from, m->to) == 0)
                return error_set(err, ERROR_INPUT, NULL, "'%s' has that address already", m->from);
        bool overlap = address_is_within(m->to, m->from) || address_is_within(m->from, m->to);
        if (overlap && depth_of(m->from) != depth_of(m->to))
                return error_set(err, ERROR_INPUT, NULL,
                    "'%s' and '%s' lie inside of one another; move by way of a third address", m->from,
                    m->to);
        return 0;
}

/* Something stands at the new address, and stays there. */
static int check_free(const struct move *m, struct error **err)
{
        struct span spans[STATE_SPANS];
        /* web[0] may become web while there is a web[1]. */
        bool widens = address_is_within(m->from, m->to);
        state_within(m->state, m->to, spans);
        for (unsigned s = 0; s < STATE_SPANS; s++)
                for (size_t i = spans[s].first; i < spans[s].end; i++) {
                        const char *address = m->state->resources[i].address;
                        if (moves(m, address) || (widens && address[strlen(m->to)] == '[')) continue;
                        return error_set(
                            err, ERROR_CONFLICT, NULL, "something is recorded at '%s' already", address);
                }
        return 0;
}

static int nothing_moves(const struct move *m, struct error **err)
{
        struct span spans[STATE_SPANS];
        state_within(m->state, m->from, spans);
        for (unsigned s = 0; s < STATE_SPANS; s++)
                if (spans[s].first < spans[s].end)
                        return error_set(err, ERROR_INPUT, NULL,
                            "'%s' is one instance, and '%s' is none that is recorded: name the one that is "
                            "to "
                            "move, such as '%s'",
                            m->to, m->from, m->state->resources[spans[s].first].address);
        return state_refuse_missing(m->state, m->from, err);
}

static int find_moved(struct move *m, struct record_move *ret, struct error **err)
{
        struct span spans[STATE_SPANS];
        state_within(m->state, m->from, spans);
        size_t most = 0;
        for (unsigned s = 0; s < STATE_SPANS; s++) most += spans[s].end - spans[s].first;
        ret->moved = arena_alloc(m->arena, (most + 1) * sizeof *ret->moved);
        for (unsigned s = 0; s < STATE_SPANS; s++)
                for (size_t i = spans[s].first; i < spans[s].end; i++) {
                        const struct recorded *r = &m->state->resources[i];
                        if (!moves(m, r->address)) continue;
                        struct moved moved = {r, moved_address(m, r->address)};
                        if (address_check(moved.to, err) < 0) return -1;
                        ret->moved[ret->moved_count++] = moved;
                        map_put(&m->moved, r->address, m);
                }
        return ret->moved_count > 0 ? 0 : nothing_moves(m, err);
}

/* Something that does not move is recorded at `cover`. */
static bool something_stays(struct move *m, const char *cover)
{
        if (map_has(&m->staying, cover)) return true;
        if (map_has(&m->leaving, cover)) return false;
        bool stays = state_has_within(m->state, cover, &m->moved);
        map_put(stays ? &m->staying : &m->leaving, cover, m);
        return stays;
}

/* What comes after `entry` comes after this when all is moved. */
static void rewrite(struct move *m, const char *entry, bool inherited, struct list *l)
{
        bool covers = address_is_within(m->from, entry); /* the whole that it is, or is part of */
        if (!moves(m, entry) && !(covers && !address_is_within(m->to, entry))) {
                add(l, entry, inherited);
                return;
        }
        if (covers && something_stays(m, entry)) add(l, entry, inherited);
        add(l, moves(m, entry) ? moved_address(m, entry) : m->to, inherited);
}

int record_move(const struct state *state, const char *from, const char *to, struct arena *arena,
    struct record_move *ret, struct error **err)
{
        struct move m = {.state = state, .from = from, .to = to, .arena = arena};
        *ret = (struct record_move){0};
        m.single = address_is_indexed(to) && !address_is_indexed(from);
        int status = check_move(&m, err);
        if (status == 0) status = find_moved(&m, ret, err);
        if (status == 0) status = check_free(&m, err);
        struct list l = {0};
        ret->orders = arena_alloc(arena, (state->count + 1) * sizeof *ret->orders);
        for (size_t i = 0; i < state->count && status == 0; i++) {
                const struct recorded *r = &state->resources[i];
                for (size_t a = 0; a < r->after_count; a++) rewrite(&m, r->after[a], !is_own(r, a), &l);
                take(&l, r, arena, ret);
        }
        list_release(&l);
        map_release(&m.moved);
        map_release(&m.leaving);
        map_release(&m.staying);
        return status;
}

/* ── Forgetting ── */

void record_forget(
    const struct state *state, const struct recorded *gone, struct arena *arena, struct record_move *ret)
{
        struct map addresses = {0};
        struct list l = {0};
        *ret = (struct record_move){0};
        ret->orders = arena_alloc(arena, (state->count + 1) * sizeof *ret->orders);
        map_put(&addresses, gone->address, ret);
        for (size_t i = 0; i < state->count; i++) {
                const struct recorded *r = &state->resources[i];
                bool after = false;
                if (r == gone) continue;
                for (size_t a = 0; a < r->after_count; a++) {
                        bool covers = address_is_within(gone->address, r->after[a]);
                        after |= covers;
                        if (!covers || state_has_within(state, r->after[a], &addresses))
                                add(&l, r->after[a], !is_own(r, a));
                }
                for (size_t a = 0; after && a < gone->after_count; a++)
                        if (!address_is_within(r->address, gone->after[a])) add(&l, gone->after[a], true);
                take(&l, r, arena, ret);
        }
        list_release(&l);
        map_release(&addresses);
}
