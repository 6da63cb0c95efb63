/*
 * The table of steps: one or two per instance that acts, gates before what is to be approved, joins where many stand for one,
 * deletions in the reverse of the recorded order; then everything in an order that respects every edge.
 */
#include <string.h>
#include "plan/address.h"
#include "plan/draft.h"
#include "plan/server.h"

static uint32_t add_step(struct draft *d, struct step step)
{
        step.deposed = step.deposed ? step.deposed : "";
        step.index = graph_add_node(&d->graph);
        vec_push(d->steps, d->count, d->capacity, step);
        if (d->seen_capacity < d->capacity) {
                d->seen = mem_realloc(d->seen, d->capacity * sizeof *d->seen);
                memset(d->seen + d->seen_capacity, 0, (d->capacity - d->seen_capacity) * sizeof *d->seen);
                d->seen_capacity = d->capacity;
        }
        return step.index;
}

static void add_edge(struct draft *d, uint32_t from, uint32_t to, enum graph_bond bond)
{
        if (from != STEP_NONE && to != STEP_NONE && from != to) graph_add_edge(&d->graph, from, to, bond);
}

uint32_t draft_join(struct draft *d, const char *address)
{
        return add_step(d, (struct step){.action = ACTION_JOIN, .address = address, .type = "join"});
}

void draft_edge(struct draft *d, uint32_t from, uint32_t to, enum graph_bond bond)
{
        add_edge(d, from, to, bond);
}

static const char *node_label(struct evaluation *ev, const struct node *n)
{
        const struct cell *cell = (const struct cell *)n;
        switch (n->kind) {
        case NODE_EXPANSION: return ((const struct expansion *)n)->address;
        case NODE_INSTANCE: return ((const struct instance *)n)->address;
        case NODE_CELL:
                if (cell->kind == CELL_LOCAL)
                        return arena_printf(ev->arena, "%slocal.%s", cell->module->prefix, cell->local->name);
                return cell->module->prefix;
        default: return "";
        }
}

static uint32_t step_behind(const struct node *n, bool known)
{
        return known ? n->known : n->step;
}

/* The one step that stands for all that a node depends on: none, the only one there is, or a join of them. */
static uint32_t stand_for(struct draft *d, const struct node *n, bool known)
{
        uint32_t only = STEP_NONE, join = STEP_NONE;
        uint32_t mark = ++d->mark;
        for (uint32_t i = 0; i < n->dep_count; i++) {
                uint32_t before = step_behind(n->deps[i], known);
                if (before == STEP_NONE || d->seen[before] == mark) continue;
                d->seen[before] = mark;
                if (only == STEP_NONE) {
                        only = before;
                        continue;
                }
                if (join == STEP_NONE) {
                        join = add_step(
                            d, (struct step){
                                   .action = ACTION_JOIN, .address = node_label(d->ev, n), .type = "join"});
                        add_edge(d, only, join, BOND_FIRM);
                }
                add_edge(d, before, join, BOND_FIRM);
        }
        return join != STEP_NONE ? join : only;
}

static void stand_for_both(struct draft *d, struct node *n)
{
        bool same = true;
        n->step = stand_for(d, n, false);
        for (uint32_t i = 0; i < n->dep_count && same; i++) same = n->deps[i]->known == n->deps[i]->step;
        n->known = same ? n->step : stand_for(d, n, true);
}

static void follow_deps(struct draft *d, const struct node *n, uint32_t step)
{
        uint32_t mark = ++d->mark;
        for (uint32_t i = 0; i < n->dep_count; i++) {
                uint32_t before = n->deps[i]->step;
                if (before == STEP_NONE || d->seen[before] == mark) continue;
                d->seen[before] = mark;
                add_edge(d, before, step, BOND_FIRM);
        }
}

