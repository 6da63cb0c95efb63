/*
 * The plug-in `rest`: a provider for every folder of manifests. See provider.h for the contract and docs/manifests.md for the format.
 */
#include <stdlib.h>
#include <string.h>
#include "step.h"

static int rest_load(
    const struct tutti_host *host, const char *name, const char *folder, void **plugin, char **problem)
{
        struct rest_provider *p = manifest_load(host, name, folder, problem);
        *plugin = p;
        return p ? 0 : -1;
}

static void rest_unload(void *plugin)
{
        manifest_free(plugin);
}

static const char *rest_doc(void *plugin)
{
        const struct rest_provider *p = plugin;
        return p->doc;
}

static const struct tutti_type *rest_type(void *plugin, const char *name, char **problem)
{
        return manifest_type(plugin, name, problem);
}

static const struct tutti_type *rest_type_at(void *plugin, size_t index, char **problem)
{
        return manifest_type_at(plugin, index, problem);
}

static const struct tutti_property *rest_config(void *plugin, size_t *count)
{
        const struct rest_provider *p = plugin;
        *count = p->config_count;
        return p->config;
}

static struct tutti_limits rest_limits(void *plugin, const struct value *config)
{
        (void)config;
        const struct rest_provider *p = plugin;
        return p->limits;
}

/* What the template leaves out: from the environment, else the default; NULL for nothing. */
static struct value *rest_config_fallback(const struct rest_provider *p, size_t i, char **problem)
{
        for (const char *const *env = p->config_fields[i].env; *env; env++) {
                const char *text = getenv(*env);
                if (text && *text) return p->host->value_string(text, strlen(text));
        }
        const char *json = p->config[i].fallback;
        return json ? p->host->value_from_json(json, strlen(json), problem) : NULL;
}

static struct value *rest_config_value(
    const struct rest_provider *p, size_t i, const struct value *config, char **problem)
{
        const struct tutti_host *host = p->host;
        const struct tutti_property *property = &p->config[i];
        const struct value *given = kind_map(host, config) ? host->value_get(config, property->name) : NULL;
        struct value *v = kind_none(host, given) ? rest_config_fallback(p, i, problem)
                                                 : host->value_ref(given);
        if (!v && p->config_fields[i].required && !*problem) {
                const char *env = *p->config_fields[i].env;
                *problem = util_format("provider %s needs `%s`%s%s%s", p->name, property->name,
                    env ? " (or the environment variable " : "", env ? env : "", env ? ")" : "");
        }
        if (!v) return *problem ? NULL : host->value_null();
        struct value *converted = host->value_convert(v, property->type, problem);
        host->value_free(v);
        if (!converted || !(property->flags & TUTTI_SENSITIVE)) return converted;
        struct value *marked = host->value_sensitive(converted, 1);
        host->value_free(converted);
        return marked;
}

static struct value *rest_resolve(void *plugin, const struct value *config)
{
        struct rest_provider *p = plugin;
        struct object o = {0};
        for (size_t i = 0; i < p->config_count; i++) {
                AUTO_CHAR problem = NULL; /* what is wrong or missing, `open` says */
                struct value *v = rest_config_value(p, i, config, &problem);
                if (v) object_add(&o, p->config[i].name, v);
        }
        return object_value(p->host, &o);
}

static int rest_open(void *plugin, const struct value *config, void **context, char **problem)
{
        struct rest_provider *p = plugin;
        struct object o = {0};
        for (size_t i = 0; i < p->config_count; i++) {
                struct value *v = rest_config_value(p, i, config, problem);
                if (!v) {
                        object_release(p->host, &o);
                        return -1;
                }
                object_add(&o, p->config[i].name, v);
        }
        struct rest_context *c = util_alloc(sizeof *c);
        c->provider = p;
        c->config = object_value(p->host, &o);
        *context = c;
        return 0;
}

static void rest_close(void *context)
{
        struct rest_context *c = context;
        c->provider->host->value_free(c->config);
        free(c);
}

__attribute__((visibility("default"))) const struct tutti_provider tutti_provider = {
    .abi = TUTTI_PROVIDER_ABI,
    .size = sizeof(struct tutti_provider),
    .name = "rest",
    .load = rest_load,
    .unload = rest_unload,
    .doc = rest_doc,
    .type = rest_type,
    .type_at = rest_type_at,
    .config = rest_config,
    .limits = rest_limits,
    .open = rest_open,
    .close = rest_close,
    .resolve = rest_resolve,
    .step = rest_step,
};
