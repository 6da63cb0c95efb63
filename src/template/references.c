/*
 * Every reference in a template: does what it names exist, and may it be used there? Also gathers which part needs which, for
 * the search for cycles.
 */
#include "template/loader.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

/* The parts of a template, numbered through: locals, lookups, resources, providers. */
#define NO_PART UINT32_MAX

struct checking {
        struct loader *loader;
        struct template *template;
        struct links *links;
        const char *address;         /* of the part that refers, for problems */
        uint32_t from;               /* the part that refers, or NO_PART */
        const struct resource *self; /* or NULL */
        bool repeats;                /* each and count have a value here */
        bool only_parameters;        /* in checks of parameters */
};

static void problem(const struct checking *c, const struct reference *r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void problem(const struct checking *c, const struct reference *r, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        cleanup_free char *message = mem_vprintf(fmt, ap);
        va_end(ap);
        loader_problem(c->loader, r->place, c->address, "%s", message);
}

static void link_to(const struct checking *c, uint32_t to, struct place place)
{
        if (c->from == NO_PART) return;
        struct link link = {c->from, to, place};
        vec_push(c->links->items, c->links->count, c->links->capacity, link);
}

static uint32_t local_part(const struct template *t, const struct local_block *local)
{
        return (uint32_t)(local - t->locals);
}

static uint32_t lookup_part(const struct template *t, const struct resource *lookup)
{
        return (uint32_t)(t->local_count + (size_t)(lookup - t->lookups));
}

static uint32_t resource_part(const struct template *t, const struct resource *r)
{
        return (uint32_t)(t->local_count + t->lookup_count + (size_t)(r - t->resources));
}

static uint32_t provider_part(const struct template *t, const struct provider_block *p)
{
        return (uint32_t)(t->local_count + t->lookup_count + t->resource_count + (size_t)(p - t->providers));
}

/* --- attributes ------------------------------------------------------------------------------------------------------ */

static const char *step_name(const struct reference *r, size_t step)
{
        return step < r->step_count ? r->steps[step].name : NULL;
}

/* The attributes behind one whose type is known. `of` is what stands before, for messages. */
static void check_inside(
    const struct checking *c, const struct reference *r, size_t step, const struct type *type, const char *of)
{
        for (; step < r->step_count; step++) {
                const struct reference_step *s = &r->steps[step];
                enum type_kind kind = type_kind(type);
                if (kind == TYPE_LIST || kind == TYPE_MAP) {
                        if (kind == TYPE_LIST && s->is_attribute)
                                return; /* a splat by way of an attribute: evaluation says */
                        type = type_element(type);
                        if (s->name != NULL) of = s->name;
                        continue;
                }
                if (kind == TYPE_STRING || kind == TYPE_NUMBER || kind == TYPE_BOOL) {
                        if (s->is_attribute)
                                problem(c, r, "'%s' is a %s and has no attribute '%s'", of,
                                    kind == TYPE_STRING   ? "string"
                                    : kind == TYPE_NUMBER ? "number"
                                                          : "bool",
                                    s->name);
                        return;
                }
                if (kind != TYPE_OBJECT || s->name == NULL) return;
                const struct type_attribute *attribute = type_attribute(type, s->name);
                if (attribute == NULL) {
                        size_t count = type_count(type);
                        cleanup_free const char **names = mem_alloc(count * sizeof *names);
                        for (size_t i = 0; i < count; i++) names[i] = type_attribute_at(type, i)->name;
                        problem(c, r, "'%s' has no attribute '%s'%s", of, s->name,
                            loader_suggest(c->loader, s->name, names, count));
                        return;
                }
                type = attribute->type;
                of = s->name;
        }
}

static void check_schema_attribute(const struct checking *c, const struct reference *r, size_t step,
    const struct resource *target, const char *shown)
{
        const struct schema *schema = target->schema;
        const char *name = step_name(r, step);
        if (schema == NULL || name == NULL) return;
        const struct property *p = schema_property(schema, name);
        if (p == NULL) p = schema_output(schema, name);
        if (p != NULL) {
                check_inside(c, r, step + 1, p->type, name);
                return;
        }
        size_t count = 0;
        cleanup_free const char **names = mem_alloc(
            (schema->property_count + schema->output_count) * sizeof *names);
        for (size_t i = 0; i < schema->output_count; i++) names[count++] = schema->outputs[i].name;
        for (size_t i = 0; i < schema->property_count; i++) names[count++] = schema->properties[i].name;
        problem(c, r, "%s (%s) has no attribute '%s'%s", shown, target->type, name,
            loader_suggest(c->loader, name, names, count));
}

/* An attribute of one instance of a resource or of a lookup. */
static void check_attribute(const struct checking *c, const struct reference *r, size_t step,
    const struct resource *target, const char *shown)
{
        const char *name = step_name(r, step);
        if (step >= r->step_count || name == NULL) return;
        if (target->kind == RESOURCE_GATE)
                problem(c, r, "%s is a gate and has no attributes", shown);
        else if (target->kind != RESOURCE_TEMPLATE)
                check_schema_attribute(c, r, step, target, shown);
        else if (target->nested != NULL && !map_has(&target->nested->output_by_name, name))
                problem(c, r, "template '%s' has no output '%s'%s", target->nested->name, name,
                    loader_suggest_map(c->loader, name, &target->nested->output_by_name));
}

static bool has_attribute(const struct resource *r, const char *name)
{
        if (r->kind == RESOURCE_TEMPLATE)
                return r->nested != NULL && map_has(&r->nested->output_by_name, name);
        return r->schema != NULL &&
               (schema_property(r->schema, name) != NULL || schema_output(r->schema, name) != NULL);
}

/* --- roots ----------------------------------------------------------------------------------------------------------- */

static void check_resource(const struct checking *c, const struct reference *r, const struct resource *target)
{
        const char *name = target->name;
        if (target->recovery_of != NULL && (c->self == NULL || c->self->recovery_of != target->recovery_of))
                problem(c, r,
                    "%s runs only when %s fails: nothing but its other recovery steps can refer to it", name,
                    target->recovery_of->name);
        link_to(c, resource_part(c->template, target), r->place);
        if (r->step_count == 0) return;
        const struct reference_step *first = &r->steps[0];
        if (target->count == NULL && target->for_each == NULL) {
                if (first->is_attribute || first->name != NULL)
                        check_attribute(c, r, 0, target, name);
                else if (first->index != NULL)
                        problem(c, r,
                            "%s is one resource, without 'count' or 'for_each': leave the index out", name);
                return;
        }
        if (first->is_attribute && target->count != NULL)
                problem(c, r, "%s has a 'count': say %s[0].%s for one of its instances, or %s[*].%s for all",
                    name, name, first->name, name, first->name);
        else if (first->is_attribute && has_attribute(target, first->name))
                problem(c, r,
                    "%s has a 'for_each': say %s[\"key\"].%s for one of its instances, or values(%s)[*].%s "
                    "for all",
                    name, name, first->name, name, first->name);
        else
                check_attribute(c, r, 1, target, name);
}

static void check_parameter(const struct checking *c, const struct reference *r)
{
        const char *name = step_name(r, 0);
        for (size_t i = 0; i < c->template->parameter_count && !c->only_parameters; i++)
                if (name == NULL || strcmp(c->template->parameters[i].name, name) == 0)
                        c->template->parameters[i].used = true;
        if (name == NULL) return;
        const struct parameter *p = template_parameter(c->template, name);
        if (p != NULL)
                check_inside(c, r, 1, p->type, name);
        else
                problem(c, r, "there is no parameter '%s'%s", name,
                    loader_suggest_map(c->loader, name, &c->template->parameter_by_name));
}

static void check_local(const struct checking *c, const struct reference *r)
{
        const char *name = step_name(r, 0);
        const struct local_block *local = name ? template_local(c->template, name) : NULL;
        if (local != NULL)
                link_to(c, local_part(c->template, local), r->place);
        else if (name != NULL)
                problem(c, r, "there is no local '%s'%s", name,
                    loader_suggest_map(c->loader, name, &c->template->local_by_name));
        for (size_t i = 0; name == NULL && i < c->template->local_count; i++)
                link_to(c, (uint32_t)i, r->place);
}

static void check_lookup(const struct checking *c, const struct reference *r)
{
        const struct template *t = c->template;
        const char *name = step_name(r, 0);
        const struct resource *lookup = name ? template_lookup(t, name) : NULL;
        if (lookup != NULL) {
                link_to(c, lookup_part(t, lookup), r->place);
                check_attribute(c, r, 1, lookup, arena_printf(c->loader->scratch, "lookup.%s", name));
        } else if (name != NULL) {
                problem(c, r, "there is no lookup '%s'%s", name,
                    loader_suggest_map(c->loader, name, &t->lookup_by_name));
        }
        for (size_t i = 0; name == NULL && i < t->lookup_count; i++)
                link_to(c, lookup_part(t, &t->lookups[i]), r->place);
}

static void check_word(
    const struct checking *c, const struct reference *r, const char *const *words, size_t count)
{
        const char *name = step_name(r, 0);
        for (size_t i = 0; i < count; i++)
                if (name == NULL || strcmp(name, words[i]) == 0) return;
        problem(c, r, "'%s' has no attribute '%s'%s", r->root, name,
            loader_suggest(c->loader, name, words, count));
}

static void check_each(const struct checking *c, const struct reference *r)
{
        static const char *const words[] = {"key", "value", "index"};
        if (!c->repeats || c->self == NULL || c->self->for_each == NULL) {
                problem(c, r, "'each' has a value only in a resource with 'for_each'%s",
                    c->self && !c->repeats && c->self->for_each ? ", and not in 'for_each' itself" : "");
                return;
        }
        check_word(c, r, words, 3);
        const struct reference *source = expr_is_reference(c->self->for_each);
        const struct resource *over = source && source->step_count == 0
                                          ? template_resource(c->template, source->root)
                                          : NULL;
        const char *name = step_name(r, 0);
        if (over != NULL && name != NULL && strcmp(name, "value") == 0)
                check_attribute(c, r, 1, over, over->name);
}

static void check_count(const struct checking *c, const struct reference *r)
{
        static const char *const words[] = {"index"};
        if (!c->repeats || c->self == NULL || c->self->count == NULL)
                problem(c, r, "'count' has a value only in a resource with 'count'%s",
                    c->self && !c->repeats && c->self->count ? ", and not in 'count' itself" : "");
        else
                check_word(c, r, words, 1);
}

static void check_self(const struct checking *c, const struct reference *r)
{
        if (c->self == NULL || !c->repeats || c->self->schema == NULL)
                problem(c, r, "'self' has a value only in the keys of a resource");
        else
                check_attribute(c, r, 0, c->self, c->self->name);
}

static void check_failure(const struct checking *c, const struct reference *r)
{
        static const char *const words[] = {"address", "message"};
        if (c->self == NULL || c->self->recovery_of == NULL)
                problem(c, r, "'failure' has a value only in a recovery step");
        else
                check_word(c, r, words, 2);
}

static void unknown_root(const struct checking *c, const struct reference *r)
{
        static const char *const roots[] = {
            "param", "local", "lookup", "each", "count", "self", "failure", "environment", "path"};
        static const char *const foreign[][2] = {{"var", "param"}, {"data", "lookup"}, {"locals", "local"},
            {"params", "param"}, {"parameters", "param"}, {"lookups", "lookup"}, {"env", "environment"}};
        for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
                if (strcmp(r->root, foreign[i][0]) != 0) continue;
                problem(c, r, "unknown name '%s'; did you mean '%s'?", r->root, foreign[i][1]);
                return;
        }
        const char *meant = loader_suggest(c->loader, r->root, roots, sizeof roots / sizeof roots[0]);
        if (*meant == '\0') meant = loader_suggest_map(c->loader, r->root, &c->template->resource_by_name);
        problem(c, r, "unknown name '%s'%s", r->root, meant);
}

