/* What each root name of an expression stands for: parameters, locals, lookups, each, count, self, environment, path, resources. */
#include "plan/evaluation.h"

#include <string.h>

static const char *key_name(const struct value *key)
{
        if (key == NULL || value_kind(key) != TYPE_STRING || value_is_null(key) || !value_is_known(key))
                return NULL;
        return value_as_string(key);
}

struct instance *expansion_find(const struct expansion *x, const struct value *key, const char *name)
{
        int64_t n;
        if (x->shape == SHAPE_KEYED) {
                if (name == NULL) name = key_name(key);
                return name ? map_get(&x->by_key, name) : NULL;
        }
        if (x->shape != SHAPE_COUNTED || key == NULL || value_kind(key) != TYPE_NUMBER) return NULL;
        if (value_is_null(key) || !value_is_known(key) || !value_as_int(key, &n)) return NULL;
        return n >= 0 && (uint64_t)n < x->count ? &x->instances[n] : NULL;
}

/* Notes an instance, or of a nested template's just the output that is asked for. */
static struct value *hand_out(struct frame *f, struct instance *i, const char *attribute, struct error **err)
{
        struct expansion *x = i->expansion;
        if (x->touch_round != f->ev->round) x->touches = 0;
        x->touch_round = f->ev->round;
        x->touches++;
        if (i->nested == NULL) {
                note(f->ev, &i->node);
                return value_ref(instance_value(f->ev, i, err));
        }
        note(f->ev, output_node(i->nested, attribute));
        return value_ref(instance_value(f->ev, i, err));
}

static struct value *aggregate(struct frame *f, struct expansion *x, struct error **err)
{
        note(f->ev, &x->node);
        if (x->aggregate != NULL && x->aggregate_epoch == f->ev->epoch) return value_ref(x->aggregate);
        cleanup_free struct value **values = mem_alloc(x->count * sizeof *values);
        cleanup_free const char **keys = mem_alloc(x->count * sizeof *keys);
        for (uint32_t i = 0; i < x->count; i++) {
                values[i] = value_ref(instance_value(f->ev, &x->instances[i], err));
                if (x->shape == SHAPE_KEYED) keys[i] = value_as_string(x->instances[i].key);
        }
        value_free(x->aggregate);
        x->aggregate = x->shape == SHAPE_KEYED ? value_object(keys, values, x->count)
                                               : value_tuple(values, x->count);
        x->aggregate_epoch = f->ev->epoch;
        for (uint32_t i = 0; i < x->count; i++) value_free(values[i]);
        return value_ref(x->aggregate);
}

static struct value *missing_instance(const struct expansion *x, const struct value *key, struct error **err)
{
        const char *name = key_name(key);
        int64_t n = 0;
        if (x->shape == SHAPE_COUNTED && name != NULL)
                error_set(err, ERROR_INPUT, NULL,
                    "%s has a count: say %s[0].%s for one of its instances, or %s[*].%s for all", x->address,
                    x->resource->name, name, x->resource->name, name);
        else if (x->shape == SHAPE_COUNTED && value_kind(key) == TYPE_NUMBER && value_as_int(key, &n))
                error_set(err, ERROR_INPUT, NULL, "there is no %s[%lld]: it has %u instance%s", x->address,
                    (long long)n, x->count, x->count == 1 ? "" : "s");
        else if (x->shape == SHAPE_KEYED && name != NULL)
                error_set(err, ERROR_INPUT, NULL, "there is no %s[\"%s\"] among its %u instance%s",
                    x->address, name, x->count, x->count == 1 ? "" : "s");
        else
                return NULL;
        return NULL;
}

static struct value *resource_value(struct frame *f, struct expansion *x, const struct value *key,
    const char *next, int *consumed, struct error **err)
{
        if (!x->expanded) {
                note(f->ev, &x->node);
                return value_ref(f->ev->unknown);
        }
        if (x->shape == SHAPE_LONE) {
                if (x->count > 0) return hand_out(f, x->instances, key_name(key), err);
                note(f->ev, &x->node);
                return value_null(type_dynamic);
        }
        if (key == NULL) return aggregate(f, x, err);
        struct instance *i = expansion_find(x, key, NULL);
        if (i != NULL) {
                *consumed = 1;
                return hand_out(f, i, next, err);
        }
        cleanup(error_free) struct error *problem = NULL;
        missing_instance(x, key, &problem);
        if (problem == NULL) return aggregate(f, x, err);
        error_move(err, &problem);
        return NULL;
}

