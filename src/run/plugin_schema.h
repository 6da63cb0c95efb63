/*
 * From the ABI's property tables (texts) to schemas (parsed types, converted defaults). Internal to run/.
 */
#ifndef TUTTI_RUN_PLUGIN_SCHEMA_H
#define TUTTI_RUN_PLUGIN_SCHEMA_H

#include "providers/provider.h"
#include "template/schema.h"

/* Made in `arena`, except for types and values, which plugin_schema_release drops. NULL with a problem that names the type. */
struct schema *plugin_schema_new(
    struct arena *arena, const struct tutti_type *type, bool plans, struct error **err);
void plugin_schema_release(struct schema *schema);

/* Sorted by name. NULL only on a problem. */
const struct property *plugin_properties_new(
    struct arena *arena, const struct tutti_property *own, size_t count, struct error **err);
void plugin_properties_release(const struct property *properties, size_t count);
const struct property *plugin_property(const struct property *sorted, size_t count, const char *name);

#endif
