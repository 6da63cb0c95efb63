/* While the plan runs: what was unknown is evaluated with the results that came in, and held against what was planned. */
#include <string.h>
#include "plan/diff.h"
#include "plan/server.h"

static struct place place_of(const struct step *step)
{
        struct place place = {0};
        if (step->resource != NULL) place = step->resource->place;
        place.address = step->address;
        return place;
}

/* What the provider fills in is null in what it is given. */
static struct value *without_unknown(const struct schema *schema, struct value *steal_value)
{
        struct value *v = steal_value;
        for (size_t p = 0; p < schema->property_count; p++) {
                const struct property *property = &schema->properties[p];
                const struct value *part = value_get(v, property->name);
                if (part == NULL || value_is_known(part) || !property->computed) continue;
                cleanup(value_free) struct value *null = value_null(property->type);
                struct value *next = value_with(v, property->name, null);
                value_free(v);
                v = next;
        }
        return v;
}

static int still_unknown(const struct step *step, const char *what, struct error **err)
{
        struct place place = place_of(step);
        return error_set(err, ERROR_INPUT, &place,
            "%s of %s cannot be known yet: something it refers to has no value", what, step->address);
}

/* The final value of each property must be what the plan showed, and an update must not turn into a replacement. */
static int check_as_planned(const struct step *step, const struct value *final, struct error **err)
{
        struct place place = place_of(step);
        const struct schema *schema = step->schema;
        for (size_t p = 0; p < schema->property_count; p++) {
                const struct property *property = &schema->properties[p];
                const struct value *now = value_get(final, property->name);
                const struct value *planned = step->planned ? value_get(step->planned, property->name) : NULL;
                if (now != NULL && !value_is_wholly_known(now)) {
                        cleanup_free char *what = mem_printf("property '%s'", property->name);
                        return still_unknown(step, what, err);
                }
                if (now != NULL && planned != NULL && !diff_refines(planned, now))
                        return error_set(err, ERROR_CONFLICT, &place,
                            "property '%s' is not what was planned for %s any more; plan again",
                            property->name, step->address);
                if (step->action != ACTION_UPDATE || step->prior == NULL) continue;
                const struct value *before = value_get(step->prior, property->name);
                if (diff_replaces(property, before, now) && !diff_same(property, before, now))
                        return error_set(err, ERROR_CONFLICT, &place,
                            "property '%s' changes, which needs a new %s, but an update was planned; plan "
                            "again",
                            property->name, step->address);
        }
        return 0;
}

static int resolve_properties(
    struct evaluation *ev, const struct step *step, struct value **ret, struct error **err)
{
        if (step->planned == NULL) return 0;
        if (value_is_wholly_known(step->planned)) {
                *ret = value_ref(step->planned);
                return 0;
        }
        struct instance *i = step->instance;
        const struct expansion *x = i->expansion;
        const struct resource *r = step->resource;
        struct place place = place_of(step);
        const struct value *prior = step->action == ACTION_UPDATE ? step->prior : NULL;
        cleanup(value_free) struct value *config = r->properties ? evaluate(ev, x->module, i, r->properties,
                                                                       NULL, i->address, err)
                                                                 : value_object(NULL, NULL, 0);
        if (config == NULL) return -1;
        cleanup(value_free) struct value *final = diff_propose(step->schema, config, prior, &place, err);
        if (final == NULL) return -1;
        if (prior != NULL) {
                struct value *kept = diff_ignore(final, prior, r->ignore, r->ignore_count);
                value_free(final);
                final = kept;
        }
        struct replace_paths replace = {0};
        if (r->kind == RESOURCE_MANAGED && provider_plan(ev, i, prior, &final, &replace, err) < 0) return -1;
        if (i->private_ != NULL) ((struct step *)step)->private_ = i->private_;
        if (replace.count > 0 && step->action == ACTION_UPDATE)
                return error_set(err, ERROR_CONFLICT, &place,
                    "the provider now needs a new %s, but an update was planned; plan again", step->address);
        final = without_unknown(step->schema, steal(final));
        if (check_as_planned(step, final, err) < 0) return -1;
        *ret = steal(final);
        return 0;
}