static unsigned approve_bits(enum action action)
{
        switch (action) {
        case ACTION_CREATE:
        case ACTION_ADOPT: return APPROVE_CREATE;
        case ACTION_UPDATE: return APPROVE_UPDATE;
        case ACTION_REPLACE: return APPROVE_REPLACE | APPROVE_DELETE;
        case ACTION_RESTORE: return APPROVE_REPLACE | APPROVE_DELETE;
        case ACTION_DELETE: return APPROVE_DELETE;
        default: return 0;
        }
}

/* A gate before `guarded`, if the resource wants one for this action; gives the step that others lead to instead. */
static uint32_t guard(
    struct draft *d, const struct resource *r, enum action action, uint32_t guarded, struct instance *i)
{
        if (r == NULL || r->kind != RESOURCE_MANAGED || r->approve == NULL) return guarded;
        struct step *step = &d->steps[guarded];
        unsigned bits = approve_bits(action);
        /* A creation that is continued with other values is an update of what it made. */
        if (step->open != NULL && step->open->creates && action != ACTION_DELETE &&
            plan_open_difference(step, step->planned) == OPEN_CHANGES)
                bits |= approve_bits(ACTION_UPDATE);
        if ((r->approve->on & bits) == 0) return guarded;
        step->gate = step->address;
        uint32_t gate = add_step(d, (struct step){.action = ACTION_GATE,
                                        .address = step->address,
                                        .type = "gate",
                                        .resource = r,
                                        .approval = r->approve,
                                        .gate = step->address,
                                        .unsure = i != NULL && i->unsure && action == ACTION_REPLACE,
                                        .reason = arena_printf(d->arena, "before %s", action_name(action)),
                                        .instance = i});
        add_edge(d, gate, guarded, BOND_FIRM);
        return gate;
}

/* In an automatic rollback, a step that deletes or replaces what was there before waits for a person: one gate for all of them. */
static void ask_before_loss(struct draft *d, const struct recorded *r, const char *reason, uint32_t entry)
{
        if (!back_loses(d->ev, r)) return;
        back_note_loss(d->ev, r, reason);
        if (d->consent == STEP_NONE) {
                const char *undoes = d->ev->input->back->undoes;
                const char *name = arena_printf(d->arena, "rollback:%s", undoes ? undoes : "");
                d->consent = add_step(
                    d, (struct step){.action = ACTION_GATE, .address = name, .type = "gate", .gate = name});
        }
        d->steps[d->consent].reason = back_losses_question(d->ev);
        add_edge(d, d->consent, entry, BOND_FIRM);
}

static void serve(struct step *step, const struct server *server)
{
        step->server = server;
        step->account = server ? server->account_text : NULL;
}

static struct step step_of(struct draft *d, struct instance *i)
{
        const struct resource *r = i->expansion->resource;
        struct step step = {.action = i->action,
            .address = i->address,
            .type = i->action == ACTION_GATE ? "gate" : r->type,
            .provider = r->provider,
            .schema = r->schema,
            .resource = r,
            .recorded = i->recorded,
            .open = i->open,
            .prior = i->prior,
            .planned = i->planned,
            .host = i->host,
            .private_ = i->private_               ? i->private_
                        : i->recorded && i->prior ? i->recorded->private_
                                                  : NULL,
            .changes = i->changes,
            .change_count = i->change_count,
            .approval = i->action == ACTION_GATE ? r->approve : NULL,
            .gate = i->action == ACTION_GATE ? i->address : NULL,
            .create_first = i->create_first,
            .unsure = i->unsure,
            .protect = i->protect,
            .reason = i->reason,
            .instance = i};
        const struct observation *seen = i->recorded ? world_of(d->ev->input->world, i->recorded) : NULL;
        if (i->private_ == NULL && seen && seen->private_) step.private_ = seen->private_;
        const struct recorded *acted_on = i->action == ACTION_UPDATE || i->action == ACTION_RESTORE
                                              ? i->recorded
                                          : i->open != NULL && i->open->creates ? &i->open->object
                                                                                : NULL;
        if (r->schema != NULL)
                serve(&step, acted_on ? server_found(d->ev, acted_on) : server_of_instance(d->ev, i));
        if (r->kind == RESOURCE_MANAGED)
                step.depends = instance_order(d->ev, i, &step.depends_count, &step.inherited_count);
        return step;
}

