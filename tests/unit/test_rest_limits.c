/* What does not fit into a request, an answer or a manifest is an error, and nothing is cut off or left out; what nobody reads may be anything. */
#include "rest_driver.h"

static const char head[] = "provider: test\nendpoint: http://cloud/api\n";

static struct tutti_host host;

struct cloud {
        void *plugin, *context;
};

/* A manifest of one type `test.t`, which has the properties name and list; `actions` are its requests. */
static void cloud_open(struct cloud *c, const char *service, const char *actions)
{
        char *problem = NULL, *text = NULL;
        if (asprintf(&text,
                "%s%stypes:\n  test.t:\n    properties:\n      name: {type: string}\n      list: {type: "
                "\"list(string)\"}\n      any: {type: any}\n%s",
                head, service, actions) < 0)
                abort();
        char *folder = driver_fold("provider.yaml", text);
        struct value *none = host.value_object(NULL, NULL, 0);
        if (tutti_provider.load(&host, "test", folder, &c->plugin, &problem) < 0 ||
            tutti_provider.open(c->plugin, none, &c->context, &problem) < 0) {
                printf("Bail out! %s\n", problem);
                exit(1);
        }
        host.value_free(none);
        free(text);
}

static void cloud_close(struct cloud *c)
{
        tutti_provider.close(c->context);
        tutti_provider.unload(c->plugin);
}

#define READS                                                                                              \
        "    read: {path: [t, \"${id}\"], object: \"${reply.body}\"}\n    delete: {method: DELETE, path: " \
        "/t}\n"

/* A creation with these requests and properties over a script: how it ends, with a part of the message, after how many requests. */
static void creates(const char *service, const char *create, const char *properties,
    const struct script *script, enum tutti_result want, const char *message, unsigned sent, const char *name)
{
        struct cloud c;
        char *actions = NULL, *problem = NULL;
        if (asprintf(&actions, "    create: %s\n" READS, create) < 0) abort();
        cloud_open(&c, service, actions);
        const struct tutti_type *type = tutti_provider.type(c.plugin, "test.t", &problem);
        if (!type) printf("# %s\n", problem);
        struct tutti_op op = {.action = TUTTI_CREATE, .type = type, .script = script, .token = "t"};
        op.planned = driver_object(&host, type, properties);
        enum tutti_result result = driver_run(c.context, &op);
        ok(result == want && op.sent == sent, "%s", name);
        if (message && !ok(op.message && strstr(op.message, message) != NULL, "says: %s", message))
                printf("# %s\n", op.message ? op.message : "nothing");
        if (result != want || op.sent != sent)
                printf("# result %d after %u: %s\n", result, op.sent, op.message ? op.message : "");
        driver_release(&op);
        cloud_close(&c);
        free(actions);
}

static const struct script made[] = {
    {NULL, 200, NULL, "{\"id\": \"1\"}"}, {NULL, 200, NULL, "{\"name\": \"n\"}"}, {0}};
static const struct script nothing[] = {{0}};

#define REFUSED(create, properties, message, name) \
        creates("", create, properties, nothing, TUTTI_FAILED, message, 0, name)
#define ID ", id: \"${reply.body.id}\"}"

