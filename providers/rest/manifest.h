/*
 * A provider's manifests, compiled: what docs/manifests.md describes, as structures.
 *
 * `provider.yaml` is read when the plug-in is loaded, a part when one of its types is asked for, a type's requests are compiled
 * when that type is. All of it lives in the provider's pool until it is freed.
 */
#ifndef TUTTI_REST_MANIFEST_H
#define TUTTI_REST_MANIFEST_H

#include "shape.h"

/* What an answer means. */
enum means {
        MEANS_NOTHING, /* no rule holds */
        MEANS_OK,
        MEANS_THROTTLED,
        MEANS_TRANSIENT,
        MEANS_BUSY,
        MEANS_AGAIN,
        MEANS_MISSING,
        MEANS_EXISTS,
        MEANS_DENIED,
        MEANS_INVALID,
        MEANS_REFUSED,
        MEANS_BROKEN,
};

struct patterns { /* texts with * */
        const char **items;
        size_t count;
};
bool patterns_match(
    const struct patterns *p, const char *text); /* one of them; false for none and for NULL */

struct rule {
        struct patterns status; /* "404", "5xx" */
        struct patterns code, text;
        struct shape *when;
        enum means means;
        struct shape *say;
};

struct rules {
        struct rule *items;
        size_t count;
};

struct errors {
        struct shape *when, *code, *message, *retry_after;
        struct rules rules;
};

enum names { NAMES_SAME, NAMES_CAMEL, NAMES_PASCAL };
enum form_lists { FORM_INDEX, FORM_MEMBER, FORM_REPEAT };

struct wire;
struct auth_scheme;

struct xml_options {
        struct patterns items, lists, repeated;
};

/* How to talk to one service: provider.yaml, or a part laid over it. */
struct service {
        const char *part; /* NULL: provider.yaml's own */
        struct node *node;
        bool compiled;
        struct shape *endpoint, *tls;
        const struct auth_scheme *scheme;
        struct shape *auth; /* a map of the scheme's keys */
        const struct wire *wire_request, *wire_reply;
        enum names names_request, names_reply;
        struct xml_options xml;
        enum form_lists form_lists;
        struct errors errors;
        struct rest_type *types;
        size_t type_count;
};

struct wait {
        struct shape *when, *until, *failed, *message, *progress;
        bool until_gone;
        int64_t every_min, every_max; /* ms */
        struct request *own;          /* NULL: the type's read */
};

struct request {
        const char *name;
        const struct node *node;
        struct shape *when, *for_each;
        const char *method;
        struct shape *path, *url, *query, *headers, *body, *endpoint;
        const struct wire *wire_request, *wire_reply;
        int64_t timeout_ms;
        bool close;
        struct shape *id, *object, *objects, *match, *pick, *next, *gone;
        bool read_again; /* a finder's: read the object by its id */
        const char **save_names;
        struct shape **save;
        size_t save_count;
        struct rules rules;
        struct wait *wait;
};

struct requests {
        struct request *items;
        size_t count;
};

struct field { /* a property or an output, and its place in the API */
        const char *name;
        const char *type;
        bool output;
        unsigned flags;
        bool unsent, unread;                     /* `api: none`, or only one way */
        const char **request_path, **reply_path; /* NULL ends them */
        struct shape *write, *read, *same;
};

struct rest_type {
        struct tutti_type abi; /* abi.own is this */
        struct node *node;     /* as written, before it is laid over anything */
        bool compiled;
        struct rest_provider *provider;
        struct service *service;
        struct field *fields;
        size_t field_count;
        const char **with_names;
        struct shape **with;
        size_t with_count;
        struct requests create, read, update, delete_, find_token, find_name;
        struct shape *from_id;
        int64_t settle_ms;
        int64_t find_settle_ms; /* the same for `find` */
        struct rules rules;
};

struct config_field {
        const char *const *env; /* NULL ends them */
        bool required;
};

struct rest_provider {
        const struct tutti_host *host;
        struct pool *pool;
        struct tutti_program *program;
        const char *name, *folder, *doc;
        struct tutti_property *config;
        struct config_field *config_fields;
        size_t config_count;
        struct tutti_limits limits;
        struct service own;
        struct service **parts; /* sorted by name */
        size_t part_count;
};

/* Reads provider.yaml of the folder and lists its parts. NULL with a malloc'ed *problem. */
struct rest_provider *manifest_load(
    const struct tutti_host *host, const char *name, const char *folder, char **problem);
void manifest_free(struct rest_provider *p); /* NULL-safe */

/* See struct tutti_provider. */
/* The digest of a type's description, in the pool: 32 hex digits. */
const char *manifest_definition(struct pool *pool, const struct node *type);
const struct tutti_type *manifest_type(struct rest_provider *p, const char *name, char **problem);
const struct tutti_type *manifest_type_at(struct rest_provider *p, size_t index, char **problem);

/* Between the files of the reader. Each adds to problems what is wrong. */
struct compiler manifest_compiler(struct rest_provider *p, struct problems *problems);
void manifest_service(struct rest_provider *p, struct service *s, struct problems *problems);
void manifest_compile_type(struct rest_type *t, struct problems *problems);
/* Properties of a map `{name: {…}}` into arrays of the pool; `env` is allowed where config_fields is given. */
void manifest_properties(const struct compiler *c, const struct service *s, const struct node *map,
    bool outputs, struct tutti_property **ret, struct field *fields, struct config_field **config_fields);
void manifest_requests(const struct compiler *c, const struct service *s, struct node *n, const char *what,
    struct requests *ret);
void manifest_rules(const struct compiler *c, const struct node *list, struct rules *ret);

/* Reading scalars of a map: false, 0, NULL for a missing key; a problem for a wrong one. */
const char *manifest_text(const struct compiler *c, const struct node *map, const char *key);
bool manifest_bool(const struct compiler *c, const struct node *map, const char *key);
int64_t manifest_duration(const struct compiler *c, const struct node *map, const char *key);
double manifest_number(const struct compiler *c, const struct node *map, const char *key);
void manifest_patterns(
    const struct compiler *c, const struct node *n, const char *what, struct patterns *ret);
/* The index of the text in `names` (NULL ends them); `otherwise` when the key is missing. */
int manifest_choice(const struct compiler *c, const struct node *map, const char *key,
    const char *const *names, int otherwise);

#endif
