/*
 * Templates and environments, parsed and checked but not yet expanded.
 *
 * Everything hangs in one arena per environment and is immutable once loaded. Each part knows its place in its file.
 * All problems of all files are reported together.
 */
#ifndef TUTTI_TEMPLATE_TEMPLATE_H
#define TUTTI_TEMPLATE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/map.h"
#include "lang/expr.h"
#include "template/approvers.h"
#include "template/schema.h"

/* Whether a resource, parameter, … can have that name: a letter or '_' first, then letters, digits, '_' and '-'; at most 128. */
bool name_is_good(const char *name, size_t len);

struct parameter {
        const char *name, *doc;
        const struct type *type;      /* constraint; dynamic when none is given */
        const struct value *fallback; /* default, converted; NULL: required */
        bool sensitive;
        struct check {
                const struct expr *that;    /* sees `param`; must be true */
                const struct expr *message; /* a string */
        } * checks;
        size_t check_count;
        bool used; /* an expression of the template, other than its own checks, refers to it */
        struct place place;
};

struct provider_block { /* providers: {aws: {…}} or {aws_eu: {type: aws, …}} */
        const char *name, *type;
        const struct expr *config; /* an object expression */
        unsigned parallel;         /* `parallel:`; 0: the provider's default */
        double rate;               /* `rate: 50/s`; 0: the provider's default */
        struct place place;
};

struct local_block {
        const char *name;
        const struct expr *value;
        struct place place;
};

struct output_block {
        const char *name, *doc;
        const struct expr *value;
        bool sensitive;
        struct place place;
};

enum resource_kind { RESOURCE_MANAGED, RESOURCE_LOOKUP, RESOURCE_GATE, RESOURCE_TEMPLATE };
enum step_verb { VERB_CREATE, VERB_UPDATE, VERB_DELETE, VERB_READ, VERB_COUNT };
enum failure_policy { ON_FAILURE_STOP_DEPENDANTS, ON_FAILURE_STOP_RUN, ON_FAILURE_ROLLBACK, ON_FAILURE_ASK };
const char *failure_policy_name(enum failure_policy policy); /* as the language writes it: "stop-run" */
bool failure_policy_find(
    const char *name, enum failure_policy *policy); /* false: there is none of that name */

struct retry_policy {
        unsigned attempts;  /* in all; 0: default (5) */
        int64_t backoff_ms; /* first wait; doubles, with jitter; 0: default (1 s) */
        int64_t max_ms;     /* longest wait; 0: default (30 s) */
};

/* A gate's own properties, and those of `approve:` on a resource. */
struct approval {
        const struct expr *message;   /* or NULL */
        const struct expr *approvers; /* list of names of persons and groups, or NULL: anyone */
        unsigned approvals;           /* how many persons must approve; at least 1 */
        bool not_requester;           /* whoever started the run may not answer */
        int64_t expires_ms;           /* 0: never */
        enum approval_expiry {
                EXPIRY_REJECT,
                EXPIRY_REMIND
        } expiry;    /* what happens then; REMIND: again and again */
        unsigned on; /* `approve:` only: bits of APPROVE_* */
};
enum { APPROVE_CREATE = 1, APPROVE_UPDATE = 2, APPROVE_REPLACE = 4, APPROVE_DELETE = 8 };

/* A resource, a gate, a nested template, or a lookup (kind LOOKUP lives in template.lookups only). */
struct resource {
        enum resource_kind kind;
        const char *name;
        const char *type;            /* as written */
        const struct schema *schema; /* MANAGED and LOOKUP: never NULL after a successful load */
        const struct expr
            *properties; /* an object expression; NULL counts as empty. TEMPLATE: the parameters handed in */
        const char *provider; /* name of the configured provider; defaulted from the type */
        const char **after;   /* names in the same template, checked to exist */
        struct place *after_places;
        size_t after_count;
        const struct expr *count, *for_each, *when; /* or NULL; count and for_each exclude each other */
        const struct expr *host;                    /* an object expression, or NULL */
        const struct expr *protect;                 /* or NULL: false */
        bool keep, create_first, adopt;
        const char **ignore; /* property paths */
        size_t ignore_count;
        struct retry_policy retry;
        int64_t timeout_ms[VERB_COUNT]; /* 0: default */
        struct approval *approve;       /* of a GATE always; of others when `approve:` is given */
        enum failure_policy on_failure;
        const char **recovery; /* on_failure run: names */
        size_t recovery_count;
        const struct resource
            *recovery_of;              /* the one whose failure this runs after; NULL: a normal resource */
        const struct template *nested; /* TEMPLATE: what it instantiates */
        struct place place;            /* of its name */
};

