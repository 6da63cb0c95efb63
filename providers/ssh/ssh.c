/*
 * The provider `ssh`: commands and files on hosts, as nodes of the same graph. Connecting, verifying the host's key, waiting for a
 * late login and trying again are the engine's.
 */
#include <string.h>

#include "providers/exec/command.h"
#include "providers/ssh/file.h"

static const struct tutti_host *host; /* set once, when the plug-in is loaded */

static const struct tutti_type command_type = {
    .name = "ssh.command",
    .doc = "A command on a host.",
    .flags = TUTTI_TYPE_HOST | TUTTI_TYPE_REPEATABLE,
    .properties = command_properties,
    .property_count = COMMAND_PROPERTIES,
    .outputs = command_outputs,
    .output_count = COMMAND_OUTPUTS,
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
        return "Commands and files on hosts over SSH.";
}

static const struct tutti_type *type_at(void *plugin, size_t index, char **problem)
{
        (void)plugin, (void)problem;
        return index == 0 ? &command_type : index == 1 ? &file_type : NULL;
}

static const struct tutti_type *type(void *plugin, const char *name, char **problem)
{
        (void)plugin, (void)problem;
        if (strcmp(name, command_type.name) == 0) return &command_type;
        return strcmp(name, file_type.name) == 0 ? &file_type : NULL;
}

static struct tutti_limits limits(void *plugin, const struct value *config)
{
        (void)plugin, (void)config;
        return (struct tutti_limits){.parallel = 32};
}

static int plan(void *context, const struct tutti_type *t, const struct value *prior,
    const struct value *proposed, struct tutti_planned *planned, char **problem)
{
        (void)context;
        if (t == &file_type) return file_plan(host, prior, proposed, planned, problem);
        planned->planned = host->value_ref(proposed);
        return 0;
}

static enum tutti_result run(struct tutti_op *op, const char *command, struct tutti_bytes input)
{
        struct tutti_ssh ssh = {.command = command, .input = input};
        return host->wait_ssh(op, &ssh);
}

static enum tutti_result step(void *context, struct tutti_op *op)
{
        (void)context;
        return host->op_type(op) == &file_type ? file_step(host, op, run) : command_step(host, op, run);
}

const struct tutti_provider tutti_provider = {
    .abi = TUTTI_PROVIDER_ABI,
    .size = sizeof(struct tutti_provider),
    .name = "ssh",
    .load = load,
    .unload = unload,
    .doc = doc,
    .type = type,
    .type_at = type_at,
    .limits = limits,
    .plan = plan,
    .step = step,
};
