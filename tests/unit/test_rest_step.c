/* The state machine over scripted replies: what is sent, what answers mean, and coming back in the middle. */
#include "rest_driver.h"

static const char manifest[] =
    "provider: test\n"
    "config:\n"
    "  url: {type: string, default: \"http://cloud/api\"}\n"
    "  token: {type: string, required: true, sensitive: true, env: REST_TEST_TOKEN}\n"
    "endpoint: ${config.url}\n"
    "auth: {scheme: bearer, token: \"${config.token}\"}\n"
    "errors:\n"
    "  code: ${reply.body.code}\n"
    "  message: ${reply.body.message}\n"
    "  rules:\n"
    "    - {status: 304, means: ok}\n"
    "    - {code: \"Throttl*\", means: throttled}\n"
    "    - {status: 409, text: \"*in use*\", means: busy, say: it is still in use}\n"
    "defaults:\n"
    "  settle: 5s\n"
    "  create:\n"
    "    method: POST\n"
    "    path: [things]\n"
    "    headers: {Idempotency-Key: \"${token}\"}\n"
    "    body: {thing: \"${document}\"}\n"
    "    id: ${reply.body.id}\n"
    "    wait: {until: \"${item.state == \\\"up\\\"}\", failed: \"${item.state == \\\"bad\\\"}\", message: "
    "\"${item.why}\", progress: \"${item.state}\"}\n"
    "  read: {path: [things, \"${id}\"], object: \"${reply.body}\", gone: \"${item.state == "
    "\\\"deleted\\\"}\"}\n"
    "  update: {method: PATCH, path: [things, \"${id}\"], body: \"${changes}\"}\n"
    "  delete: {method: DELETE, path: [things, \"${id}\"], wait: {until: gone}}\n"
    "types:\n"
    "  test.thing:\n"
    "    properties:\n"
    "      name: {type: string, required: true}\n"
    "      size: {type: number, default: 10, api: spec.size}\n"
    "      tags: {type: map(string)}\n"
    "      secret: {type: string, sensitive: true, write_only: true}\n"
    "      ports: {type: \"list(object({port = number, cidr = optional(string)}))\", unordered: true}\n"
    "    outputs:\n"
    "      ip: {type: string, api: spec.ip}\n"
    "    find:\n"
    "      token: {path: things, query: {token: \"${token}\", page: \"${next}\"}, objects: "
    "\"${reply.body.items}\", match: \"${item.token == token}\", id: \"${item.id}\", next: "
    "\"${reply.body.next}\", read: true}\n"
    "  test.many:\n"
    "    properties:\n"
    "      name: {type: string, required: true}\n"
    "      links: {type: list(string)}\n"
    "    create:\n"
    "      - {method: POST, path: /many, body: \"${document}\", id: \"${reply.body.id}\", save: {etag: "
    "\"${reply.headers.etag}\"}}\n"
    "      - name: link\n"
    "        for_each: ${properties.links}\n"
    "        method: PUT\n"
    "        path: [many, \"${id}\", \"${each.value}\"]\n"
    "        headers: {If-Match: \"${vars.etag}\"}\n"
    "      - {name: never, when: \"${properties.name == \\\"x\\\"}\", path: /never}\n"
    "    update: none\n"
    "  test.job:\n" /* the id comes with the end of a job, and the login expires */
    "    properties:\n"
    "      name: {type: string, required: true}\n"
    "      parts: {type: list(string)}\n"
    "    errors: [{status: 401, means: again}, {status: 412, means: again}]\n"
    "    create:\n"
    "      - {name: login, method: POST, path: /login, save: {key: \"${reply.body.key}\"}}\n"
    "      - {name: make, method: POST, path: /jobs, headers: {Key: \"${vars.key}\"}, body: {n: "
    "\"${properties.name}\"}, "
    "save: {job: \"${reply.body.job}\"}, wait: {path: [jobs, \"${vars.job}\"], headers: {Key: "
    "\"${vars.key}\"}, until: "
    "\"${reply.body.done}\", id: \"${reply.body.target}\"}}\n"
    "      - {name: part, for_each: \"${properties.parts}\", method: POST, path: [part, \"${each.value}\"], "
    "headers: {Key: "
    "\"${vars.key}\"}, save: {step: \"${reply.body.step}\"}, wait: {path: [steps, \"${vars.step}\"], until: "
    "\"${reply.body.done}\"}}\n"
    "    update:\n"
    "      - {name: etag, path: [things, \"${id}\"], save: {etag: \"${reply.headers.etag}\"}}\n"
    "      - {name: change, method: PUT, path: [things, \"${id}\"], headers: {If-Match: \"${vars.etag}\"}, "
    "save: {step: "
    "\"${reply.body.step}\"}, wait: {path: [steps, \"${vars.step}\"], until: \"${reply.body.done}\"}}\n"
    "    delete:\n"
    "      - {name: login, method: POST, path: /login, save: {key: \"${reply.body.key}\"}}\n"
    "      - {name: remove, method: POST, path: [remove, \"${id}\"], headers: {Key: \"${vars.key}\"}, wait: "
    "{until: gone}}\n";