struct template
{
        const char *name; /* as its `template:` key says, or the environment's */
        const char *file, *folder;
        const char *doc;
        struct parameter *parameters;
        size_t parameter_count;
        struct provider_block *providers;
        size_t provider_count;
        struct resource *lookups;
        size_t lookup_count;
        struct local_block *locals;
        size_t local_count;
        struct resource *resources; /* MANAGED, GATE and TEMPLATE, in the order of the file */
        size_t resource_count;
        struct output_block *outputs;
        size_t output_count;
        /* By name, into the arrays above. */
        struct map parameter_by_name, provider_by_name, lookup_by_name, local_by_name, resource_by_name,
            output_by_name;
};

const struct parameter *template_parameter(const struct template *t, const char *name);
const struct provider_block *template_provider(const struct template *t, const char *name);
const struct resource *template_lookup(const struct template *t, const char *name);
const struct local_block *template_local(const struct template *t, const char *name);
const struct resource *template_resource(const struct template *t, const char *name);

/* How files are read: by io/file.c at first, from the sources kept in a plan afterwards. The text is appended to *out. */
struct source_reader {
        int (*read)(void *context, const char *path, struct text *out, struct error **err);
        void *context;
};

struct source {           /* a file that went into an environment, for digests and saved plans */
        const char *path; /* absolute, or as given */
        const char *text;
        size_t len;
};

/* Values of parameters from outside, weakest first: file defaults, the environment file, --values files, TUTTI_PARAM_*, --set. */
struct parameter_source {
        const char *const *values_files;
        size_t values_file_count;
        /* environ-like "TUTTI_PARAM_x=…" lines; others are ignored; NULL-terminated or NULL */
        const char *const *variables;
        /* "name=value"; the text as it stands for a string, else an expression or YAML */
        const char *const *sets;
        size_t set_count;
        /* all final values, from a saved plan: replaces everything else; or NULL */
        const struct value *fixed;
        /* values of an earlier time, for parameters that nothing else gives and the template still has; or NULL */
        const struct value *recorded;
        bool allow_outside; /* file functions in values and defaults may leave the folder of their file */
};

struct environment {
        const char *name;
        const char *file, *folder;
        const struct template *template;   /* the root; may be the environment's own file */
        const struct value *parameters;    /* an object of all root parameters, converted, checked, marked */
        const char *state;                 /* `state:` URL or NULL */
        const struct approvers *approvers; /* who may answer gates; NULL: the environment names nobody */
        const struct value *settings; /* other top-level keys of the environment, e.g. schedule; or NULL */
        const struct notify_target *notify; /* who is told of what happens: see template/notify.h */
        size_t notify_count;
        struct source *sources;
        size_t source_count;
        unsigned char digest[32]; /* over sources' texts and parameters */
        struct arena *arena;
};

/*
 * Loads the environment at `path` with its template and nested templates, and checks all that can be found wrong without
 * evaluating resources: YAML, unknown or duplicate keys, tabs, types, names, references (to parameters, locals, lookups,
 * resources, their properties and outputs), cycles (as the path that closes), schemas (unknown or missing properties,
 * constants of the wrong type), parameter values and checks. On failure *ret is NULL and *err holds every problem.
 * Bounds: 16 MiB a file, depth 100, 1,000,000 nodes after alias expansion, 100 files, nesting of templates 20.
 */
int environment_load(const char *path, const struct source_reader *reader,
    const struct parameter_source *parameters, const struct schema_source *schemas, struct environment **ret,
    struct error **err);
/* Name and `state` (to be freed; NULL where there is none) of a file whose template may be broken, as long as it is YAML. */
int environment_header(
    const char *path, const struct source_reader *reader, char **name, char **state, struct error **err);
void environment_free(struct environment *env); /* NULL-safe */
CLEANUP(struct environment *, environment_free);

/* JSON Schema (draft 2020-12) of templates and environments, for editors. */
void template_json_schema(struct text *out);

#endif
