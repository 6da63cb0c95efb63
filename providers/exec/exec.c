/*
 * The provider `exec`: commands on this machine, as resources. See command.h for what they do.
 */
#include <string.h>

#include "providers/exec/command.h"

static const struct tutti_host *host; /* set once, when the plug-in is loaded */

#define EXEC_DOC                                                                                             \
        "A command on the machine that runs tutti. It ends when tutti does, with all of its process group, " \
        "also when that is killed, and before anything starts it anew. It inherits tutti's environment but " \
        "for variables that begin with TUTTI_, which `environment` may give it."

#define EXEC_TYPE(type_name)                                                            \
        {                                                                               \
                .name = type_name, .doc = EXEC_DOC, .flags = TUTTI_TYPE_REPEATABLE,     \
                .properties = command_properties, .property_count = COMMAND_PROPERTIES, \
                .outputs = command_outputs, .output_count = COMMAND_OUTPUTS,            \
        }
static const struct tutti_type types[] = {EXEC_TYPE("exec.command"), EXEC_TYPE("exec")};

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
        return "Commands on this machine.";
}

static const struct tutti_type *type_at(void *plugin, size_t index, char **problem)
{
        (void)plugin, (void)problem;
        return index < sizeof types / sizeof *types ? &types[index] : NULL;
}

static const struct tutti_type *type(void *plugin, const char *name, char **problem)
{
        for (size_t i = 0; type_at(plugin, i, problem) != NULL; i++)
                if (strcmp(types[i].name, name) == 0) return &types[i];
        return NULL;
}

static enum tutti_result run(struct tutti_op *op, const char *command, struct tutti_bytes input)
{
        const char *argv[] = {"/bin/sh", "-c", command, NULL};
        struct tutti_process process = {.argv = argv, .input = input};
        return host->wait_process(op, &process);
}

static enum tutti_result step(void *context, struct tutti_op *op)
{
        (void)context;
        return command_step(host, op, run);
}

const struct tutti_provider tutti_provider = {
    .abi = TUTTI_PROVIDER_ABI,
    .size = sizeof(struct tutti_provider),
    .name = "exec",
    .load = load,
    .unload = unload,
    .doc = doc,
    .type = type,
    .type_at = type_at,
    .step = step,
};
