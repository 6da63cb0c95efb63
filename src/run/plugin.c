/* Finding, checking and loading plug-ins, and opening them with a configuration; see plugin.h. */
#include "run/plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "run/turn.h"
#include "run/plugin_schema.h"

struct plugin {
        char *name;
        void *library;
        const struct tutti_provider *provider;
        void *own; /* what load gave */
        struct arena *arena;
        struct map schemas;                /* type name → struct schema * */
        const struct property *properties; /* of the configuration; NULL until asked for */
        size_t property_count;
};

struct plugins {
        char **folders; /* search path; the first is the project's own when has_project */
        size_t folder_count, folder_capacity;
        bool has_project;
        struct map loaded;      /* name → struct plugin * */
        struct map connections; /* name, limits and digest → struct connection * */
};

static void folder_add(struct plugins *p, char *steal_path)
{
        struct stat st;
        if (stat(steal_path, &st) < 0 || !S_ISDIR(st.st_mode)) {
                free(steal_path);
                return;
        }
        vec_push(p->folders, p->folder_count, p->folder_capacity, steal_path);
}

/* The build tree keeps plug-ins beside the program and manifests in its parent; an installation keeps both under its prefix. */
static void folders_of_program(struct plugins *p)
{
        char exe[PATH_MAX];
        ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
        if (len <= 0) return;
        exe[len] = '\0';
        char *slash = strrchr(exe, '/');
        if (slash == NULL) return;
        *slash = '\0';
        static const char *const places[] = {
            "providers", "../providers", "../lib/tutti/providers", "../share/tutti/providers"};
        for (size_t i = 0; i < sizeof places / sizeof *places; i++)
                folder_add(p, mem_printf("%s/%s", exe, places[i]));
}

struct plugins *plugins_new(const char *project_folder)
{
        struct plugins *p = mem_alloc(sizeof *p);
        if (project_folder != NULL) {
                folder_add(p, mem_printf("%s/providers", project_folder));
                p->has_project = p->folder_count > 0;
        }
        const char *list = getenv("TUTTI_PROVIDERS");
        while (list != NULL && *list != '\0') {
                size_t len = strcspn(list, ":");
                if (len > 0) folder_add(p, mem_strndup(list, len));
                list += len + (list[len] == ':');
        }
        folders_of_program(p);
        folder_add(p, mem_strdup(TUTTI_LIBDIR "/providers"));
        folder_add(p, mem_strdup(TUTTI_SHAREDIR "/providers"));
        return p;
}

static void connection_free(struct connection *c)
{
        if (c->provider->close != NULL) c->provider->close(c->context);
        turns_free(c->turns);
        heap_release(&c->waiting);
        limiter_free(c->limiter);
        free(c->name);
        value_free(c->account);
        free(c->account_text);
        free(c);
}

static void plugin_free(struct plugin *plugin)
{
        for (map_foreach (&plugin->schemas, e)) plugin_schema_release(e->value);
        plugin_properties_release(plugin->properties, plugin->property_count);
        map_release(&plugin->schemas);
        if (plugin->provider != NULL) plugin->provider->unload(plugin->own);
        if (plugin->library != NULL) dlclose(plugin->library);
        arena_free(plugin->arena);
        free(plugin->name);
        free(plugin);
}

void plugins_free(struct plugins *p)
{
        if (p == NULL) return;
        for (map_foreach (&p->connections, c)) connection_free(c->value);
        map_release(&p->connections);
        for (map_foreach (&p->loaded, e)) plugin_free(e->value);
        map_release(&p->loaded);
        for (size_t i = 0; i < p->folder_count; i++) free(p->folders[i]);
        free(p->folders);
        free(p);
}

/* A name goes into a path, so it is letters, digits, `_` and `-` only. */
static bool name_is_plain(const char *name)
{
        size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
        return len > 0 && len < 64 && name[len] == '\0';
}

static bool has_manifest(const char *folder)
{
        DIR *dir = opendir(folder);
        if (dir == NULL) return false;
        bool found = false;
        for (struct dirent *e; !found && (e = readdir(dir)) != NULL;) found = text_ends(e->d_name, ".yaml");
        closedir(dir);
        return found;
}

/* The shared object or the manifest folder of `name`: the first in the search path. Code never comes from a project's own folder. */
static char *locate(const struct plugins *p, const char *name, bool *is_folder)
{
        for (size_t i = 0; i < p->folder_count; i++) {
                if (i > 0 || !p->has_project) {
                        char *path = mem_printf("%s/%s.so", p->folders[i], name);
                        *is_folder = false;
                        if (access(path, R_OK) == 0) return path;
                        free(path);
                }
                char *path = mem_printf("%s/%s", p->folders[i], name);
                *is_folder = true;
                if (has_manifest(path)) return path;
                free(path);
        }
        return NULL;
}

