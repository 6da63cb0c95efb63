/* Evaluating expressions in their module, noting what they touch; and cells, evaluated anew while results come in. */
#include "plan/evaluation.h"

#include <string.h>
#include "plan/address.h"

struct evaluation *evaluation_new(struct arena *arena, const struct plan_input *input)
{
        struct evaluation *ev = mem_alloc(sizeof *ev);
        ev->arena = arena;
        ev->input = input;
        ev->blueprints.arena = arena;
        ev->unknown = value_unknown(type_dynamic);
        ev->root_budget = (size_t)64 << 20;
        return ev;
}

static void expansion_release(struct expansion *x)
{
        for (uint32_t i = 0; i < x->count; i++) {
                value_free(x->instances[i].attributes);
                free(x->instances[i].private_);
        }
        value_free(x->aggregate);
        map_release(&x->by_key);
        if (x->each != NULL) value_free(x->each->value);
}

static void module_release(struct module *m)
{
        for (size_t i = 0; m->params != NULL && i < m->param_count; i++) value_free(m->params[i].value);
        for (size_t i = 0; i < m->local_count; i++) value_free(m->locals[i].value);
        for (size_t i = 0; i < m->provider_count; i++) value_free(m->providers[i].value);
        for (size_t i = 0; i < m->output_count; i++) value_free(m->outputs[i].value);
        for (size_t i = 0; i < m->lookup_count; i++) expansion_release(&m->lookups[i]);
        for (size_t i = 0; i < m->resource_count; i++) expansion_release(&m->resources[i]);
        value_free(m->attributes);
}

void evaluation_free(struct evaluation *ev)
{
        if (ev == NULL) return;
        for (size_t i = 0; i < ev->module_count; i++) module_release(ev->module_list[i]);
        for (size_t i = 0; i < ev->owned_count; i++) value_free(ev->owned[i]);
        value_free(ev->unknown);
        blueprints_release(&ev->blueprints);
        inheritance_release(ev);
        map_release(&ev->modules);
        map_release(&ev->deferred_bare);
        map_release(&ev->returning);
        map_release(&ev->absent);
        map_release(&ev->released);
        map_release(&ev->concerned);
        map_release(&ev->made);
        map_release(&ev->refusals);
        text_release(&ev->losses);
        map_release(&ev->servers);
        free(ev->owned);
        free(ev->module_list);
        free(ev->nodes);
        free(ev->touched);
        free(ev->wanted);
        free(ev->deferred);
        free(ev);
}

struct value *evaluation_own(struct evaluation *ev, struct value *steal)
{
        if (steal != NULL) vec_push(ev->owned, ev->owned_count, ev->owned_capacity, steal);
        return steal;
}

void note_begin(struct evaluation *ev)
{
        ev->noting = !ev->running;
        ev->stamp++;
        ev->touched_count = 0;
}

void note(struct evaluation *ev, struct node *node)
{
        if (!ev->noting || node->stamp == ev->stamp) return;
        node->stamp = ev->stamp;
        vec_push(ev->touched, ev->touched_count, ev->touched_capacity, node);
}

void node_add(struct evaluation *ev, struct node *node)
{
        node->step = node->known = STEP_NONE;
        for (uint32_t i = 0; i < node->dep_count; i++) {
                node->deferred |= node->deps[i]->deferred;
                if (node->kind == NODE_INSTANCE) continue;
                node->pending |= node->deps[i]->pending;
                node->anew |= node->deps[i]->anew;
        }
        vec_push(ev->nodes, ev->node_count, ev->node_capacity, node);
}

void note_end(struct evaluation *ev, struct node *node)
{
        ev->noting = false;
        node->dep_count = (uint32_t)ev->touched_count;
        if (ev->touched_count > 0) {
                node->deps = arena_alloc(ev->arena, ev->touched_count * sizeof *node->deps);
                memcpy(node->deps, ev->touched, ev->touched_count * sizeof *node->deps);
        }
        node_add(ev, node);
}

const char *node_culprit(const struct node *node, bool (*test)(const struct node *))
{
        const struct node *stack[64] = {node};
        size_t depth = 1;
        for (unsigned looked = 0; depth > 0 && looked < 10000; looked++) {
                const struct node *at = stack[--depth];
                bool named = at->kind == NODE_INSTANCE || at->kind == NODE_EXPANSION;
                if (at != node && named && test(at))
                        return at->kind == NODE_INSTANCE ? ((const struct instance *)at)->address
                                                         : ((const struct expansion *)at)->address;
                bool object = at->kind == NODE_INSTANCE && ((const struct instance *)at)->nested == NULL;
                if (at != node && object) continue;
                for (uint32_t i = at->dep_count; i-- > 0 && depth < 64;) stack[depth++] = at->deps[i];
        }
        return NULL;
}