static struct value *unknown_name(const char *root, const char *name, struct error **err)
{
        error_set(err, ERROR_INPUT, NULL, "there is no %s.%s", root, name);
        return NULL;
}

static struct value *param_value(struct frame *f, const char *name, int *consumed, struct error **err)
{
        struct module *m = f->module;
        const struct template *t = m->blueprint->template;
        if (m->params == NULL) {
                const struct value *found = name ? value_get(m->fixed, name) : m->fixed;
                if (found == NULL) return unknown_name("param", name, err);
                *consumed = name != NULL;
                return value_ref(found);
        }
        if (name != NULL) {
                const struct parameter *p = template_parameter(t, name);
                if (p == NULL) return unknown_name("param", name, err);
                struct cell *cell = &m->params[p - t->parameters];
                note(f->ev, &cell->node);
                *consumed = 1;
                return value_ref(cell_value(f->ev, cell, err));
        }
        struct value_builder b = {0};
        for (size_t i = 0; i < t->parameter_count; i++) {
                note(f->ev, &m->params[i].node);
                value_builder_add(
                    &b, t->parameters[i].name, value_ref(cell_value(f->ev, &m->params[i], err)));
        }
        struct value *all = value_builder_object(&b);
        value_builder_release(&b);
        return all;
}

static struct value *local_value(struct frame *f, const char *name, int *consumed, struct error **err)
{
        struct module *m = f->module;
        const struct template *t = m->blueprint->template;
        if (name != NULL) {
                const struct local_block *l = template_local(t, name);
                if (l == NULL) return unknown_name("local", name, err);
                struct cell *cell = &m->locals[l - t->locals];
                note(f->ev, &cell->node);
                *consumed = 1;
                return value_ref(cell_value(f->ev, cell, err));
        }
        struct value_builder b = {0};
        for (size_t i = 0; i < t->local_count; i++) {
                note(f->ev, &m->locals[i].node);
                value_builder_add(&b, t->locals[i].name, value_ref(cell_value(f->ev, &m->locals[i], err)));
        }
        struct value *all = value_builder_object(&b);
        value_builder_release(&b);
        return all;
}

static struct value *lookup_value(struct frame *f, const char *name, int *consumed, struct error **err)
{
        struct module *m = f->module;
        const struct template *t = m->blueprint->template;
        int ignored = 0;
        if (name != NULL) {
                const struct resource *l = template_lookup(t, name);
                if (l == NULL) return unknown_name("lookup", name, err);
                *consumed = 1;
                return resource_value(f, &m->lookups[l - t->lookups], NULL, NULL, &ignored, err);
        }
        struct value_builder b = {0};
        for (size_t i = 0; i < t->lookup_count; i++) {
                struct value *v = resource_value(f, &m->lookups[i], NULL, NULL, &ignored, err);
                value_builder_add(&b, t->lookups[i].name, v ? v : value_ref(f->ev->unknown));
        }
        struct value *all = value_builder_object(&b);
        value_builder_release(&b);
        return all;
}

/* each.value: an instance of the resource that is iterated over, the element under this key, or the string itself. */
static struct value *each_value(struct frame *f, struct error **err)
{
        struct instance *i = f->instance;
        const struct expansion *x = i->expansion;
        if (x->source != NULL) return hand_out(f, &x->source->instances[i->index], NULL, err);
        if (x->each == NULL) return value_ref(i->key);
        note(f->ev, &x->each->node);
        const struct value *all = cell_value(f->ev, x->each, err);
        if (!value_is_known(all)) return value_ref(f->ev->unknown);
        if (value_kind(all) != TYPE_MAP && value_kind(all) != TYPE_OBJECT) return value_ref(i->key);
        const struct value *element = value_get(all, value_as_string(i->key));
        return element ? value_ref(element) : value_ref(f->ev->unknown);
}