static int missing(struct plugins *p, const char *name, struct error **err)
{
        char **names = NULL;
        size_t count = 0;
        plugins_names(p, &names, &count, NULL);
        const char *nearest = text_suggest(name, (const char *const *)names, count);
        if (nearest != NULL)
                error_set(
                    err, ERROR_MISSING, NULL, "unknown provider '%s'; did you mean '%s'?", name, nearest);
        else
                error_set(err, ERROR_MISSING, NULL,
                    "unknown provider '%s'; `tutti provider list` shows those there are", name);
        for (size_t i = 0; i < count; i++) free(names[i]);
        free(names);
        return -1;
}

static int open_library(struct plugin *plugin, const char *path, struct error **err)
{
        plugin->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (plugin->library == NULL)
                return error_set(err, ERROR_SYSTEM, NULL, "load provider '%s': %s", plugin->name, dlerror());
        const struct tutti_provider *provider = dlsym(plugin->library, "tutti_provider");
        if (provider == NULL)
                return error_set(err, ERROR_SYSTEM, NULL, "load provider '%s': %s exports no tutti_provider",
                    plugin->name, path);
        if (provider->abi != TUTTI_PROVIDER_ABI || provider->size != sizeof *provider)
                return error_set(err, ERROR_SYSTEM, NULL,
                    "load provider '%s': %s was built for another plug-in interface (%u, %u bytes; this "
                    "program has %u, %zu)",
                    plugin->name, path, provider->abi, provider->size, TUTTI_PROVIDER_ABI, sizeof *provider);
        plugin->provider = provider;
        return 0;
}

static int load(struct plugins *p, struct plugin *plugin, struct error **err)
{
        bool is_folder;
        cleanup_free char *path = locate(p, plugin->name, &is_folder);
        if (path == NULL) return missing(p, plugin->name, err);
        cleanup_free char *rest = NULL;
        if (is_folder) {
                bool rest_is_folder;
                rest = locate(p, "rest", &rest_is_folder);
                if (rest == NULL || rest_is_folder)
                        return error_set(err, ERROR_SYSTEM, NULL,
                            "load provider '%s': rest.so, which reads its manifests, is missing",
                            plugin->name);
        }
        if (open_library(plugin, is_folder ? rest : path, err) < 0) return -1;
        cleanup_free char *problem = NULL;
        if (plugin->provider->load(
                &tutti_host_table, plugin->name, is_folder ? path : NULL, &plugin->own, &problem) < 0) {
                plugin->provider = NULL;
                return error_set(err, ERROR_INPUT, NULL, "load provider '%s': %s", plugin->name,
                    problem ? problem : "failed");
        }
        return 0;
}

