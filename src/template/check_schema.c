/*
 * What is written as constants, against schemas: unknown and missing properties, values of the wrong type, misspelt attributes inside
 * objects. Expressions are left to evaluation; everything around them is checked.
 */
#include "template/loader.h"

#include <string.h>

#include "base/text.h"

/* Where in the properties we are, for messages: `rules[0].port`. Lives on the stack of the recursion. */
struct trail {
        const struct trail *outer;
        const char *name; /* or NULL: */
        uint32_t index;
};

static void trail_text(const struct trail *trail, struct text *out)
{
        if (trail == NULL) return;
        trail_text(trail->outer, out);
        if (trail->name == NULL)
                text_addf(out, "[%u]", trail->index);
        else
                text_addf(out, "%s%.100s", out->len > 0 ? "." : "", trail->name);
}

static void check_value(
    struct reading *in, const struct yaml_node *node, const struct type *type, const struct trail *trail);

static void wrong_type(
    struct reading *in, const struct yaml_node *node, const struct type *type, const struct trail *trail)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text path = {0}, wanted = {0};
        trail_text(trail, &path);
        type_text(type, &wanted);
        key_problem(in, node, "'%s' must be %s, not %s", path.data, wanted.data, yaml_kind_name(node));
}

static bool is_expression(const struct yaml_node *node)
{
        if (node->core != YAML_STRING) return false;
        return memmem(node->text, node->count, "${", 2) != NULL ||
               memmem(node->text, node->count, "%{", 2) != NULL;
}

/* A number or a truth value where text is wanted: its canonical text must be what was written. */
static void check_quotes(
    struct reading *in, const struct yaml_node *node, const struct value *text, const struct trail *trail)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text path = {0};
        if (node->core == YAML_STRING || value_is_null(text) ||
            strcmp(value_as_string(text), node->text) == 0)
                return;
        trail_text(trail, &path);
        key_problem(in, node, "'%s' is text, and %.60s without quotes would become \"%s\": put it in quotes",
            path.data, node->text, value_as_string(text));
}

static void check_scalar(
    struct reading *in, const struct yaml_node *node, const struct type *type, const struct trail *trail)
{
        enum type_kind kind = type_kind(type);
        if (kind == TYPE_DYNAMIC || node->core == YAML_NULL || node->core == YAML_AMBIGUOUS ||
            is_expression(node))
                return;
        if (kind == TYPE_STRING && node->core == YAML_STRING) return;
        if (kind == TYPE_NUMBER && node->core == YAML_NUMBER) return;
        if (kind == TYPE_BOOL && node->core == YAML_BOOL) return;
        if (kind >= TYPE_LIST) {
                wrong_type(in, node, type, trail);
                return;
        }
        const struct expr *e = document_expr(in, node);
        cleanup(error_free) struct error *problem = NULL;
        cleanup(value_free) struct value *converted = value_convert(expr_constant(e), type, &problem);
        if (converted == NULL)
                wrong_type(in, node, type, trail);
        else if (kind == TYPE_STRING)
                check_quotes(in, node, converted, trail);
}

static void check_object(
    struct reading *in, const struct yaml_node *node, const struct type *type, const struct trail *trail)
{
        size_t count = type_count(type);
        for (uint32_t i = 0; i < node->count; i++) {
                const struct yaml_entry *entry = &node->entries[i];
                const struct type_attribute *attribute = type_attribute(type, entry->key);
                struct trail inner = {trail, entry->key, 0};
                if (attribute != NULL) {
                        check_value(in, entry->value, attribute->type, &inner);
                        continue;
                }
                cleanup_free const char **names = mem_alloc(count * sizeof *names);
                for (size_t k = 0; k < count; k++) names[k] = type_attribute_at(type, k)->name;
                __attribute__((__cleanup__(text_release_cleanup))) struct text path = {0};
                trail_text(trail, &path);
                loader_problem(in->loader, yaml_key_place(in->file, entry), in->address,
                    "unknown attribute '%.100s' in '%s'%s", entry->key, path.data,
                    loader_suggest(in->loader, entry->key, names, count));
        }
        for (size_t k = 0; k < count; k++) {
                const struct type_attribute *attribute = type_attribute_at(type, k);
                const struct yaml_entry *entry = yaml_get(node, attribute->name);
                if (attribute->optional || entry != NULL) continue;
                __attribute__((__cleanup__(text_release_cleanup))) struct text path = {0};
                trail_text(trail, &path);
                key_problem(in, node, "attribute '%s' is missing in '%s'", attribute->name, path.data);
        }
}

static void check_list(
    struct reading *in, const struct yaml_node *node, const struct type *type, const struct trail *trail)
{
        enum type_kind kind = type_kind(type);
        if (kind == TYPE_TUPLE && type_count(type) != node->count) {
                wrong_type(in, node, type, trail);
                return;
        }
        for (uint32_t i = 0; i < node->count; i++) {
                struct trail inner = {trail, NULL, i};
                check_value(
                    in, node->items[i], kind == TYPE_TUPLE ? type_at(type, i) : type_element(type), &inner);
        }
}

