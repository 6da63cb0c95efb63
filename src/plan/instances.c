/* From templates to instances: each part of a template in its order, nested templates as a whole when their turn comes. */
#include <string.h>
#include "plan/address.h"
#include "plan/evaluation.h"

enum { INSTANCES_MAX = 1000000, DEPTH_MAX = 24 };

static int module_expand(struct evaluation *ev, struct module *m, struct error **err);

static bool is_later(const struct node *n)
{
        if (n->kind == NODE_EXPANSION) return !((const struct expansion *)n)->expanded;
        return n->deferred && ((const struct instance *)n)->nested == NULL;
}

static bool has_action(const struct node *n, enum action action)
{
        const struct instance *i = (const struct instance *)n;
        return n->kind == NODE_INSTANCE && i->acts && i->action == action;
}

static bool is_made(const struct node *n)
{
        return has_action(n, ACTION_CREATE) || has_action(n, ACTION_ADOPT);
}
static bool is_replaced(const struct node *n)
{
        return has_action(n, ACTION_REPLACE);
}
static bool is_updated(const struct node *n)
{
        return has_action(n, ACTION_UPDATE) || has_action(n, ACTION_RESTORE);
}
static bool is_read(const struct node *n)
{
        return has_action(n, ACTION_READ);
}

/* "count is known only after network[0] was created" */
static const char *known_after(struct evaluation *ev, const char *what, const struct node *node)
{
        static const struct {
                bool (*test)(const struct node *);
                const char *done;
        } causes[] = {
            {is_made, "created"}, {is_replaced, "replaced"}, {is_updated, "updated"}, {is_read, "read"}};
        const char *later = node_culprit(node, is_later);
        if (later != NULL)
                return arena_printf(ev->arena, "%s depends on %s, which is planned later", what, later);
        for (size_t c = 0; c < sizeof causes / sizeof causes[0]; c++) {
                const char *address = node_culprit(node, causes[c].test);
                if (address == NULL) continue;
                return arena_printf(
                    ev->arena, "%s is known only after %s was %s", what, address, causes[c].done);
        }
        return arena_printf(ev->arena, "%s is not known yet", what);
}

static void defer_expansion(struct evaluation *ev, struct expansion *x, const char *reason)
{
        x->entry.deferred = true;
        x->expanded = false;
        if (map_has(&ev->deferred_bare, x->address)) return;
        map_put(&ev->deferred_bare, x->address, (void *)reason);
        if (back_concerns(ev, x->address)) defer(ev, &x->node, x->address, reason);
}

static int shape_error(
    const struct expansion *x, const struct expr *e, const char *problem, struct error **err)
{
        struct place place = *expr_place(e);
        place.address = x->address;
        return error_set(err, ERROR_INPUT, &place, "%s", problem);
}

/* What `when`, count and for_each say: 0 known, 1 not known (*unknown names it), -1 wrong. */
static int shape_when(struct evaluation *ev, struct expansion *x, bool *wanted, struct error **err)
{
        const struct expr *e = x->resource->when;
        *wanted = true;
        if (e == NULL) return 0;
        cleanup(value_free) struct value *v = evaluate(
            ev, x->module, NULL, e, &x->uses->shape, x->address, err);
        if (v == NULL) return -1;
        cleanup(value_free) struct value *b = value_convert(v, type_bool, NULL);
        if (b == NULL || (value_is_known(b) && value_is_null(b)))
                return shape_error(x, e, "`when` must be true or false", err);
        if (!value_is_known(b)) return 1;
        *wanted = value_as_bool(b);
        return 0;
}

static int shape_count(struct evaluation *ev, struct expansion *x, uint32_t *count, struct error **err)
{
        const struct expr *e = x->resource->count;
        cleanup(value_free) struct value *v = evaluate(
            ev, x->module, NULL, e, &x->uses->shape, x->address, err);
        if (v == NULL) return -1;
        if (value_is_sensitive(v))
                return shape_error(
                    x, e, "count must not be sensitive, as addresses would tell it; use nonsensitive()", err);
        cleanup(value_free) struct value *n = value_convert(v, type_number, NULL);
        if (n != NULL && !value_is_known(n)) return 1;
        int64_t number = 0;
        if (n == NULL || value_is_null(n) || !value_as_int(n, &number) || number < 0)
                return shape_error(x, e, "count must be a whole number of 0 or more", err);
        if (number > INSTANCES_MAX) return shape_error(x, e, "count is over 1000000", err);
        *count = (uint32_t)number;
        return 0;
}

