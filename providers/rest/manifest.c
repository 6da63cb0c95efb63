/*
 * A provider's folder: provider.yaml at once, its parts when they are asked for. See manifest.h.
 */
#include "manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "auth.h"
#include "wire.h"

static const char *const provider_keys[] = {"provider", "doc", "config", "limits", "endpoint", "auth", "tls",
    "wire", "names", "xml", "form", "errors", "request", "requests", "defaults", "patterns", "types",
    "lookups", NULL};
static const char *const part_keys[] = {"provider", "doc", "endpoint", "auth", "tls", "wire", "names", "xml",
    "form", "errors", "request", "requests", "defaults", "patterns", "types", "lookups", NULL};
static const char *const limit_keys[] = {"parallel", "rate", NULL};
static const char *const tls_keys[] = {"ca", "cert", "key", "insecure", NULL};
static const char *const error_keys[] = {"when", "code", "message", "retry_after", "rules", NULL};
static const char *const xml_keys[] = {"items", "lists", "repeated", NULL};
static const char *const form_keys[] = {"lists", NULL};
static const char *const side_keys[] = {"request", "reply", NULL};
static const char *const names_names[] = {"same", "camel", "pascal", NULL};
static const char *const form_names[] = {"index", "member", "repeat", NULL};

enum { PARTS_MAX = 500 };

struct compiler manifest_compiler(struct rest_provider *p, struct problems *problems)
{
        return (struct compiler){
            .host = p->host, .pool = p->pool, .program = p->program, .problems = problems};
}

static void manifest_wire(const struct compiler *c, struct service *s)
{
        struct node *wire = node_get(s->node, "wire");
        const char *request = "json", *reply = "json";
        if (wire && wire->kind == NODE_SCALAR) {
                request = reply = wire->text;
        } else if (wire) {
                node_check_keys(wire, "wire", side_keys, c->problems);
                if (node_get(wire, "request")) request = manifest_text(c, wire, "request");
                if (node_get(wire, "reply")) reply = manifest_text(c, wire, "reply");
        }
        s->wire_request = request ? wire_named(request) : NULL;
        s->wire_reply = reply ? wire_named(reply) : NULL;
        if (!s->wire_request || !s->wire_request->write)
                node_problem(c->problems, wire ? wire : s->node, "there is no wire form '%s' for requests",
                    request ? request : "");
        if (!s->wire_reply || !s->wire_reply->read)
                node_problem(c->problems, wire ? wire : s->node, "there is no wire form '%s' for replies",
                    reply ? reply : "");
}

static void manifest_names(const struct compiler *c, struct service *s)
{
        struct node *names = node_get(s->node, "names");
        if (!names) return;
        if (names->kind == NODE_MAP) {
                node_check_keys(names, "names", side_keys, c->problems);
                s->names_request = (enum names)manifest_choice(c, names, "request", names_names, NAMES_SAME);
                s->names_reply = (enum names)manifest_choice(c, names, "reply", names_names, NAMES_SAME);
        } else {
                s->names_request = (enum names)manifest_choice(c, s->node, "names", names_names, NAMES_SAME);
                s->names_reply = s->names_request;
        }
}

