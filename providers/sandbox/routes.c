/* The paths of the practice cloud; see routes.h. */
#include "providers/sandbox/routes.h"

#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/sandbox/listing.h"

enum { HOLD_MAX_MS = 60000 };

struct call {
        struct sandbox_cloud *cloud;
        const struct sandbox_request *request;
        struct sandbox_reply *reply;
        struct sandbox_refusal refusal;
};

void sandbox_reply_release(struct sandbox_reply *reply)
{
        free(reply->body);
        free(reply->link);
        *reply = (struct sandbox_reply){0};
}

static void reply_json(struct sandbox_reply *reply, int status, json_t *body)
{
        char *text = json_dumps(body, JSON_COMPACT);
        json_decref(body);
        reply->status = status;
        reply->content_type = "application/json";
        reply->len = strlen(text);
        text = mem_realloc(text, reply->len + 2);
        text[reply->len++] = '\n';
        text[reply->len] = '\0';
        free(reply->body);
        reply->body = text;
}

static const char *status_title(int status)
{
        switch (status) {
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 409: return "Conflict";
        case 413: return "Content Too Large";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 503: return "Service Unavailable";
        default: return "Internal Server Error";
        }
}

void sandbox_reply_problem(struct sandbox_reply *reply, const struct sandbox_refusal *refusal)
{
        json_t *body = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
            status_title(refusal->status), "status", refusal->status, "detail", refusal->detail);
        if (refusal->field[0] != '\0') json_object_set_new(body, "field", json_string(refusal->field));
        reply_json(reply, refusal->status, body);
        reply->content_type = "application/problem+json";
}

static int refuse_method(struct call *call, const char *allow)
{
        call->reply->allow = allow;
        return sandbox_refuse(&call->refusal, 405, NULL, "%.16s is not allowed here; there is %s",
            call->request->method, allow);
}

static bool is_method(const struct call *call, const char *method)
{
        return strcmp(call->request->method, method) == 0;
}

/* A new reference to the body, which must be a JSON object, or NULL. */
static json_t *read_body(struct call *call)
{
        json_error_t problem;
        json_t *body = json_loadb(call->request->body ? call->request->body : "", call->request->body_len,
            JSON_REJECT_DUPLICATES, &problem);
        if (json_is_object(body)) return body;
        if (body == NULL)
                sandbox_refuse(&call->refusal, 400, NULL, "the body is not JSON: line %d, column %d: %s",
                    problem.line, problem.column, problem.text);
        else
                sandbox_refuse(&call->refusal, 422, NULL, "the body must be a JSON object");
        json_decref(body);
        return NULL;
}

static int post_object(struct call *call, const struct sandbox_type *type)
{
        struct sandbox_object *object;
        json_t *body = read_body(call);
        if (body == NULL) return -1;
        enum sandbox_created created = sandbox_cloud_create(
            call->cloud, type, body, call->request->key, &object, &call->refusal);
        json_decref(body);
        if (created == SANDBOX_REFUSED) return -1;
        /* What was just made is being created, however short that takes. */
        int64_t now = clock_monotonic_ms();
        bool fresh = created == SANDBOX_CREATED;
        json_t *shown = sandbox_cloud_render(object, fresh ? INT64_MIN : now);
        reply_json(call->reply, fresh || now < object->ready_at ? 202 : 200, shown);
        snprintf(call->reply->location, sizeof call->reply->location, "/v1/%s/%s", type->plural, object->id);
        return 0;
}

static int route_collection(struct call *call, const struct sandbox_type *type)
{
        if (is_method(call, "POST")) return post_object(call, type);
        if (!is_method(call, "GET")) return refuse_method(call, "GET, POST");
        json_t *list = sandbox_listing(call->cloud, type, call->request, &call->reply->link, &call->refusal);
        if (list == NULL) return -1;
        reply_json(call->reply, 200, list);
        return 0;
}

static int patch_object(struct call *call, struct sandbox_object *object)
{
        json_t *body = read_body(call);
        if (body == NULL) return -1;
        int result = sandbox_cloud_update(call->cloud, object, body, call->request->key, &call->refusal);
        json_decref(body);
        if (result < 0) return -1;
        reply_json(call->reply, 200, sandbox_cloud_render(object, clock_monotonic_ms()));
        return 0;
}

/* Until when a client wants to wait for an object that is being created; 0: it wants an answer now. */
static int hold_until(struct call *call, const struct sandbox_object *object, int64_t now, int64_t *until)
{
        int64_t wait = 0;
        for (size_t i = 0; i < call->request->query_count; i++) {
                const char *value = call->request->query[i].value;
                if (strcmp(call->request->query[i].name, "wait") != 0) continue;
                if (value == NULL || !duration_parse(value, &wait) || wait < 0 || wait > HOLD_MAX_MS)
                        return sandbox_refuse(
                            &call->refusal, 422, NULL, "?wait takes a duration up to 60s, such as 20s");
        }
        if (wait > object->ready_at - now) wait = object->ready_at - now;
        *until = call->request->may_hold && wait > 0 ? now + wait : 0;
        return 0;
}

