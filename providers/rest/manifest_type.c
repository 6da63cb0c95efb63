/*
 * Resource types and lookups of a manifest: the schema, and what each property is in the API.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "manifest.h"

static const char *const type_keys[] = {"doc", "like", "with", "properties", "outputs", "create", "read",
    "update", "delete", "find", "from_id", "import", "repeatable", "overwrites", "settle", "timeouts",
    "takes", "errors", NULL};
static const char *const lookup_keys[] = {
    "doc", "like", "with", "properties", "outputs", "read", "settle", "timeouts", "errors", NULL};
static const char *const property_keys[] = {"type", "required", "default", "computed", "sensitive",
    "create_only", "write_only", "unordered", "grows", "doc", "api", "write", "read", "same", NULL};
static const char *const output_keys[] = {"type", "doc", "sensitive", "fixed", "api", "read", "same", NULL};
static const char *const config_keys[] = {
    "type", "required", "default", "sensitive", "credential", "identity", "doc", "env", NULL};
static const char *const find_keys[] = {"token", "name", "settle", NULL};
static const char *const timeout_keys[] = {"create", "update", "delete", "read", NULL};

enum { PATH_MAX_ = 16, PATTERN_DEPTH_MAX = 8, READ_TIMEOUT_DEFAULT_MS = 120000 /* the engine's */ };

/* cidr_block → cidrBlock, CidrBlock */
static const char *manifest_api_name(const struct compiler *c, const char *name, enum names names)
{
        if (names == NAMES_SAME) return name;
        AUTO_BUF b = {0};
        bool upper = names == NAMES_PASCAL;
        for (; *name; name++) {
                if (*name == '_') {
                        upper = true;
                        continue;
                }
                buf_char(&b, upper ? (char)toupper((unsigned char)*name) : *name);
                upper = false;
        }
        return pool_text(c->pool, b.data ? b.data : "", b.len);
}

/* "spec.size" or [spec, size] as a path. */
static const char **manifest_api_path(const struct compiler *c, const struct node *n)
{
        const char **path = pool_alloc(c->pool, (PATH_MAX_ + 1) * sizeof *path);
        if (n->kind == NODE_LIST) {
                if (n->count > PATH_MAX_)
                        node_problem(c->problems, n, "api has more than %d parts", PATH_MAX_);
                for (size_t i = 0; i < n->count && i < PATH_MAX_; i++)
                        if (node_is(n->items[i], NODE_SCALAR, "a part of api", c->problems))
                                path[i] = n->items[i]->text;
                return path;
        }
        if (!node_is(n, NODE_SCALAR, "api", c->problems)) return path;
        const char *s = n->text;
        for (size_t i = 0; i < PATH_MAX_ && *s; i++) {
                size_t len = strcspn(s, ".");
                path[i] = pool_text(c->pool, s, len);
                s += len + (s[len] == '.');
        }
        if (*s) node_problem(c->problems, n, "api has more than %d parts", PATH_MAX_);
        return path;
}

static void manifest_field(
    const struct compiler *c, const struct service *s, const struct node *n, struct field *f)
{
        const struct node *api = node_raw(n, "api");
        f->request_path = pool_alloc(c->pool, 2 * sizeof *f->request_path);
        f->reply_path = pool_alloc(c->pool, 2 * sizeof *f->reply_path);
        f->request_path[0] = manifest_api_name(c, f->name, s->names_request);
        f->reply_path[0] = manifest_api_name(c, f->name, s->names_reply);
        f->unsent = f->unread = node_is_none(api);
        if (api && api->kind == NODE_MAP) {
                static const char *const keys[] = {"request", "reply", NULL};
                node_check_keys(api, "api", keys, c->problems);
                f->unsent = node_is_none(node_raw(api, "request"));
                f->unread = node_is_none(node_raw(api, "reply"));
                if (node_get(api, "request"))
                        f->request_path = manifest_api_path(c, node_get(api, "request"));
                if (node_get(api, "reply")) f->reply_path = manifest_api_path(c, node_get(api, "reply"));
        } else if (api && !f->unsent) {
                f->request_path = f->reply_path = manifest_api_path(c, api);
        }
        f->write = shape_compile(c, node_get(n, "write"));
        f->read = shape_compile(c, node_get(n, "read"));
        f->same = shape_compile(c, node_get(n, "same"));
}