/* The value of for_each; its keys must be known, what is under them need not be. */
static int shape_each(struct evaluation *ev, struct expansion *x, struct error **err)
{
        const struct expr *e = x->resource->for_each;
        x->each = arena_alloc(ev->arena, sizeof *x->each);
        *x->each = (struct cell){.node.kind = NODE_CELL,
            .kind = CELL_EACH,
            .module = x->module,
            .expr = e,
            .uses = &x->uses->shape,
            .expansion = x};
        /* Its dependencies are those of the entry, which is noted around it. */
        x->each->value = evaluate(ev, x->module, NULL, e, &x->uses->shape, x->address, err);
        if (x->each->value == NULL) {
                x->each->value = value_ref(ev->unknown);
                return -1;
        }
        const struct value *v = x->each->value;
        if (value_is_sensitive(v))
                return shape_error(x, e,
                    "for_each must not be sensitive, as addresses would tell its keys; use nonsensitive()",
                    err);
        if (!value_is_known(v)) return 1;
        if (value_is_null(v)) return shape_error(x, e, "for_each must not be null", err);
        enum type_kind kind = value_kind(v);
        if (kind == TYPE_MAP || kind == TYPE_OBJECT) return 0;
        if (kind != TYPE_SET && kind != TYPE_LIST && kind != TYPE_TUPLE)
                return shape_error(
                    x, e, "for_each takes a map, a set or list of strings, or another resource", err);
        for (size_t i = 0; i < value_count(v); i++) {
                const struct value *key = value_at(v, i);
                if (!value_is_known(key)) return 1;
                if (value_is_sensitive(key))
                        return shape_error(x, e, "for_each must not hold sensitive keys", err);
                if (value_kind(key) == TYPE_STRING && !value_is_null(key)) continue;
                return shape_error(x, e,
                    "for_each over a list takes strings only; give others a key: {for v in … : v.name => v}",
                    err);
        }
        return 0;
}

/* Room for the instances of an expansion. */
static int allocate(struct evaluation *ev, struct expansion *x, size_t count, struct error **err)
{
        ev->instance_total += count;
        if (ev->instance_total > INSTANCES_MAX)
                return error_set(err, ERROR_INPUT, &x->resource->place, "more than 1000000 instances in all");
        x->instances = arena_alloc(ev->arena, count * sizeof *x->instances);
        x->count = (uint32_t)count;
        for (uint32_t i = 0; i < x->count; i++) {
                struct instance *instance = &x->instances[i];
                instance->expansion = x;
                instance->index = i;
                instance->address = x->address;
                instance->node.kind = NODE_INSTANCE;
                instance->node.step = instance->node.known = instance->half = STEP_NONE;
        }
        return 0;
}

static void name_counted(struct evaluation *ev, struct instance *i)
{
        i->key = evaluation_own(ev, value_int(i->index));
        i->address = address_counted(ev->arena, i->expansion->address, i->index);
}

static int name_keyed(struct evaluation *ev, struct instance *i, struct value *steal_key, struct error **err)
{
        struct expansion *x = i->expansion;
        i->key = evaluation_own(ev, steal_key);
        const char *key = value_as_string(i->key);
        if (strlen(key) != value_string_len(i->key))
                return shape_error(x, x->resource->for_each, "for_each has a key with a NUL byte", err);
        i->address = address_keyed(ev->arena, x->address, key, value_string_len(i->key));
        if (map_put(&x->by_key, key, i) == NULL) return 0;
        cleanup_free char *problem = mem_printf("for_each holds '%s' twice", key);
        return shape_error(x, x->resource->for_each, problem, err);
}

static int instances_of_source(struct evaluation *ev, struct expansion *x, struct error **err)
{
        const struct expansion *source = x->source;
        x->shape = source->shape;
        if (allocate(ev, x, source->count, err) < 0) return -1;
        for (uint32_t i = 0; i < x->count; i++) {
                if (x->shape == SHAPE_COUNTED) name_counted(ev, &x->instances[i]);
                if (x->shape != SHAPE_KEYED) continue;
                if (name_keyed(ev, &x->instances[i], value_ref(source->instances[i].key), err) < 0) return -1;
        }
        return 0;
}

static int instances_of_each(struct evaluation *ev, struct expansion *x, struct error **err)
{
        const struct value *all = x->each->value;
        bool keyed = value_kind(all) == TYPE_MAP || value_kind(all) == TYPE_OBJECT;
        x->shape = SHAPE_KEYED;
        if (allocate(ev, x, value_count(all), err) < 0) return -1;
        for (uint32_t i = 0; i < x->count; i++) {
                struct value *key = keyed ? value_string(value_key_at(all, i)) : value_ref(value_at(all, i));
                if (name_keyed(ev, &x->instances[i], key, err) < 0) return -1;
        }
        return 0;
}