static struct tutti_host host;
static void *plugin, *context;

static const struct tutti_type *type_named(const char *name)
{
        char *problem = NULL;
        const struct tutti_type *t = tutti_provider.type(plugin, name, &problem);
        if (!t) printf("# %s\n", problem ? problem : "no such type");
        free(problem);
        /* cppcheck-suppress returnDanglingLifetime */
        return t;
}

static struct tutti_op begin(enum tutti_action action, const char *type, const char *planned,
    const char *prior, const struct script *script)
{
        struct tutti_op op = {.action = action,
            .type = type_named(type),
            .script = script,
            .token = "0123456789abcdef0123456789abcdef"};
        if (planned) op.planned = driver_object(&host, op.type, planned);
        if (prior) op.prior = driver_object(&host, op.type, prior);
        return op;
}

static void is_json(const struct value *v, const char *want, const char *name)
{
        char *got = v ? host.value_to_json(v, NULL) : NULL;
        is_str(got, want, name);
        free(got);
}

static void test_create(void)
{
        const struct script script[] = {{"POST http://cloud/api/things\n", 202, NULL, "{\"id\": \"t/1\"}"},
            {"GET http://cloud/api/things/t%2F1\n", 404, NULL, "{\"message\": \"not yet\"}"},
            {"Authorization: Bearer s3cret\n", 200, NULL, "{\"state\": \"new\"}"},
            {NULL, 200, NULL,
                "{\"state\": \"up\", \"name\": \"a\", \"spec\": {\"size\": \"10\", \"ip\": \"1.2.3.4\"}, "
                "\"tags\": {}, \"ports\": [{\"port\": 2}, {\"port\": 1, \"cidr\": null}]}"},
            {0}};
        struct tutti_op op = begin(TUTTI_CREATE, "test.thing",
            "{\"name\": \"a\", \"secret\": \"hush\", \"ports\": [{\"port\": 1}, {\"port\": 2}]}", NULL,
            script);
        is_int(driver_run(context, &op), TUTTI_DONE, "create runs to its end");
        is_str(op.id, "t/1", "with the id of the reply");
        is_int(op.sent, 4, "after four requests");
        ok(op.slept >= 2, "and sleeps between the polls");
        is_str(op.progress, "new", "showing progress");
        struct value *wanted = host.value_ref(op.planned);
        char *drift = driver_drift(&host, op.type, wanted, op.observed);
        is_str(drift, "", "what is observed is what was wanted");
        free(drift);
        host.value_free(wanted);
        is_json(host.value_get(op.observed, "ip"), "\"1.2.3.4\"", "an output from a path");
        driver_release(&op);
}

static void test_body(void)
{
        const struct script script[] = {
            {NULL, 400, NULL, "{\"code\": \"X\", \"message\": \"bad hush\"}"}, {0}};
        struct tutti_op op = begin(TUTTI_CREATE, "test.thing",
            "{\"name\": \"a\", \"secret\": \"hush\", \"ports\": [{\"port\": 1}]}", NULL, script);
        is_int(driver_run(context, &op), TUTTI_FAILED, "a refused creation fails");
        is_str(op.body,
            "{\"thing\":{\"name\":\"a\",\"ports\":[{\"port\":1}],\"secret\":\"hush\",\"spec\":{\"size\":10}}"
            "}",
            "the body: nested names, defaults, nothing that is unset");
        ok(strstr(op.request, "Idempotency-Key: 0123456789abcdef0123456789abcdef\n") != NULL,
            "with the token");
        ok(strstr(op.request, "Content-Type: application/json\n") != NULL, "and its content type");
        is_int(op.failure, TUTTI_INVALID, "as invalid");
        is_str(op.message, "create: bad (sensitive) (HTTP 400)", "without the secret in the message");
        driver_release(&op);
}

