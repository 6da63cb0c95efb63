/* Resources, gates, nested templates and lookups: which keys each may have, and what stands behind them. */
#include "template/loader.h"

#include <string.h>

#include "base/text.h"
#include "lang/property_path.h"

enum {
        MANAGED = 1 << RESOURCE_MANAGED,
        LOOKUP = 1 << RESOURCE_LOOKUP,
        GATE = 1 << RESOURCE_GATE,
        NESTED = 1 << RESOURCE_TEMPLATE
};

static struct resource *resource_of(const struct reading *in)
{
        return in->into;
}

/* --- the keys of all kinds ------------------------------------------------------------------------------------------- */

static void read_provider(struct reading *in, const struct yaml_entry *entry)
{
        const char *name = key_text(in, entry);
        if (name != NULL) resource_of(in)->provider = name;
}

static void read_after(struct reading *in, const struct yaml_entry *entry)
{
        struct resource *r = resource_of(in);
        r->after = key_names(in, entry, &r->after_places, &r->after_count);
}

static void read_count(struct reading *in, const struct yaml_entry *entry)
{
        struct resource *r = resource_of(in);
        r->count = document_expr(in, entry->value);
        const struct value *n = expr_constant(r->count);
        int64_t whole = 0;
        if (n == NULL) return;
        if (value_is_null(n))
                r->count = NULL;
        else if (value_kind(n) != TYPE_NUMBER || !value_as_int(n, &whole) || whole < 0)
                key_problem(in, entry->value, "'count' must be a whole number, 0 or more");
}

static void read_for_each(struct reading *in, const struct yaml_entry *entry)
{
        struct resource *r = resource_of(in);
        const struct yaml_node *node = entry->value;
        r->for_each = document_expr(in, node);
        if (yaml_absent(node))
                r->for_each = NULL;
        else if (node->kind == YAML_SCALAR && expr_constant(r->for_each) != NULL &&
                 value_count(expr_constant(r->for_each)) == 0 &&
                 value_kind(expr_constant(r->for_each)) < TYPE_LIST)
                key_problem(in, node,
                    "'for_each' must be a map, a list of texts, or an expression that gives one or names a "
                    "resource");
        for (uint32_t i = 0; node->kind == YAML_SEQUENCE && i < node->count; i++)
                if (node->items[i]->kind != YAML_SCALAR)
                        key_problem(in, node->items[i],
                            "'for_each' takes a list of texts; for more than a text each, give it a map");
}

static void read_when(struct reading *in, const struct yaml_entry *entry)
{
        struct resource *r = resource_of(in);
        r->when = document_expr(in, entry->value);
        const struct value *v = expr_constant(r->when);
        if (v != NULL && !value_is_null(v) && value_kind(v) != TYPE_BOOL && value_is_known(v))
                key_problem(
                    in, entry->value, "'when' must be true or false, or an expression that gives one");
        if (v != NULL && value_is_null(v)) r->when = NULL;
}

/* --- the keys of managed resources ----------------------------------------------------------------------------------- */

static void read_host(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {{"address", NULL}, {"port", NULL}, {"user", NULL}, {"key", NULL},
            {"key_file", NULL}, {"passphrase", NULL}, {"password", NULL}, {"agent", NULL}, {"host_key", NULL},
            {"known_hosts", NULL}, {"pin", NULL}, {"jump", NULL}};
        size_t count = sizeof keys / sizeof keys[0];
        const struct yaml_node *node = entry->value;
        resource_of(in)->host = document_object(in, node, "host");
        if (node->kind != YAML_MAP) return;
        keys_read(in, node, "a host", keys, count);
        if (yaml_get(node, "address") == NULL) key_problem(in, node, "a host needs an 'address'");
        const struct yaml_entry *jump = yaml_get(node, "jump");
        if (jump == NULL || jump->value->kind != YAML_MAP) return;
        keys_read(in, jump->value, "a jump host", keys, count - 1);
        if (yaml_get(jump->value, "address") == NULL)
                key_problem(in, jump->value, "a jump host needs an 'address'");
}

static void read_protect(struct reading *in, const struct yaml_entry *entry)
{
        struct resource *r = resource_of(in);
        r->protect = document_expr(in, entry->value);
        const struct value *v = expr_constant(r->protect);
        if (v != NULL && value_kind(v) != TYPE_BOOL)
                key_problem(in, entry->value, "'protect' must be true or false, or an expression");
}

static void read_keep(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->keep = key_bool(in, entry);
}

static bool read_choice(struct reading *in, const struct yaml_entry *entry, const char *yes, const char *no)
{
        const char *text = key_text(in, entry);
        if (text == NULL) return false;
        if (strcmp(text, yes) == 0) return true;
        if (no == NULL)
                key_problem(in, entry->value, "'%s' must be '%s'", entry->key, yes);
        else if (strcmp(text, no) != 0)
                key_problem(in, entry->value, "'%s' must be '%s' or '%s'", entry->key, yes, no);
        return false;
}