static struct expansion *source_of(const struct expansion *x)
{
        const struct resource *r = x->resource;
        const struct reference *ref = r->for_each ? expr_is_reference(r->for_each) : NULL;
        if (ref == NULL || ref->step_count > 0) return NULL;
        const struct template *t = x->module->blueprint->template;
        const struct resource *source = template_resource(t, ref->root);
        return source ? &x->module->resources[source - t->resources] : NULL;
}

/* How many instances, and which: 0 done, 1 deferred, -1 wrong. Within the notes of the entry. */
static int expansion_shape(
    struct evaluation *ev, struct expansion *x, const char **unknown, struct error **err)
{
        const struct resource *r = x->resource;
        bool wanted = true;
        x->shape = r->count ? SHAPE_COUNTED : r->for_each ? SHAPE_KEYED : SHAPE_LONE;
        int known = shape_when(ev, x, &wanted, err);
        *unknown = "`when`";
        if (known != 0) return known;
        if (!wanted) return 0;
        if (r->count != NULL) {
                uint32_t count = 0;
                *unknown = "count";
                if ((known = shape_count(ev, x, &count, err)) != 0) return known;
                if (allocate(ev, x, count, err) < 0) return -1;
                for (uint32_t i = 0; i < count; i++) name_counted(ev, &x->instances[i]);
                return 0;
        }
        if (r->for_each == NULL) return allocate(ev, x, 1, err);
        *unknown = "for_each";
        struct expansion *source = source_of(x);
        if (source != NULL) {
                x->source = source;
                if (source->expanded) return instances_of_source(ev, x, err);
                note(ev, &source->node);
                return 1;
        }
        if ((known = shape_each(ev, x, err)) != 0) return known;
        return instances_of_each(ev, x, err);
}

static void note_before(struct evaluation *ev, struct expansion *x)
{
        struct module *m = x->module;
        const struct template *t = m->blueprint->template;
        const struct resource *r = x->resource;
        if (m->instance != NULL) note(ev, &m->instance->expansion->entry);
        for (size_t i = 0; i < r->after_count; i++) {
                const struct resource *before = template_resource(t, r->after[i]);
                if (before != NULL) note(ev, &m->resources[before - t->resources].node);
        }
        if (r->provider == NULL || (r->kind != RESOURCE_MANAGED && r->kind != RESOURCE_LOOKUP)) return;
        x->provider = module_provider(m, r->provider);
        if (x->provider != NULL) note(ev, &x->provider->node);
}

/* The first thing that its instances would have to wait for until the next round, or NULL. */
static const char *entry_defers(struct evaluation *ev, struct expansion *x)
{
        const struct resource *r = x->resource;
        if (ev->input->mode != PLAN_APPLY) return NULL;
        if (r->kind == RESOURCE_MANAGED && x->provider && !value_is_wholly_known(x->provider->value)) {
                const char *what = arena_printf(ev->arena, "the configuration of provider %s", r->provider);
                return known_after(ev, what, &x->provider->node);
        }
        if (x->entry.deferred) return known_after(ev, "it", &x->entry);
        return NULL;
}

static struct module *module_new(struct evaluation *ev, struct module *parent, struct instance *instance,
    const struct template *template, struct error **err);

static int expand_nested(struct evaluation *ev, struct instance *i, struct error **err)
{
        struct module *m = module_new(ev, i->expansion->module, i, i->expansion->resource->nested, err);
        if (m == NULL) return -1;
        i->nested = m;
        int status = module_expand(ev, m, err);
        note_begin(ev);
        note(ev, &m->members);
        note_end(ev, &i->node);
        i->node.pending = m->members.pending;
        i->node.anew = m->members.anew;
        return status;
}

static int expand_instances(struct evaluation *ev, struct expansion *x, struct error **err)
{
        for (uint32_t n = 0; n < x->count; n++) {
                struct instance *i = &x->instances[n];
                switch (x->resource->kind) {
                case RESOURCE_MANAGED: decide_managed(ev, i, err); break;
                case RESOURCE_LOOKUP: decide_lookup(ev, i, err); break;
                case RESOURCE_GATE: decide_gate(ev, i, err); break;
                case RESOURCE_TEMPLATE:
                        if (expand_nested(ev, i, err) < 0) return -1;
                        break;
                }
        }
        return 0;
}

