/* Looking things up in schemas: their tables are sorted by name. */
#include "template/schema.h"

#include <string.h>

static const struct property *find(const struct property *sorted, size_t count, const char *name)
{
        size_t low = 0, high = count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(name, sorted[middle].name);
                if (order == 0) return &sorted[middle];
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

const struct property *schema_property(const struct schema *schema, const char *name)
{
        return find(schema->properties, schema->property_count, name);
}

const struct property *schema_output(const struct schema *schema, const char *name)
{
        return find(schema->outputs, schema->output_count, name);
}