static void fails(unsigned status, const char *headers, const char *body, enum tutti_failure kind,
    int64_t after, const char *name)
{
        const struct script script[] = {{NULL, status, headers, body}, {0}};
        struct tutti_op op = begin(TUTTI_CREATE, "test.thing", "{\"name\": \"a\"}", NULL, script);
        is_int(driver_run(context, &op), TUTTI_FAILED, name);
        is_int(op.failure, kind, name);
        is_int(op.retry_after_ms, after, name);
        driver_release(&op);
}

static void test_errors(void)
{
        fails(429, "Retry-After: 7\n", "{}", TUTTI_THROTTLED, 7000, "429 with Retry-After");
        fails(400, NULL, "{\"code\": \"ThrottlingX\"}", TUTTI_THROTTLED, 0, "a throttling code");
        fails(503, "Retry-After: Tue, 14 Nov 2023 22:18:20 GMT\n", "<html>", TUTTI_TRANSIENT,
            1700000300000 - driver_clock_ms, "503 with a date");
        fails(409, NULL, "{\"message\": \"name taken\"}", TUTTI_EXISTS, 0, "409 in a creation");
        fails(409, NULL, "{\"message\": \"is in use now\"}", TUTTI_BUSY, 0, "409 by a rule on its text");
        fails(401, NULL, "", TUTTI_DENIED, 0, "401");
        fails(404, NULL, "{}", TUTTI_NOT_FOUND, 0, "404 of a parent");
        fails(201, NULL, "{\"id\": \"x", TUTTI_TRANSIENT, 0, "a reply cut short");
        fails(201, NULL, "{}", TUTTI_UNCLEAR, 0, "a reply without an id");
}

static void test_broken(void)
{
        const struct script script[] = {{NULL, 202, NULL, "{\"id\": \"1\"}"},
            {NULL, 200, NULL, "{\"state\": \"bad\", \"why\": \"no room\"}"}, {0}};
        struct tutti_op op = begin(TUTTI_CREATE, "test.thing", "{\"name\": \"a\"}", NULL, script);
        is_int(driver_run(context, &op), TUTTI_FAILED, "an object in an error state fails");
        is_int(op.failure, TUTTI_BROKEN, "as broken");
        is_str(op.message, "create: no room", "with its message");
        is_str(op.id, "1", "and keeps its id");
        driver_release(&op);
        const struct script lost[] = {{NULL, 202, NULL, "{\"id\": \"1\"}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"}, {NULL, 404, NULL, "{}"},
            {NULL, 404, NULL, "{}"}, {0}};
        op = begin(TUTTI_CREATE, "test.thing", "{\"name\": \"a\"}", NULL, lost);
        is_int(driver_run(context, &op), TUTTI_FAILED,
            "an object that never appears fails once it should have settled");
        is_int(op.failure, TUTTI_BROKEN, "as broken");
        driver_release(&op);
}

static void test_resume(void)
{
        const struct script script[] = {
            {"GET http://cloud/api/things/7\n", 200, NULL, "{\"state\": \"up\", \"name\": \"a\"}"}, {0}};
        struct tutti_op op = begin(TUTTI_CREATE, "test.thing", "{\"name\": \"a\"}", NULL, script);
        op.id = strdup("7");
        is_int(driver_run(context, &op), TUTTI_DONE, "a creation that begins with an id goes on to waiting");
        is_int(op.sent, 1, "without creating again");
        driver_release(&op);
        const struct script poll[] = {{"GET ", 200, NULL, "{\"state\": \"up\", \"name\": \"a\"}"}, {0}};
        op = begin(TUTTI_CREATE, "test.thing", "{\"name\": \"a\"}", NULL, poll);
        op.id = strdup("7");
        op.state = 1;
        is_int(driver_run(context, &op), TUTTI_DONE, "coming back in the wait polls again");
        driver_release(&op);
}