static struct value *index_value(
    struct frame *f, const char *root, const char *name, int *consumed, struct error **err)
{
        const struct instance *i = f->instance;
        bool each = root[0] == 'e';
        enum shape shape = i ? i->expansion->shape : SHAPE_LONE;
        bool iterates = i && i->expansion->resource->for_each != NULL;
        if (i == NULL || (each ? !iterates : iterates || shape != SHAPE_COUNTED)) {
                error_set(err, ERROR_INPUT, NULL, "'%s' has a value only in a resource with %s", root,
                    each ? "for_each" : "count");
                return NULL;
        }
        *consumed = 1;
        if (name != NULL && strcmp(name, "index") == 0) return value_machine_int(i->index);
        if (each && name != NULL && strcmp(name, "key") == 0)
                return i->key ? value_ref(i->key) : value_null(type_dynamic);
        if (each && name != NULL && strcmp(name, "value") == 0) return each_value(f, err);
        error_set(err, ERROR_INPUT, NULL, each ? "'each' has key, value and index" : "'count' has index");
        return NULL;
}

/* The instance as it was before this plan; all attributes are null when it does not exist yet. */
static struct value *self_value(struct frame *f, struct error **err)
{
        const struct instance *i = f->instance;
        const struct schema *schema = i ? i->expansion->resource->schema : NULL;
        if (schema == NULL) {
                error_set(err, ERROR_INPUT, NULL, "'self' has a value only in the keys of a resource");
                return NULL;
        }
        if (i->prior != NULL) return value_ref(i->prior);
        struct value_builder b = {0};
        for (size_t p = 0; p < schema->property_count; p++)
                value_builder_add(&b, schema->properties[p].name, value_null(schema->properties[p].type));
        for (size_t o = 0; o < schema->output_count; o++)
                value_builder_add(&b, schema->outputs[o].name, value_null(schema->outputs[o].type));
        struct value *all = value_builder_object(&b);
        value_builder_release(&b);
        return all;
}

static struct value *strings_object(const char *a, const char *a_value, const char *b, const char *b_value)
{
        struct value_builder builder = {0};
        value_builder_add(&builder, a, value_string(a_value ? a_value : ""));
        if (b != NULL) value_builder_add(&builder, b, value_string(b_value ? b_value : ""));
        struct value *object = value_builder_object(&builder);
        value_builder_release(&builder);
        return object;
}

/* What failed, once it has: recovery steps see it. */
static struct value *failure_value(const struct frame *f)
{
        const struct evaluation *ev = f->ev;
        if (ev->failure_address != NULL)
                return strings_object("address", ev->failure_address, "message", ev->failure_message);
        struct value_builder b = {0};
        value_builder_add(&b, "address", value_unknown(type_string));
        value_builder_add(&b, "message", value_unknown(type_string));
        struct value *object = value_builder_object(&b);
        value_builder_release(&b);
        return object;
}

struct value *frame_resolve(void *context, const char *root, const struct value *key, const char *next,
    int *consumed, struct error **err)
{
        struct frame *f = context;
        const struct environment *env = f->ev->input->env;
        const struct template *t = f->module->blueprint->template;
        const char *name = key_name(key);
        *consumed = 0;
        if (strcmp(root, "param") == 0) return param_value(f, name, consumed, err);
        if (strcmp(root, "local") == 0) return local_value(f, name, consumed, err);
        if (strcmp(root, "lookup") == 0) return lookup_value(f, name, consumed, err);
        if (strcmp(root, "each") == 0 || strcmp(root, "count") == 0)
                return index_value(f, root, name, consumed, err);
        if (strcmp(root, "self") == 0) return self_value(f, err);
        if (strcmp(root, "failure") == 0) return failure_value(f);
        if (strcmp(root, "environment") == 0) return strings_object("name", env->name, NULL, NULL);
        if (strcmp(root, "path") == 0) return strings_object("template", t->folder, "root", env->folder);
        const struct resource *r = template_resource(t, root);
        if (r == NULL) return NULL;
        return resource_value(f, &f->module->resources[r - t->resources], key, next, consumed, err);
}

void frame_names(void *context, void (*each)(void *sink, const char *name), void *sink)
{
        static const char *const roots[] = {
            "param", "local", "lookup", "each", "count", "self", "failure", "environment", "path"};
        const struct frame *f = context;
        const struct template *t = f->module->blueprint->template;
        for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) each(sink, roots[i]);
        for (size_t i = 0; i < t->resource_count; i++) each(sink, t->resources[i].name);
}