static unsigned manifest_flags(const struct compiler *c, const struct node *n)
{
        static const struct {
                const char *key;
                unsigned flag;
        } flags[] = {{"required", TUTTI_REQUIRED}, {"computed", TUTTI_COMPUTED},
            {"sensitive", TUTTI_SENSITIVE}, {"create_only", TUTTI_CREATE_ONLY},
            {"write_only", TUTTI_WRITE_ONLY}, {"unordered", TUTTI_UNORDERED}, {"grows", TUTTI_GROWS},
            {"credential", TUTTI_CREDENTIAL}, {"fixed", TUTTI_CREATE_ONLY}};
        unsigned ret = 0;
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
                if (manifest_bool(c, n, flags[i].key)) ret |= flags[i].flag;
        if (node_get(n, "identity") && !manifest_bool(c, n, "identity")) ret |= TUTTI_INCIDENTAL;
        if ((ret & TUTTI_REQUIRED) && (ret & TUTTI_COMPUTED))
                node_problem(c->problems, n, "a required property cannot be computed");
        if ((ret & TUTTI_REQUIRED) && node_get(n, "default"))
                node_problem(c->problems, n, "a required property needs no default");
        return ret;
}

/* The host places a problem of a type inside the type's own text ("1:1: "), which says nothing here. */
static const char *manifest_unplaced(const char *problem)
{
        size_t len = strspn(problem, "0123456789:");
        return len && problem[len] == ' ' ? problem + len + 1 : problem;
}

/* The default as JSON, checked against the type. */
static const char *manifest_default(const struct compiler *c, const struct node *n, const char *type)
{
        const struct tutti_host *host = c->host;
        struct node *fallback = node_get(n, "default");
        AUTO_CHAR problem = NULL;
        struct shape *shape = shape_compile(c, fallback);
        struct value *plain = shape ? shape_fill(host, shape, NULL, &problem) : host->value_null();
        struct value *v = plain ? host->value_convert(plain, type, &problem) : NULL;
        const char *json = NULL;
        if (!v) {
                node_problem(c->problems, n, "%s",
                    problem ? manifest_unplaced(problem) : "a default must be a constant");
        } else if (shape) {
                size_t len = 0;
                AUTO_CHAR text = host->value_to_json(v, &len);
                json = pool_text(c->pool, text, len);
        }
        host->value_free(v);
        host->value_free(plain);
        return json;
}

static const char *const *manifest_env(const struct compiler *c, const struct node *n)
{
        struct patterns names;
        manifest_patterns(c, n, "env", &names);
        const char **env = pool_alloc(c->pool, (names.count + 1) * sizeof *env);
        if (names.count) memcpy(env, names.items, names.count * sizeof *env);
        /* The program's own secrets are for no cloud. */
        for (size_t i = 0; i < names.count; i++)
                if (strcmp(env[i], "TUTTI_PASSPHRASE") == 0 || strcmp(env[i], "TUTTI_KEY_FILE") == 0 ||
                    strncmp(env[i], "TUTTI_PARAM_", strlen("TUTTI_PARAM_")) == 0)
                        node_problem(c->problems, n,
                            "env cannot be %s: it holds secrets of the program itself", env[i]);
        return env;
}