/* The half that deletes the old object keeps to the old one's type and provider. */
static uint32_t add_half(struct draft *d, struct instance *i, struct error **err)
{
        const struct recorded *r = i->recorded;
        const struct schema_source *schemas = d->ev->input->schemas;
        const struct schema *schema = schemas->find(schemas->context, r->type, err);
        struct step half = {.action = ACTION_REPLACE_DELETE,
            .address = i->address,
            .type = r->type,
            .provider = r->provider,
            .schema = schema,
            .resource = i->expansion->resource,
            .recorded = r,
            .open = open_action_on(d->ev, r, "delete"),
            .prior = i->prior,
            .host = r->host,
            .private_ = r->private_,
            .create_first = i->create_first,
            .unsure = i->unsure,
            .reason = i->reason,
            .instance = i};
        serve(&half, server_found(d->ev, r));
        return add_step(d, half);
}

/*
 * The moment at which it is known whether a replacement that only may be needed is: the old object is not deleted before. The order of `after` is
 * none of its business. Where the old object has to go before that can be known, it goes, as the values are those of new ones then.
 */
static void wait_until_known(struct draft *d, struct instance *i, uint32_t entry)
{
        struct step moment = {
            .action = ACTION_JOIN, .address = i->address, .type = "join", .unsure = true, .instance = i};
        i->node.known = add_step(d, moment);
        for (uint32_t n = 0; n < i->node.dep_count; n++)
                if (i->node.deps[n]->kind != NODE_ENTRY)
                        add_edge(d, i->node.deps[n]->known, i->node.known, BOND_FIRM);
        add_edge(d, i->node.known, entry, BOND_FAIR);
}

static void add_replacement(struct draft *d, struct instance *i, struct error **err)
{
        struct step main = step_of(d, i);
        if (i->create_first) {
                i->node.step = add_step(d, main);
                uint32_t first = guard(d, main.resource, i->action, i->node.step, i);
                follow_deps(d, &i->node, first);
                ask_before_loss(d, i->recorded, i->reason, first);
                i->half = add_half(d, i, err);
                add_edge(d, i->node.step, i->half, BOND_FIRM);
                return;
        }
        i->half = add_half(d, i, err);
        uint32_t entry = guard(d, main.resource, i->action, i->half, i);
        ask_before_loss(d, i->recorded, i->reason, entry);
        i->node.step = add_step(d, main);
        add_edge(d, i->half, i->node.step, BOND_FIRM);
        follow_deps(d, &i->node, i->node.step);
        if (i->unsure) wait_until_known(d, i, entry);
        /* What waits for an approval must not be taken down before it. */
        for (uint32_t n = 0; n < i->node.dep_count; n++)
                if (i->node.deps[n]->gated) add_edge(d, i->node.deps[n]->step, entry, BOND_FAIR);
}

/* Taken back as it is, in the record alone; what differs is then changed in place. */
static void add_restoration(struct draft *d, struct instance *i)
{
        struct step update = step_of(d, i), back = update;
        update.action = ACTION_UPDATE;
        update.reason = NULL;
        back.deposed = i->recorded->deposed;
        back.host = i->recorded->host;
        back.changes = NULL;
        back.change_count = 0;
        i->node.step = add_step(d, back);
        uint32_t first = i->node.step, entry = guard(d, back.resource, ACTION_RESTORE, first, i);
        follow_deps(d, &i->node, entry);
        if (restore_destroys(d->ev, i)) ask_before_loss(d, i->aside, i->reason, entry);
        if (i->change_count == 0) return;
        i->node.step = add_step(d, update);
        bool asked = entry != first; /* once for both */
        add_edge(d, first, asked ? i->node.step : guard(d, update.resource, ACTION_UPDATE, i->node.step, i),
            BOND_FIRM);
}