static void manifest_auth(const struct compiler *c, struct service *s)
{
        struct node *auth = node_get(s->node, "auth");
        s->scheme = auth_scheme_named("none");
        if (!auth || !node_is(auth, NODE_MAP, "auth", c->problems)) return;
        const char *name = manifest_text(c, auth, "scheme");
        if (name) s->scheme = auth_scheme_named(name);
        if (!s->scheme) {
                const char *near = util_nearest(name, auth_scheme_names);
                node_problem(c->problems, node_get(auth, "scheme"),
                    "there is no authentication scheme '%s'%s%s%s", name, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
                s->scheme = auth_scheme_named("none");
                return;
        }
        node_check_keys(auth, "auth", s->scheme->keys, c->problems);
        s->auth = shape_compile(c, auth);
}

static void manifest_xml(const struct compiler *c, struct service *s)
{
        struct node *xml = node_get(s->node, "xml"), *form = node_get(s->node, "form");
        node_check_keys(xml, "xml", xml_keys, c->problems);
        manifest_patterns(c, node_get(xml, "items"), "items", &s->xml.items);
        manifest_patterns(c, node_get(xml, "lists"), "lists", &s->xml.lists);
        manifest_patterns(c, node_get(xml, "repeated"), "repeated", &s->xml.repeated);
        node_check_keys(form, "form", form_keys, c->problems);
        s->form_lists = (enum form_lists)manifest_choice(c, form, "lists", form_names, FORM_INDEX);
}

static void manifest_errors(const struct compiler *c, struct service *s)
{
        struct node *errors = node_get(s->node, "errors");
        if (errors) node_is(errors, NODE_MAP, "errors", c->problems);
        node_check_keys(errors, "errors", error_keys, c->problems);
        s->errors.when = shape_compile(c, node_get(errors, "when"));
        s->errors.code = shape_compile(c, node_get(errors, "code"));
        s->errors.message = shape_compile(c, node_get(errors, "message"));
        s->errors.retry_after = shape_compile(c, node_get(errors, "retry_after"));
        manifest_rules(c, node_get(errors, "rules"), &s->errors.rules);
}

static bool manifest_type_name_fits(const struct rest_provider *p, const struct service *s, const char *name)
{
        AUTO_CHAR prefix = s->part ? util_format("%s.%s.", p->name, s->part) : util_format("%s.", p->name);
        return util_starts(name, prefix) && name[strlen(prefix)];
}

/* The types of `types` and `lookups`, not yet compiled. */
static void manifest_list_types(
    struct rest_provider *p, struct service *s, const struct node *own, struct problems *problems)
{
        static const char *const maps[] = {"types", "lookups"};
        size_t count = 0;
        for (size_t m = 0; m < 2; m++) {
                const struct node *map = node_get(own, maps[m]);
                if (map && node_is(map, NODE_MAP, maps[m], problems)) count += map->count;
        }
        s->types = pool_alloc(p->pool, count * sizeof *s->types + 1);
        for (size_t m = 0; m < 2; m++) {
                const struct node *map = node_get(own, maps[m]);
                for (size_t i = 0; map && map->kind == NODE_MAP && i < map->count; i++) {
                        struct rest_type *t = &s->types[s->type_count++];
                        *t = (struct rest_type){.node = map->items[i], .provider = p, .service = s};
                        t->abi.name = map->keys[i]->text;
                        t->abi.flags = m ? TUTTI_TYPE_LOOKUP : 0;
                        t->abi.own = t;
                        if (!manifest_type_name_fits(p, s, t->abi.name))
                                node_problem(problems, map->keys[i], "a type here must be named %s.%s%sNAME",
                                    p->name, s->part ? s->part : "", s->part ? "." : "");
                }
        }
}

void manifest_service(struct rest_provider *p, struct service *s, struct problems *problems)
{
        struct compiler compiler = manifest_compiler(p, problems), *c = &compiler;
        struct node *own = s->node;
        if (s->part) s->node = node_over(p->pool, p->own.node, own);
        s->endpoint = shape_compile(c, node_get(s->node, "endpoint"));
        if (!s->endpoint && s->part) node_problem(problems, own, "there is no `endpoint`");
        node_check_keys(node_get(s->node, "tls"), "tls", tls_keys, problems);
        s->tls = shape_compile(c, node_get(s->node, "tls"));
        manifest_wire(c, s);
        manifest_names(c, s);
        manifest_auth(c, s);
        manifest_xml(c, s);
        manifest_errors(c, s);
        manifest_list_types(p, s, own, problems);
        if (!s->endpoint && s->type_count && !s->part) node_problem(problems, own, "there is no `endpoint`");
        s->compiled = true;
}

static bool manifest_name_is(
    const struct rest_provider *p, const struct node *root, struct problems *problems)
{
        struct compiler c = manifest_compiler((struct rest_provider *)p, problems);
        const char *name = manifest_text(&c, root, "provider");
        if (name && strcmp(name, p->name) == 0) return true;
        node_problem(problems, root, "a manifest begins with `provider: %s`", p->name);
        return false;
}

static struct node *manifest_read(
    struct rest_provider *p, const char *file, const char *const *keys, struct problems *problems)
{
        AUTO_CHAR path = util_format("%s/%s", p->folder, file);
        AUTO_CHAR shown = util_format("%s/%s", p->name, file);
        struct node *root = node_file(p->pool, path, shown, problems);
        if (!root || !node_is(root, NODE_MAP, "a manifest", problems)) return NULL;
        node_check_keys(root, "the manifest", keys, problems);
        return manifest_name_is(p, root, problems) ? root : NULL;
}

static int manifest_part_order(const void *a, const void *b)
{
        return strcmp((*(struct service *const *)a)->part, (*(struct service *const *)b)->part);
}

static void manifest_list_parts(struct rest_provider *p, struct problems *problems)
{
        DIR *dir = opendir(p->folder);
        if (!dir) {
                problems_add(problems, p->folder, 0, 0, "%s", strerror(errno));
                return;
        }
        p->parts = pool_alloc(p->pool, PARTS_MAX * sizeof(*p->parts));
        for (struct dirent *e; (e = readdir(dir));) {
                size_t len = strlen(e->d_name);
                if (len <= 5 || e->d_name[0] == '.' || strcmp(e->d_name + len - 5, ".yaml") != 0 ||
                    strcmp(e->d_name, "provider.yaml") == 0)
                        continue;
                if (p->part_count == PARTS_MAX) {
                        problems_add(problems, p->folder, 0, 0, "more than %d manifests", PARTS_MAX);
                        break;
                }
                struct service *s = pool_alloc(p->pool, sizeof *s);
                s->part = pool_text(p->pool, e->d_name, len - 5);
                p->parts[p->part_count++] = s;
        }
        closedir(dir);
        qsort(p->parts, p->part_count, sizeof(*p->parts), manifest_part_order);
}

static char *manifest_problem(struct problems *problems)
{
        if (problems->count > 20) buf_format(&problems->text, "\n…and %u more", problems->count - 20);
        return buf_steal(&problems->text);
}

struct rest_provider *manifest_load(
    const struct tutti_host *host, const char *name, const char *folder, char **problem)
{
        if (!folder) {
                *problem = util_format("provider %s: no folder with manifests", name);
                return NULL;
        }
        struct rest_provider *p = util_alloc(sizeof *p);
        struct problems problems = {0};
        p->host = host;
        p->pool = pool_new();
        p->program = host->program_new();
        p->name = pool_text(p->pool, name, strlen(name));
        p->folder = pool_text(p->pool, folder, strlen(folder));
        p->own.node = manifest_read(p, "provider.yaml", provider_keys, &problems);
        if (p->own.node) {
                struct compiler compiler = manifest_compiler(p, &problems), *c = &compiler;
                p->doc = manifest_text(c, p->own.node, "doc");
                struct node *limits = node_get(p->own.node, "limits"),
                            *config = node_get(p->own.node, "config");
                node_check_keys(limits, "limits", limit_keys, &problems);
                p->limits.parallel = (unsigned)manifest_number(c, limits, "parallel");
                p->limits.rate = manifest_number(c, limits, "rate");
                p->config_count = config && config->kind == NODE_MAP ? config->count : 0;
                manifest_properties(c, NULL, config, false, &p->config, NULL, &p->config_fields);
                manifest_service(p, &p->own, &problems);
                manifest_list_parts(p, &problems);
        }
        if (!problems.count) return p;
        *problem = manifest_problem(&problems);
        manifest_free(p);
        return NULL;
}

void manifest_free(struct rest_provider *p)
{
        if (!p) return;
        p->host->program_free(p->program);
        pool_free(p->pool);
        free(p);
}

/* Reads a part if that is still to do; -1 with *problem. A part that is wrong is wrong each time. */
static int manifest_open_part(struct rest_provider *p, struct service *s, char **problem)
{
        if (s->compiled) return 0;
        struct problems problems = {0};
        AUTO_CHAR file = util_format("%s.yaml", s->part);
        s->node = manifest_read(p, file, part_keys, &problems);
        if (s->node) manifest_service(p, s, &problems);
        if (!problems.count) return 0;
        *problem = manifest_problem(&problems);
        s->compiled = false;
        s->type_count = 0;
        return -1;
}

static const struct tutti_type *manifest_compiled(struct rest_type *t, char **problem)
{
        if (t->compiled) return &t->abi;
        struct problems problems = {0};
        manifest_compile_type(t, &problems);
        if (problems.count) {
                *problem = manifest_problem(&problems);
                return NULL;
        }
        t->compiled = true;
        return &t->abi;
}

static struct rest_type *manifest_find_type(struct service *s, const char *name)
{
        for (size_t i = 0; i < s->type_count; i++)
                if (strcmp(s->types[i].abi.name, name) == 0) return &s->types[i];
        return NULL;
}

const struct tutti_type *manifest_type(struct rest_provider *p, const char *name, char **problem)
{
        *problem = NULL;
        struct rest_type *t = manifest_find_type(&p->own, name);
        for (size_t i = 0; !t && i < p->part_count; i++) {
                struct service *s = p->parts[i];
                AUTO_CHAR prefix = util_format("%s.%s.", p->name, s->part);
                if (!util_starts(name, prefix)) continue;
                if (manifest_open_part(p, s, problem) < 0) return NULL;
                t = manifest_find_type(s, name);
        }
        return t ? manifest_compiled(t, problem) : NULL;
}

const struct tutti_type *manifest_type_at(struct rest_provider *p, size_t index, char **problem)
{
        *problem = NULL;
        if (index < p->own.type_count) return manifest_compiled(&p->own.types[index], problem);
        index -= p->own.type_count;
        for (size_t i = 0; i < p->part_count; i++) {
                if (manifest_open_part(p, p->parts[i], problem) < 0) return NULL;
                if (index < p->parts[i]->type_count)
                        return manifest_compiled(&p->parts[i]->types[index], problem);
                index -= p->parts[i]->type_count;
        }
        return NULL;
}