void manifest_properties(const struct compiler *c, const struct service *s, const struct node *map,
    bool outputs, struct tutti_property **ret, struct field *fields, struct config_field **config_fields)
{
        size_t count = map && map->kind == NODE_MAP ? map->count : 0;
        *ret = pool_alloc(c->pool, count * sizeof **ret + 1);
        if (config_fields) *config_fields = pool_alloc(c->pool, count * sizeof **config_fields + 1);
        if (map) node_is(map, NODE_MAP, outputs ? "outputs" : "properties", c->problems);
        for (size_t i = 0; i < count; i++) {
                const struct node *n = map->items[i];
                struct tutti_property *p = &(*ret)[i];
                p->name = map->keys[i]->text;
                p->type = "any";
                if (fields) fields[i].name = p->name;
                if (!node_is(n, NODE_MAP, p->name, c->problems)) continue;
                node_check_keys(n, p->name,
                    config_fields ? config_keys
                    : outputs     ? output_keys
                                  : property_keys,
                    c->problems);
                if (manifest_text(c, n, "type")) p->type = manifest_text(c, n, "type");
                p->doc = manifest_text(c, n, "doc");
                p->flags = manifest_flags(c, n);
                p->fallback = manifest_default(c, n, p->type);
                if (config_fields) {
                        (*config_fields)[i].env = manifest_env(c, node_get(n, "env"));
                        (*config_fields)[i].required = p->flags & TUTTI_REQUIRED;
                        if (*(*config_fields)[i].env) p->flags &= ~(unsigned)TUTTI_REQUIRED;
                }
                if (!fields) continue;
                fields[i].type = p->type;
                fields[i].flags = p->flags;
                fields[i].output = outputs;
                manifest_field(c, s, n, &fields[i]);
        }
}

/* The type's node laid over its pattern and the service's defaults. */
static struct node *manifest_type_node(
    const struct compiler *c, const struct service *s, struct node *n, bool lookup)
{
        struct node *patterns = node_get(s->node, "patterns");
        const struct node *like = node_get(n, "like");
        for (unsigned depth = 0; like && depth < PATTERN_DEPTH_MAX; depth++) {
                if (!node_is(like, NODE_SCALAR, "like", c->problems)) break;
                struct node *base = node_get(patterns, like->text);
                if (!base) {
                        node_problem(c->problems, like, "there is no '%s' in patterns", like->text);
                        break;
                }
                n = node_over(c->pool, base, n);
                like = node_get(base, "like");
                if (like && depth + 1 == PATTERN_DEPTH_MAX)
                        node_problem(c->problems, like, "patterns are like each other more than %d deep",
                            PATTERN_DEPTH_MAX);
        }
        return lookup ? n : node_over(c->pool, node_get(s->node, "defaults"), n);
}

static void manifest_with(const struct compiler *c, const struct node *n, struct rest_type *t)
{
        if (!n || !node_is(n, NODE_MAP, "with", c->problems)) return;
        t->with_names = pool_alloc(c->pool, n->count * sizeof *t->with_names + 1);
        t->with = pool_alloc(c->pool, n->count * sizeof *t->with + 1);
        for (size_t i = 0; i < n->count; i++) {
                t->with_names[t->with_count] = n->keys[i]->text;
                t->with[t->with_count++] = shape_compile(c, n->items[i]);
        }
}

static void manifest_type_actions(const struct compiler *c, const struct node *n, struct rest_type *t)
{
        const struct service *s = t->service;
        manifest_requests(c, s, node_get(n, "read"), "read", &t->read);
        if (t->abi.flags & TUTTI_TYPE_LOOKUP) {
                if (!t->read.count) node_problem(c->problems, n, "a lookup needs `read`");
                return;
        }
        struct node *find = node_get(n, "find");
        manifest_requests(c, s, node_get(n, "create"), "create", &t->create);
        manifest_requests(c, s, node_get(n, "update"), "update", &t->update);
        manifest_requests(c, s, node_get(n, "delete"), "delete", &t->delete_);
        node_check_keys(find, "find", find_keys, c->problems);
        manifest_requests(c, s, node_get(find, "token"), "find", &t->find_token);
        manifest_requests(c, s, node_get(find, "name"), "find", &t->find_name);
        if (!t->create.count) node_problem(c->problems, n, "%s needs `create`", t->abi.name);
        bool id = false;
        for (size_t i = 0; i < t->create.count; i++) {
                const struct request *r = &t->create.items[i];
                id = id || r->id || (r->wait && r->wait->own && r->wait->own->id);
        }
        if (!id)
                node_problem(
                    c->problems, n, "%s: no request of `create` says where the `id` is", t->abi.name);
}

