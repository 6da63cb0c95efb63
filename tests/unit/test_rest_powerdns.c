/* A resource that lives inside another's document: PowerDNS's record sets, over replies as the server gives them. */
#include "rest_driver.h"

static struct tutti_host host;
static void *plugin, *context;

#define WANTED                                                                                         \
        "{\"zone\": \"e.org.\", \"name\": \"www.e.org.\", \"type\": \"A\", \"ttl\": 300, \"values\": " \
        "[\"192.0.2.1\", \"192.0.2.2\"]}"
#define SET(content)                                                                                   \
        "{\"id\": \"e.org.\", \"rrsets\": [{\"name\": \"www.e.org.\", \"type\": \"TXT\", \"ttl\": 1, " \
        "\"records\": []}, "                                                                           \
        "{\"name\": \"www.e.org.\", \"type\": \"A\", \"ttl\": 300, \"records\": [" content "]}]}"
#define ONE "{\"content\": \"192.0.2.1\", \"disabled\": false}"
#define TWO "{\"content\": \"192.0.2.2\", \"disabled\": false}"

static struct tutti_op begin(enum tutti_action action, const char *planned, const char *prior, const char *id,
    const struct script *script)
{
        char *problem = NULL;
        struct tutti_op op = {
            .action = action, .script = script, .token = "0123456789abcdef0123456789abcdef"};
        op.type = tutti_provider.type(plugin, "powerdns.record", &problem);
        if (!op.type) {
                printf("Bail out! %s\n", problem ? problem : "no such type");
                exit(1);
        }
        if (planned) op.planned = driver_object(&host, op.type, planned);
        if (prior) op.prior = driver_object(&host, op.type, prior);
        if (id) op.id = strdup(id);
        return op;
}

static void is_value(struct tutti_op *op, const char *key, const char *want)
{
        char *got = op->observed ? host.value_to_json(host.value_get(op->observed, key), NULL) : NULL;
        is_str(got, want, key);
        free(got);
}

static void test_create(void)
{
        const struct script script[] = {
            {"{\"rrsets\":[{\"changetype\":\"REPLACE\",\"name\":\"www.e.org.\",\"records\":[{\"content\":"
             "\"192.0.2.1\",\"disabled\":false},{"
             "\"content\":\"192.0.2.2\",\"disabled\":false}],\"ttl\":300,\"type\":\"A\"}]}",
                204, NULL, ""},
            {"GET http://dns/api/zones/e.org.?rrset_name=www.e.org.&rrset_type=A\n", 200, NULL,
                SET(TWO "," ONE)},
            {0}};
        struct tutti_op op = begin(TUTTI_CREATE, WANTED, NULL, NULL, script);
        is_int(driver_run(context, &op), TUTTI_DONE, "a record set is made by a change of its zone");
        is_str(op.id, "e.org./www.e.org./A", "and has an id of its parts");
        is_value(&op, "values", "[\"192.0.2.1\",\"192.0.2.2\"]");
        ok(strstr(op.request, "X-API-Key: K\n") != NULL, "with the key");
        driver_release(&op);
}

static void test_import(void)
{
        const struct script script[] = {
            {"GET http://dns/api/zones/e.org.?rrset_name=www.e.org.&rrset_type=A\n", 200, NULL, SET(ONE)},
            {0}};
        struct tutti_op op = begin(TUTTI_IMPORT, NULL, NULL, "e.org./www.e.org./A", script);
        is_int(driver_run(context, &op), TUTTI_DONE, "an id says where it is");
        is_value(&op, "zone", "\"e.org.\"");
        is_value(&op, "values", "[\"192.0.2.1\"]");
        driver_release(&op);
}

static void test_gone(void)
{
        const struct script script[] = {{"GET ", 200, NULL, "{\"rrsets\": []}"}, {0}};
        struct tutti_op op = begin(TUTTI_READ, NULL, WANTED, "e.org./www.e.org./A", script);
        ok(driver_run(context, &op) == TUTTI_DONE && op.gone, "it is gone when its zone has it no more");
        driver_release(&op);
        const struct script missing[] = {
            {"\"changetype\":\"DELETE\"", 404, NULL, "{\"error\": \"Not Found\"}"}, {0}};
        op = begin(TUTTI_DELETE, NULL, WANTED, "e.org./www.e.org./A", missing);
        is_int(driver_run(context, &op), TUTTI_DONE, "or when its zone is");
        driver_release(&op);
}

int main(void)
{
        char *problem = NULL;
        host = driver_host();
        setenv("PDNS_URL", "http://dns/api", 1);
        setenv("PDNS_API_KEY", "K", 1);
        struct value *none = host.value_object(NULL, NULL, 0);
        if (tutti_provider.load(&host, "powerdns", "providers/powerdns", &plugin, &problem) < 0 ||
            tutti_provider.open(plugin, none, &context, &problem) < 0) {
                printf("Bail out! %s\n", problem);
                return 1;
        }
        host.value_free(none);
        test_create();
        test_import();
        test_gone();
        tutti_provider.close(context);
        tutti_provider.unload(plugin);
        return done();
}
