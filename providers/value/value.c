/*
 * The provider `value`: one type that records its input. The smallest resource, and the way to give a computed value a place in the
 * graph. Nothing outside changes, so nothing has to be on disk before it acts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/provider.h"

static const struct tutti_host *host; /* set once, when the plug-in is loaded */

static const struct tutti_property properties[] = {
    {"input", "any", 0, NULL, "Any value. A change updates the resource in place."},
};
static const struct tutti_property outputs[] = {
    {"output", "any", 0, NULL, "The input, known once it was recorded."},
};
static const struct tutti_type types[] = {
    {
        .name = "value",
        .doc = "Records a value: `output` is `input` as of the last run.",
        .flags = TUTTI_TYPE_REPEATABLE | TUTTI_TYPE_LOCAL | TUTTI_TYPE_NO_READ,
        .properties = properties,
        .property_count = 1,
        .outputs = outputs,
        .output_count = 1,
    },
};

static int load(
    const struct tutti_host *from, const char *name, const char *folder, void **plugin, char **problem)
{
        (void)name, (void)folder, (void)problem;
        host = from;
        *plugin = NULL;
        return 0;
}

static void unload(void *plugin)
{
        (void)plugin;
}

static const char *doc(void *plugin)
{
        (void)plugin;
        return "Values recorded as resources.";
}

static const struct tutti_type *type(void *plugin, const char *name, char **problem)
{
        (void)plugin, (void)problem;
        return strcmp(name, "value") == 0 ? &types[0] : NULL;
}

static const struct tutti_type *type_at(void *plugin, size_t index, char **problem)
{
        (void)plugin, (void)problem;
        return index == 0 ? &types[0] : NULL;
}

/* The token as a UUID: the same for a repeated creation, another for every new one. */
static void make_id(struct tutti_op *op)
{
        const char *t = host->op_token(op);
        char id[37];
        snprintf(id, sizeof id, "%.8s-%.4s-%.4s-%.4s-%.12s", t, t + 8, t + 12, t + 16, t + 20);
        host->op_set_id(op, id);
}

static enum tutti_result step(void *context, struct tutti_op *op)
{
        (void)context;
        enum tutti_action action = host->op_action(op);
        if (action == TUTTI_DELETE) return TUTTI_DONE;
        if (action == TUTTI_CREATE) make_id(op);
        const struct value *input = host->value_get(host->op_planned(op), "input");
        struct value *null = host->value_null();
        const char *keys[] = {"input", "output", "id"};
        struct value *id = host->value_string(host->op_id(op), strlen(host->op_id(op)));
        struct value *kept = host->value_ref(input ? input : null);
        struct value *parts[] = {kept, kept, id};
        struct value *observed = host->value_object(keys, parts, 3);
        host->op_observed(op, observed);
        host->value_free(observed);
        host->value_free(kept);
        host->value_free(id);
        host->value_free(null);
        return TUTTI_DONE;
}

const struct tutti_provider tutti_provider = {
    .abi = TUTTI_PROVIDER_ABI,
    .size = sizeof(struct tutti_provider),
    .name = "value",
    .load = load,
    .unload = unload,
    .doc = doc,
    .type = type,
    .type_at = type_at,
    .step = step,
};