static void test_read(void)
{
        const struct script script[] = {
            {"GET http://cloud/api/things/7\n", 200, NULL,
                "{\"state\": \"up\", \"name\": \"b\", \"spec\": {\"size\": 10}, \"tags\": null}"},
            {0}};
        struct tutti_op op = begin(
            TUTTI_READ, "test.thing", NULL, "{\"name\": \"a\", \"tags\": {}, \"secret\": \"hush\"}", script);
        op.id = strdup("7");
        is_int(driver_run(context, &op), TUTTI_DONE, "read");
        is_json(host.value_get(op.observed, "name"), "\"b\"", "shows what differs");
        is_json(
            host.value_get(op.observed, "tags"), "{}", "an absent map stays the empty one that is recorded");
        is_json(host.value_get(op.observed, "secret"), "\"hush\"", "what is write-only stays as recorded");
        driver_release(&op);
        const struct script gone[] = {{NULL, 404, NULL, "{}"}, {0}};
        op = begin(TUTTI_READ, "test.thing", NULL, "{\"name\": \"a\"}", gone);
        op.id = strdup("7");
        ok(driver_run(context, &op) == TUTTI_DONE && op.gone, "404 is gone");
        driver_release(&op);
        const struct script deleted[] = {{NULL, 200, NULL, "{\"state\": \"deleted\"}"}, {0}};
        op = begin(TUTTI_READ, "test.thing", NULL, "{\"name\": \"a\"}", deleted);
        op.id = strdup("7");
        ok(driver_run(context, &op) == TUTTI_DONE && op.gone, "so is a state that counts as gone");
        driver_release(&op);
}

static void test_update(void)
{
        const struct script script[] = {{"PATCH http://cloud/api/things/7\n", 304, NULL, NULL},
            {"GET ", 200, NULL, "{\"name\": \"a\", \"state\": \"up\", \"spec\": {\"size\": 20}}"}, {0}};
        struct tutti_op op = begin(TUTTI_UPDATE, "test.thing",
            "{\"name\": \"a\", \"size\": 20, \"ports\": [{\"port\": 1}, {\"port\": 2}]}",
            "{\"name\": \"a\", \"tags\": {\"x\": \"y\"}, \"ports\": [{\"port\": 2}, {\"port\": 1}]}", script);
        op.id = strdup("7");
        enum tutti_result first = tutti_provider.step(context, &op);
        is_int(first, TUTTI_WAIT, "update sends");
        is_str(op.body, "{\"spec\":{\"size\":20},\"tags\":null}",
            "only what changed, null for what is taken out");
        is_int(driver_run(context, &op), TUTTI_DONE,
            "a status that a rule calls ok is, and the new state is read");
        driver_release(&op);
}

static void test_delete(void)
{
        const struct script script[] = {{"DELETE ", 202, NULL, ""},
            {"GET ", 200, NULL, "{\"state\": \"up\"}"}, {"GET ", 200, NULL, "{\"state\": \"deleted\"}"}, {0}};
        struct tutti_op op = begin(TUTTI_DELETE, "test.thing", NULL, "{\"name\": \"a\"}", script);
        op.id = strdup("7");
        is_int(driver_run(context, &op), TUTTI_DONE, "delete waits until it is gone");
        is_int(op.sent, 3, "polling");
        driver_release(&op);
        const struct script gone[] = {{"DELETE ", 404, NULL, ""}, {0}};
        op = begin(TUTTI_DELETE, "test.thing", NULL, "{\"name\": \"a\"}", gone);
        op.id = strdup("7");
        is_int(driver_run(context, &op), TUTTI_DONE, "what is gone already is deleted");
        driver_release(&op);
}

static void test_find(void)
{
        const struct script script[] = {
            {"GET http://cloud/api/things?token=0123456789abcdef0123456789abcdef\n", 200, NULL,
                "{\"items\": [{\"id\": 1, \"token\": \"z\"}], \"next\": \"p 2\"}"},
            {"page=p%202", 200, NULL,
                "{\"items\": [{\"id\": 2, \"token\": \"0123456789abcdef0123456789abcdef\"}], \"next\": "
                "null}"},
            {"GET http://cloud/api/things/2\n", 200, NULL, "{\"name\": \"a\", \"state\": \"up\"}"}, {0}};
        struct tutti_op op = begin(TUTTI_FIND, "test.thing", "{\"name\": \"a\"}", NULL, script);
        is_int(driver_run(context, &op), TUTTI_DONE, "find by token, page by page");
        is_str(op.id, "2", "finds the one that matches");
        is_json(op.observed ? host.value_get(op.observed, "name") : NULL, "\"a\"", "and reads it");
        driver_release(&op);
        struct script none[40] = {0};
        for (int i = 0; i < 39; i++)
                none[i] = (struct script){NULL, 200, NULL, "{\"items\": [], \"next\": null}"};
        op = begin(TUTTI_FIND, "test.thing", "{\"name\": \"a\"}", NULL, none);
        ok(driver_run(context, &op) == TUTTI_DONE && op.gone && op.slept > 1,
            "none, but only after it had time to appear");
        driver_release(&op);
}

