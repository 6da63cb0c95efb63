/* The `parameters` and `providers` of a template. */
#include "template/loader.h"

#include <string.h>

#include "base/text.h"

/* --- parameters ------------------------------------------------------------------------------------------------------ */

static void read_type(struct reading *in, const struct yaml_entry *entry)
{
        struct parameter *p = in->into;
        struct place place = yaml_place(in->file, entry->value);
        const char *text = key_text(in, entry);
        if (text == NULL) return;
        if (entry->value->style == YAML_SINGLE || entry->value->style == YAML_DOUBLE)
                place.column++; /* past the quote */
        cleanup(error_free) struct error *problem = NULL;
        const struct type *type = type_parse(text, strlen(text), &place, &problem);
        if (type == NULL)
                loader_problems(in->loader, &problem, place, in->address);
        else
                p->type = keep_type(in->loader->arena, type);
}

static void read_doc(struct reading *in, const struct yaml_entry *entry)
{
        ((struct parameter *)in->into)->doc = key_text(in, entry);
}

static void read_sensitive(struct reading *in, const struct yaml_entry *entry)
{
        ((struct parameter *)in->into)->sensitive = key_bool(in, entry);
}

static void check_that(struct reading *in, const struct yaml_entry *entry)
{
        ((struct check *)in->into)->that = document_expr(in, entry->value);
}

static void check_message(struct reading *in, const struct yaml_entry *entry)
{
        ((struct check *)in->into)->message = document_expr(in, entry->value);
}

static void read_checks(struct reading *in, const struct yaml_entry *entry)
{
        static const struct key keys[] = {{"that", check_that}, {"message", check_message}};
        struct parameter *p = in->into;
        const struct yaml_node *node = entry->value;
        size_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
        p->checks = arena_alloc(in->loader->arena, count * sizeof *p->checks);
        for (size_t i = 0; i < count; i++) {
                const struct yaml_node *item = node->kind == YAML_SEQUENCE ? node->items[i] : node;
                struct reading part = *in;
                part.into = &p->checks[p->check_count];
                if (item->kind != YAML_MAP || yaml_get(item, "that") == NULL ||
                    yaml_get(item, "message") == NULL) {
                        key_problem(in, item, "a check is a map with 'that' (a condition) and 'message'");
                        continue;
                }
                keys_read(&part, item, "a check", keys, 2);
                p->check_count++;
        }
}

static const struct key parameter_keys[] = {
    {"type", read_type},
    {"default", NULL},
    {"description", read_doc},
    {"sensitive", read_sensitive},
    {"check", read_checks},
};

/* After the type is known. */
static void read_default(struct reading *in, const struct yaml_node *node)
{
        struct parameter *p = in->into;
        cleanup(value_free) struct value *raw = document_value(in, node, NULL);
        if (raw == NULL) return;
        cleanup(error_free) struct error *problem = NULL;
        struct value *converted = value_check_attributes(raw, p->type, &problem) < 0
                                      ? NULL
                                      : value_convert(raw, p->type, &problem);
        if (converted == NULL) {
                error_context(&problem, "the default does not fit the type");
                loader_problems(in->loader, &problem, yaml_place(in->file, node), in->address);
                return;
        }
        p->fallback = keep_value(in->loader->arena, converted);
}

static void read_parameter(struct reading *in, const struct yaml_entry *entry)
{
        const struct yaml_node *node = entry->value;
        if (yaml_absent(node)) return;
        if (node->kind == YAML_SCALAR && node->core == YAML_STRING) { /* the short form: just the type */
                read_type(in, entry);
        } else if (node->kind != YAML_MAP) {
                key_problem(in, node,
                    "a parameter is declared by its type, as in 'string', or by a map with 'type', 'default' "
                    "and others");
        } else {
                keys_read(in, node, "a parameter", parameter_keys,
                    sizeof parameter_keys / sizeof parameter_keys[0]);
                const struct yaml_entry *fallback = yaml_get(node, "default");
                if (fallback != NULL) read_default(in, fallback->value);
        }
}

