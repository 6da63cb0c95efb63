/*
 * The provider `http`: a request as a resource, and a check that waits until an endpoint answers as wanted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/provider.h"

static const struct tutti_host *host; /* set once, when the plug-in is loaded */

enum { HEADERS_MAX = 64, BODY_SHOWN = 1 << 20 };

static const struct tutti_property request_properties[] = {
    {"url", "string", TUTTI_REQUIRED, NULL, "Where the request goes."},
    {"method", "string", 0, "\"GET\"", "Its method."},
    {"headers", "map(string)", 0, NULL, "Its headers."},
    {"body", "string", 0, NULL, "Its body."},
    {"status", "list(number)", 0, NULL, "Statuses that count as success; without it 200 to 299."},
    {"triggers", "any", 0, NULL, "Any value: when it changes the request is sent again."},
};
static const struct tutti_property check_properties[] = {
    {"url", "string", TUTTI_REQUIRED, NULL, "Where to ask."},
    {"method", "string", 0, "\"GET\"", "The method to ask with."},
    {"headers", "map(string)", 0, NULL, "Headers to send."},
    {"body", "string", 0, NULL, "A body to send."},
    {"status", "list(number)", 0, NULL, "Statuses that are wanted; without it 200 to 299."},
    {"contains", "string", 0, NULL, "Text that must stand in the reply."},
    {"every", "number", 0, "1", "Seconds between two attempts."},
    {"triggers", "any", 0, NULL, "Any value: when it changes the check is made again."},
};
static const struct tutti_property reply_outputs[] = {
    {"reply_status", "number", 0, NULL, "The status of the reply."},
    {"reply_body", "string", 0, NULL, "Its body, as text."},
};
static const struct tutti_type types[] = {
    {
        .name = "http.request",
        .doc = "Sends a request on creation and when a property changes.",
        .flags = TUTTI_TYPE_NO_READ | TUTTI_TYPE_BY_METHOD,
        .properties = request_properties,
        .property_count = sizeof request_properties / sizeof *request_properties,
        .outputs = reply_outputs,
        .output_count = 2,
    },
    {
        .name = "http.check",
        .doc = "Waits until an endpoint answers as wanted; `timeout` says how long.",
        .flags = TUTTI_TYPE_NO_READ | TUTTI_TYPE_REPEATABLE,
        .properties = check_properties,
        .property_count = sizeof check_properties / sizeof *check_properties,
        .outputs = reply_outputs,
        .output_count = 2,
    },
};

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
        return "Requests and checks over HTTP.";
}

static const struct tutti_type *type_at(void *plugin, size_t index, char **problem)
{
        (void)plugin, (void)problem;
        return index < 2 ? &types[index] : NULL;
}

static const struct tutti_type *type(void *plugin, const char *name, char **problem)
{
        for (size_t i = 0; type_at(plugin, i, problem) != NULL; i++)
                if (strcmp(types[i].name, name) == 0) return &types[i];
        return NULL;
}

static const char *text(struct tutti_op *op, const char *key, size_t *len)
{
        const struct value *v = host->value_get(host->op_planned(op), key);
        return v && strcmp(host->value_kind(v), "string") == 0 ? host->value_as_string(v, len) : NULL;
}

static enum tutti_result send(struct tutti_op *op, int patient)
{
        struct tutti_header headers[HEADERS_MAX];
        size_t count = 0, body_len = 0;
        const struct value *map = host->value_get(host->op_planned(op), "headers");
        for (size_t i = 0; map != NULL && i < host->value_count(map) && count < HEADERS_MAX; i++) {
                const struct value *v = host->value_at(map, i);
                if (strcmp(host->value_kind(v), "string") != 0) continue;
                headers[count++] = (struct tutti_header){
                    host->value_key_at(map, i), host->value_as_string(v, NULL)};
        }
        const char *body = text(op, "body", &body_len);
        struct tutti_http request = {
            .method = text(op, "method", NULL),
            .url = text(op, "url", NULL),
            .headers = headers,
            .header_count = count,
            .body = {body, body_len},
            .patient = patient,
            .timeout_ms = patient ? 10000 : 0,
        };
        return host->wait_http(op, &request);
}

static int status_wanted(struct tutti_op *op, unsigned status)
{
        const struct value *list = host->value_get(host->op_planned(op), "status");
        size_t count = list ? host->value_count(list) : 0;
        if (count == 0) return status >= 200 && status < 300;
        for (size_t i = 0; i < count; i++) {
                int64_t n;
                if (host->value_as_int(host->value_at(list, i), &n) && n == (int64_t)status) return 1;
        }
        return 0;
}