static void add_instance(struct draft *d, struct instance *i, struct error **err)
{
        if (i->nested != NULL) {
                i->node.step = i->node.dep_count > 0 ? i->node.deps[0]->step : STEP_NONE;
                i->node.known = i->node.dep_count > 0 ? i->node.deps[0]->known : STEP_NONE;
                return;
        }
        if (!i->acts) return;
        if (i->action == ACTION_REPLACE && i->prior != NULL) {
                add_replacement(d, i, err);
                return;
        }
        if (i->action == ACTION_RESTORE) {
                add_restoration(d, i);
                return;
        }
        struct step step = step_of(d, i);
        i->node.step = add_step(d, step);
        follow_deps(d, &i->node, guard(d, step.resource, i->action, i->node.step, i));
}

static void add_removal(struct draft *d, struct removal *m)
{
        if (m->off) return;
        const struct recorded *r = m->recorded;
        struct step step = {.action = m->action,
            .address = r->address,
            .deposed = m->heir ? recorded_key_aside(r) : r->deposed,
            .type = r->type,
            .provider = r->provider,
            .schema = m->schema,
            .resource = m->instance ? m->instance->expansion->resource : NULL,
            .recorded = r,
            .open = r->open ? r->open : open_action_on(d->ev, r, "delete"),
            .prior = m->instance ? m->instance->prior : NULL,
            .host = r->host,
            .private_ = r->private_,
            .reason = m->reason,
            .instance = m->instance};
        if (step.prior == NULL) step.prior = evaluation_own(d->ev, value_merge(r->properties, r->outputs));
        serve(&step, server_found(d->ev, r));
        m->step = add_step(d, step);
        if (m->heir != NULL) add_edge(d, m->heir->node.step, m->step, BOND_FIRM);
}

/* ── The order of deletions ── */

/* Steps that have to be done before something of one address may be deleted, by what they do. */
enum release {
        RELEASE_DELETE, /* delete what was made upon it */
        RELEASE_HOLDING, /* when all goes: delete what is recorded as holding its id, whatever the template says now */
        RELEASE_INHERIT, /* delete what comes after it only because something between them is gone */
        RELEASE_UPDATE, /* lead what was made upon it over to something else, possibly to its own successor */
        RELEASE_DEPART, /* the latter only when it is not to its successor */
        RELEASE_SUCCEED, /* make anew, upon its successor, what was made upon it */
        RELEASE_KINDS,
        RELEASE_NONE = RELEASE_KINDS,
};
struct group {
        struct {
                uint32_t *steps;
                size_t count, capacity;
                uint32_t join;
        } by[RELEASE_KINDS];
};

static void enter(struct draft *d, const char *address, enum release kind, uint32_t step)
{
        struct group *g = map_get(&d->groups, address);
        if (g == NULL) {
                g = arena_alloc(d->arena, sizeof *g);
                for (unsigned k = 0; k < RELEASE_KINDS; k++) g->by[k].join = STEP_NONE;
                map_put(&d->groups, address, g);
        }
        vec_push(g->by[kind].steps, g->by[kind].count, g->by[kind].capacity, step);
}

static void enter_deletion(struct draft *d, const struct recorded *r, uint32_t step)
{
        size_t own = r->after_count - r->inherited_count;
        for (size_t a = 0; a < r->after_count; a++)
                enter(d, r->after[a], a < own ? RELEASE_DELETE : RELEASE_INHERIT, step);
}

void draft_enter_passing(struct draft *d, const struct recorded *r, uint32_t join)
{
        for (size_t a = 0; a < r->after_count; a++) enter(d, r->after[a], RELEASE_INHERIT, join);
}

static void enter_update(struct draft *d, struct instance *i)
{
        struct map now = {0};
        const struct step *step = &d->steps[i->node.step];
        for (size_t a = 0; a < step->depends_count; a++) map_put(&now, step->depends[a], d);
        for (size_t a = 0; a < i->recorded->after_count; a++) {
                const char *address = i->recorded->after[a];
                enter(d, address, RELEASE_UPDATE, i->node.step);
                if (!map_has(&now, address)) enter(d, address, RELEASE_DEPART, i->node.step);
        }
        map_release(&now);
}

