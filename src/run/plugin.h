/*
 * Providers: found, checked, loaded, configured. Implements the template room's schema_source over the plug-in ABI.
 *
 * The provider of a type is its first dotted part (aws.ec2.vpc → aws). It is looked for in the search path as NAME.so, else as a
 * folder NAME with manifests, which rest.so interprets. Search path: the project's own providers/ folder (manifests only), each folder
 * of TUTTI_PROVIDERS (colon-separated), the build or install folder beside the program.
 */
#ifndef TUTTI_RUN_PLUGIN_H
#define TUTTI_RUN_PLUGIN_H

#include "base/error.h"
#include "providers/provider.h"
#include "run/heap.h"
#include "template/schema.h"

struct plugins; /* all loaded providers and their schemas */
struct plugin;  /* one */

/* `project_folder` may be NULL. Nothing is loaded until it is asked for. */
struct plugins *plugins_new(const char *project_folder);
void plugins_free(struct plugins *plugins); /* closes what was configured; NULL-safe */
CLEANUP(struct plugins *, plugins_free);

/* The schema_source over these plug-ins; valid as long as they are. */
void plugins_schemas(struct plugins *plugins, struct schema_source *ret);

/* Loads a provider by name. ERROR_MISSING with the nearest name when there is none. */
struct plugin *plugins_find(struct plugins *plugins, const char *provider, struct error **err);
/* Names of all providers in the search path, sorted; the caller frees the array and its strings. */
int plugins_names(struct plugins *plugins, char ***names, size_t *count, struct error **err);
/* All schemas of a provider in its order; NULL past the end. */
const struct schema *plugin_schema_at(struct plugin *plugin, size_t index, struct error **err);
const char *plugin_doc(struct plugin *plugin);

/*
 * A configured provider, one for each name, configuration and pair of limits. What belongs to it (its slots, its line, who waits for them) is
 * kept here and never by its name: two nested templates may configure one name differently.
 */
struct connection {
        struct plugin *plugin;
        const struct tutti_provider *provider;
        void *context;
        struct limiter *limiter; /* see run/limit.h */
        struct turns *turns;     /* see run/turn.h */
        struct heap waiting;     /* who waits for a slot here: steps of the run, or reads, by their index */
        char *name;
        struct value *account; /* see plan/account.h; connect.c fills it in */
        char *account_text;
};
/*
 * For connect.c, by which everybody connects. Opens (or finds again) the provider of `schema` with `config`, an object converted to the provider's configuration schema here.
 * `parallel` and `rate` override the provider's limits where they are not 0. Borrowed; lives as long as `plugins`.
 */
struct connection *plugins_connect(struct plugins *plugins, const struct schema *schema, const char *name,
    const struct value *config, unsigned parallel, double rate, struct error **err);

/* How many operations the provider of `schema` does at once when the template does not say; 0: no limit. */
unsigned plugins_parallel(struct plugins *plugins, const struct schema *schema);

/* A provider's own planning (struct plan_input's provider_plan, over a connection). */
int connection_plan(struct connection *c, const struct schema *schema, const struct value *prior,
    const struct value *proposed, struct value **planned, const char *const **replace, size_t *replace_count,
    char **private_, struct error **err);

/* The host's functions on values and expressions; run/operation.c adds the op_* ones. */
extern const struct tutti_host tutti_host_table;

#endif
