/*
 * What the readers of templates share: where memory comes from, where problems go, and the small readers of keys.
 * Internal to template/.
 *
 * Readers never stop at a problem: they note it and go on with something harmless in place of what was wrong, so that all
 * problems come out together. Whether loading failed is asked once, at the end.
 */
#ifndef TUTTI_TEMPLATE_LOADER_H
#define TUTTI_TEMPLATE_LOADER_H

#include "template/approvers.h"
#include "template/template.h"
#include "template/yaml.h"

enum { FILES_MAX = 100, NESTING_MAX = 20, NAME_MAX_LEN = 128 };

struct loader {
        struct arena *arena;   /* the environment's: what lives on */
        struct arena *scratch; /* trees of files: dropped after loading */
        const struct source_reader *reader;
        const struct schema_source *schemas;
        struct error *problems;
        struct map templates; /* path → struct template *, complete */
        struct map broken;    /* parameters with a mistake in their declaration, by address */
        struct map types;     /* type → struct type_entry * */
        struct source *sources;
        size_t source_count, source_capacity;
        size_t lasting; /* sources that stay with the environment; those behind are values files */
        const char
            *nesting[NESTING_MAX + 1]; /* paths of the templates that are being read, outermost first */
        size_t nesting_depth;
        bool allow_outside; /* for file functions */
        size_t suggestions; /* candidates compared so far: many mistakes in a large file stay cheap */
};

/* A file, or a part of one, that is being read: what its readers need at hand. */
struct reading {
        struct loader *loader;
        const struct yaml_file *file;
        const char *folder;        /* of the file */
        const char *address;       /* of the part, for problems; or NULL */
        struct template *template; /* or NULL */
        void *into;                /* what the keys fill in */
};

/* --- problems.c --- */