static void check_reference(void *context, const struct reference *r)
{
        static const char *const environments[] = {"name"}, *const paths[] = {"template", "root"};
        const struct checking *c = context;
        if (c->only_parameters && strcmp(r->root, "param") != 0) {
                problem(c, r, "a check sees only 'param', not '%s'", r->root);
                return;
        }
        const struct resource *target = template_resource(c->template, r->root);
        if (strcmp(r->root, "param") == 0)
                check_parameter(c, r);
        else if (strcmp(r->root, "local") == 0)
                check_local(c, r);
        else if (strcmp(r->root, "lookup") == 0)
                check_lookup(c, r);
        else if (strcmp(r->root, "each") == 0)
                check_each(c, r);
        else if (strcmp(r->root, "count") == 0)
                check_count(c, r);
        else if (strcmp(r->root, "self") == 0)
                check_self(c, r);
        else if (strcmp(r->root, "failure") == 0)
                check_failure(c, r);
        else if (strcmp(r->root, "environment") == 0)
                check_word(c, r, environments, 1);
        else if (strcmp(r->root, "path") == 0)
                check_word(c, r, paths, 2);
        else if (target != NULL)
                check_resource(c, r, target);
        else
                unknown_root(c, r);
}

/* --- parts ----------------------------------------------------------------------------------------------------------- */