static void test_many(void)
{
        const struct script script[] = {
            {"POST http://cloud/api/many\n", 200, "ETag: \"e1\"\n", "{\"id\": 5}"},
            {"PUT http://cloud/api/many/5/x%20y\nIf-Match: \"e1\"\n", 200, NULL, ""},
            {"PUT http://cloud/api/many/5/b\n", 200, NULL, ""},
            {"GET http://cloud/api/things/5\n", 200, NULL,
                "{\"name\": \"n\", \"state\": \"up\", \"links\": [\"x y\", \"b\"]}"},
            {0}};
        for (int stop = 0; stop < 4;
             stop++) { /* after a crash at any point the saved state goes on with the next request */
                struct tutti_op op = begin(TUTTI_CREATE, "test.many",
                    "{\"name\": \"n\", \"links\": [\"x y\", \"b\"]}", NULL, script);
                op.stop_after = stop;
                enum tutti_result result = driver_run(context, &op);
                if (stop) {
                        is_int(result, TUTTI_WAIT, "stopped in the middle");
                        op.stop_after = 0;
                        result = driver_run(context, &op);
                }
                is_int(result, TUTTI_DONE, "several requests, some of them for each element");
                is_int(op.sent, 4, "each once");
                driver_release(&op);
        }
}

/* Runs a script from its beginning to its end, and then once more for each request, with everything forgotten after that but what is saved. */
static void job_runs(enum tutti_action action, const struct script *script, const char *id, const char *name)
{
        unsigned count = 0;
        while (script[count].expect) count++;
        for (unsigned stop = 0; stop < count; stop++) {
                struct tutti_op op = begin(action, "test.job", "{\"name\": \"n\", \"parts\": [\"a\", \"b\"]}",
                    action == TUTTI_CREATE ? NULL : "{\"name\": \"m\"}", script);
                if (action != TUTTI_CREATE) op.id = strdup(id);
                op.stop_after = (int)stop;
                enum tutti_result result = driver_run(context, &op);
                /* What is transient comes back in its state, as the engine brings it. */
                for (unsigned i = 0; i < 2 * count && result != TUTTI_DONE; i++) {
                        if (result == TUTTI_FAILED && op.failure != TUTTI_TRANSIENT) break;
                        op.failed = false;
                        op.stop_after = 0;
                        op.reply = NULL;
                        result = driver_run(context, &op);
                }
                ok(result == TUTTI_DONE && op.sent == count, "%s, interrupted after %u", name, stop);
                if (result != TUTTI_DONE) printf("# %s\n", op.message ? op.message : "");
                is_str(op.id, id, "with the id");
                driver_release(&op);
        }
}

#define LOGIN(n)                                                                    \
        {                                                                           \
                "POST http://cloud/api/login\n", 200, NULL, "{\"key\": \"k" n "\"}" \
        }
#define SHOWN                                                                         \
        {                                                                             \
                "GET http://cloud/api/things/t1\n", 200, "ETag: e2\n",                \
                    "{\"name\": \"n\", \"state\": \"up\", \"parts\": [\"a\", \"b\"]}" \
        }