static int expansion_expand(struct evaluation *ev, struct expansion *x, struct error **err)
{
        const char *unknown = NULL;
        note_begin(ev);
        note_before(ev, x);
        int known = expansion_shape(ev, x, &unknown, err);
        note_end(ev, &x->entry);
        if (x->each != NULL) {
                x->each->node.deps = x->entry.deps;
                x->each->node.dep_count = x->entry.dep_count;
                node_add(ev, &x->each->node);
        }
        x->expanded = known == 0;
        const char *waits = known == 0 ? entry_defers(ev, x) : NULL;
        if (known > 0)
                defer_expansion(ev, x, known_after(ev, unknown, &x->entry));
        else if (waits != NULL)
                defer_expansion(ev, x, waits);
        if (!x->expanded) {
                for (uint32_t i = 0; i < x->count; i++) value_free(x->instances[i].attributes);
                x->count = 0;
        }
        if (expand_instances(ev, x, err) < 0) return -1;
        note_begin(ev);
        if (x->count == 0) note(ev, &x->entry);
        for (uint32_t i = 0; i < x->count; i++) note(ev, &x->instances[i].node);
        note_end(ev, &x->node);
        return 0;
}

static void cell_define(struct evaluation *ev, struct cell *cell, struct error **err)
{
        note_begin(ev);
        cell_value(ev, cell, err);
        note_end(ev, &cell->node);
}

/* A nested template's parameters are evaluated where its resource stands. */
static void define_params(struct evaluation *ev, struct module *m, struct error **err)
{
        const struct template *t = m->blueprint->template, *around = m->parent->blueprint->template;
        const struct expr *given = m->instance->expansion->resource->properties;
        bool by_name = false;
        for (size_t i = 0; given && i < t->parameter_count; i++)
                by_name |= expr_attribute(given, t->parameters[i].name) != NULL;
        m->params = arena_alloc(ev->arena, t->parameter_count * sizeof *m->params);
        for (size_t i = 0; i < t->parameter_count; i++) {
                const struct parameter *p = &t->parameters[i];
                const struct expr *e = by_name ? expr_attribute(given, p->name) : given;
                m->params[i] = (struct cell){
                    .node.kind = NODE_CELL, .kind = CELL_PARAM, .module = m, .expr = e, .parameter = p};
                if (e != NULL) m->params[i].uses = blueprint_uses(&ev->blueprints, around, e);
                cell_define(ev, &m->params[i], err);
        }
}

/* A nested template's own demands on its parameters, as far as they can be judged now. */
static void check_params(struct evaluation *ev, struct module *m, struct error **err)
{
        const struct template *t = m->blueprint->template;
        for (size_t i = 0; i < t->parameter_count; i++) {
                const struct parameter *p = &t->parameters[i];
                for (size_t c = 0; c < p->check_count; c++) {
                        const char *address = m->instance->address;
                        cleanup(value_free) struct value *v = evaluate(
                            ev, m, NULL, p->checks[c].that, NULL, address, err);
                        cleanup(value_free) struct value *b = v ? value_convert(v, type_bool, NULL) : NULL;
                        if (b == NULL || !value_is_known(b) || (!value_is_null(b) && value_as_bool(b)))
                                continue;
                        cleanup(value_free) struct value *message =
                            p->checks[c].message
                                ? evaluate(ev, m, NULL, p->checks[c].message, NULL, address, NULL)
                                : NULL;
                        bool told = message && value_kind(message) == TYPE_STRING &&
                                    value_is_known(message) && !value_is_null(message) &&
                                    !value_has_sensitive(message);
                        struct place place = m->instance->expansion->resource->place;
                        place.address = address;
                        error_set(err, ERROR_INPUT, &place, "parameter '%s': %s", p->name,
                            told ? value_as_string(message) : "its check does not hold");
                }
        }
}

static void expansion_init(struct expansion *x, struct evaluation *ev, struct module *m,
    const struct resource *r, const struct resource_uses *uses)
{
        *x = (struct expansion){.module = m, .resource = r, .uses = uses};
        x->node.kind = NODE_EXPANSION;
        x->entry.kind = NODE_ENTRY;
        x->node.step = x->entry.step = x->node.known = x->entry.known = STEP_NONE;
        const char *lookup = r->kind == RESOURCE_LOOKUP ? "lookup." : "";
        x->address = lookup[0] ? arena_printf(ev->arena, "%s%s%s", m->prefix, lookup, r->name)
                               : address_bare(ev->arena, m->prefix, r->name);
}