static int route_object(struct call *call, const struct sandbox_type *type, const char *id)
{
        bool get = is_method(call, "GET"), delete = is_method(call, "DELETE");
        if (!get && !delete &&!is_method(call, "PATCH")) return refuse_method(call, "GET, PATCH, DELETE");
        struct sandbox_object *object = sandbox_objects_find(&call->cloud->objects, type, id);
        int64_t now = clock_monotonic_ms();
        if (object == NULL || (get && now < object->visible_at))
                return sandbox_refuse(&call->refusal, 404, NULL, "there is no %s '%.64s'", type->name, id);
        if (delete) {
                call->reply->status = 204;
                return sandbox_cloud_delete(call->cloud, object, call->request->key, &call->refusal);
        }
        if (!get) return patch_object(call, object);
        if (hold_until(call, object, now, &call->reply->hold_until) < 0) return -1;
        if (call->reply->hold_until > 0) return 0;
        reply_json(call->reply, 200, sandbox_cloud_render(object, now));
        return 0;
}

/* /v1/TYPEs and /v1/TYPEs/ID; `rest` is what stands behind "/v1/". */
static int route_types(struct call *call, const char *rest)
{
        size_t len = strcspn(rest, "/");
        const struct sandbox_type *type = sandbox_type_by_plural(rest, len);
        const char *id = rest[len] == '/' ? rest + len + 1 : "";
        if (type == NULL)
                return sandbox_refuse(&call->refusal, 404, NULL,
                    "there is no type '%.*s'; GET /v1 lists them", (int)(len < 64 ? len : 64), rest);
        return *id == '\0' ? route_collection(call, type) : route_object(call, type, id);
}

static int route_control(struct call *call)
{
        bool post = is_method(call, "POST");
        if (!post && !is_method(call, "GET")) return refuse_method(call, "GET, POST");
        json_t *body = post ? read_body(call) : NULL;
        if (post && body == NULL) return -1;
        int result = post ? sandbox_control_set(&call->cloud->control, body, &call->refusal) : 0;
        json_decref(body);
        if (result < 0) return -1;
        reply_json(call->reply, 200, sandbox_control_get(&call->cloud->control));
        return 0;
}

/* The whole journal, or with ?since=SEQ what came after. */
static int route_journal(struct call *call)
{
        int64_t since = 0;
        if (!is_method(call, "GET")) return refuse_method(call, "GET");
        for (size_t i = 0; i < call->request->query_count; i++)
                if (strcmp(call->request->query[i].name, "since") != 0 ||
                    !sandbox_listing_number(call->request->query[i].value, INT64_MAX, &since))
                        return sandbox_refuse(
                            &call->refusal, 422, NULL, "the journal takes ?since=SEQ and nothing else");
        call->reply->status = 200;
        call->reply->content_type = "application/json";
        call->reply->body = sandbox_journal_text(&call->cloud->journal, since, &call->reply->len);
        return 0;
}

static json_t *describe_type(const struct sandbox_type *type)
{
        json_t *properties = json_object(), *outputs = json_array();
        for (size_t i = 0; i < type->property_count; i++) {
                const struct sandbox_property *p = &type->properties[i];
                json_t *property = json_pack("{s:s, s:b, s:b}", "kind", sandbox_kind_name(p->kind),
                    "required", p->required, "create_only", p->fixed);
                if (p->kind == SANDBOX_REFERENCE || p->kind == SANDBOX_REFERENCES)
                        json_object_set_new(property, "of", json_string(sandbox_type_at(p->target)->name));
                if (p->fallback != NULL)
                        json_object_set_new(
                            property, "default", json_loads(p->fallback, JSON_DECODE_ANY, NULL));
                json_object_set_new(properties, p->name, property);
        }
        for (size_t i = 0; type->outputs[i] != NULL; i++)
                json_array_append_new(outputs, json_string(type->outputs[i]));
        return json_pack(
            "{s:s+, s:o, s:o}", "path", "/v1/", type->plural, "properties", properties, "outputs", outputs);
}

static int route_description(struct call *call)
{
        if (!is_method(call, "GET")) return refuse_method(call, "GET");
        json_t *types = json_object();
        for (int i = 0; i < SANDBOX_TYPES; i++) {
                const struct sandbox_type *type = sandbox_type_at((enum sandbox_type_index)i);
                json_object_set_new(types, type->name, describe_type(type));
        }
        reply_json(call->reply, 200, json_pack("{s:o}", "types", types));
        return 0;
}

bool sandbox_route_is_public(const char *path)
{
        return !text_starts(path, "/_");
}

static int route(struct call *call)
{
        const char *path = call->request->path;
        if (text_starts(path, "/v1/") && path[4] != '\0') return route_types(call, path + 4);
        if (strcmp(path, "/v1") == 0 || strcmp(path, "/v1/") == 0) return route_description(call);
        if (strcmp(path, "/_control") == 0) return route_control(call);
        if (strcmp(path, "/_journal") == 0) return route_journal(call);
        return sandbox_refuse(&call->refusal, 404, NULL, "there is nothing here; the API begins at /v1");
}

void sandbox_route(
    struct sandbox_cloud *cloud, const struct sandbox_request *request, struct sandbox_reply *reply)
{
        struct call call = {.cloud = cloud, .request = request, .reply = reply};
        if (route(&call) < 0) sandbox_reply_problem(reply, &call.refusal);
}
