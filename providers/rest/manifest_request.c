/*
 * Requests, waits and error rules of a manifest.
 */
#include <string.h>
#include "manifest.h"
#include "wire.h"

static const char *const request_keys[] = {"name", "like", "when", "for_each", "method", "path", "url",
    "query", "headers", "body", "endpoint", "wire", "timeout", "close", "id", "save", "object", "objects",
    "match", "pick", "next", "gone", "read", "errors", "wait", NULL};
static const char *const wait_keys[] = {"name", "like", "when", "until", "failed", "message", "progress",
    "every", "method", "path", "url", "query", "headers", "body", "endpoint", "wire", "timeout", "close",
    "id", "save", "object", "objects", "match", "pick", "next", "gone", "errors", NULL};
static const char *const rule_keys[] = {"status", "code", "text", "when", "means", "say", NULL};
static const char *const means_names[] = {"nothing", "ok", "throttled", "transient", "busy", "again",
    "missing", "exists", "denied", "invalid", "refused", "broken", NULL};
static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};

enum { EVERY_MIN = 200, EVERY_MAX = 5000, REQUESTS_MAX = 50 };

static void manifest_rule(const struct compiler *c, const struct node *n, struct rule *ret)
{
        if (!node_is(n, NODE_MAP, "a rule", c->problems)) return;
        node_check_keys(n, "a rule", rule_keys, c->problems);
        manifest_patterns(c, node_get(n, "status"), "status", &ret->status);
        for (size_t i = 0; i < ret->status.count; i++) { /* 5xx is the pattern 5* */
                char *s = pool_text(c->pool, ret->status.items[i], strlen(ret->status.items[i]));
                if (strlen(s) == 3 && strcmp(s + 1, "xx") == 0) strcpy(s + 1, "*");
                ret->status.items[i] = s;
        }
        manifest_patterns(c, node_get(n, "code"), "code", &ret->code);
        manifest_patterns(c, node_get(n, "text"), "text", &ret->text);
        ret->when = shape_compile(c, node_get(n, "when"));
        ret->say = shape_compile(c, node_get(n, "say"));
        ret->means = (enum means)manifest_choice(c, n, "means", means_names, MEANS_NOTHING);
        if (ret->means == MEANS_NOTHING)
                node_problem(c->problems, n, "a rule must say what the answer `means`");
        if (!node_get(n, "status") && !node_get(n, "code") && !node_get(n, "text") && !node_get(n, "when"))
                node_problem(c->problems, n, "a rule needs at least one of status, code, text, when");
}

void manifest_rules(const struct compiler *c, const struct node *list, struct rules *ret)
{
        *ret = (struct rules){0};
        if (!list || !node_is(list, NODE_LIST, "rules", c->problems)) return;
        ret->items = pool_alloc(c->pool, list->count * sizeof *ret->items + 1);
        for (size_t i = 0; i < list->count; i++) manifest_rule(c, list->items[i], &ret->items[ret->count++]);
}

/* A request's node laid over what it is `like` and what every request of the service starts from. */
static struct node *manifest_request_node(const struct compiler *c, const struct service *s, struct node *n)
{
        struct node *known = node_get(s->node, "requests");
        const struct node *like = node_get(n, "like");
        if (like && node_is(like, NODE_SCALAR, "like", c->problems)) {
                struct node *base = node_get(known, like->text);
                if (!base) node_problem(c->problems, like, "there is no '%s' in requests", like->text);
                n = node_over(c->pool, base, n);
        }
        return node_over(c->pool, node_get(s->node, "request"), n);
}

static void manifest_wires(const struct compiler *c, const struct node *n, struct request *ret)
{
        struct node *wire = node_get(n, "wire");
        if (!wire) return;
        const char *request = wire->kind == NODE_SCALAR ? wire->text : manifest_text(c, wire, "request");
        const char *reply = wire->kind == NODE_SCALAR ? wire->text : manifest_text(c, wire, "reply");
        if (request) ret->wire_request = wire_named(request);
        if (reply) ret->wire_reply = wire_named(reply);
        if (!ret->wire_request || !ret->wire_reply)
                node_problem(c->problems, wire, "there is no such wire form");
}

static void manifest_save(const struct compiler *c, const struct node *n, struct request *ret)
{
        if (!n || !node_is(n, NODE_MAP, "save", c->problems)) return;
        ret->save_names = pool_alloc(c->pool, n->count * sizeof *ret->save_names + 1);
        ret->save = pool_alloc(c->pool, n->count * sizeof *ret->save + 1);
        for (size_t i = 0; i < n->count; i++) {
                ret->save_names[ret->save_count] = n->keys[i]->text;
                ret->save[ret->save_count++] = shape_compile(c, n->items[i]);
        }
}