/* How much each is meant. When all goes the template's order (order_by_template) comes before the recorded one, but for what holds an id. */
static enum graph_bond bond_of(const struct draft *d, enum release kind)
{
        static const uint8_t bonds[][RELEASE_KINDS] = {
            {[RELEASE_DELETE] = BOND_LOOSE,
                [RELEASE_INHERIT] = BOND_FAIR,
                [RELEASE_UPDATE] = BOND_WISH,
                [RELEASE_DEPART] = BOND_WISH,
                [RELEASE_SUCCEED] = BOND_WISH},
            {[RELEASE_HOLDING] = BOND_LOOSE, [RELEASE_DELETE] = BOND_WISH, [RELEASE_INHERIT] = BOND_FAINT},
        };
        return (enum graph_bond)bonds[d->ev->input->mode == PLAN_DESTROY][kind];
}

/* `deleting` waits for all of a group's of one kind; many are joined. It is the way into the join that may be given up, one by one. */
static void wait_for_group(
    struct draft *d, const char *address, struct group *g, enum release kind, uint32_t deleting)
{
        enum graph_bond bond = bond_of(d, kind);
        if (g->by[kind].count == 0) return;
        if (g->by[kind].count == 1) {
                add_edge(d, g->by[kind].steps[0], deleting, bond);
                return;
        }
        if (g->by[kind].join == STEP_NONE) {
                g->by[kind].join = draft_join(d, address);
                for (size_t i = 0; i < g->by[kind].count; i++)
                        add_edge(d, g->by[kind].steps[i], g->by[kind].join, bond);
        }
        add_edge(d, g->by[kind].join, deleting, kind >= RELEASE_UPDATE ? bond : BOND_FIRM);
}

/*
 * `deleting` waits until nothing stands on what it deletes, as far as `updates` can be waited for; with `succeeds`, also until what stood on it was
 * made anew.
 */
static void wait_for_dependants(struct draft *d, const char *address, uint32_t deleting, enum release updates,
    bool succeeds, struct text *scratch)
{
        size_t lengths[ADDRESS_COVERS], covers = address_covers(address, lengths);
        for (size_t c = 0; c < covers; c++) {
                text_clear(scratch);
                text_addn(scratch, address, lengths[c]);
                struct group *g = map_get(&d->groups, scratch->data);
                if (g == NULL) continue;
                wait_for_group(d, address, g, RELEASE_DELETE, deleting);
                wait_for_group(d, address, g, RELEASE_HOLDING, deleting);
                wait_for_group(d, address, g, RELEASE_INHERIT, deleting);
                if (updates != RELEASE_NONE) wait_for_group(d, address, g, updates, deleting);
                if (succeeds) wait_for_group(d, address, g, RELEASE_SUCCEED, deleting);
        }
}

void draft_wait_for_deletions(struct draft *d, const char *address, uint32_t step, struct text *scratch)
{
        wait_for_dependants(d, address, step, RELEASE_NONE, false, scratch);
}

uint32_t draft_entry(const struct draft *d, uint32_t step)
{
        bool guarded = d->steps[step].gate != NULL && step + 1 < d->count &&
                       d->steps[step + 1].action == ACTION_GATE &&
                       d->steps[step + 1].address == d->steps[step].address;
        return guarded ? step + 1 : step;
}