static int body_wanted(struct tutti_op *op, const struct tutti_reply *reply)
{
        size_t len;
        const char *contains = text(op, "contains", &len);
        if (contains == NULL || len == 0) return 1;
        return reply->body.len > 0 && memmem(reply->body.data, reply->body.len, contains, len) != NULL;
}

static enum tutti_result finish(struct tutti_op *op, const struct tutti_reply *reply)
{
        if (host->op_id(op) == NULL) host->op_set_id(op, host->op_token(op));
        size_t len = reply->body.len < BODY_SHOWN ? reply->body.len : BODY_SHOWN;
        const char *keys[] = {"reply_status", "reply_body"};
        struct value *parts[] = {host->value_int((int64_t)reply->status),
            host->value_string(reply->body.data ? reply->body.data : "", len)};
        if (host->value_is_sensitive(host->op_planned(op))) { /* a server may echo what it was sent */
                struct value *marked = host->value_sensitive(parts[1], 1);
                host->value_free(parts[1]);
                parts[1] = marked;
        }
        struct value *observed = host->value_object(keys, parts, 2);
        host->op_observed(op, observed);
        host->value_free(observed);
        host->value_free(parts[0]);
        host->value_free(parts[1]);
        return TUTTI_DONE;
}

enum { RETRY_AFTER_MAX_S = 3600 };

/* What the server asks for in seconds (RFC 9110, section 10.2.3); a date counts as nothing. */
static int64_t retry_after_ms(const struct tutti_reply *reply)
{
        for (size_t i = 0; i < reply->header_count; i++) {
                if (strcmp(reply->headers[i].name, "retry-after") != 0) continue;
                char *end;
                long seconds = strtol(reply->headers[i].value, &end, 10);
                if (end == reply->headers[i].value || *end != '\0' || seconds < 0) return 0;
                return (seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * 1000;
        }
        return 0;
}

static enum tutti_result request_step(struct tutti_op *op)
{
        const struct tutti_reply *reply = host->op_reply(op);
        if (reply == NULL) return send(op, 0);
        if (status_wanted(op, reply->status)) return finish(op, reply);
        switch (reply->status) {
        case 429:
                return host->op_fail(
                    op, TUTTI_UNAVAILABLE, retry_after_ms(reply), "answered 429: too many requests");
        case 503: return host->op_fail(op, TUTTI_UNAVAILABLE, retry_after_ms(reply), "answered 503");
        case 502:
        case 504: return host->op_fail(op, TUTTI_TRANSIENT, 0, "answered %u", reply->status);
        default: return host->op_fail(op, TUTTI_UNSUCCESSFUL, 0, "answered %u", reply->status);
        }
}

enum { ASK, PAUSE };

static int64_t pause_ms(struct tutti_op *op)
{
        int64_t seconds = 1;
        const struct value *v = host->value_get(host->op_planned(op), "every");
        if (v != NULL && strcmp(host->value_kind(v), "number") == 0) host->value_as_int(v, &seconds);
        return (seconds < 1 ? 1 : seconds > 3600 ? 3600 : seconds) * 1000;
}

static enum tutti_result check_step(struct tutti_op *op)
{
        const struct tutti_reply *reply = host->op_reply(op);
        if (host->op_state(op) == ASK && reply != NULL) {
                if (status_wanted(op, reply->status) && body_wanted(op, reply)) return finish(op, reply);
                char progress[64];
                snprintf(progress, sizeof progress, "answered %u%s", reply->status,
                    status_wanted(op, reply->status) ? ", without the text" : "");
                host->op_progress(op, progress);
                host->op_to(op, PAUSE, NULL);
                return host->wait_sleep(op, pause_ms(op));
        }
        host->op_to(op, ASK, NULL);
        return send(op, 1);
}

static enum tutti_result step(void *context, struct tutti_op *op)
{
        (void)context;
        if (host->op_action(op) == TUTTI_DELETE) return TUTTI_DONE;
        return host->op_type(op) == &types[0] ? request_step(op) : check_step(op);
}

const struct tutti_provider tutti_provider = {
    .abi = TUTTI_PROVIDER_ABI,
    .size = sizeof(struct tutti_provider),
    .name = "http",
    .load = load,
    .unload = unload,
    .doc = doc,
    .type = type,
    .type_at = type_at,
    .step = step,
};
