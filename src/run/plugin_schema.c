/* Schemas out of the plug-in ABI; see plugin_schema.h. */
#include "run/plugin_schema.h"

#include <string.h>

static int compare_properties(const void *a, const void *b)
{
        return strcmp(((const struct property *)a)->name, ((const struct property *)b)->name);
}

static int property_fill(
    struct arena *arena, struct property *p, const struct tutti_property *own, struct error **err)
{
        p->name = arena_strdup(arena, own->name);
        p->doc = arena_strdup(arena, own->doc ? own->doc : "");
        p->required = own->flags & TUTTI_REQUIRED;
        p->computed = own->flags & TUTTI_COMPUTED;
        p->sensitive = own->flags & TUTTI_SENSITIVE;
        p->create_only = own->flags & TUTTI_CREATE_ONLY;
        p->write_only = own->flags & TUTTI_WRITE_ONLY;
        p->unordered = own->flags & TUTTI_UNORDERED;
        p->grows = own->flags & TUTTI_GROWS;
        p->credential = own->flags & (TUTTI_CREDENTIAL | TUTTI_SENSITIVE);
        p->incidental = own->flags & TUTTI_INCIDENTAL;
        p->type = type_parse(own->type, strlen(own->type), NULL, err);
        if (p->type == NULL) return error_context(err, "property '%s'", own->name);
        if (own->fallback == NULL) return 0;
        p->fallback = value_from_json(own->fallback, strlen(own->fallback), p->type, NULL, err);
        return p->fallback ? 0 : error_context(err, "default of property '%s'", own->name);
}

const struct property *plugin_properties_new(
    struct arena *arena, const struct tutti_property *own, size_t count, struct error **err)
{
        struct property *list = arena_alloc(arena, (count + 1) * sizeof *list);
        for (size_t i = 0; i < count; i++) {
                if (property_fill(arena, &list[i], &own[i], err) < 0) {
                        plugin_properties_release(list, i + 1);
                        return NULL;
                }
        }
        qsort(list, count, sizeof *list, compare_properties);
        return list;
}

void plugin_properties_release(const struct property *properties, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                type_free(properties[i].type);
                value_free((struct value *)properties[i].fallback);
        }
}

const struct property *plugin_property(const struct property *sorted, size_t count, const char *name)
{
        struct property key = {.name = name};
        return count ? bsearch(&key, sorted, count, sizeof *sorted, compare_properties) : NULL;
}

/* Outputs and `id`, which every type has. */
static const struct property *outputs_new(
    struct arena *arena, const struct tutti_type *type, size_t *count, struct error **err)
{
        bool has_id = false;
        for (size_t i = 0; i < type->output_count; i++) has_id |= strcmp(type->outputs[i].name, "id") == 0;
        *count = type->output_count + !has_id;
        struct tutti_property *all = arena_alloc(arena, (*count + 1) * sizeof *all);
        if (type->output_count > 0) memcpy(all, type->outputs, type->output_count * sizeof *all);
        if (!has_id)
                all[type->output_count] = (struct tutti_property){.name = "id",
                    .type = "string",
                    .flags = TUTTI_CREATE_ONLY,
                    .doc = "The provider's identifier of the object."};
        return plugin_properties_new(arena, all, *count, err);
}

struct schema *plugin_schema_new(
    struct arena *arena, const struct tutti_type *type, bool plans, struct error **err)
{
        struct schema *s = arena_alloc(arena, sizeof *s);
        s->type = arena_strdup(arena, type->name);
        s->doc = arena_strdup(arena, type->doc ? type->doc : "");
        s->lookup = type->flags & TUTTI_TYPE_LOOKUP;
        s->acts_on_host = type->flags & TUTTI_TYPE_HOST;
        s->can_find = type->flags & TUTTI_TYPE_FIND;
        s->can_import = type->flags & TUTTI_TYPE_IMPORT;
        s->repeatable = type->flags & TUTTI_TYPE_REPEATABLE;
        s->by_method = type->flags & TUTTI_TYPE_BY_METHOD;
        s->local = type->flags & TUTTI_TYPE_LOCAL;
        s->no_read = type->flags & TUTTI_TYPE_NO_READ;
        s->finds_token = s->can_find && type->flags & TUTTI_TYPE_FIND_TOKEN;
        s->overwrites = s->can_find && type->flags & TUTTI_TYPE_OVERWRITES;
        s->definition = arena_strdup(arena, type->definition);
        s->plans = plans;
        s->create_seconds = type->create_seconds;
        s->timeout_ms[0] = type->create_timeout * 1000ll;
        s->timeout_ms[1] = type->update_timeout * 1000ll;
        s->timeout_ms[2] = type->delete_timeout * 1000ll;
        s->timeout_ms[3] = type->read_timeout * 1000ll;
        s->own = type;
        s->properties = plugin_properties_new(arena, type->properties, type->property_count, err);
        s->property_count = s->properties ? type->property_count : 0;
        s->outputs = s->properties ? outputs_new(arena, type, &s->output_count, err) : NULL;
        if (s->outputs == NULL) {
                plugin_properties_release(s->properties, s->property_count);
                error_context(err, "type '%s'", type->name);
                return NULL;
        }
        return s;
}

void plugin_schema_release(struct schema *s)
{
        plugin_properties_release(s->properties, s->property_count);
        plugin_properties_release(s->outputs, s->output_count);
}