static void test_requests(void)
{
        struct buf parts = {0};
        for (int i = 0; i < 50; i++) buf_format(&parts, "%s\"p%d\"", i ? ", " : "", i);
        AUTO_CHAR fifty = util_format("{\"list\": [%s]}", parts.data);
        AUTO_CHAR more = util_format("{\"list\": [%s, \"p50\"]}", parts.data);
        buf_release(&parts);
        creates("", "{method: PUT, path: \"${properties.list}\"" ID, fifty, made, TUTTI_DONE, NULL, 2,
            "50 parts of a path are sent");
        REFUSED("{method: PUT, path: \"${properties.list}\"" ID, more,
            "the path has 51 parts, and 50 is the most", "51 are not");
        REFUSED("{method: PUT, path: [t, \"${properties.name}\"]" ID, "{\"name\": \"a\\u0000b\"}",
            "a part of the path holds a NUL byte", "a name that would end in the middle");
        REFUSED("{method: PUT, path: \"/t/${properties.name}\"" ID, "{\"name\": \"a\\u0000b\"}",
            "the path holds a NUL byte", "the same in a text");
        REFUSED("{method: PUT, path: /t, query: {n: \"${properties.name}\"}" ID, "{\"name\": \"a\\u0000b\"}",
            "a value of the query holds a NUL byte", "in a query");
        REFUSED("{method: PUT, path: /t, headers: {n: \"${properties.name}\"}" ID,
            "{\"name\": \"a\\u0000b\"}", "a header holds a NUL byte", "in a header");
        REFUSED("{method: PUT, path: /t, wire: {request: form}, body: {n: \"${properties.name}\"}" ID,
            "{\"name\": \"a\\u0000b\"}", "n holds a NUL byte", "in a form");
        REFUSED("{method: PUT, path: /t, wire: {request: text}, body: \"${properties.name}\"" ID,
            "{\"name\": \"a\\u0000b\"}", "without a NUL byte", "in a text body");
        creates("", "{method: PUT, path: /t, body: {n: \"${properties.name}\"}" ID,
            "{\"name\": \"a\\u0000b\"}", made, TUTTI_DONE, NULL, 2, "JSON can say it");
        REFUSED("{method: PUT, path: /t, query: \"${properties.any}\"" ID, "{\"any\": \"a=b\"}",
            "query must be a map, not a string", "a query that is no map");
        REFUSED("{method: PUT, path: /t, headers: \"${properties.any}\"" ID, "{\"any\": [\"a\"]}",
            "headers must be a map, not a tuple", "headers that are no map");
        REFUSED("{method: PUT, path: /t, body: {<<: \"${properties.any}\", a: 1}" ID, "{\"any\": \"x\"}",
            "what << spreads must be an object, not a string", "what cannot be spread");
        creates("",
            "{method: PUT, path: /t, body: {<<: \"${properties.any}\", a: 1}, query: "
            "\"${properties.any}\"" ID,
            "{}", made, TUTTI_DONE, NULL, 2, "null is nothing, everywhere");
        REFUSED("{method: PUT, path: /t, for_each: \"${properties.any}\"" ID, "{\"any\": \"x\"}",
            "for_each takes a list or a map, not a string", "for_each over something else");
        creates("tls: ${tostring(1)}\n", "{method: PUT, path: /t" ID, "{}", nothing, TUTTI_FAILED,
            "tls must be a map, not a string", 0, "tls that would be left out");
}

/* What `objects` gives that is no list is not "none": a finder would let the creation be sent again. */
static void test_objects(void)
{
        static const struct {
                const char *body;
                enum tutti_result result;
                const char *name;
        } cases[] = {{"{\"items\": null}", TUTTI_DONE, "null is an empty list"},
            {"{\"items\": \"\"}", TUTTI_DONE, "and so is an empty text, as XML has it"},
            {"{\"items\": {\"id\": 1}}", TUTTI_FAILED, "an object is not"},
            {"{\"items\": \"text\"}", TUTTI_FAILED, "nor is a text"},
            {"{\"items\": 7}", TUTTI_FAILED, "nor a number"}};
        struct cloud c;
        char *problem = NULL;
        cloud_open(&c, "",
            "    create: {method: POST, path: /t, id: \"${reply.body.id}\"}\n" READS
            "    find: {token: {path: /t, objects: \"${reply.body.items}\", id: \"${item.id}\"}}\n");
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const struct script script[] = {{NULL, 200, NULL, cases[i].body}, {0}};
                struct tutti_op op = {.action = TUTTI_FIND,
                    .type = tutti_provider.type(c.plugin, "test.t", &problem),
                    .script = script,
                    .token = "t"};
                op.planned = driver_object(&host, op.type, "{}");
                enum tutti_result result = driver_run(c.context, &op);
                ok(result == cases[i].result && op.gone == (result == TUTTI_DONE), "%s", cases[i].name);
                driver_release(&op);
        }
        cloud_close(&c);
}