static unsigned manifest_type_flags(const struct compiler *c, const struct node *n, const struct rest_type *t)
{
        unsigned flags = t->abi.flags;
        if (flags & TUTTI_TYPE_LOOKUP) return flags;
        if (t->find_token.count || t->find_name.count) flags |= TUTTI_TYPE_FIND;
        if (t->find_token.count) flags |= TUTTI_TYPE_FIND_TOKEN;
        if (manifest_bool(c, n, "overwrites")) {
                if (!t->find_name.count)
                        node_problem(c->problems, n, "%s: `overwrites` needs `find.name`", t->abi.name);
                flags |= TUTTI_TYPE_OVERWRITES;
        }
        if (manifest_bool(c, n, "repeatable")) flags |= TUTTI_TYPE_REPEATABLE;
        if (!t->read.count) flags |= TUTTI_TYPE_NO_READ;
        if (t->read.count && (!node_get(n, "import") || manifest_bool(c, n, "import")))
                flags |= TUTTI_TYPE_IMPORT;
        return flags;
}

static void manifest_timeouts(const struct compiler *c, const struct node *n, struct tutti_type *abi)
{
        struct node *t = node_get(n, "timeouts");
        node_check_keys(t, "timeouts", timeout_keys, c->problems);
        abi->create_timeout = (unsigned)(manifest_duration(c, t, "create") / 1000);
        abi->update_timeout = (unsigned)(manifest_duration(c, t, "update") / 1000);
        abi->delete_timeout = (unsigned)(manifest_duration(c, t, "delete") / 1000);
        abi->read_timeout = (unsigned)(manifest_duration(c, t, "read") / 1000);
        abi->create_seconds = (double)manifest_duration(c, n, "takes") / 1000;
}

/* Whoever waits for an object to become visible gives up no earlier than it may be invisible. */
static void manifest_settle(const struct compiler *c, const struct node *n, struct rest_type *t)
{
        struct node *find = node_get(n, "find");
        int64_t read_ms = t->abi.read_timeout ? t->abi.read_timeout * 1000ll : READ_TIMEOUT_DEFAULT_MS;
        t->settle_ms = manifest_duration(c, n, "settle");
        t->find_settle_ms = node_get(find, "settle") ? manifest_duration(c, find, "settle") : t->settle_ms;
        if (t->settle_ms >= read_ms || t->find_settle_ms >= read_ms)
                node_problem(c->problems, n,
                    "%s: `settle` must be shorter than a read may take: `timeouts.read`, or 2m", t->abi.name);
}

void manifest_compile_type(struct rest_type *t, struct problems *problems)
{
        struct compiler compiler = manifest_compiler(t->provider, problems), *c = &compiler;
        bool lookup = t->abi.flags & TUTTI_TYPE_LOOKUP;
        struct node *n = manifest_type_node(c, t->service, t->node, lookup);
        if (!node_is(n, NODE_MAP, t->abi.name, problems)) return;
        node_check_keys(n, t->abi.name, lookup ? lookup_keys : type_keys, problems);
        t->abi.doc = manifest_text(c, n, "doc");
        struct node *properties = node_get(n, "properties"), *outputs = node_get(n, "outputs");
        t->abi.property_count = properties && properties->kind == NODE_MAP ? properties->count : 0;
        t->abi.output_count = outputs && outputs->kind == NODE_MAP ? outputs->count : 0;
        t->field_count = t->abi.property_count + t->abi.output_count;
        t->fields = pool_alloc(c->pool, t->field_count * sizeof *t->fields + 1);
        struct tutti_property *p = NULL, *o = NULL;
        manifest_properties(c, t->service, properties, false, &p, t->fields, NULL);
        manifest_properties(c, t->service, outputs, true, &o, t->fields + t->abi.property_count, NULL);
        manifest_with(c, node_get(n, "with"), t);
        manifest_rules(c, node_get(n, "errors"), &t->rules);
        manifest_type_actions(c, n, t);
        t->from_id = shape_compile(c, node_get(n, "from_id"));
        manifest_timeouts(c, n, &t->abi);
        manifest_settle(c, n, t);
        t->abi.flags = manifest_type_flags(c, n, t);
        t->abi.definition = manifest_definition(c->pool, n);
        for (size_t i = 0; !lookup && !t->update.count && i < t->abi.property_count; i++)
                p[i].flags |= TUTTI_CREATE_ONLY;
        t->abi.properties = p;
        t->abi.outputs = o;
}