static void enter_removal(struct draft *d, const struct removal *m)
{
        const struct recorded *r = m->recorded;
        struct map said = {0};
        size_t count = 0;
        const char **depends = NULL;
        if (d->ev->input->mode != PLAN_DESTROY) {
                enter_deletion(d, r, m->step);
                return;
        }
        if (m->instance != NULL && r->after_count > 0) depends = instance_depends(d->ev, m->instance, &count);
        for (size_t a = 0; a < r->after_count; a++) {
                /* Of what the template says as well there is nothing to add. */
                if (a < count && strcmp(depends[a], r->after[a]) == 0) continue;
                for (size_t i = 0; i < count && said.used == 0; i++) map_put(&said, depends[i], d);
                if (map_has(&said, r->after[a])) continue;
                bool own = a < r->after_count - r->inherited_count;
                bool holds = own && holds_id(d->ev->input->state, r, r->after[a]);
                enter(d, r->after[a],
                    holds ? RELEASE_HOLDING
                    : own ? RELEASE_DELETE
                          : RELEASE_INHERIT,
                    m->step);
        }
        map_release(&said);
}

static void enter_all(struct draft *d, const struct removals *removals)
{
        for (size_t m = 0; m < removals->count; m++) {
                const struct removal *removal = &removals->items[m];
                if (removal->step == STEP_NONE || removal->action != ACTION_DELETE) continue;
                enter_removal(d, removal);
        }
        for (size_t n = 0; n < d->ev->node_count; n++) {
                struct instance *i = (struct instance *)d->ev->nodes[n];
                if (i->node.kind != NODE_INSTANCE || !i->acts || i->recorded == NULL) continue;
                if (i->half != STEP_NONE) {
                        enter_deletion(d, i->recorded, i->half);
                        for (size_t a = 0; a < i->recorded->after_count; a++)
                                enter(d, i->recorded->after[a], RELEASE_SUCCEED, i->node.step);
                } else if (i->action == ACTION_UPDATE || (i->action == ACTION_RESTORE && i->change_count > 0))
                        enter_update(d, i);
        }
}

static void order_deletions(struct draft *d, const struct removals *removals)
{
        struct text scratch = {0};
        if (d->ev->input->mode == PLAN_DESTROY) order_by_template(d, removals);
        enter_all(d, removals);
        order_through_the_rest(d, removals);
        for (size_t m = 0; m < removals->count; m++) {
                const struct removal *removal = &removals->items[m];
                if (removal->step == STEP_NONE || removal->action != ACTION_DELETE) continue;
                if (removal->again != NULL) add_edge(d, removal->step, removal->again->node.step, BOND_FIRM);
                if (removal->recorded->open != NULL) continue; /* nothing was ever made upon it */
                wait_for_dependants(d, removal->recorded->address, draft_entry(d, removal->step),
                    RELEASE_UPDATE, false, &scratch);
        }
        for (size_t n = 0; n < d->ev->node_count; n++) {
                struct instance *i = (struct instance *)d->ev->nodes[n];
                if (i->node.kind != NODE_INSTANCE || i->half == STEP_NONE) continue;
                enum release updates = i->create_first ? RELEASE_UPDATE : RELEASE_DEPART;
                wait_for_dependants(
                    d, i->address, draft_entry(d, i->half), updates, i->create_first, &scratch);
        }
        text_release(&scratch);
        for (map_foreach (&d->groups, entry))
                for (unsigned k = 0; k < RELEASE_KINDS; k++)
                        free(((struct group *)entry->value)->by[k].steps);
        map_release(&d->groups);
}

/* ── The finished table ── */

static int compare_index(const void *a, const void *b)
{
        uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
        return left < right ? -1 : left > right;
}

/* Joins that nothing waits for are not worth a line. */
static void drop_idle_joins(struct draft *d, const uint32_t *order, uint32_t count, bool *idle)
{
        for (uint32_t at = count; at-- > 0;) {
                uint32_t n = order[at];
                if (d->steps[n].action != ACTION_JOIN) continue;
                idle[n] = true;
                for (size_t e = d->graph.first[n]; e < d->graph.first[n + 1]; e++) {
                        const struct graph_edge *edge = &d->graph.edges[d->graph.by_from[e]];
                        if (edge->bond != BOND_DROPPED && !idle[edge->to]) idle[n] = false;
                }
        }
}