static void check_expr(struct checking *c, const struct expr *e)
{
        if (e != NULL) expr_references(e, check_reference, c);
}

static void check_after(struct checking *c, const struct resource *r)
{
        for (size_t i = 0; i < r->after_count; i++) {
                const struct resource *before = template_resource(c->template, r->after[i]);
                if (before != NULL && before->recovery_of != NULL)
                        loader_problem(c->loader, r->after_places[i], c->address,
                            "'after' names %s, which runs only when %s fails", r->after[i],
                            before->recovery_of->name);
                else if (before != NULL)
                        link_to(c, resource_part(c->template, before), r->after_places[i]);
                else
                        loader_problem(c->loader, r->after_places[i], c->address,
                            "'after' names the unknown resource '%.100s'%s", r->after[i],
                            loader_suggest_map(c->loader, r->after[i], &c->template->resource_by_name));
        }
}

static void check_provider(struct checking *c, const struct resource *r)
{
        if (r->provider == NULL || r->schema == NULL) return;
        const struct provider_block *p = template_provider(c->template, r->provider);
        size_t len = strcspn(r->type, ".");
        if (p == NULL) {
                /* one of the template that instantiates this one, unless there is none */
                if (c->loader->nesting_depth <= 1 &&
                    (strlen(r->provider) != len || strncmp(r->provider, r->type, len) != 0))
                        loader_problem(c->loader, r->place, c->address, "there is no provider '%s'%s",
                            r->provider,
                            loader_suggest_map(c->loader, r->provider, &c->template->provider_by_name));
                return;
        }
        link_to(c, provider_part(c->template, p), r->place);
        if (p->type != NULL && (strlen(p->type) != len || strncmp(p->type, r->type, len) != 0))
                loader_problem(c->loader, r->place, c->address, "provider '%s' is of type %s and has no %s",
                    p->name, p->type, r->type);
}

