/*
 * What the user's choices mean for the decisions made: targets and excludes, gates that guard nothing, reads that nobody needs,
 * and replacements whose order follows from others. Each is one pass over the nodes, along or against their order.
 */
#include <string.h>
#include "plan/address.h"
#include "plan/evaluation.h"

static void leave_out(struct evaluation *ev, struct instance *i)
{
        bool managed = i->expansion->resource->kind == RESOURCE_MANAGED;
        if (i->acts && managed) ev->left_out_count++;
        i->node.left_out = i->acts;
        i->acts = false;
        i->node.pending = false;
}

/* What is planned later, and by none of the choices at all. */
static void drop_deferred(struct evaluation *ev, const struct map *targets)
{
        struct text scratch = {0};
        size_t kept = 0;
        for (size_t d = 0; d < ev->deferred_count; d++) {
                const struct deferred *item = &ev->deferred[d];
                const struct node *node = item->node;
                bool chosen = targets == NULL || node->chosen ||
                              address_find_cover(targets, item->address, &scratch) != NULL;
                if (chosen && !node->excluded) ev->deferred[kept++] = *item;
        }
        ev->deferred_count = kept;
        text_release(&scratch);
}

static void choose_targets(struct evaluation *ev, const struct map *targets)
{
        struct text scratch = {0};
        for (size_t n = ev->node_count; n-- > 0;) {
                struct node *node = ev->nodes[n];
                struct instance *i = (struct instance *)node;
                if (node->kind == NODE_INSTANCE && !node->chosen)
                        node->chosen = address_find_cover(targets, i->address, &scratch) != NULL;
                for (uint32_t d = 0; node->chosen && d < node->dep_count; d++) node->deps[d]->chosen = true;
        }
        for (size_t n = 0; n < ev->node_count; n++) {
                struct instance *i = (struct instance *)ev->nodes[n];
                if (i->node.kind == NODE_INSTANCE && i->nested == NULL && !i->node.chosen) leave_out(ev, i);
                if (i->node.kind == NODE_INSTANCE) continue;
                for (uint32_t d = 0; d < i->node.dep_count; d++)
                        i->node.left_out |= i->node.deps[d]->left_out;
        }
        text_release(&scratch);
        drop_deferred(ev, targets);
}

static void leave_out_excludes(struct evaluation *ev, const struct map *excludes)
{
        struct text scratch = {0};
        for (size_t n = 0; n < ev->node_count; n++) {
                struct node *node = ev->nodes[n];
                struct instance *i = (struct instance *)node;
                const char *address = node->kind == NODE_INSTANCE    ? i->address
                                      : node->kind == NODE_EXPANSION ? ((struct expansion *)node)->address
                                                                     : NULL;
                node->excluded = address != NULL && address_find_cover(excludes, address, &scratch) != NULL;
                for (uint32_t d = 0; d < node->dep_count; d++) node->excluded |= node->deps[d]->excluded;
                if (node->excluded && node->kind == NODE_INSTANCE && i->nested == NULL) leave_out(ev, i);
        }
        text_release(&scratch);
        drop_deferred(ev, NULL);
}

/* What follows from something that was left out is not to be relied on. */
static void spread_left_out(struct evaluation *ev)
{
        for (size_t n = 0; n < ev->node_count; n++) {
                struct node *node = ev->nodes[n];
                bool own = node->kind == NODE_INSTANCE && ((const struct instance *)node)->nested == NULL;
                for (uint32_t d = 0; !own && d < node->dep_count; d++)
                        node->left_out |= node->deps[d]->left_out;
        }
}