static void fill_edges(struct draft *d, struct plan *plan, const uint32_t *number, const bool *idle)
{
        size_t kept = 0;
        for (size_t e = 0; e < d->graph.edge_count; e++) {
                struct graph_edge *edge = &d->graph.edges[e];
                if (edge->bond == BOND_DROPPED || idle[edge->from] || idle[edge->to]) continue;
                plan->steps[number[edge->to]].after_count++;
                kept++;
        }
        uint32_t *all = arena_alloc(plan->arena, kept * sizeof *all);
        for (size_t s = 0; s < plan->count; s++) {
                plan->steps[s].after = all;
                all += plan->steps[s].after_count;
                plan->steps[s].after_count = 0;
        }
        for (size_t e = 0; e < d->graph.edge_count; e++) {
                struct graph_edge *edge = &d->graph.edges[e];
                if (edge->bond == BOND_DROPPED || idle[edge->from] || idle[edge->to]) continue;
                struct step *step = &plan->steps[number[edge->to]];
                ((uint32_t *)step->after)[step->after_count++] = number[edge->from];
        }
        for (size_t s = 0; s < plan->count; s++) {
                struct step *step = &plan->steps[s];
                uint32_t *after = (uint32_t *)step->after;
                if (step->after_count < 2) continue;
                qsort(after, step->after_count, sizeof *after, compare_index);
                size_t unique = 1;
                for (size_t i = 1; i < step->after_count; i++)
                        if (after[i] != after[unique - 1]) after[unique++] = after[i];
                step->after_count = unique;
        }
}

static int finish(struct draft *d, struct plan *plan, struct error **err)
{
        cleanup_free uint32_t *order = mem_alloc(d->count * sizeof *order);
        cleanup_free uint32_t *number = mem_alloc(d->count * sizeof *number);
        cleanup_free bool *idle = mem_alloc(d->count * sizeof *idle);
        if (graph_order(&d->graph, order) < d->count)
                return error_set(
                    err, ERROR_INPUT, NULL, "the steps of this plan wait for each other in a circle");
        drop_idle_joins(d, order, (uint32_t)d->count, idle);
        plan->steps = arena_alloc(plan->arena, d->count * sizeof *plan->steps);
        for (size_t at = 0; at < d->count; at++) {
                uint32_t n = order[at];
                if (idle[n]) continue;
                number[n] = (uint32_t)plan->count;
                plan->steps[plan->count] = d->steps[n];
                plan->steps[plan->count].index = (uint32_t)plan->count;
                plan->count++;
        }
        fill_edges(d, plan, number, idle);
        /* From now on nodes and instances speak of the finished table. */
        for (size_t n = 0; n < d->ev->node_count; n++) {
                struct node *node = d->ev->nodes[n];
                if (node->step != STEP_NONE) node->step = idle[node->step] ? STEP_NONE : number[node->step];
                struct instance *i = (struct instance *)node;
                if (node->kind == NODE_INSTANCE && i->half != STEP_NONE) i->half = number[i->half];
        }
        return 0;
}

/* ── Recovery steps ── */

static bool any_acts(const struct expansion *x)
{
        for (uint32_t n = 0; n < x->count; n++)
                if (x->instances[n].node.step != STEP_NONE) return true;
        return false;
}

/* Behind the one before it, or, the first, behind all that may fail. The executor takes these edges for an order of lines only. */
static uint32_t add_recovery_step(struct draft *d, const struct expansion *of, uint32_t last, uint32_t step)
{
        d->steps[step].recovery_of = of->address;
        add_edge(d, last, step, BOND_FIRM);
        for (uint32_t n = 0; n < of->count && last == STEP_NONE; n++)
                add_edge(d, of->instances[n].node.step, step, BOND_FIRM);
        return step;
}