static void read_replace(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->create_first = read_choice(in, entry, "create-first", "delete-first");
}

static void read_adopt(struct reading *in, const struct yaml_entry *entry)
{
        resource_of(in)->adopt = read_choice(in, entry, "if-exists", NULL);
}

static void read_ignore(struct reading *in, const struct yaml_entry *entry)
{
        struct resource *r = resource_of(in);
        struct place *places = NULL;
        r->ignore = key_names(in, entry, &places, &r->ignore_count);
        for (size_t i = 0; r->schema != NULL && i < r->ignore_count; i++) {
                const char *name = arena_strndup(
                    in->loader->scratch, r->ignore[i], strcspn(r->ignore[i], ".["));
                const struct property *property = schema_property(r->schema, name);
                cleanup_free char *why = NULL;
                if (property != NULL &&
                    property_path_leads(property->type, r->ignore[i] + strlen(name), &why))
                        continue;
                if (property != NULL) {
                        loader_problem(in->loader, places[i], in->address, "ignore: '%s' leads nowhere: %s",
                            r->ignore[i], why);
                        continue;
                }
                cleanup_free const char **names = mem_alloc(r->schema->property_count * sizeof *names);
                for (size_t k = 0; k < r->schema->property_count; k++)
                        names[k] = r->schema->properties[k].name;
                loader_problem(in->loader, places[i], in->address, "unknown property '%s' on %s%s", name,
                    r->type, loader_suggest(in->loader, name, names, r->schema->property_count));
        }
}

static const struct resource_key {
        struct key key;
        unsigned kinds;
} resource_keys[] = {
    {{"type", NULL}, MANAGED | LOOKUP | GATE | NESTED},
    {{"properties", NULL}, MANAGED | LOOKUP | GATE | NESTED},
    {{"template", NULL}, NESTED},
    {{"parameters", NULL}, NESTED},
    {{"provider", read_provider}, MANAGED | LOOKUP},
    {{"after", read_after}, MANAGED | LOOKUP | GATE | NESTED},
    {{"count", read_count}, MANAGED | GATE | NESTED},
    {{"for_each", read_for_each}, MANAGED | GATE | NESTED},
    {{"when", read_when}, MANAGED | GATE | NESTED},
    {{"host", read_host}, MANAGED},
    {{"approve", resource_approve}, MANAGED},
    {{"retry", resource_retry}, MANAGED | LOOKUP},
    {{"timeout", resource_timeout}, MANAGED | LOOKUP},
    {{"protect", read_protect}, MANAGED},
    {{"keep", read_keep}, MANAGED},
    {{"replace", read_replace}, MANAGED},
    {{"ignore", read_ignore}, MANAGED},
    {{"adopt", read_adopt}, MANAGED},
    {{"on_failure", resource_on_failure}, MANAGED | GATE},
};
enum { RESOURCE_KEYS = sizeof resource_keys / sizeof resource_keys[0] };

static void read_key(struct reading *in, const struct yaml_entry *entry)
{
        static const char *const kinds[] = {"a resource", "a lookup", "a gate", "a nested template"};
        const enum resource_kind kind = resource_of(in)->kind;
        const struct resource_key *k = NULL;
        for (size_t i = 0; i < RESOURCE_KEYS && k == NULL; i++)
                if (strcmp(resource_keys[i].key.name, entry->key) == 0) k = &resource_keys[i];
        if (k != NULL && (k->kinds & 1u << kind) != 0) {
                if (k->key.read != NULL) k->key.read(in, entry);
                return;
        }
        const char *names[RESOURCE_KEYS];
        size_t count = 0;
        for (size_t i = 0; i < RESOURCE_KEYS; i++)
                if ((resource_keys[i].kinds & 1u << kind) != 0) names[count++] = resource_keys[i].key.name;
        struct place place = yaml_key_place(in->file, entry);
        if (k != NULL)
                loader_problem(
                    in->loader, place, in->address, "'%s' is not a key of %s", entry->key, kinds[kind]);
        else if (resource_of(in)->schema != NULL &&
                 schema_property(resource_of(in)->schema, entry->key) != NULL)
                loader_problem(in->loader, place, in->address,
                    "'%s' is a property of %s: it belongs under 'properties'", entry->key,
                    resource_of(in)->type);
        else
                loader_problem(in->loader, place, in->address, "unknown key '%.100s' in %s%s", entry->key,
                    kinds[kind], loader_suggest(in->loader, entry->key, names, count));
}

/* --- one resource ---------------------------------------------------------------------------------------------------- */