static struct module *module_new(struct evaluation *ev, struct module *parent, struct instance *instance,
    const struct template *t, struct error **err)
{
        unsigned depth = parent ? parent->depth + 1 : 0;
        if (depth > DEPTH_MAX) {
                error_set(err, ERROR_INPUT, &instance->expansion->resource->place,
                    "templates are nested deeper than %d", DEPTH_MAX);
                return NULL;
        }
        const struct blueprint *b = blueprint_of(&ev->blueprints, t, err);
        if (b == NULL) return NULL;
        struct module *m = arena_alloc(ev->arena, sizeof *m);
        *m = (struct module){.parent = parent, .instance = instance, .blueprint = b, .depth = depth};
        m->param_count = t->parameter_count;
        m->local_count = t->local_count;
        m->provider_count = t->provider_count;
        m->output_count = t->output_count;
        m->lookup_count = t->lookup_count;
        m->resource_count = t->resource_count;
        m->prefix = instance ? arena_printf(ev->arena, "%s/", instance->address) : "";
        m->members.kind = NODE_MEMBERS;
        m->outputs_node.kind = NODE_OUTPUTS;
        m->locals = arena_alloc(ev->arena, t->local_count * sizeof *m->locals);
        m->providers = arena_alloc(ev->arena, t->provider_count * sizeof *m->providers);
        m->outputs = arena_alloc(ev->arena, t->output_count * sizeof *m->outputs);
        m->lookups = arena_alloc(ev->arena, t->lookup_count * sizeof *m->lookups);
        m->resources = arena_alloc(ev->arena, t->resource_count * sizeof *m->resources);
        struct cell cell = {.node.kind = NODE_CELL, .module = m};
        for (size_t i = 0; i < t->local_count; i++) {
                m->locals[i] = cell;
                m->locals[i].kind = CELL_LOCAL;
                m->locals[i].expr = t->locals[i].value;
                m->locals[i].uses = &b->locals[i];
                m->locals[i].local = &t->locals[i];
        }
        for (size_t i = 0; i < t->provider_count; i++) {
                m->providers[i] = cell;
                m->providers[i].kind = CELL_PROVIDER;
                m->providers[i].expr = t->providers[i].config;
                m->providers[i].uses = &b->providers[i];
                m->providers[i].provider = &t->providers[i];
        }
        for (size_t i = 0; i < t->output_count; i++) {
                m->outputs[i] = cell;
                m->outputs[i].kind = CELL_OUTPUT;
                m->outputs[i].expr = t->outputs[i].value;
                m->outputs[i].uses = &b->outputs[i];
                m->outputs[i].output = &t->outputs[i];
        }
        for (size_t i = 0; i < t->lookup_count; i++)
                expansion_init(&m->lookups[i], ev, m, &t->lookups[i], &b->lookups[i]);
        for (size_t i = 0; i < t->resource_count; i++)
                expansion_init(&m->resources[i], ev, m, &t->resources[i], &b->resources[i]);
        vec_push(ev->module_list, ev->module_count, ev->module_capacity, m);
        map_put(&ev->modules, m->prefix, m);
        return m;
}

static int module_expand(struct evaluation *ev, struct module *m, struct error **err)
{
        const struct template *t = m->blueprint->template;
        if (m->instance != NULL) {
                define_params(ev, m, err);
                check_params(ev, m, err);
        }
        for (uint32_t part = 0; part < m->blueprint->part_count; part++) {
                uint32_t index = 0;
                int status = 0;
                switch (blueprint_part(m->blueprint, m->blueprint->order[part], &index)) {
                case PART_LOCAL: cell_define(ev, &m->locals[index], err); break;
                case PART_PROVIDER: cell_define(ev, &m->providers[index], err); break;
                case PART_LOOKUP: status = expansion_expand(ev, &m->lookups[index], err); break;
                case PART_RESOURCE: status = expansion_expand(ev, &m->resources[index], err); break;
                }
                if (status < 0) return -1;
        }
        for (size_t i = 0; i < t->output_count; i++) cell_define(ev, &m->outputs[i], err);
        note_begin(ev);
        for (size_t i = 0; i < t->output_count; i++) note(ev, &m->outputs[i].node);
        note_end(ev, &m->outputs_node);
        note_begin(ev);
        for (size_t i = 0; i < t->lookup_count; i++) note(ev, &m->lookups[i].node);
        for (size_t i = 0; i < t->resource_count; i++) note(ev, &m->resources[i].node);
        note_end(ev, &m->members);
        return 0;
}

int instances_expand(struct evaluation *ev, struct error **err)
{
        ev->root = module_new(ev, NULL, NULL, ev->input->env->template, err);
        if (ev->root == NULL) return -1;
        ev->root->fixed = ev->input->env->parameters;
        back_index(ev);
        return module_expand(ev, ev->root, err);
}