static void add_recovery(struct draft *d, struct expansion *x, struct error **err)
{
        const struct resource *r = x->resource;
        const struct template *t = x->module->blueprint->template;
        uint32_t last = STEP_NONE;
        if (r->recovery_count == 0 || !any_acts(x)) return;
        for (size_t k = 0; k < r->recovery_count; k++) {
                const struct resource *named = template_resource(t, r->recovery[k]);
                struct expansion *steps = &x->module->resources[named - t->resources];
                if (steps->count != 1 || !steps->instances[0].standby) continue;
                struct instance *i = &steps->instances[0];
                if (i->action == ACTION_REPLACE) last = add_recovery_step(d, x, last, add_half(d, i, err));
                last = add_recovery_step(d, x, last, add_step(d, step_of(d, i)));
                follow_deps(d, &i->node, last);
        }
}

struct recovery {
        uint32_t *steps;
        size_t count, capacity;
};

/* Whatever stands for a resource that may fail, its halves and guards included, leads to its recovery steps. */
static void connect_recovery(struct plan *plan)
{
        struct map by_address = {0};
        for (size_t s = 0; s < plan->count; s++) {
                const char *of = plan->steps[s].recovery_of;
                if (of == NULL) continue;
                struct recovery *list = map_get(&by_address, of);
                if (list == NULL) map_put(&by_address, of, list = arena_alloc(plan->arena, sizeof *list));
                vec_push(list->steps, list->count, list->capacity, (uint32_t)s);
        }
        for (map_foreach (&by_address, e)) {
                struct recovery *list = e->value;
                uint32_t *kept = arena_alloc(plan->arena, list->count * sizeof *kept);
                memcpy(kept, list->steps, list->count * sizeof *kept);
                free(list->steps);
                list->steps = kept;
        }
        for (size_t s = 0; s < plan->count && by_address.used > 0; s++) {
                struct step *step = &plan->steps[s];
                const struct instance *i = step->instance;
                const struct recovery *list = i && step->recovery_of == NULL
                                                  ? map_get(&by_address, i->expansion->address)
                                                  : NULL;
                if (list == NULL) continue;
                step->recovery = list->steps;
                step->recovery_count = list->count;
        }
        map_release(&by_address);
}

static void release(struct draft *d)
{
        free(d->steps);
        free(d->seen);
        graph_release(&d->graph);
}

int table_build(struct evaluation *ev, struct removals *removals, struct plan *plan, struct error **err)
{
        struct draft d = {.ev = ev, .arena = ev->arena, .consent = STEP_NONE};
        graph_init(&d.graph, 0);
        size_t before = error_count(*err);
        bool destroy = ev->input->mode == PLAN_DESTROY;
        int status = roots_collect(ev, err);
        /* 1. what the template wants, in the order in which it was evaluated */
        for (size_t n = 0; n < ev->node_count && !destroy; n++) {
                struct node *node = ev->nodes[n];
                if (node->kind != NODE_INSTANCE && node->carried) stand_for_both(&d, node);
                if (node->kind != NODE_INSTANCE) continue;
                add_instance(&d, (struct instance *)node, err);
                if (node->known == STEP_NONE) node->known = node->step;
        }
        /* 2. what has to go, and approvals of that */
        for (size_t m = 0; m < removals->count; m++) {
                struct removal *removal = &removals->items[m];
                add_removal(&d, removal);
                if (removal->step == STEP_NONE) continue;
                if (removal->instance != NULL)
                        guard(&d, removal->instance->expansion->resource, removal->action, removal->step,
                            removal->instance);
                if (removal->action == ACTION_DELETE && removal->heir == NULL)
                        ask_before_loss(
                            &d, removal->recorded, removal->reason, draft_entry(&d, removal->step));
        }
        /* 3. nothing is deleted while something still stands on it */
        order_deletions(&d, removals);
        /* 4. what is to run only when something fails */
        for (size_t n = 0; n < ev->node_count && !destroy; n++)
                if (ev->nodes[n]->kind == NODE_EXPANSION)
                        add_recovery(&d, (struct expansion *)ev->nodes[n], err);
        /* 5. an order that respects every edge */
        if (error_count(*err) > before) status = -1;
        if (status == 0) status = finish(&d, plan, err);
        if (status == 0) connect_recovery(plan);
        release(&d);
        return status;
}