static void read_nested(struct reading *in, const struct yaml_node *node, const struct yaml_node *properties)
{
        struct resource *r = resource_of(in);
        const struct yaml_entry *parameters = yaml_get(node, "parameters"),
                                *file = yaml_get(node, "template");
        if (parameters != NULL && properties != NULL)
                loader_problem(in->loader, yaml_key_place(in->file, parameters), in->address,
                    "give either 'parameters' or 'properties': they mean the same here");
        const struct yaml_node *given = parameters ? parameters->value : properties;
        if (given != NULL) r->properties = document_object(in, given, "parameters");
        if (file == NULL) {
                loader_problem(in->loader, r->place, in->address,
                    "a resource of type 'template' needs 'template': the path of its file");
                return;
        }
        const char *path = key_text(in, file);
        if (path == NULL) return;
        struct place place = yaml_place(in->file, file->value);
        r->nested = template_load(
            in->loader, loader_path(in->loader->arena, in->folder, path), place, in->address);
        if (r->nested != NULL) check_parameters(in, given, r->place, r->nested);
}

static void read_managed(struct reading *in, const struct yaml_node *node, const struct yaml_node *properties)
{
        struct resource *r = resource_of(in);
        if (properties != NULL) r->properties = document_object(in, properties, "properties");
        if (r->schema == NULL || r->type == NULL) return;
        r->provider = arena_strndup(in->loader->arena, r->type, strcspn(r->type, "."));
        struct fields fields = {r->schema->properties, r->schema->property_count, r->schema, r->type};
        check_fields(in, properties, r->place, &fields);
        if (r->kind == RESOURCE_LOOKUP) return;
        const struct yaml_entry *host = yaml_get(node, "host");
        if (r->schema->acts_on_host && host == NULL)
                loader_problem(
                    in->loader, r->place, in->address, "%s acts on a host: 'host' is missing", r->type);
        if (!r->schema->acts_on_host && host != NULL)
                loader_problem(in->loader, yaml_key_place(in->file, host), in->address,
                    "%s does not act on a host", r->type);
}

static enum resource_kind kind_of(const char *type, bool lookup)
{
        if (lookup) return RESOURCE_LOOKUP;
        if (strcmp(type, "gate") == 0) return RESOURCE_GATE;
        return strcmp(type, "template") == 0 ? RESOURCE_TEMPLATE : RESOURCE_MANAGED;
}

static void read_resource(struct reading *in, const struct yaml_node *node, bool lookup)
{
        struct resource *r = resource_of(in);
        const struct yaml_entry *type = yaml_get(node, "type"), *entry = yaml_get(node, "properties");
        const struct yaml_node *properties = entry && !yaml_absent(entry->value) ? entry->value : NULL;
        r->type = type ? key_text(in, type) : NULL;
        if (type == NULL) loader_problem(in->loader, r->place, in->address, "'type' is missing");
        if (r->type != NULL) {
                r->kind = kind_of(r->type, lookup);
                if (r->kind == RESOURCE_MANAGED || r->kind == RESOURCE_LOOKUP)
                        r->schema = check_type(in, r->type, yaml_place(in->file, type->value), lookup);
        }
        if (r->kind == RESOURCE_TEMPLATE)
                read_nested(in, node, properties);
        else if (r->kind == RESOURCE_GATE)
                resource_gate(in, properties);
        else
                read_managed(in, node, properties);
        for (uint32_t i = 0; i < node->count; i++) read_key(in, &node->entries[i]);
        if (r->count != NULL && r->for_each != NULL)
                loader_problem(
                    in->loader, r->place, in->address, "'count' and 'for_each' exclude each other");
}

static struct resource *read_all(
    struct reading *in, const struct yaml_node *map, bool lookup, struct map *by_name)
{
        struct resource *all = arena_alloc(in->loader->arena, map->count * sizeof *all);
        for (uint32_t i = 0; i < map->count; i++) {
                struct resource *r = &all[i];
                const struct yaml_node *node = map->entries[i].value;
                key_check_name(in, &map->entries[i], lookup ? "lookup" : "resource");
                r->kind = lookup ? RESOURCE_LOOKUP : RESOURCE_MANAGED;
                r->name = map->entries[i].key;
                r->place = yaml_key_place(in->file, &map->entries[i]);
                struct reading part = *in;
                part.address = lookup ? arena_printf(in->loader->scratch, "lookup.%s", r->name) : r->name;
                part.into = r;
                if (node->kind != YAML_MAP)
                        key_problem(&part, node, "a %s is a map with 'type' and 'properties', not %s",
                            lookup ? "lookup" : "resource", yaml_kind_name(node));
                else
                        read_resource(&part, node, lookup);
                map_put(by_name, r->name, r);
        }
        return all;
}

void resources_read(struct reading *in, const struct yaml_entry *entry)
{
        if (!keys_is_map(in, entry->value, "resources")) return;
        in->template->resources = read_all(in, entry->value, false, &in->template->resource_by_name);
        in->template->resource_count = entry->value->count;
}

void lookups_read(struct reading *in, const struct yaml_entry *entry)
{
        if (!keys_is_map(in, entry->value, "lookups")) return;
        in->template->lookups = read_all(in, entry->value, true, &in->template->lookup_by_name);
        in->template->lookup_count = entry->value->count;
}