static void test_bodies(void)
{
        static const struct script text[] = {
            {NULL, 200, "x-id: 1\n", "OK <done>"}, {NULL, 200, NULL, "{}"}, {0}};
        creates("", "{method: PUT, path: /t, id: \"${reply.headers[\\\"x-id\\\"]}\"}", "{}", text, TUTTI_DONE,
            NULL, 2, "a body that nobody reads may be anything");
        creates("wire: {reply: xml}\n", "{method: PUT, path: /t, id: \"${reply.headers[\\\"x-id\\\"]}\"}",
            "{}",
            (struct script[]){
                {NULL, 200, "x-id: 1\n", "OK"}, {NULL, 200, NULL, "<t><name>n</name></t>"}, {0}},
            TUTTI_DONE, NULL, 2, "also where XML is spoken");
        creates("", "{method: PUT, path: /t, id: \"${reply.body.id}\"}", "{}", text, TUTTI_FAILED,
            "the answer is cut short or no json", 1, "one that is read may not");
        creates("", "{method: PUT, path: /t, id: one, save: {x: \"${reply.body.x}\"}}", "{}", text,
            TUTTI_FAILED, "the answer is cut short or no json", 1, "nor one of which something is kept");
        creates("errors: {when: \"${!reply.body.ok}\"}\n", "{method: PUT, path: /t, id: one}", "{}", text,
            TUTTI_FAILED, "the answer is cut short or no json", 1, "nor one that says whether it went well");
        creates("",
            "{method: PUT, path: /t, id: one, wait: {path: /w, until: \"${reply.status == 204}\", every: "
            "200ms}}",
            "{}",
            (struct script[]){{NULL, 200, NULL, "OK"}, {NULL, 200, NULL, "not yet"}, {NULL, 204, NULL, ""},
                {NULL, 200, NULL, "{}"}, {0}},
            TUTTI_DONE, NULL, 4, "a wait that looks at the status does not read bodies");
        creates("",
            "{method: PUT, path: /t, id: one, wait: {path: /w, until: \"${reply.body.up}\", every: 200ms}}",
            "{}", (struct script[]){{NULL, 200, NULL, "OK"}, {NULL, 200, NULL, "not yet"}, {0}}, TUTTI_FAILED,
            "the answer is cut short or no json", 2, "one that looks into them does");
        creates("", "{method: PUT, path: /t, id: one}", "{}",
            (struct script[]){{NULL, 400, NULL, "<html>"}, {0}}, TUTTI_FAILED, "HTTP 400", 1,
            "a refusal is one whatever it is written in");
}

static void loads(const char *rest, const char *message, const char *name)
{
        char *problem = NULL, *text = util_format("%s%s", head, rest);
        void *plugin = NULL;
        char *folder = driver_fold("provider.yaml", text);
        bool loaded = tutti_provider.load(&host, "test", folder, &plugin, &problem) == 0;
        if (loaded) tutti_provider.type(plugin, "test.t", &problem);
        if (!ok(message ? problem && strstr(problem, message) : !problem, "%s", name))
                printf("# %s\n", problem ? problem : "no problem");
        if (loaded) tutti_provider.unload(plugin);
        free(problem);
        free(text);
}

#define TYPE(more)                                                                                         \
        "types: {test.t: {" more                                                                           \
        "create: {method: POST, path: /t, id: one}, read: {path: /t, object: \"${reply.body}\"}, delete: " \
        "{method: DELETE, path: /t}}}\n"

static void test_manifests(void)
{
        loads(TYPE("properties: {a: {type: string, api: a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p}}, "), NULL,
            "16 parts of `api`");
        loads(TYPE("properties: {a: {type: string, api: a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q}}, "),
            "api has more than 16 parts", "and not more");
        loads(TYPE("properties: {a: {type: string, api: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, "
                   "q]}}, "),
            "api has more than 16 parts", "as a list neither");
        struct buf b = {0};
        buf_text(&b, "patterns:\n");
        for (int i = 0; i < 9; i++) buf_format(&b, "  p%d: {like: p%d}\n", i, i + 1);
        buf_text(&b, "  p9: {}\n" TYPE("like: p0, "));
        loads(b.data, "patterns are like each other more than 8 deep", "patterns upon patterns");
        buf_release(&b);
}

int main(void)
{
        host = driver_host();
        test_requests();
        test_objects();
        test_bodies();
        test_manifests();
        return done();
}
