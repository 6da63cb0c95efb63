/* What is recorded and has to go: it left the template, was replaced before, or everything is destroyed. */
#include <string.h>
#include "plan/address.h"
#include "plan/evaluation.h"
#include "plan/server.h"

/* Which recorded resources are still wanted: their instances, by index into the state. */
static struct instance **claims_of(struct evaluation *ev)
{
        const struct state *state = ev->input->state;
        struct instance **claims = mem_alloc(state->count * sizeof(struct instance *));
        for (size_t n = 0; n < ev->node_count; n++) {
                struct instance *i = (struct instance *)ev->nodes[n];
                const struct recorded *r = i->node.kind != NODE_INSTANCE ? NULL
                                           : i->recorded                 ? i->recorded
                                                                         : i->unwanted;
                if (r != NULL) claims[r - state->resources] = i;
                if (i->node.kind == NODE_INSTANCE && i->aside != NULL)
                        claims[i->aside - state->resources] = i;
        }
        return claims;
}

static bool is_protected(struct evaluation *ev, const struct recorded *r, struct instance *i)
{
        if (i != NULL && i->unwanted != NULL) return r->protect; /* as the run that made it said */
        const struct expr *protect = i ? i->expansion->resource->protect : NULL;
        if (i != NULL && protect == NULL) return false;
        if (protect == NULL) return r->protect;
        cleanup(value_free) struct value *v = evaluate(
            ev, i->expansion->module, i, protect, NULL, i->address, NULL);
        cleanup(value_free) struct value *b = v ? value_convert(v, type_bool, NULL) : NULL;
        return b == NULL || !value_is_known(b) || (!value_is_null(b) && value_as_bool(b));
}

static void judge(struct evaluation *ev, struct removal *m, struct error **err)
{
        const struct recorded *r = m->recorded;
        bool destroy = ev->input->mode == PLAN_DESTROY;
        const struct observation *seen = world_of(ev->input->world, r);
        bool aside = r->deposed[0] != '\0' || m->heir != NULL;
        const struct schema_source *schemas = ev->input->schemas;
        const struct way_back *back = ev->input->back;
        bool keep = m->instance && !back ? m->instance->expansion->resource->keep : r->keep;
        struct place place = {.address = r->address};
        cleanup(error_free) struct error *problems = NULL;
        m->schema = schemas->find(schemas->context, r->type, &problems);
        m->action = ACTION_FORGET;
        if (seen != NULL && seen->gone) {
                m->reason = gone_reason(ev, r->address);
                return;
        }
        if (back != NULL && !aside && map_has(&ev->released, r->address)) {
                m->reason = "was there before it was taken over";
                return;
        }
        if (keep && !aside) {
                m->reason = "is kept, as `keep` says";
                return;
        }
        m->action = ACTION_DELETE;
        m->reason = destroy ? NULL : "not in the template any more";
        if (back != NULL)
                m->reason = back->run ? arena_printf(ev->arena, "did not exist after run %s", back->run)
                                      : "did not exist before";
        if (r->open != NULL)
                m->reason = open_reason(ev, r->open, false);
        else if (aside)
                m->reason = m->heir ? "gives way to the one that is taken back"
                                    : "is left over from a replacement";
        else if (is_protected(ev, r, m->instance))
                error_set(err, ERROR_INPUT, &place, "%s is protected, and this would delete it; %s",
                    r->address,
                    m->instance || back
                        ? "take `protect` away first if that is meant"
                        : "put it back into the template without `protect` first, or use `state rm` "
                          "to forget it");
        if (m->schema != NULL) return;
        error_context(&problems, "cannot delete %s", r->address);
        error_place(&problems, &place);
        error_move(err, &problems);
}

/* Removals by every address that covers them, and by every address they depend on. */
struct index {
        struct map covered, dependants; /* address → struct list * */
        struct arena *arena;
};
struct list {
        size_t *items, count, capacity;
};

static void index_add(struct index *x, struct map *map, const char *address, size_t len, size_t item)
{
        const char *key = arena_strndup(x->arena, address, len);
        struct list *list = map_get(map, key);
        if (list == NULL) {
                list = arena_alloc(x->arena, sizeof *list);
                map_put(map, key, list);
        }
        vec_push(list->items, list->count, list->capacity, item);
}

static void index_build(struct index *x, const struct removals *all)
{
        x->arena = arena_new();
        for (size_t i = 0; i < all->count; i++) {
                const struct recorded *r = all->items[i].recorded;
                size_t lengths[ADDRESS_COVERS], covers = address_covers(r->address, lengths);
                for (size_t c = 0; c < covers; c++) index_add(x, &x->covered, r->address, lengths[c], i);
                for (size_t a = 0; a < r->after_count; a++)
                        index_add(x, &x->dependants, r->after[a], strlen(r->after[a]), i);
        }
}