void parameters_read(struct reading *in, const struct yaml_entry *entry)
{
        struct template *t = in->template;
        const struct yaml_node *map = entry->value;
        if (!keys_is_map(in, map, "parameters")) return;
        t->parameters = arena_alloc(in->loader->arena, map->count * sizeof *t->parameters);
        t->parameter_count = map->count;
        for (uint32_t i = 0; i < map->count; i++) {
                struct parameter *p = &t->parameters[i];
                size_t before = error_count(in->loader->problems);
                key_check_name(in, &map->entries[i], "parameter");
                p->name = map->entries[i].key;
                p->place = yaml_key_place(in->file, &map->entries[i]);
                p->type = type_dynamic;
                struct reading part = *in;
                part.address = arena_printf(in->loader->scratch, "param.%s", p->name);
                part.into = p;
                read_parameter(&part, &map->entries[i]);
                if (error_count(in->loader->problems) > before) loader_break(in->loader, p);
                map_put(&t->parameter_by_name, p->name, p);
        }
}

/* --- providers ------------------------------------------------------------------------------------------------------- */

/* "50/s", "600/m", "10000/h", or a number per second. 0 when malformed. */
static double rate_parse(const char *text)
{
        char *end = NULL;
        double n = *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
        if (end == NULL || n <= 0 || n > 1e9) return 0;
        if (*end == '\0' || strcmp(end, "/s") == 0) return n;
        if (strcmp(end, "/m") == 0) return n / 60;
        return strcmp(end, "/h") == 0 ? n / 3600 : 0;
}

static bool is_engine_key(const char *key)
{
        return strcmp(key, "type") == 0 || strcmp(key, "parallel") == 0 || strcmp(key, "rate") == 0;
}

/* The provider's own configuration: the block without the keys that are the engine's. */
static struct yaml_node *config_node(struct reading *in, const struct yaml_node *block)
{
        struct yaml_node *config = arena_alloc(in->loader->scratch, sizeof *config);
        *config = *block;
        config->entries = arena_alloc(in->loader->scratch, block->count * sizeof *config->entries);
        config->count = 0;
        for (uint32_t i = 0; i < block->count; i++)
                if (!is_engine_key(block->entries[i].key))
                        config->entries[config->count++] = block->entries[i];
        return config;
}

static void check_config(struct reading *in, const struct provider_block *p, const struct yaml_node *config)
{
        const struct schema_source *schemas = in->loader->schemas;
        cleanup(error_free) struct error *problem = NULL;
        struct fields fields = {.what = arena_printf(in->loader->scratch, "provider %s", p->type)};
        fields.properties = schemas->config(schemas->context, p->type, &fields.count, &problem);
        if (problem != NULL)
                loader_problems(in->loader, &problem, p->place, in->address);
        else
                check_fields(in, config, p->place, &fields);
}

static void read_provider(struct reading *in, const struct yaml_node *node)
{
        struct provider_block *p = in->into;
        const struct yaml_entry *type = yaml_get(node, "type"), *parallel = yaml_get(node, "parallel"),
                                *rate = yaml_get(node, "rate");
        if (type != NULL) p->type = key_text(in, type);
        if (p->type == NULL) p->type = p->name;
        if (parallel != NULL) p->parallel = key_unsigned(in, parallel, 1, 10000);
        const char *text = rate != NULL ? key_text(in, rate) : NULL;
        if (text != NULL) p->rate = rate_parse(text);
        if (text != NULL && p->rate <= 0)
                key_problem(
                    in, rate->value, "'rate' must be a number of requests, as in 50/s, 600/m or 10000/h");
        struct yaml_node *config = config_node(in, node);
        p->config = document_object(in, config, p->name);
        check_config(in, p, config);
}

void providers_read(struct reading *in, const struct yaml_entry *entry)
{
        static const struct yaml_node nothing = {.kind = YAML_MAP};
        struct template *t = in->template;
        const struct yaml_node *map = entry->value;
        if (!keys_is_map(in, map, "providers")) return;
        t->providers = arena_alloc(in->loader->arena, map->count * sizeof *t->providers);
        t->provider_count = map->count;
        for (uint32_t i = 0; i < map->count; i++) {
                struct provider_block *p = &t->providers[i];
                key_check_name(in, &map->entries[i], "provider");
                p->name = map->entries[i].key;
                p->place = yaml_key_place(in->file, &map->entries[i]);
                struct reading part = *in;
                part.address = arena_printf(in->loader->scratch, "provider.%s", p->name);
                part.into = p;
                const struct yaml_node *node = map->entries[i].value;
                bool is_map = keys_is_map(&part, node, "a provider");
                if (is_map || yaml_absent(node)) read_provider(&part, is_map ? node : &nothing);
                map_put(&t->provider_by_name, p->name, p);
        }
}