static int resolve_host(
    struct evaluation *ev, const struct step *step, struct value **ret, struct error **err)
{
        if (step->host == NULL) return 0;
        if (value_is_wholly_known(step->host)) {
                *ret = value_ref(step->host);
                return 0;
        }
        struct instance *i = step->instance;
        if (i == NULL) return still_unknown(step, "the host", err);
        cleanup(value_free) struct value *host = evaluate(
            ev, i->expansion->module, i, step->resource->host, NULL, i->address, err);
        if (host == NULL) return -1;
        if (!value_is_wholly_known(host)) return still_unknown(step, "the host", err);
        struct place place = place_of(step);
        if (!diff_refines(step->host, host))
                return error_set(err, ERROR_CONFLICT, &place,
                    "the host of %s is not what was planned any more; plan again", step->address);
        *ret = steal(host);
        return 0;
}

int plan_resolve(struct plan *plan, const struct step *step, struct value **properties, struct value **host,
    struct error **err)
{
        *properties = *host = NULL;
        if (resolve_properties(plan->evaluation, step, properties, err) < 0) return -1;
        if (resolve_host(plan->evaluation, step, host, err) == 0) return 0;
        value_free(*properties);
        *properties = NULL;
        return -1;
}

bool plan_leaves(struct plan *plan, const struct step *step, const char *property)
{
        struct instance *i = step->instance;
        const struct resource *r = step->resource;
        if (i == NULL || r == NULL || r->kind != RESOURCE_MANAGED || plan->input->back != NULL) return false;
        if (r->properties == NULL) return true;
        cleanup(error_free) struct error *problems = NULL;
        cleanup(value_free) struct value *config = evaluate(
            plan->evaluation, i->expansion->module, i, r->properties, NULL, i->address, &problems);
        if (config == NULL || !value_is_known(config) || value_is_null(config)) return false;
        const struct value *given = value_get(config, property);
        return given == NULL || (value_is_known(given) && value_is_null(given));
}

struct cell *step_provider(const struct plan *plan, const struct step *step)
{
        const struct instance *i = step->instance;
        if (step->server != NULL) return step->server->cell;
        struct module *m = i ? i->expansion->module : module_of_address(plan->evaluation, step->address);
        return step->provider ? module_provider(m, step->provider) : NULL;
}

int plan_provider(struct plan *plan, const struct step *step, struct provider_use *use, struct error **err)
{
        bool on_record = step->action == ACTION_UPDATE || step->action == ACTION_DELETE ||
                         step->action == ACTION_REPLACE_DELETE;
        /* A creation that was begun in one cloud is neither looked for nor continued in another. */
        const struct recorded *at = on_record ? step->recorded : step->open ? &step->open->object : NULL;
        if (step->server != NULL) return server_use(step->server, step->address, at, use, err);
        struct cell *cell = step_provider(plan, step);
        *use = provider_use_of(cell, step->address, step->provider);
        use->recorded = at;
        if (cell == NULL) return 0;
        cleanup(error_free) struct error *problems = NULL;
        use->config = cell_value(plan->evaluation, cell, &problems);
        return error_move(err, &problems);
}