struct plugin *plugins_find(struct plugins *p, const char *provider, struct error **err)
{
        struct plugin *plugin = map_get(&p->loaded, provider);
        if (plugin != NULL) return plugin;
        if (!name_is_plain(provider)) {
                missing(p, provider, err);
                return NULL;
        }
        plugin = mem_alloc(sizeof *plugin);
        plugin->name = mem_strdup(provider);
        plugin->arena = arena_new();
        if (load(p, plugin, err) < 0) {
                plugin_free(plugin);
                return NULL;
        }
        map_put(&p->loaded, plugin->name, plugin);
        return plugin;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int plugins_names(struct plugins *p, char ***names, size_t *count, struct error **err)
{
        (void)err;
        struct map seen = {0};
        for (size_t i = 0; i < p->folder_count; i++) {
                DIR *dir = opendir(p->folders[i]);
                if (dir == NULL) continue;
                for (struct dirent *e; (e = readdir(dir)) != NULL;) {
                        cleanup_free char *name = mem_strdup(e->d_name);
                        if (text_ends(name, ".so")) name[strlen(name) - 3] = '\0';
                        bool is_folder;
                        if (!name_is_plain(name) || text_equal(name, "rest") || map_has(&seen, name))
                                continue;
                        cleanup_free char *path = locate(p, name, &is_folder);
                        if (path != NULL) map_put_copy(&seen, name, p);
                }
                closedir(dir);
        }
        *names = mem_alloc((seen.count + 1) * sizeof **names);
        *count = 0;
        for (map_foreach (&seen, entry)) (*names)[(*count)++] = mem_strdup(entry->key);
        map_release(&seen);
        qsort(*names, *count, sizeof **names, compare_names);
        return 0;
}

const char *plugin_doc(struct plugin *plugin)
{
        return plugin->provider->doc ? plugin->provider->doc(plugin->own) : "";
}

static const struct schema *schema_of(
    struct plugin *plugin, const struct tutti_type *type, struct error **err)
{
        struct schema *schema = map_get(&plugin->schemas, type->name);
        if (schema != NULL) return schema;
        schema = plugin_schema_new(plugin->arena, type, plugin->provider->plan != NULL, err);
        if (schema != NULL) map_put(&plugin->schemas, schema->type, schema);
        return schema;
}

const struct schema *plugin_schema_at(struct plugin *plugin, size_t index, struct error **err)
{
        cleanup_free char *problem = NULL;
        const struct tutti_type *type = plugin->provider->type_at(plugin->own, index, &problem);
        if (type == NULL) {
                if (problem != NULL)
                        error_set(err, ERROR_INPUT, NULL, "provider '%s': %s", plugin->name, problem);
                return NULL;
        }
        return schema_of(plugin, type, err);
}

static const struct schema *unknown_type(struct plugin *plugin, const char *type, struct error **err)
{
        const char **names = NULL;
        size_t count = 0, capacity = 0;
        const struct schema *s;
        while (count < 10000 && (s = plugin_schema_at(plugin, count, NULL)) != NULL)
                vec_push(names, count, capacity, s->type);
        const char *nearest = text_suggest(type, names, count);
        if (nearest != NULL)
                error_set(err, ERROR_INPUT, NULL, "unknown type '%s'; did you mean '%s'?", type, nearest);
        else
                error_set(err, ERROR_INPUT, NULL,
                    "unknown type '%s'; `tutti provider list` shows those there are", type);
        free(names);
        return NULL;
}

static const struct schema *source_find(void *context, const char *type, struct error **err)
{
        cleanup_free char *name = mem_strndup(type, strcspn(type, "."));
        struct plugin *plugin = plugins_find(context, name, err);
        if (plugin == NULL) return NULL;
        struct schema *known = map_get(&plugin->schemas, type);
        if (known != NULL) return known;
        cleanup_free char *problem = NULL;
        const struct tutti_type *found = plugin->provider->type(plugin->own, type, &problem);
        if (found != NULL) return schema_of(plugin, found, err);
        if (problem == NULL) return unknown_type(plugin, type, err);
        error_set(err, ERROR_INPUT, NULL, "%s", problem);
        return NULL;
}

static int config_properties(struct plugin *plugin, struct error **err)
{
        if (plugin->properties != NULL || plugin->provider->config == NULL) return 0;
        size_t count;
        const struct tutti_property *own = plugin->provider->config(plugin->own, &count);
        plugin->properties = plugin_properties_new(plugin->arena, own, count, err);
        if (plugin->properties == NULL) return -1;
        plugin->property_count = count;
        return 0;
}

static const struct property *source_config(
    void *context, const char *provider, size_t *count, struct error **err)
{
        static const struct property none;
        struct plugin *plugin = plugins_find(context, provider, err);
        if (plugin == NULL || config_properties(plugin, err) < 0) return NULL;
        *count = plugin->property_count;
        return plugin->properties ? plugin->properties : &none;
}

struct validation {
        const struct place *place;
        struct error **err;
        int result;
};

static void validation_problem(void *sink, const char *path, const char *message)
{
        struct validation *v = sink;
        if (path != NULL && *path != '\0')
                v->result = error_set(v->err, ERROR_INPUT, v->place, "property '%s': %s", path, message);
        else
                v->result = error_set(v->err, ERROR_INPUT, v->place, "%s", message);
}

static int source_validate(void *context, const struct schema *schema, const struct value *properties,
    const struct place *place, struct error **err)
{
        cleanup_free char *name = mem_strndup(schema->type, strcspn(schema->type, "."));
        struct plugin *plugin = plugins_find(context, name, err);
        if (plugin == NULL) return -1;
        if (plugin->provider->validate == NULL) return 0;
        struct validation v = {place, err, 0};
        plugin->provider->validate(plugin->own, schema->own, properties, validation_problem, &v);
        return v.result;
}

/* As it is written, with the defaults of the schema. */
static struct value *with_defaults(const struct plugin *plugin, const struct value *config)
{
        struct value_builder b = {0};
        if (config != NULL && !value_is_known(config)) return value_ref(config);
        for (size_t i = 0; i < plugin->property_count; i++) {
                const struct property *p = &plugin->properties[i];
                const struct value *v = config ? value_get(config, p->name) : NULL;
                if (v == NULL || (value_is_known(v) && value_is_null(v))) v = p->fallback;
                if (v != NULL) value_builder_add(&b, p->name, value_ref(v));
        }
        return value_builder_object(&b);
}

static struct value *source_resolve(void *context, const char *provider, const struct value *config)
{
        struct plugin *plugin = plugins_find(context, provider, NULL);
        if (plugin == NULL || config_properties(plugin, NULL) < 0) return NULL;
        if (plugin->provider->resolve == NULL) return with_defaults(plugin, config);
        if (config != NULL && !value_is_known(config)) return value_ref(config);
        return plugin->provider->resolve(plugin->own, config);
}

void plugins_schemas(struct plugins *p, struct schema_source *ret)
{
        *ret = (struct schema_source){.find = source_find,
            .config = source_config,
            .validate = source_validate,
            .resolve = source_resolve,
            .context = p};
}

/* The configuration with each property converted to its type; unknown ones refused. */
static struct value *config_convert(struct plugin *plugin, const struct value *config, struct error **err)
{
        if (config_properties(plugin, err) < 0) return NULL;
        struct value_builder b = {0};
        for (size_t i = 0; config != NULL && i < value_count(config); i++) {
                const char *key = value_key_at(config, i);
                const struct property *property = plugin_property(
                    plugin->properties, plugin->property_count, key);
                struct value *v = NULL;
                if (property == NULL)
                        error_set(
                            err, ERROR_INPUT, NULL, "provider '%s' has no setting '%s'", plugin->name, key);
                else
                        v = value_convert(value_at(config, i), property->type, err);
                if (v == NULL) {
                        value_builder_release(&b);
                        return NULL;
                }
                value_builder_add(&b, key, v);
        }
        return value_builder_object(&b);
}

struct connection *plugins_connect(struct plugins *p, const struct schema *schema, const char *name,
    const struct value *config, unsigned parallel, double rate, struct error **err)
{
        cleanup_free char *kind = mem_strndup(schema->type, strcspn(schema->type, "."));
        struct text key = {0};
        text_addf(&key, "%s %s %u %.17g", kind, name, parallel, rate);
        if (config != NULL && value_count(config) > 0) {
                unsigned char digest[32];
                char hex[65];
                value_digest(config, digest);
                text_hex(digest, sizeof digest, hex);
                text_addf(&key, " %s", hex);
        }
        cleanup_free char *key_text = text_steal(&key);
        struct connection *c = map_get(&p->connections, key_text);
        if (c != NULL) return c;

        struct plugin *plugin = plugins_find(p, kind, err);
        if (plugin == NULL) return NULL;
        cleanup(value_free) struct value *converted = config_convert(plugin, config, err);
        if (converted == NULL) return NULL;
        cleanup_free char *problem = NULL;
        void *context = NULL;
        if (plugin->provider->open != NULL &&
            plugin->provider->open(plugin->own, converted, &context, &problem) < 0) {
                error_set(err, ERROR_INPUT, NULL, "provider '%s': %s", name,
                    problem ? problem : "cannot be opened");
                return NULL;
        }
        struct tutti_limits limits = {0};
        if (plugin->provider->limits != NULL) limits = plugin->provider->limits(plugin->own, converted);
        c = mem_alloc(sizeof *c);
        *c = (struct connection){
            .plugin = plugin, .provider = plugin->provider, .context = context, .name = mem_strdup(name)};
        c->limiter = limiter_new(parallel ? parallel : limits.parallel, rate > 0 ? rate : limits.rate);
        c->turns = turns_new(c->limiter);
        map_put_copy(&p->connections, key_text, c);
        return c;
}

unsigned plugins_parallel(struct plugins *p, const struct schema *schema)
{
        cleanup_free char *kind = mem_strndup(schema->type, strcspn(schema->type, "."));
        struct plugin *plugin = plugins_find(p, kind, NULL);
        if (plugin == NULL || plugin->provider->limits == NULL) return 0;
        return plugin->provider->limits(plugin->own, NULL).parallel;
}

int connection_plan(struct connection *c, const struct schema *schema, const struct value *prior,
    const struct value *proposed, struct value **planned, const char *const **replace, size_t *replace_count,
    char **private_, struct error **err)
{
        struct tutti_planned out = {0};
        cleanup_free char *problem = NULL;
        if (c->provider->plan(c->context, schema->own, prior, proposed, &out, &problem) < 0)
                return error_set(
                    err, ERROR_PROVIDER, NULL, "%s", problem ? problem : "the provider could not plan");
        *planned = out.planned;
        *replace = out.replace;
        *replace_count = out.replace_count;
        *private_ = out.private_;
        return 0;
}