static void test_again(void)
{
        const struct script create[] = {LOGIN("1"),
            {"POST http://cloud/api/jobs\n", 202, NULL, "{\"job\": 7}"},
            {"GET http://cloud/api/jobs/7\nKey: k1", 200, NULL, "{\"done\": false}"},
            {"GET http://cloud/api/jobs/7\n", 401, NULL, ""}, LOGIN("2"),
            {"GET http://cloud/api/jobs/7\nKey: k2", 401, NULL, ""}, LOGIN("3"),
            {"GET http://cloud/api/jobs/7\nKey: k3", 200, NULL, "{\"done\": true, \"target\": \"t1\"}"},
            {"POST http://cloud/api/part/a\nKey: k3", 202, NULL, "{\"step\": 1}"},
            {"GET http://cloud/api/steps/1\n", 200, NULL, "{\"done\": true}"},
            {"POST http://cloud/api/part/b\nKey: k3", 401, NULL, ""}, LOGIN("4"),
            {"POST http://cloud/api/part/b\nKey: k4", 202, NULL, "{\"step\": 2}"},
            {"GET http://cloud/api/steps/2\n", 401, NULL, ""}, LOGIN("5"),
            {"GET http://cloud/api/steps/2\n", 200, NULL, "{\"done\": true}"}, SHOWN, {0}};
        job_runs(TUTTI_CREATE, create, "t1", "an answered creation is never sent again");
        const struct script update[] = {SHOWN,
            {"PUT http://cloud/api/things/t1\nIf-Match: e2\n", 412, NULL, ""}, SHOWN,
            {"PUT http://cloud/api/things/t1\n", 202, NULL, "{\"step\": 3}"},
            {"GET http://cloud/api/steps/3\n", 401, NULL, ""}, SHOWN,
            {"GET http://cloud/api/steps/3\n", 200, NULL, "{\"done\": true}"}, SHOWN, {0}};
        job_runs(
            TUTTI_UPDATE, update, "t1", "a change that was refused is sent again, an answered one is not");
        const struct script removal[] = {LOGIN("1"),
            {"POST http://cloud/api/remove/t1\nKey: k1", 202, NULL, ""}, SHOWN,
            {"GET http://cloud/api/things/t1\n", 401, NULL, ""}, LOGIN("2"), SHOWN,
            {"GET http://cloud/api/things/t1\n", 404, NULL, ""}, {0}};
        job_runs(TUTTI_DELETE, removal, "t1", "nor is an answered deletion");
        /* The answer was lost, and the object was found: what only its answer told is not asked for. */
        const struct script found[] = {LOGIN("1"),
            {"POST http://cloud/api/part/a\n", 202, NULL, "{\"step\": 1}"},
            {"GET http://cloud/api/steps/1\n", 200, NULL, "{\"done\": true}"},
            {"POST http://cloud/api/part/b\n", 202, NULL, "{\"step\": 2}"},
            {"GET http://cloud/api/steps/2\n", 200, NULL, "{\"done\": true}"}, SHOWN, {0}};
        struct tutti_op op = begin(
            TUTTI_CREATE, "test.job", "{\"name\": \"n\", \"parts\": [\"a\", \"b\"]}", NULL, found);
        op.id = strdup("t1");
        is_int(driver_run(context, &op), TUTTI_DONE,
            "an object whose id comes from a wait was found: it is not made again");
        driver_release(&op);
}

static void test_schema(void)
{
        const struct tutti_type *t = type_named("test.many");
        ok(t->properties[0].flags & TUTTI_CREATE_ONLY, "without `update` every change replaces");
        ok(t->flags & TUTTI_TYPE_IMPORT && !(t->flags & TUTTI_TYPE_FIND), "its flags");
        t = type_named("test.thing");
        ok(t->flags & TUTTI_TYPE_FIND, "a type with `find` says so");
        is_str(t->properties[1].fallback, "10", "a default as JSON");
        ok(!type_named("test.none"), "no such type");
}

static void test_cancel(void)
{
        const struct script script[] = {{NULL, 202, NULL, "{\"id\": \"1\"}"}, {0}};
        struct tutti_op op = begin(TUTTI_CREATE, "test.thing", "{\"name\": \"a\"}", NULL, script);
        tutti_provider.step(context, &op);
        op.cancelled = 1;
        is_int(driver_reply(context, &op), TUTTI_FAILED, "a cancelled creation stops");
        is_str(op.id, "1", "once it knows what exists");
        driver_release(&op);
}

int main(void)
{
        host = driver_host();
        char *folder = driver_fold("provider.yaml", manifest), *problem = NULL;
        int loaded = tutti_provider.load(&host, "test", folder, &plugin, &problem);
        if (!ok(loaded == 0, "the manifest loads")) printf("# %s\n", problem);
        if (loaded < 0) return done();
        struct value *none = host.value_object(NULL, NULL, 0);
        unsetenv("REST_TEST_TOKEN");
        ok(tutti_provider.open(plugin, none, &context, &problem) < 0, "a missing token is a problem");
        is_str(problem, "provider test needs `token` (or the environment variable REST_TEST_TOKEN)",
            "that says what to do");
        free(problem), problem = NULL;
        setenv("REST_TEST_TOKEN", "s3cret", 1);
        ok(tutti_provider.open(plugin, none, &context, &problem) == 0, "the environment fills it in");
        host.value_free(none);
        test_create();
        test_body();
        test_errors();
        test_broken();
        test_resume();
        test_read();
        test_update();
        test_delete();
        test_find();
        test_many();
        test_again();
        test_schema();
        test_cancel();
        tutti_provider.close(context);
        tutti_provider.unload(plugin);
        return done();
}