int plan_gate_text(
    struct plan *plan, const struct step *step, char **message, struct value **approvers, struct error **err)
{
        struct evaluation *ev = plan->evaluation;
        struct instance *i = step->instance;
        const struct approval *a = step->approval;
        *message = NULL;
        *approvers = NULL;
        if (a == NULL && step->resource == NULL) *message = mem_strdup(step->reason); /* the planner's own */
        if (a == NULL || i == NULL) return 0;
        struct module *m = i->expansion->module;
        if (a->message != NULL) {
                cleanup(value_free) struct value *v = evaluate(
                    ev, m, i, a->message, NULL, step->address, err);
                if (v == NULL) return -1;
                cleanup(value_free) struct value *s = value_convert(v, type_string, err);
                if (s == NULL) return -1;
                if (value_is_known(s) && !value_is_null(s))
                        *message = mem_strdup(value_is_sensitive(s) ? "(sensitive)" : value_as_string(s));
        }
        if (a->approvers == NULL) return 0;
        cleanup(value_free) struct value *v = evaluate(ev, m, i, a->approvers, NULL, step->address, err);
        const struct type *names = type_list(type_string);
        struct value *list = v ? value_convert(v, names, err) : NULL;
        type_free(names);
        if (list != NULL && value_is_wholly_known(list)) {
                *approvers = list;
                return 0;
        }
        if (list != NULL) still_unknown(step, "who may approve", err);
        value_free(list);
        free(*message);
        *message = NULL;
        return -1;
}

/* As the provider gave it, converted and marked by the schema, and marked where the configuration was. */
static struct value *adopt_result(const struct step *step, const struct value *given)
{
        const struct schema *schema = step->schema;
        struct value_builder b = {0};
        for (size_t p = 0; p < schema->property_count; p++) {
                const char *name = schema->properties[p].name;
                const struct value *planned = step->planned ? value_get(step->planned, name) : NULL;
                const struct value *v = value_get(given, name);
                if (v == NULL || schema->properties[p].write_only)
                        v = planned && value_is_known(planned) ? planned : v;
                struct value *part = v ? value_convert(v, schema->properties[p].type, NULL) : NULL;
                if (part == NULL) part = v ? value_ref(v) : value_null(schema->properties[p].type);
                bool secret = schema->properties[p].sensitive || (planned && value_is_sensitive(planned)) ||
                              value_is_sensitive(part);
                value_builder_add(&b, name, value_sensitive(part, secret));
                value_free(part);
        }
        for (size_t o = 0; o < schema->output_count; o++) {
                const struct property *p = &schema->outputs[o];
                if (schema_property(schema, p->name) != NULL) continue;
                const struct value *v = value_get(given, p->name);
                struct value *part = v ? value_convert(v, p->type, NULL) : NULL;
                if (part == NULL) part = v ? value_ref(v) : value_null(p->type);
                value_builder_add(
                    &b, p->name, value_sensitive(part, p->sensitive || value_is_sensitive(part)));
                value_free(part);
        }
        struct value *attributes = value_builder_object(&b);
        value_builder_release(&b);
        return attributes;
}

/* Whether what is computed is another than before an update that was not to change it. */
static bool deviates(const struct step *step, const struct value *attributes)
{
        if (step->action != ACTION_UPDATE || attributes == NULL || step->planned == NULL) return false;
        for (size_t p = 0; p < step->schema->property_count; p++) {
                const struct property *property = &step->schema->properties[p];
                const struct value *planned = value_get(step->planned, property->name);
                if (property->computed && planned != NULL && value_is_wholly_known(planned) &&
                    !diff_same(property, planned, value_get(attributes, property->name)))
                        return true;
        }
        return false;
}

void plan_set_result(struct plan *plan, const struct step *step, const struct value *attributes)
{
        struct instance *i = step->instance;
        if (i == NULL || step->schema == NULL || step->action == ACTION_REPLACE_DELETE) return;
        value_free(i->attributes);
        i->attributes = attributes ? adopt_result(step, attributes) : value_null(type_dynamic);
        plan->evaluation->epoch++;
        plan->evaluation->deviated |= deviates(step, attributes);
}

void plan_set_failure(struct plan *plan, const char *address, const char *message)
{
        struct evaluation *ev = plan->evaluation;
        ev->failure_address = arena_strdup(ev->arena, address);
        ev->failure_message = arena_strdup(ev->arena, message);
        ev->epoch++;
}

struct value *plan_outputs(struct plan *plan, struct error **err)
{
        struct evaluation *ev = plan->evaluation;
        ev->anew = ev->deviated;
        struct value *outputs = outputs_now(ev, err);
        ev->anew = false;
        return outputs;
}