static void index_release(struct index *x)
{
        for (map_foreach (&x->covered, covered)) free(((struct list *)covered->value)->items);
        for (map_foreach (&x->dependants, dependant)) free(((struct list *)dependant->value)->items);
        map_release(&x->covered);
        map_release(&x->dependants);
        arena_free(x->arena);
}

struct spread { /* a set that grows along the index */
        bool *in;
        size_t *queue, count;
};

static void spread_list(struct spread *s, const struct list *list)
{
        for (size_t i = 0; list && i < list->count; i++) {
                if (s->in[list->items[i]]) continue;
                s->in[list->items[i]] = true;
                s->queue[s->count++] = list->items[i];
        }
}

/* Whatever depends on what is deleted is deleted before it. */
static void spread_to_dependants(struct index *x, const struct removals *all, struct spread *s)
{
        struct text scratch = {0};
        for (size_t at = 0; at < s->count; at++) {
                const char *address = all->items[s->queue[at]].recorded->address;
                size_t lengths[ADDRESS_COVERS], covers = address_covers(address, lengths);
                for (size_t c = 0; c < covers; c++) {
                        text_clear(&scratch);
                        text_addn(&scratch, address, lengths[c]);
                        spread_list(s, map_get(&x->dependants, scratch.data));
                }
        }
        text_release(&scratch);
}

/* What stays needs what it depends on. */
static void spread_to_dependencies(struct index *x, const struct removals *all, struct spread *s)
{
        for (size_t at = 0; at < s->count; at++) {
                const struct recorded *r = all->items[s->queue[at]].recorded;
                for (size_t a = 0; a < r->after_count; a++) spread_list(s, map_get(&x->covered, r->after[a]));
        }
}

static void apply_choices(const struct plan_input *in, struct removals *all)
{
        if (in->target_count == 0 && in->exclude_count == 0) return;
        struct index x = {0};
        index_build(&x, all);
        cleanup_free bool *chosen = mem_alloc(all->count * sizeof *chosen);
        cleanup_free bool *out = mem_alloc(all->count * sizeof *out);
        cleanup_free size_t *queue = mem_alloc(all->count * sizeof *queue);
        struct spread targets = {.in = chosen, .queue = queue};
        for (size_t t = 0; t < in->target_count; t++)
                spread_list(&targets, map_get(&x.covered, in->targets[t]));
        spread_to_dependants(&x, all, &targets);
        struct spread excludes = {.in = out, .queue = queue};
        for (size_t e = 0; e < in->exclude_count; e++)
                spread_list(&excludes, map_get(&x.covered, in->excludes[e]));
        spread_to_dependencies(&x, all, &excludes);
        for (size_t i = 0; i < all->count; i++)
                all->items[i].off = out[i] || (in->target_count > 0 && !chosen[i]);
        index_release(&x);
}

int removals_find(struct evaluation *ev, struct removals *all, struct error **err)
{
        const struct state *state = ev->input->state;
        bool destroy = ev->input->mode == PLAN_DESTROY;
        cleanup_free struct instance **claims = claims_of(ev);
        struct text scratch = {0};
        bool back = ev->input->back != NULL;
        for (size_t i = 0; i < state->count; i++) {
                const struct recorded *r = &state->resources[i];
                bool current = r->deposed[0] == '\0';
                if (!destroy && claims[i] != NULL && claims[i]->unwanted == NULL) {
                        if (claims[i]->aside != r || !claims[i]->acts) continue;
                        struct removal m = {.recorded = r, .heir = claims[i], .step = STEP_NONE};
                        vec_push(all->items, all->count, all->capacity, m);
                        continue;
                }
                if (back_leaves_aside(ev, r)) {
                        ev->keep_count++;
                        continue;
                }
                if (back && current && !back_is_absent(ev, r->address)) {
                        ev->keep_count++;
                        continue;
                }
                /* On the way back it is known what must not be there, whatever a template will have instances of. */
                if (!destroy && !back && current &&
                    address_find_cover(&ev->deferred_bare, r->address, &scratch) != NULL) {
                        ev->keep_count++;
                        continue;
                }
                struct removal m = {.recorded = r, .instance = current ? claims[i] : NULL, .step = STEP_NONE};
                vec_push(all->items, all->count, all->capacity, m);
        }
        text_release(&scratch);
        open_removals(ev, all);
        apply_choices(ev->input, all);
        size_t before = error_count(*err);
        for (size_t i = 0; i < all->count; i++) {
                if (all->items[i].off)
                        ev->left_out_count++;
                else
                        judge(ev, &all->items[i], err);
        }
        return error_count(*err) > before ? -1 : 0;
}