/* Notes a problem; the address may be NULL. */
void loader_problem(struct loader *loader, struct place place, const char *address, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Notes problems of others, giving them the place and the address that they lack. */
void loader_problems(struct loader *loader, struct error **from, struct place place, const char *address);
/* "; did you mean 'x'?" or "", in the scratch arena. */
const char *loader_suggest(
    struct loader *loader, const char *name, const char *const *candidates, size_t count);
const char *loader_suggest_map(struct loader *loader, const char *name, const struct map *candidates);
/* A parameter with a mistake in its declaration: its value is not complained about as well. */
void loader_break(struct loader *loader, const struct parameter *p);
bool loader_is_broken(const struct loader *loader, const struct parameter *p);
/* All problems to *err, ordered by file, line and column. -1 if there are any. */
int loader_report(struct loader *loader, struct error **err);

/* --- keys.c: maps with a fixed set of keys, and what stands behind a key --- */

struct key {
        const char *name;
        void (*read)(struct reading *in, const struct yaml_entry *entry); /* NULL: read elsewhere */
};
/* `what` for messages: "a template", "a resource". */
void keys_read(
    struct reading *in, const struct yaml_node *map, const char *what, const struct key *keys, size_t count);
/* Is it a map? Else notes a problem. An absent value (`outputs:`) counts as an empty map. */
bool keys_is_map(struct reading *in, const struct yaml_node *node, const char *what);
void key_problem(struct reading *in, const struct yaml_node *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Constants. Each gives a harmless value after noting a problem. Strings are in the arena. */
const char *key_text(struct reading *in, const struct yaml_entry *entry); /* or NULL */
bool key_bool(struct reading *in, const struct yaml_entry *entry);
unsigned key_unsigned(struct reading *in, const struct yaml_entry *entry, unsigned min, unsigned max);
int64_t key_duration(struct reading *in, const struct yaml_entry *entry);
/* One name or a list of names. */
const char **key_names(
    struct reading *in, const struct yaml_entry *entry, struct place **places, size_t *count);
/* Is the name of a parameter, resource, … one that a reference can use? Else notes a problem. `what`: "resource". */
void key_check_name(struct reading *in, const struct yaml_entry *entry, const char *what);

/* --- document.c: expressions --- */

/* Never NULL. */
struct expr *document_expr(struct reading *in, const struct yaml_node *node);
/* A node that must be a map, as an object expression; a single expression is taken too. NULL if absent. */
struct expr *document_object(struct reading *in, const struct yaml_node *node, const char *what);
/* The value of an expression that sees only functions and `environment`; NULL after noting a problem. New reference. */
struct value *document_value(struct reading *in, const struct yaml_node *node, const char *environment);
/* Values, types and maps that live as long as the arena. */
const struct value *keep_value(struct arena *arena, struct value *steal);
const struct type *keep_type(struct arena *arena, const struct type *steal);
void keep_map(struct arena *arena, struct map *map);

/* --- template.c --- */

/* The template keys of a file, with everything nested; checked. `path` for identity; `name` if the file names none. */
struct template *template_read(
    struct loader *loader, const struct yaml_file *file, const char *name, bool in_environment);
/* The template file `path` (resolved already), which `place` names. NULL after noting a problem. Read once, however often used. */
struct template *template_load(
    struct loader *loader, const char *path, struct place place, const char *address);
/* Reads and parses a file into the scratch arena; NULL after noting a problem. */
const struct yaml_file *loader_file(
    struct loader *loader, const char *path, const struct place *place, const char *address);
const char *loader_path(
    struct arena *arena, const char *folder, const char *path); /* joined, without . and .. inside */
const char *loader_folder(struct arena *arena, const char *path);
extern const struct key template_keys[];
extern const size_t template_key_count;

/* --- parameter.c, resource.c, approval.c: the parts --- */
void parameters_read(struct reading *in, const struct yaml_entry *entry);
void providers_read(struct reading *in, const struct yaml_entry *entry);
void resources_read(struct reading *in, const struct yaml_entry *entry);
void lookups_read(struct reading *in, const struct yaml_entry *entry);
void resource_approve(struct reading *in, const struct yaml_entry *entry);
void resource_gate(struct reading *in, const struct yaml_node *properties);
void resource_retry(struct reading *in, const struct yaml_entry *entry);
void resource_timeout(struct reading *in, const struct yaml_entry *entry);
void resource_on_failure(struct reading *in, const struct yaml_entry *entry);

/* --- approvers.c --- */

/* The environment's `approvers:`; NULL after noting that it is no map. */
const struct approvers *approvers_read(struct reading *in, const struct yaml_entry *entry);
/* Whom the gates of one template name, as far as that is constant: known people and groups, and enough of them. `approvers` may be
 * NULL: each name is a person's. */
void approvers_check(struct loader *loader, const struct template *t, const struct approvers *approvers);

/* --- check_schema.c --- */
struct fields { /* what an object may hold: the properties of a schema, or of a provider's configuration */
        const struct property *properties;
        size_t count;
        const struct schema *schema; /* for its outputs; or NULL */
        const char *what;            /* "sandbox.network" */
};
/* The properties as written against what is known of them. `node` may be NULL. */
void check_fields(
    struct reading *in, const struct yaml_node *node, struct place place, const struct fields *fields);
void check_parameters(
    struct reading *in, const struct yaml_node *node, struct place place, const struct template *nested);
const struct schema *check_type(struct reading *in, const char *type, struct place place, bool lookup);

/* --- references.c, cycles.c --- */
struct
    link { /* one part of a template needs another; parts are numbered through: locals, lookups, resources, providers */
        uint32_t from, to;
        struct place place;
};
struct links {
        struct link *items;
        size_t count, capacity;
};
/* Marks the resources that an `on_failure` runs, and refuses what cannot be one. Before references_check. */
void recovery_check(struct loader *loader, struct template *t);
void references_check(struct loader *loader, struct template *t, struct links *links);
void cycles_check(struct loader *loader, const struct template *t, const struct links *links);

/* --- parameter_values.c --- */

/* Values from all sources, by precedence, converted, marked and checked: an object; NULL after noting problems. `given`: the environment
 * file's `parameters`, or NULL. */
const struct value *parameter_values(struct loader *loader, const struct template *t,
    const struct yaml_file *file, const struct yaml_node *given, const char *environment,
    const struct parameter_source *source);

/* --- notify.c: the targets of `notify:`, once the parameters have their values (env->parameters; NULL where they are wrong) --- */
void notify_read(struct loader *loader, const struct yaml_file *file, const struct yaml_node *node,
    struct environment *env);

#endif