struct node *output_node(struct module *m, const char *name)
{
        const struct template *t = m->blueprint->template;
        struct output_block *o = name ? map_get(&t->output_by_name, name) : NULL;
        return o ? &m->outputs[o - t->outputs].node : &m->outputs_node;
}

/* Notes one reference of an expression that gave something unknown, as it may not have been evaluated at all. */
static void note_use(struct evaluation *ev, struct module *m, const struct use *use)
{
        if (use->kind == USE_PARAM && m->params != NULL) note(ev, &m->params[use->index].node);
        if (use->kind == USE_LOCAL) note(ev, &m->locals[use->index].node);
        if (use->kind == USE_PARAM || use->kind == USE_LOCAL) return;
        struct expansion *x = use->kind == USE_LOOKUP ? &m->lookups[use->index] : &m->resources[use->index];
        bool handed_out = x->touch_round == ev->round && x->touches > 0;
        if (use->kind == USE_RESOURCE && use->key == USE_COMPUTED && handed_out) {
                x->touches--;
                return;
        }
        struct instance *one = NULL;
        if (x->shape == SHAPE_LONE && x->count == 1)
                one = x->instances;
        else if (use->kind == USE_RESOURCE && use->key == USE_CONSTANT)
                one = expansion_find(x, use->value, use->name);
        if (one == NULL || use->key == USE_COMPUTED) {
                note(ev, &x->node);
                return;
        }
        if (handed_out) x->touches--;
        if (one->nested == NULL) {
                note(ev, &one->node);
                return;
        }
        const char *output = x->shape == SHAPE_LONE ? use->name : use->next;
        note(ev, output_node(one->nested, output));
}

static void note_uses(struct evaluation *ev, struct module *m, const struct uses *uses)
{
        for (uint32_t i = 0; i < uses->count; i++)
                if (uses->items[i].key != USE_COMPUTED) note_use(ev, m, &uses->items[i]);
        for (uint32_t i = 0; i < uses->count; i++)
                if (uses->items[i].key == USE_COMPUTED) note_use(ev, m, &uses->items[i]);
}

static struct scope scope_of(struct frame *frame)
{
        const struct evaluation *ev = frame->ev;
        const struct template *t = frame->module->blueprint->template;
        const char *root = ev->input->env->folder;
        bool inside = root != NULL && t->folder != NULL && text_starts(t->folder, root);
        return (struct scope){.resolve = frame_resolve,
            .names = frame_names,
            .context = frame,
            .base_dir = t->folder,
            .root_dir = inside ? root : NULL,
            .allow_outside = ev->input->allow_outside,
            .files = ev->input->world->files,
            .plan_time_ms = ev->input->world->time_ms,
            .planning = !ev->running};
}

struct value *evaluate(struct evaluation *ev, struct module *module, struct instance *instance,
    const struct expr *expr, const struct uses *uses, const char *address, struct error **err)
{
        const struct value *constant = expr_constant(expr);
        if (constant != NULL) return value_ref(constant);
        ev->round++;
        struct frame frame = {.ev = ev, .module = module, .instance = instance};
        struct scope scope = scope_of(&frame);
        cleanup(error_free) struct error *problems = NULL;
        struct value *value = expr_eval(expr, &scope, &problems);
        if (value == NULL) {
                struct place place = *expr_place(expr);
                place.address = address;
                error_place(&problems, &place);
                error_move(err, &problems);
                return NULL;
        }
        if (ev->noting && uses != NULL && !value_is_wholly_known(value)) note_uses(ev, module, uses);
        return value;
}