static void check_value(
    struct reading *in, const struct yaml_node *node, const struct type *type, const struct trail *trail)
{
        enum type_kind kind = type_kind(type);
        if (kind == TYPE_DYNAMIC) return;
        if (node->kind == YAML_SCALAR) {
                check_scalar(in, node, type, trail);
        } else if (node->kind == YAML_SEQUENCE) {
                if (kind == TYPE_LIST || kind == TYPE_SET || kind == TYPE_TUPLE)
                        check_list(in, node, type, trail);
                else
                        wrong_type(in, node, type, trail);
        } else if (kind == TYPE_OBJECT) {
                check_object(in, node, type, trail);
        } else if (kind == TYPE_MAP) {
                for (uint32_t i = 0; i < node->count; i++) {
                        struct trail inner = {trail, node->entries[i].key, 0};
                        check_value(in, node->entries[i].value, type_element(type), &inner);
                }
        } else {
                wrong_type(in, node, type, trail);
        }
}

/* --- properties ------------------------------------------------------------------------------------------------------ */

static const struct property *find(const struct fields *fields, const char *name)
{
        struct schema view = {.properties = fields->properties, .property_count = fields->count};
        return schema_property(&view, name);
}

static void unknown_property(struct reading *in, const struct yaml_entry *entry, const struct fields *fields)
{
        struct place place = yaml_key_place(in->file, entry);
        if (fields->schema != NULL && schema_output(fields->schema, entry->key) != NULL) {
                loader_problem(in->loader, place, in->address, "'%s' is an output of %s: it cannot be set",
                    entry->key, fields->what);
                return;
        }
        cleanup_free const char **names = mem_alloc(fields->count * sizeof *names);
        for (size_t i = 0; i < fields->count; i++) names[i] = fields->properties[i].name;
        loader_problem(in->loader, place, in->address, "unknown property '%.100s' on %s%s", entry->key,
            fields->what, loader_suggest(in->loader, entry->key, names, fields->count));
}

void check_fields(
    struct reading *in, const struct yaml_node *node, struct place place, const struct fields *fields)
{
        if (node != NULL && node->kind != YAML_MAP && !yaml_absent(node))
                return; /* one expression, or reported already */
        if (node != NULL && node->kind != YAML_MAP) node = NULL;
        for (uint32_t i = 0; node != NULL && i < node->count; i++) {
                const struct yaml_entry *entry = &node->entries[i];
                const struct property *p = find(fields, entry->key);
                struct trail trail = {NULL, entry->key, 0};
                if (p == NULL)
                        unknown_property(in, entry, fields);
                else
                        check_value(in, entry->value, p->type, &trail);
        }
        for (size_t i = 0; i < fields->count; i++) {
                const struct property *p = &fields->properties[i];
                if (!p->required || p->fallback != NULL) continue;
                const struct yaml_entry *entry = yaml_get(node, p->name);
                if (entry == NULL || yaml_absent(entry->value))
                        loader_problem(in->loader, place, in->address, "property '%s' of %s is missing",
                            p->name, fields->what);
        }
}

void check_parameters(
    struct reading *in, const struct yaml_node *node, struct place place, const struct template *nested)
{
        if (node != NULL && node->kind != YAML_MAP && !yaml_absent(node)) return;
        for (uint32_t i = 0; node != NULL && node->kind == YAML_MAP && i < node->count; i++) {
                const struct yaml_entry *entry = &node->entries[i];
                const struct parameter *p = template_parameter(nested, entry->key);
                struct trail trail = {NULL, entry->key, 0};
                if (p != NULL)
                        check_value(in, entry->value, p->type, &trail);
                else
                        loader_problem(in->loader, yaml_key_place(in->file, entry), in->address,
                            "template '%s' has no parameter '%.100s'%s", nested->name, entry->key,
                            loader_suggest_map(in->loader, entry->key, &nested->parameter_by_name));
        }
        for (size_t i = 0; i < nested->parameter_count; i++) {
                const struct parameter *p = &nested->parameters[i];
                if (p->fallback == NULL && yaml_get(node, p->name) == NULL)
                        loader_problem(in->loader, place, in->address,
                            "parameter '%s' of the template '%s' is missing", p->name, nested->name);
        }
}

/* --- types ----------------------------------------------------------------------------------------------------------- */

struct type_entry { /* a type asked for before; a failure is asked for once */
        const struct schema *schema;
        const char *message;
        enum error_kind kind;
};

static struct type_entry *type_entry(struct loader *loader, const char *type)
{
        struct type_entry *known = map_get(&loader->types, type);
        if (known != NULL) return known;
        known = arena_alloc(loader->scratch, sizeof *known);
        cleanup(error_free) struct error *problem = NULL;
        known->schema = loader->schemas->find(loader->schemas->context, type, &problem);
        if (known->schema == NULL)
                known->message = arena_strdup(
                    loader->scratch, problem ? error_message(problem) : "unknown type");
        map_put(&loader->types, type, known);
        return known;
}

const struct schema *check_type(struct reading *in, const char *type, struct place place, bool lookup)
{
        const struct type_entry *known = type_entry(in->loader, type);
        if (known->schema == NULL) {
                loader_problem(in->loader, place, in->address, "%s", known->message);
                return NULL;
        }
        if (known->schema->lookup == lookup) return known->schema;
        loader_problem(in->loader, place, in->address,
            lookup ? "%s is a resource type, not a lookup: it belongs under 'resources'"
                   : "%s is a lookup, not a resource type: it belongs under 'lookups'",
            type);
        return NULL;
}