/* Every address given must name something, in the template or in the record. */
static int check_addresses(
    struct evaluation *ev, const char *const *addresses, size_t count, const char *what, struct error **err)
{
        struct map known = {0};
        char prefix[1024];
        for (size_t n = 0; n < ev->node_count; n++) {
                const struct node *node = ev->nodes[n];
                if (node->kind == NODE_INSTANCE)
                        map_put(&known, ((const struct instance *)node)->address, ev);
                if (node->kind == NODE_EXPANSION)
                        map_put(&known, ((const struct expansion *)node)->address, ev);
        }
        const struct state *state = ev->input->state;
        for (size_t r = 0; r < state->count; r++) {
                size_t lengths[ADDRESS_COVERS], covers = address_covers(state->resources[r].address, lengths);
                for (size_t c = 0; c < covers; c++) {
                        if (lengths[c] >= sizeof prefix) continue;
                        memcpy(prefix, state->resources[r].address, lengths[c]);
                        prefix[lengths[c]] = '\0';
                        if (!map_has(&known, prefix)) map_put_copy(&known, prefix, ev);
                }
        }
        int status = 0;
        for (size_t i = 0; i < count; i++) {
                if (map_has(&known, addresses[i])) continue;
                struct place place = {.address = addresses[i]};
                const char **names = mem_alloc(known.used * sizeof *names);
                size_t used = 0;
                for (map_foreach (&known, entry))
                        if (used < 10000) names[used++] = entry->key;
                const char *near = text_suggest(addresses[i], names, used);
                status = error_set(err, ERROR_INPUT, &place,
                    "no resource is called that, so it cannot be %s%s%s%s", what,
                    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
                free(names);
        }
        map_release(&known);
        return status;
}

static int apply_choice(struct evaluation *ev, const char *const *addresses, size_t count, const char *what,
    void (*choose)(struct evaluation *, const struct map *), struct error **err)
{
        if (count == 0) return 0;
        if (check_addresses(ev, addresses, count, what, err) < 0) return -1;
        struct map set = {0};
        for (size_t i = 0; i < count; i++) map_put(&set, addresses[i], ev);
        choose(ev, &set);
        map_release(&set);
        return 0;
}

/* Marks what something that acts depends on. Gates and reads that nothing needs do not act. */
static void carry(struct evaluation *ev)
{
        const struct template *t = ev->root->blueprint->template;
        for (size_t i = 0; i < t->output_count; i++) ev->root->outputs[i].node.carried = true;
        for (size_t n = ev->node_count; n-- > 0;) {
                struct node *node = ev->nodes[n];
                struct instance *i = (struct instance *)node;
                bool carries = node->carried;
                if (node->kind == NODE_INSTANCE && i->nested == NULL) {
                        bool optional = i->action == ACTION_GATE || i->action == ACTION_READ;
                        if (optional && !node->carried) i->acts = false;
                        carries = i->acts;
                }
                for (uint32_t d = 0; carries && d < node->dep_count; d++) node->deps[d]->carried = true;
        }
}

static void find_gated(struct evaluation *ev)
{
        for (size_t n = 0; n < ev->node_count; n++) {
                struct node *node = ev->nodes[n];
                const struct instance *i = (const struct instance *)node;
                if (node->kind == NODE_INSTANCE && i->nested == NULL) {
                        node->gated = i->acts && i->action == ACTION_GATE;
                        continue;
                }
                for (uint32_t d = 0; d < node->dep_count; d++) node->gated |= node->deps[d]->gated;
        }
}

/* What is recorded, by every address that covers it: chains of struct covered. */
struct covered {
        size_t index; /* into the state */
        struct covered *next;
};

struct spreading {
        struct evaluation *ev;
        struct map by_cover;
        struct instance **instances; /* by index into the state; NULL: it left the template */
        bool *seen;
        size_t *records, record_count; /* recorded resources to go on from */
        struct node **stack;
        size_t depth, capacity;
};

static bool is_replaced_first(const struct node *n)
{
        const struct instance *i = (const struct instance *)n;
        if (n->kind != NODE_INSTANCE || !i->acts) return false;
        return i->action == ACTION_REPLACE ? i->create_first
                                           : i->action == ACTION_RESTORE && i->aside != NULL;
}

static void index_record(struct spreading *s)
{
        const struct state *state = s->ev->input->state;
        for (size_t r = 0; r < state->count; r++) {
                const char *address = state->resources[r].address;
                size_t lengths[ADDRESS_COVERS], covers = address_covers(address, lengths);
                for (size_t c = 0; c < covers; c++) {
                        const char *cover = arena_strndup(s->ev->arena, address, lengths[c]);
                        struct covered *entry = arena_alloc(s->ev->arena, sizeof *entry);
                        *entry = (struct covered){.index = r, .next = map_get(&s->by_cover, cover)};
                        map_put(&s->by_cover, cover, entry);
                }
        }
        for (size_t n = 0; n < s->ev->node_count; n++) {
                struct instance *i = (struct instance *)s->ev->nodes[n];
                if (i->node.kind == NODE_INSTANCE && i->recorded)
                        s->instances[i->recorded - state->resources] = i;
        }
}

static void spread_record(struct spreading *s, size_t index)
{
        if (s->seen[index]) return;
        s->seen[index] = true;
        s->records[s->record_count++] = index;
}

static void spread_to(struct spreading *s, struct node *n)
{
        if (n->first) return;
        n->first = true;
        struct instance *i = (struct instance *)n;
        if (n->kind == NODE_INSTANCE && i->nested == NULL) {
                bool restores = i->action == ACTION_RESTORE && i->aside != NULL;
                if (!i->acts || (i->action != ACTION_REPLACE && !restores)) return;
                const struct recorded *old = restores ? i->aside : i->recorded;
                i->create_first = !restores;
                spread_record(s, (size_t)(old - s->ev->input->state->resources));
        }
        vec_push(s->stack, s->depth, s->capacity, n);
}

/* What one recorded resource was made upon: replaced ones, and, seen through what is deleted in between, those behind it. */
static void spread_from_record(struct spreading *s, const struct recorded *r)
{
        for (size_t a = 0; a < r->after_count; a++)
                for (struct covered *c = map_get(&s->by_cover, r->after[a]); c != NULL; c = c->next) {
                        struct instance *i = s->instances[c->index];
                        if (i == NULL)
                                spread_record(s, c->index);
                        else if (i->acts && i->action == ACTION_REPLACE)
                                spread_to(s, &i->node);
                }
}

/*
 * What is replaced create-first leaves its old one standing until late: a dependency of the old one, or of the new one, that is
 * replaced too has to be replaced create-first as well.
 */
static void spread_create_first(struct evaluation *ev)
{
        const struct state *state = ev->input->state;
        bool any = false;
        for (size_t n = 0; n < ev->node_count && !any; n++) any = is_replaced_first(ev->nodes[n]);
        if (!any) return;
        struct spreading s = {.ev = ev};
        s.instances = mem_alloc(state->count * sizeof(struct instance *));
        s.seen = mem_alloc(state->count * sizeof *s.seen);
        s.records = mem_alloc(state->count * sizeof *s.records);
        index_record(&s);
        for (size_t n = 0; n < ev->node_count; n++)
                if (is_replaced_first(ev->nodes[n])) spread_to(&s, ev->nodes[n]);
        for (size_t next = 0; s.depth > 0 || next < s.record_count;) {
                if (s.depth == 0) {
                        spread_from_record(&s, &state->resources[s.records[next++]]);
                        continue;
                }
                struct node *n = s.stack[--s.depth];
                for (uint32_t d = 0; d < n->dep_count; d++) spread_to(&s, n->deps[d]);
        }
        map_release(&s.by_cover);
        free(s.instances);
        free(s.seen);
        free(s.records);
        free(s.stack);
}

/*
 * A replacement that only may be needed waits until that is known, unless what it needs for that is made anew behind its own deletion: then it
 * is needed for certain, as its values are those of another object.
 */
static void settle_unsure(struct evaluation *ev, struct error **err)
{
        for (size_t n = 0; n < ev->node_count; n++) {
                struct node *node = ev->nodes[n];
                struct instance *i = (struct instance *)node;
                bool own = node->kind == NODE_INSTANCE && i->nested == NULL, behind = false;
                for (uint32_t d = 0; d < node->dep_count; d++)
                        behind |= node->deps[d]->kind != NODE_ENTRY && node->deps[d]->remade;
                if (!own) {
                        node->remade = behind;
                        continue;
                }
                bool replaced = i->acts && i->action == ACTION_REPLACE && i->prior != NULL;
                bool certain = i->unsure && behind;
                if (certain) i->unsure = false;
                if (certain && replaced && i->protect) decide_refuse_protected(i, err);
                node->remade = replaced && !i->unsure && !i->create_first;
        }
}

int policy_apply(struct evaluation *ev, struct error **err)
{
        const struct plan_input *in = ev->input;
        if (in->mode == PLAN_APPLY) {
                if (apply_choice(ev, in->targets, in->target_count, "targeted", choose_targets, err) < 0)
                        return -1;
                if (apply_choice(ev, in->excludes, in->exclude_count, "excluded", leave_out_excludes, err) <
                    0)
                        return -1;
                spread_left_out(ev);
                carry(ev);
                find_gated(ev);
                spread_create_first(ev);
                size_t before = error_count(*err);
                settle_unsure(ev, err);
                return error_count(*err) > before ? -1 : 0;
        }
        if (check_addresses(ev, in->targets, in->target_count, "targeted", err) < 0) return -1;
        return check_addresses(ev, in->excludes, in->exclude_count, "excluded", err);
}