static void check_one(struct checking *c, const struct resource *r, const char *address, uint32_t part)
{
        c->address = address;
        c->from = part;
        c->self = r;
        c->repeats = false;
        check_expr(c, r->count);
        check_expr(c, r->for_each);
        check_expr(c, r->when);
        c->repeats = true;
        check_expr(c, r->properties);
        check_expr(c, r->host);
        check_expr(c, r->protect);
        check_expr(c, r->approve ? r->approve->message : NULL);
        check_expr(c, r->approve ? r->approve->approvers : NULL);
        check_after(c, r);
        check_provider(c, r);
}

static void check_parameters_of(struct checking *c)
{
        const struct template *t = c->template;
        c->only_parameters = true;
        for (size_t i = 0; i < t->parameter_count; i++) {
                size_t before = error_count(c->loader->problems);
                c->address = arena_printf(c->loader->scratch, "param.%s", t->parameters[i].name);
                for (size_t k = 0; k < t->parameters[i].check_count; k++) {
                        check_expr(c, t->parameters[i].checks[k].that);
                        check_expr(c, t->parameters[i].checks[k].message);
                }
                if (error_count(c->loader->problems) > before) loader_break(c->loader, &t->parameters[i]);
        }
        c->only_parameters = false;
}

void references_check(struct loader *loader, struct template *t, struct links *links)
{
        struct checking c = {.loader = loader, .template = t, .links = links, .from = NO_PART};
        struct arena *scratch = loader->scratch;
        check_parameters_of(&c);
        for (size_t i = 0; i < t->resource_count; i++)
                check_one(&c, &t->resources[i], t->resources[i].name, resource_part(t, &t->resources[i]));
        for (size_t i = 0; i < t->lookup_count; i++)
                check_one(&c, &t->lookups[i], arena_printf(scratch, "lookup.%s", t->lookups[i].name),
                    lookup_part(t, &t->lookups[i]));
        c.self = NULL;
        for (size_t i = 0; i < t->local_count; i++) {
                c.address = arena_printf(scratch, "local.%s", t->locals[i].name);
                c.from = local_part(t, &t->locals[i]);
                check_expr(&c, t->locals[i].value);
        }
        for (size_t i = 0; i < t->provider_count; i++) {
                c.address = arena_printf(scratch, "provider.%s", t->providers[i].name);
                c.from = provider_part(t, &t->providers[i]);
                check_expr(&c, t->providers[i].config);
        }
        c.from = NO_PART;
        for (size_t i = 0; i < t->output_count; i++) {
                c.address = arena_printf(scratch, "output.%s", t->outputs[i].name);
                check_expr(&c, t->outputs[i].value);
        }
}