/* The parameters that an expression gives all at once are parameters of the nested template. */
static int check_given(const struct cell *cell, const struct value *given, struct error **err)
{
        struct module *module = cell->module;
        const struct template *t = module->blueprint->template;
        if (module->given_checked || !value_is_known(given) || value_is_null(given)) return 0;
        module->given_checked = true;
        bool keyed = value_kind(given) == TYPE_OBJECT || value_kind(given) == TYPE_MAP;
        int status = 0;
        for (size_t i = 0; keyed && i < value_count(given); i++) {
                const char *name = value_key_at(given, i);
                if (map_has(&t->parameter_by_name, name)) continue;
                cleanup_free const char **names = mem_alloc((t->parameter_count + 1) * sizeof *names);
                for (size_t p = 0; p < t->parameter_count; p++) names[p] = t->parameters[p].name;
                const char *near = text_suggest(name, names, t->parameter_count);
                struct place place = *expr_place(cell->expr);
                place.address = module->instance->address;
                status = error_set(err, ERROR_INPUT, &place,
                    "the nested template has no parameter '%.100s'%s%s%s", name,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        return status;
}

/* A parameter of a nested template: from the properties of its resource, or its default. */
static struct value *param_evaluate(struct evaluation *ev, struct cell *cell, struct error **err)
{
        struct instance *instance = cell->module->instance;
        struct module *around = cell->module->parent;
        const struct parameter *p = cell->parameter;
        cleanup(value_free) struct value *value = NULL;
        if (cell->expr != NULL) {
                value = evaluate(ev, around, instance, cell->expr, cell->uses, instance->address, err);
                if (value == NULL) return NULL;
                if (cell->expr == instance->expansion->resource->properties) {
                        if (check_given(cell, value, err) < 0) return NULL;
                        const struct value *part = value_get(value, p->name);
                        bool known = value_is_known(value);
                        bool secret = value_is_sensitive(value);
                        struct value *taken = !part
                                                  ? (known ? NULL : value_ref(ev->unknown))
                                                  : value_sensitive(part, secret || value_is_sensitive(part));
                        value_free(value);
                        value = taken;
                }
        }
        struct place place = cell->expr ? *expr_place(cell->expr) : p->place;
        place.address = instance->address;
        if (value == NULL || (value_is_null(value) && p->fallback != NULL)) {
                if (p->fallback == NULL) {
                        error_set(err, ERROR_INPUT, &place,
                            "parameter '%s' of the nested template is required", p->name);
                        return NULL;
                }
                return value_sensitive(p->fallback, p->sensitive);
        }
        cleanup(error_free) struct error *problems = NULL;
        cleanup(value_free) struct value *converted = value_convert(value, p->type, &problems);
        if (converted == NULL) {
                error_context(&problems, "parameter '%s'", p->name);
                error_place(&problems, &place);
                error_move(err, &problems);
                return NULL;
        }
        return p->sensitive ? value_sensitive(converted, true) : steal(converted);
}

static const struct property *find_property(const struct property *properties, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(properties[i].name, name) == 0) return &properties[i];
        return NULL;
}

/* A provider's configuration, its properties converted to what the provider declares. */
static struct value *provider_evaluate(struct evaluation *ev, struct cell *cell, struct error **err)
{
        const struct provider_block *p = cell->provider;
        if (cell->expr == NULL) return value_object(NULL, NULL, 0);
        cleanup(value_free) struct value *value = evaluate(
            ev, cell->module, NULL, cell->expr, cell->uses, p->name, err);
        if (value == NULL || !value_is_known(value) || value_is_null(value)) return steal(value);
        const struct schema_source *schemas = ev->input->schemas;
        size_t count = 0;
        const struct property *properties = schemas->config(schemas->context, p->type, &count, err);
        if (properties == NULL && count > 0) return NULL;
        struct value_builder b = {0};
        bool failed = false;
        for (size_t i = 0; i < value_count(value); i++) {
                const char *name = value_key_at(value, i);
                const struct property *property = properties ? find_property(properties, count, name) : NULL;
                if (property == NULL) {
                        value_builder_add(&b, name, value_ref(value_at(value, i)));
                        continue;
                }
                struct error *problems = NULL;
                struct value *part = value_convert(value_at(value, i), property->type, &problems);
                if (part == NULL) {
                        struct place place = p->place;
                        error_context(&problems, "provider %s: '%s'", p->name, name);
                        error_place(&problems, &place);
                        error_move(err, &problems);
                        failed = true;
                        continue;
                }
                struct value *marked = property->sensitive || value_is_sensitive(value)
                                           ? value_sensitive(part, true)
                                           : value_ref(part);
                value_free(part);
                value_builder_add(&b, name, marked);
        }
        struct value *object = value_builder_object(&b);
        value_builder_release(&b);
        if (!failed) return object;
        value_free(object);
        return NULL;
}

static struct value *cell_evaluate(struct evaluation *ev, struct cell *cell, struct error **err)
{
        struct module *m = cell->module;
        if (cell->kind == CELL_PARAM) return param_evaluate(ev, cell, err);
        if (cell->kind == CELL_PROVIDER) return provider_evaluate(ev, cell, err);
        const char *address = NULL;
        if (cell->kind == CELL_EACH)
                address = cell->expansion->address;
        else if (cell->kind == CELL_LOCAL)
                address = arena_printf(ev->arena, "%slocal.%s", m->prefix, cell->local->name);
        else
                address = arena_printf(ev->arena, "%soutput.%s", m->prefix, cell->output->name);
        cleanup(value_free) struct value *value = evaluate(ev, m, NULL, cell->expr, cell->uses, address, err);
        if (value != NULL && cell->kind == CELL_OUTPUT && cell->output->sensitive)
                return value_sensitive(value, true);
        return steal(value);
}

static bool cell_is_fresh(const struct evaluation *ev, const struct cell *cell)
{
        if (cell->value == NULL) return false;
        return !ev->running || cell->epoch == ev->epoch || (!ev->anew && value_is_wholly_known(cell->value));
}

static void cell_refresh(struct evaluation *ev, struct cell *cell, struct error **err)
{
        if (cell_is_fresh(ev, cell)) return;
        struct value *value = cell_evaluate(ev, cell, err);
        value_free(cell->value);
        cell->value = value ? value : value_ref(ev->unknown);
        cell->epoch = ev->epoch;
}

/* Where the values behind a node come from, for refreshing them first. */
static struct node *value_child(const struct node *node, uint32_t index)
{
        const struct expansion *x = NULL;
        switch (node->kind) {
        case NODE_CELL:
        case NODE_OUTPUTS: return index < node->dep_count ? node->deps[index] : NULL;
        case NODE_INSTANCE: {
                const struct instance *i = (const struct instance *)node;
                return i->nested && index == 0 ? &i->nested->outputs_node : NULL;
        }
        case NODE_EXPANSION:
                x = (const struct expansion *)node;
                if (x->resource->kind != RESOURCE_TEMPLATE || index >= x->count) return NULL;
                return x->instances[index].nested ? &x->instances[index].nested->outputs_node : NULL;
        default: return NULL;
        }
}

struct refresh_frame {
        struct node *node;
        uint32_t next;
};

/* Refreshes the cells that a cell follows from before the cell itself, without recursing along the graph. */
static void cell_refresh_deep(struct evaluation *ev, struct cell *cell, struct error **err)
{
        size_t depth = 1, capacity = 16;
        struct refresh_frame *stack = mem_alloc(capacity * sizeof *stack);
        uint32_t visit = ++ev->visit;
        stack[0].node = &cell->node;
        while (depth > 0) {
                struct refresh_frame *top = &stack[depth - 1];
                struct node *child = value_child(top->node, top->next++);
                if (child == NULL) {
                        if (top->node->kind == NODE_CELL) cell_refresh(ev, (struct cell *)top->node, err);
                        depth--;
                        continue;
                }
                if (child->visit == visit) continue;
                child->visit = visit;
                if (child->kind == NODE_CELL && cell_is_fresh(ev, (struct cell *)child)) continue;
                struct refresh_frame below = {.node = child};
                vec_push(stack, depth, capacity, below);
        }
        free(stack);
}

const struct value *cell_value(struct evaluation *ev, struct cell *cell, struct error **err)
{
        if (cell_is_fresh(ev, cell)) return cell->value;
        if (ev->running)
                cell_refresh_deep(ev, cell, err);
        else
                cell_refresh(ev, cell, err);
        return cell->value;
}

static const struct value *module_attributes(struct evaluation *ev, struct module *m, struct error **err)
{
        const struct template *t = m->blueprint->template;
        if (m->attributes != NULL && m->attributes_epoch == ev->epoch) return m->attributes;
        struct value_builder b = {0};
        for (size_t i = 0; i < t->output_count; i++)
                value_builder_add(&b, t->outputs[i].name, value_ref(cell_value(ev, &m->outputs[i], err)));
        value_free(m->attributes);
        m->attributes = value_builder_object(&b);
        m->attributes_epoch = ev->epoch;
        value_builder_release(&b);
        return m->attributes;
}

const struct value *instance_value(struct evaluation *ev, struct instance *instance, struct error **err)
{
        if (instance->nested != NULL) return module_attributes(ev, instance->nested, err);
        return instance->attributes ? instance->attributes : ev->unknown;
}

struct cell *module_provider(struct module *module, const char *name)
{
        for (struct module *m = module; m != NULL; m = m->parent) {
                const struct template *t = m->blueprint->template;
                const struct provider_block *p = template_provider(t, name);
                if (p != NULL) return &m->providers[p - t->providers];
        }
        return NULL;
}

struct provider_use provider_use_of(const struct cell *cell, const char *address, const char *name)
{
        return (struct provider_use){.address = address, .name = name, .block = cell ? cell->provider : NULL};
}

struct module *module_of_address(struct evaluation *ev, const char *address)
{
        cleanup_free char *prefix = mem_strdup(address);
        size_t lengths[ADDRESS_COVERS], count = address_covers(address, lengths);
        while (count-- > 0) {
                if (address[lengths[count]] != '/') continue;
                prefix[lengths[count] + 1] = '\0';
                struct module *m = map_get(&ev->modules, prefix);
                if (m != NULL) return m;
        }
        return ev->root;
}
