/*
 * Replacements that only may be needed, as the values that decide it are known while the plan runs. An old object is not deleted for a value that
 * turns out to be what it was: at the moment at which the values are known the template is compared with the object once more.
 */
#include <string.h>
#include "plan/diff.h"
#include "plan/evaluation.h"

static struct step *main_of(struct plan *plan, const struct instance *i)
{
        return &plan->steps[i->node.step];
}

static struct step *half_of(struct plan *plan, const struct instance *i)
{
        return &plan->steps[i->half];
}

static bool is_open(const struct step *step)
{
        const struct instance *i = step->instance;
        return step->unsure && i != NULL && !i->decided;
}

/* Nothing of it may be done. */
static void refuse(struct plan *plan, struct instance *i, const struct error *err)
{
        const char *why = arena_strdup(plan->arena, error_message(err));
        i->refused = true;
        map_put(&plan->evaluation->refusals, i->address, (void *)why);
        main_of(plan, i)->refused = half_of(plan, i)->refused = why;
}

static bool is_refused(const struct node *n)
{
        return n->kind == NODE_INSTANCE && ((const struct instance *)n)->refused;
}

/* What stands on something that must not be replaced stays, too: without a new one it would have nothing to go over to. */
static void check_refused(const struct evaluation *ev, const struct instance *i, struct error **err)
{
        const char *behind = node_culprit(&i->node, is_refused);
        struct place place = {.address = i->address};
        if (behind != NULL)
                error_set(err, ERROR_INPUT, &place, "it would follow %s: %s", behind,
                    (const char *)map_get(&ev->refusals, behind));
        else if (i->protect)
                decide_refuse_protected(i, err);
}

/* Which of the values that were not known are as they were. */
static const char *what_is_same(struct plan *plan, const struct instance *i)
{
        const char *first = NULL;
        size_t more = 0;
        for (uint32_t c = 0; c < i->change_count; c++) {
                if (!i->changes[c].forces_replace) continue;
                if (first == NULL)
                        first = i->changes[c].path;
                else
                        more++;
        }
        if (first == NULL) return "its host is the same";
        if (more == 0) return arena_printf(plan->arena, "%s is the same", first);
        return arena_printf(plan->arena, "%s and %zu more are the same", first, more);
}

static void take_attributes(struct plan *plan, struct instance *i, const struct value *planned, bool all)
{
        value_free(i->attributes);
        i->attributes = diff_attributes(i->expansion->resource->schema, planned, i->prior, all);
        plan->evaluation->epoch++;
}

static void keep(struct plan *plan, struct instance *i, const struct comparison *c)
{
        main_of(plan, i)->spared = half_of(plan, i)->spared = what_is_same(plan, i);
        take_attributes(plan, i, c->planned, true);
}

static void change_in_place(struct plan *plan, struct instance *i, const struct comparison *c)
{
        struct step *main = main_of(plan, i);
        half_of(plan, i)->spared = what_is_same(plan, i);
        main->action = i->action = ACTION_UPDATE;
        main->create_first = false;
        main->planned = c->planned;
        main->changes = c->changes;
        main->change_count = c->count;
        if (i->private_ != NULL) main->private_ = i->private_;
        take_attributes(plan, i, c->planned, false);
}

/* The host as it is known by now; false when it cannot be evaluated. */
static bool take_host(struct evaluation *ev, struct instance *i, struct error **err)
{
        const struct resource *r = i->expansion->resource;
        if (r->host == NULL) return true;
        struct value *host = evaluate(ev, i->expansion->module, i, r->host, NULL, i->address, err);
        if (host == NULL) return false;
        i->host = evaluation_own(ev, host);
        return true;
}

static struct value *configuration(struct evaluation *ev, struct instance *i, struct error **err)
{
        const struct resource *r = i->expansion->resource;
        if (r->properties == NULL) return value_object(NULL, NULL, 0);
        return evaluate(ev, i->expansion->module, i, r->properties, NULL, i->address, err);
}

void plan_decide(struct plan *plan, const struct step *step)
{
        struct evaluation *ev = plan->evaluation;
        struct instance *i = step->instance;
        struct comparison c;
        cleanup(error_free) struct error *err = NULL;
        if (!is_open(step)) return;
        i->decided = true;
        cleanup(value_free) struct value *config = take_host(ev, i, &err) ? configuration(ev, i, &err) : NULL;
        if (config == NULL || decide_compare(ev, i, config, &c, &err) < 0) {
                refuse(plan, i, err);
        } else if (c.replace || decide_host_moves(i)) {
                check_refused(ev, i, &err);
                if (err != NULL) refuse(plan, i, err);
        } else if (c.count == 0) {
                keep(plan, i, &c);
        } else {
                change_in_place(plan, i, &c);
        }
}

void plan_begun(struct plan *plan, const struct step *step)
{
        struct instance *i = step->instance;
        (void)plan;
        if (is_open(step)) i->decided = true;
}

const char *plan_gate_spared(struct plan *plan, const struct step *gate)
{
        const struct instance *i = gate->instance;
        if (!gate->unsure || i == NULL) return NULL;
        const struct step *main = main_of(plan, i);
        if (main->create_first) plan_decide(plan, main); /* all that it follows from is done */
        if (main->refused != NULL) return main->refused;
        if (main->spared != NULL) return main->spared;
        bool in_place = main->action == ACTION_UPDATE && (gate->approval->on & APPROVE_UPDATE) == 0;
        return in_place ? half_of(plan, i)->spared : NULL;
}
