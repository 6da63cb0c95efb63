/*
 * Any bytes as the replies of a cloud, cut at NUL bytes into one after the other: an operation ends, or waits for ever
 * politely, but never without a reason. The first byte chooses the wire form, the action and the status.
 */
#include <stdint.h>
#include "unit/rest_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TURNS = 40 };

static const char manifest[] =
    "provider: test\n"
    "endpoint: http://cloud\n"
    "errors: {code: \"${reply.body.code}\", message: \"${reply.body.message}\"}\n"
    "xml: {items: [item], lists: [\"*Set\"]}\n"
    "defaults:\n"
    "  properties:\n"
    "    name: {type: string, required: true}\n"
    "    ports: {type: \"list(object({port = number, cidr = optional(string)}))\", unordered: true, api: "
    "spec.ports}\n"
    "    tags: {type: map(string)}\n"
    "  create: {method: POST, path: /t, body: \"${document}\", id: \"${reply.body.id}\", save: {x: "
    "\"${reply.headers}\"}, wait: {until: \"${item.up}\", "
    "message: \"${item.why}\", progress: \"${item.state}\"}}\n"
    "  read: {path: [t, \"${id}\"], objects: \"${reply.body.itemSet}\", match: \"${item.id == id}\", next: "
    "\"${reply.body.next}\"}\n"
    "  delete: {method: DELETE, path: [t, \"${id}\"], wait: {until: gone}}\n"
    "  find: {token: {path: /t, objects: \"${reply.body.itemSet}\", id: \"${item.id}\", next: "
    "\"${reply.body.next}\"}}\n"
    "types:\n"
    "  test.json: {doc: json}\n"
    "  test.xml:\n"
    "    create: {wire: {reply: xml}}\n"
    "    read: {wire: {reply: xml}}\n"
    "    find: {token: {wire: {reply: xml}}}\n";

static struct tutti_host host;
static void *plugin, *context;

static void begin(void)
{
        char *problem = NULL;
        host = driver_host();
        if (tutti_provider.load(&host, "test", driver_fold("provider.yaml", manifest), &plugin, &problem) <
            0) {
                fprintf(stderr, "%s\n", problem);
                abort();
        }
        struct value *none = host.value_object(NULL, NULL, 0);
        if (tutti_provider.open(plugin, none, &context, &problem) < 0) abort();
        host.value_free(none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const enum tutti_action actions[] = {TUTTI_CREATE, TUTTI_READ, TUTTI_DELETE, TUTTI_FIND};
        static const unsigned statuses[] = {200, 404, 409, 503};
        if (context == NULL) begin();
        if (size == 0) return 0;
        char *problem = NULL;
        struct tutti_op op = {
            .action = actions[data[0] >> 1 & 3], .token = "0123456789abcdef0123456789abcdef"};
        op.type = tutti_provider.type(plugin, data[0] & 1 ? "test.xml" : "test.json", &problem);
        if (op.type == NULL) abort();
        op.planned = driver_object(&host, op.type, "{\"name\": \"a\", \"ports\": [{\"port\": 1}]}");
        op.prior = value_ref(op.planned);
        if (op.action != TUTTI_CREATE && op.action != TUTTI_FIND) op.id = strdup("1");
        op.started_ms = driver_wall();
        char *text = util_alloc(size + 1);
        memcpy(text, data + 1, size - 1);
        const char *at = text, *end = text + size - 1;
        enum tutti_result result = tutti_provider.step(context, &op);
        for (int i = 0; i < TURNS && result == TUTTI_WAIT; i++) {
                struct tutti_header headers[] = {{"retry-after", at}, {"etag", at}};
                struct tutti_reply reply = {
                    .kind = op.wait == DRIVER_HTTP ? TUTTI_REPLY_HTTP : TUTTI_REPLY_SLEPT,
                    .status = statuses[data[0] >> 3 & (i == 0 ? 0 : 3)],
                    .headers = headers,
                    .header_count = 2,
                    .body = {at, strlen(at)}};
                driver_clock_ms += op.wait == DRIVER_SLEEP ? op.sleep_ms : 0;
                op.reply = &reply;
                result = tutti_provider.step(context, &op);
                op.reply = NULL;
                if (at + strlen(at) < end) at += strlen(at) + 1;
        }
        if (result == TUTTI_FAILED && (op.message == NULL || *op.message == '\0')) abort();
        if (result == TUTTI_DONE && op.action == TUTTI_READ && !op.gone && op.observed == NULL) abort();
        free(text);
        driver_release(&op);
        return 0;
}