/* What a request and a wait with a request of its own have in common. */
static void manifest_request_parts(
    const struct compiler *c, const struct service *s, struct node *n, struct request *ret)
{
        ret->node = n;
        ret->wire_request = s->wire_request;
        ret->wire_reply = s->wire_reply;
        manifest_wires(c, n, ret);
        const char *name = manifest_text(c, n, "name");
        ret->name = name;
        ret->method = methods[manifest_choice(c, n, "method", methods, 0)];
        ret->path = shape_compile(c, node_get(n, "path"));
        ret->url = shape_compile(c, node_get(n, "url"));
        ret->query = shape_compile(c, node_get(n, "query"));
        ret->headers = shape_compile(c, node_get(n, "headers"));
        ret->body = shape_compile(c, node_get(n, "body"));
        ret->endpoint = shape_compile(c, node_get(n, "endpoint"));
        ret->timeout_ms = manifest_duration(c, n, "timeout");
        ret->close = manifest_bool(c, n, "close");
        ret->id = shape_compile(c, node_get(n, "id"));
        ret->object = shape_compile(c, node_get(n, "object"));
        ret->objects = shape_compile(c, node_get(n, "objects"));
        ret->match = shape_compile(c, node_get(n, "match"));
        ret->pick = shape_compile(c, node_get(n, "pick"));
        ret->next = shape_compile(c, node_get(n, "next"));
        ret->gone = shape_compile(c, node_get(n, "gone"));
        manifest_save(c, node_get(n, "save"), ret);
        manifest_rules(c, node_get(n, "errors"), &ret->rules);
        if (node_get(n, "path") && node_get(n, "url"))
                node_problem(c->problems, node_get(n, "url"), "a request has a path or a url, not both");
        if (node_get(n, "object") && node_get(n, "objects"))
                node_problem(
                    c->problems, node_get(n, "objects"), "a request has an object or objects, not both");
}

static void manifest_every(const struct compiler *c, const struct node *n, struct wait *w)
{
        w->every_min = EVERY_MIN;
        w->every_max = EVERY_MAX;
        const char *text = manifest_text(c, n, "every");
        if (!text) return;
        const char *end = NULL;
        w->every_min = w->every_max = util_duration(text, &end);
        if (w->every_min >= 0 && *end == '-') w->every_max = util_duration(end + 1, NULL);
        if (w->every_min > 0 && w->every_max >= w->every_min && (!*end || *end == '-')) return;
        node_problem(c->problems, node_get(n, "every"),
            "every must be a duration such as 2s, or a range such as 100ms-5s");
        w->every_min = EVERY_MIN;
        w->every_max = EVERY_MAX;
}

static struct wait *manifest_wait(const struct compiler *c, const struct service *s, struct node *n)
{
        if (!n || !node_is(n, NODE_MAP, "wait", c->problems)) return NULL;
        struct wait *w = pool_alloc(c->pool, sizeof *w);
        bool own = node_get(n, "path") || node_get(n, "url") || node_get(n, "query") || node_get(n, "body") ||
                   node_get(n, "like");
        if (own) n = manifest_request_node(c, s, n);
        node_check_keys(n, "wait", wait_keys, c->problems);
        struct node *until = node_get(n, "until");
        w->until_gone = until && until->kind == NODE_SCALAR && strcmp(until->text, "gone") == 0;
        w->until = w->until_gone ? NULL : shape_compile(c, until);
        if (!until) node_problem(c->problems, n, "wait must say `until` when");
        w->when = shape_compile(c, node_get(n, "when"));
        w->failed = shape_compile(c, node_get(n, "failed"));
        w->message = shape_compile(c, node_get(n, "message"));
        w->progress = shape_compile(c, node_get(n, "progress"));
        manifest_every(c, n, w);
        if (!own) return w;
        w->own = pool_alloc(c->pool, sizeof *w->own);
        manifest_request_parts(c, s, n, w->own);
        if (!w->own->name) w->own->name = "wait";
        return w;
}

static void manifest_one_request(
    const struct compiler *c, const struct service *s, struct node *n, const char *what, struct request *ret)
{
        if (!node_is(n, NODE_MAP, what, c->problems)) return;
        n = manifest_request_node(c, s, n);
        node_check_keys(n, what, request_keys, c->problems);
        manifest_request_parts(c, s, n, ret);
        if (!ret->name) ret->name = what;
        if (!node_get(n, "path") && !node_get(n, "url"))
                node_problem(c->problems, n, "%s needs a path or a url", what);
        ret->when = shape_compile(c, node_get(n, "when"));
        ret->for_each = shape_compile(c, node_get(n, "for_each"));
        ret->read_again = manifest_bool(c, n, "read");
        ret->wait = manifest_wait(c, s, node_get(n, "wait"));
}

void manifest_requests(
    const struct compiler *c, const struct service *s, struct node *n, const char *what, struct requests *ret)
{
        *ret = (struct requests){0};
        if (!n) return;
        size_t count = n->kind == NODE_LIST ? n->count : 1;
        if (count > REQUESTS_MAX) {
                node_problem(c->problems, n, "%s has more than %d requests", what, REQUESTS_MAX);
                return;
        }
        ret->items = pool_alloc(c->pool, count * sizeof *ret->items + 1);
        for (size_t i = 0; i < count; i++)
                manifest_one_request(
                    c, s, n->kind == NODE_LIST ? n->items[i] : n, what, &ret->items[ret->count++]);
}
