/*
 * JSON Schema (draft 2020-12) of templates and environments, so that editors complete keys and underline mistakes while typing.
 *
 * It describes the shape that the readers of this room accept, without the properties of resource types: those come from plug-ins.
 * Where a constant is expected, a text with an expression is accepted too.
 */
#include "base/text.h"
#include "template/template.h"

static const char head[] =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"Tutti template or "
    "environment\",\"type\":\"object\","
    "\"if\":{\"required\":[\"environment\"]},\"then\":{\"if\":{\"required\":[\"template\"]},\"then\":{\"$"
    "ref\":\"#/$defs/environment\"},"
    "\"else\":{\"$ref\":\"#/$defs/inline\"}},\"else\":{\"$ref\":\"#/$defs/template\"},\"$defs\":{";

static const char scalars[] =
    "\"name\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][A-Za-z0-9_-]{0,127}$\"},"
    "\"expression\":{\"type\":\"string\",\"pattern\":\"[$%]\\\\{\"},"
    "\"duration\":{\"type\":\"string\",\"pattern\":\"^([0-9]+(\\\\.[0-9]+)?(ms|s|m|h|d|w))+$\",\"examples\":["
    "\"30s\",\"10m\",\"2h30m\"]},"
    "\"names\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}},{"
    "\"type\":\"null\"}]},"
    "\"truth\":{\"anyOf\":[{\"type\":\"boolean\"},{\"$ref\":\"#/$defs/expression\"}]},"
    "\"object\":{\"anyOf\":[{\"type\":\"object\"},{\"$ref\":\"#/$defs/expression\"},{\"type\":\"null\"}]},";

static const char parameters[] =
    "\"check\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"that\",\"message\"],"
    "\"properties\":{"
    "\"that\":{\"description\":\"a condition over param that must be "
    "true\"},\"message\":{\"type\":\"string\"}}},"
    "\"parameter\":{\"anyOf\":[{\"type\":\"string\",\"description\":\"the type "
    "alone\",\"examples\":[\"string\",\"list(string)\"]},"
    "{\"type\":\"null\"},"
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"type\":{\"type\":\"string\"},"
    "\"default\":{},"
    "\"description\":{\"type\":\"string\"},\"sensitive\":{\"type\":\"boolean\"},"
    "\"check\":{\"anyOf\":[{\"$ref\":\"#/$defs/check\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/"
    "check\"}}]}}}]},"
    "\"provider\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"properties\":{"
    "\"type\":{\"type\":\"string\",\"description\":\"the provider; by default the name of the block\"},"
    "\"parallel\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000,\"description\":\"operations under "
    "way at once\"},"
    "\"rate\":{\"description\":\"requests, as in 50/s, 600/m or "
    "10000/h\",\"type\":[\"string\",\"number\"]}}}]},"
    "\"output\":{\"anyOf\":[{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"value\"],"
    "\"properties\":{\"value\":{},"
    "\"sensitive\":{\"type\":\"boolean\"},\"description\":{\"type\":\"string\"}}},true]},";

/* What a gate and an `approve:` have in common. */
#define ASKING                                                                                           \
        "\"message\":{\"type\":\"string\"},\"approvers\":{\"description\":\"persons and groups who may " \
        "answer\",\"$ref\":\"#/$defs/approvers\"},"                                                      \
        "\"approvals\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"description\":\"how many "  \
        "persons must approve\"},"                                                                       \
        "\"not_requester\":{\"type\":\"boolean\",\"description\":\"whoever started the run may not "     \
        "answer\"},"                                                                                     \
        "\"expires\":{\"$ref\":\"#/$defs/expires\"}"

static const char execution[] =
    "\"retry\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000},{\"type\":\"object\","
    "\"additionalProperties\":false,"
    "\"properties\":{\"attempts\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000},\"backoff\":{\"$"
    "ref\":\"#/$defs/duration\"},"
    "\"max\":{\"$ref\":\"#/$defs/duration\"}}}]},"
    "\"timeout\":{\"anyOf\":[{\"$ref\":\"#/$defs/"
    "duration\"},{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"create\":{\"$ref\":\"#/$defs/duration\"},\"update\":{\"$ref\":\"#/$defs/"
    "duration\"},\"delete\":{\"$ref\":\"#/$defs/duration\"},"
    "\"read\":{\"$ref\":\"#/$defs/duration\"}}}]},"
    "\"policy\":{\"enum\":[\"stop-dependants\",\"stop-run\",\"rollback\",\"ask\"]},"
    "\"approvers\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}},{"
    "\"type\":\"null\"}]},"
    "\"approve\":{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"object\",\"additionalProperties\":false,"
    "\"properties\":{"
    "\"on\":{\"anyOf\":[{\"$ref\":\"#/$defs/action\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/"
    "action\"}}]}," ASKING "}}]},"
    "\"expires\":{\"anyOf\":[{\"$ref\":\"#/$defs/duration\"},{\"type\":\"object\","
    "\"additionalProperties\":false,\"required\":[\"after\"],\"properties\":{"
    "\"after\":{\"$ref\":\"#/$defs/duration\"},\"action\":{\"enum\":[\"reject\",\"remind\"]}}}]},"
    "\"action\":{\"enum\":[\"create\",\"update\",\"replace\",\"delete\"]},"
    "\"on_failure\":{\"anyOf\":[{\"$ref\":\"#/$defs/"
    "policy\"},{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"run\":{\"$ref\":\"#/$defs/names\"},\"then\":{\"$ref\":\"#/$defs/policy\"}}}]},"
    "\"jump\":{\"type\":\"object\",\"required\":[\"address\"],\"additionalProperties\":false,\"properties\":{"
    "\"address\":{},\"port\":{},"
    "\"user\":{},\"key\":{},\"key_file\":{},\"passphrase\":{},\"password\":{},\"agent\":{},\"host_key\":{},"
    "\"known_hosts\":{},\"pin\":{}}},"
    "\"host\":{\"anyOf\":[{\"$ref\":\"#/$defs/expression\"},{\"type\":\"object\",\"required\":[\"address\"],"
    "\"additionalProperties\":false,\"properties\":{\"address\":{},\"port\":{},\"user\":{},\"key\":{},\"key_"
    "file\":{},\"passphrase\":{},"
    "\"password\":{},\"agent\":{},\"host_key\":{},\"known_hosts\":{},\"pin\":{},"
    "\"jump\":{\"anyOf\":[{\"$ref\":\"#/$defs/jump\"},{\"$ref\":\"#/$defs/expression\"}]}}}]},";

/* What gates, nested templates and resources have in common. */
#define REPEATED                                                                                            \
        "\"after\":{\"$ref\":\"#/$defs/"                                                                    \
        "names\"},\"count\":{\"type\":[\"integer\",\"string\",\"null\"],\"description\":\"how many\"},"     \
        "\"for_each\":{\"description\":\"a map, a set or list of texts, or another resource: one instance " \
        "for each\"},"                                                                                      \
        "\"when\":{\"description\":\"whether there is an instance at all\",\"$ref\":\"#/$defs/truth\"}"

static const char resources[] =
    "\"gate\":{\"type\":\"object\",\"required\":[\"type\"],\"additionalProperties\":false,\"properties\":{"
    "\"type\":{\"const\":\"gate\"},"
    "\"properties\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"properties\":{" ASKING
    "}}," REPEATED ",\"on_failure\":{\"$ref\":\"#/$defs/on_failure\"}}},"
    "\"nested\":{\"type\":\"object\",\"required\":[\"type\",\"template\"],\"additionalProperties\":false,"
    "\"properties\":{"
    "\"type\":{\"const\":\"template\"},\"template\":{\"type\":\"string\",\"description\":\"path of its "
    "file\"},"
    "\"parameters\":{\"$ref\":\"#/$defs/object\"},\"properties\":{\"$ref\":\"#/$defs/object\"}," REPEATED
    "}},"
    "\"managed\":{\"type\":\"object\",\"required\":[\"type\"],\"additionalProperties\":false,\"properties\":{"
    "\"type\":{\"type\":\"string\",\"description\":\"provider.type\"},\"properties\":{\"$ref\":\"#/$defs/"
    "object\"},"
    "\"provider\":{\"type\":\"string\",\"description\":\"which configured provider, when there are "
    "several\"}," REPEATED ","
    "\"host\":{\"$ref\":\"#/$defs/host\"},\"approve\":{\"$ref\":\"#/$defs/approve\"},\"retry\":{\"$ref\":\"#/"
    "$defs/retry\"},"
    "\"timeout\":{\"$ref\":\"#/$defs/timeout\"},\"protect\":{\"description\":\"refuse to destroy "
    "it\",\"$ref\":\"#/$defs/truth\"},"
    "\"keep\":{\"type\":\"boolean\",\"description\":\"forget it instead of deleting it when it leaves the "
    "template\"},"
    "\"replace\":{\"enum\":[\"create-first\",\"delete-first\"]},"
    "\"ignore\":{\"description\":\"properties whose drift is not corrected\",\"$ref\":\"#/$defs/names\"},"
    "\"adopt\":{\"const\":\"if-exists\"},\"on_failure\":{\"$ref\":\"#/$defs/on_failure\"}}},"
    "\"resource\":{\"if\":{\"properties\":{\"type\":{\"const\":\"gate\"}}},\"then\":{\"$ref\":\"#/$defs/"
    "gate\"},\"else\":{"
    "\"if\":{\"properties\":{\"type\":{\"const\":\"template\"}}},\"then\":{\"$ref\":\"#/$defs/nested\"},"
    "\"else\":{\"$ref\":\"#/$defs/managed\"}}},"
    "\"lookup\":{\"type\":\"object\",\"required\":[\"type\"],\"additionalProperties\":false,\"properties\":{"
    "\"type\":{\"type\":\"string\"},"
    "\"properties\":{\"$ref\":\"#/$defs/object\"},\"provider\":{\"type\":\"string\"},\"after\":{\"$ref\":\"#/"
    "$defs/names\"},"
    "\"retry\":{\"$ref\":\"#/$defs/retry\"},\"timeout\":{\"$ref\":\"#/$defs/timeout\"}}},";

#define MAP_OF(what)                                                             \
        "{\"type\":[\"object\",\"null\"],\"propertyNames\":{\"$ref\":\"#/$defs/" \
        "name\"},\"additionalProperties\":" what "}"
#define PARTS                                                                                                                                                                                  \
        "\"description\":{\"type\":\"string\"},\"parameters\":" MAP_OF("{\"$ref\":\"#/$defs/parameter\"}") ",\"providers\":" MAP_OF("{\"$ref\":\"#/$defs/provider\"}") ",\"lookups\":" MAP_OF( \
            "{\"$ref\":\"#/$defs/lookup\"}") ",\"locals\":" MAP_OF("true") ",\"resources\":" MAP_OF("{\"$"                                                                                     \
                                                                                                    "ref\":"                                                                                   \
                                                                                                    "\"#/"                                                                                     \
                                                                                                    "$defs/"                                                                                   \
                                                                                                    "resour"                                                                                   \
                                                                                                    "ce\"}") ",\"outputs\":" MAP_OF("{\"$ref\":\"#/$defs/output\"}")
#define SETTINGS                                                                                           \
        "\"environment\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$\"},"       \
        "\"state\":{\"type\":\"string\",\"description\":\"URL of the "                                     \
        "store\"},\"notify\":{\"$ref\":\"#/$defs/notify\"},\"schedule\":true,\"approvers\":{\"$ref\":\"#/" \
        "$defs/people\"},"                                                                                 \
        "\"triggers\":true"

/* Who is told: see notify.c. */
#define TOLD                                                                                                \
        "\"on\":{\"anyOf\":[{\"$ref\":\"#/$defs/told\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/" \
        "told\"}}]},\"name\":{\"type\":\"string\"}"
#define TRANSPORT \
        "\"tls\":{\"enum\":[\"verify\",\"none\",\"none-over-network\"]},\"ca\":{\"type\":\"string\"}"

static const char notify[] =
    "\"told\":{\"enum\":[\"gate-waiting\",\"gate-reminder\",\"run-failed\",\"run-done\",\"drift-found\"]},"
    "\"mailbox\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"to\",\"from\","
    "\"server\"],"
    "\"properties\":{\"to\":{\"$ref\":\"#/$defs/names\"},\"from\":{\"type\":\"string\"},"
    "\"server\":{\"type\":\"string\",\"description\":\"smtps://HOST, or smtp://HOST with STARTTLS\"},"
    "\"user\":{\"type\":\"string\"},\"password\":{\"$ref\":\"#/$defs/expression\"}," TRANSPORT "}},"
    "\"target\":{\"oneOf\":["
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"webhook\"],\"properties\":{"
    "\"webhook\":{\"type\":\"string\",\"description\":\"URL that JSON is posted to\"},"
    "\"secret\":{\"description\":\"signs messages; from a sensitive "
    "parameter\",\"$ref\":\"#/$defs/expression\"}," TOLD "," TRANSPORT "}},"
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"slack\"],\"properties\":{"
    "\"slack\":{\"type\":\"string\",\"description\":\"URL of an incoming webhook\"}," TOLD "," TRANSPORT "}},"
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"email\"],\"properties\":{"
    "\"email\":{\"$ref\":\"#/$defs/mailbox\"}," TOLD "}}]},"
    "\"notify\":{\"description\":\"who is told of "
    "what\",\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/target\"},"
    "{\"type\":\"array\",\"maxItems\":32,\"items\":{\"$ref\":\"#/$defs/target\"}}]},";

static const char files[] =
    "\"person\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"properties\":{"
    "\"key\":{\"type\":\"string\",\"pattern\":\"^ed25519:[A-Za-z0-9+/]{43}=$\"}}},"
    "\"people\":{\"type\":\"object\",\"additionalProperties\":false,\"description\":\"who may answer "
    "gates\",\"properties\":{"
    "\"people\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"$ref\":\"#/$defs/person\"}},"
    "\"groups\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"$ref\":\"#/$defs/names\"}},"
    "\"unsigned\":{\"type\":\"boolean\",\"description\":\"answers count without a signature\"}}},"
    "\"template\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"template\":{\"type\":"
    "\"string\","
    "\"description\":\"the template's name\"}," PARTS "}},"
    "\"inline\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"environment\"],"
    "\"properties\":{" SETTINGS "," PARTS "}},"
    "\"environment\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"environment\","
    "\"template\"],\"properties\":{"
    "\"template\":{\"type\":\"string\",\"description\":\"path of the template's file\"},"
    "\"parameters\":{\"type\":[\"object\",\"null\"],\"description\":\"values\"}," SETTINGS "}}}}";

void template_json_schema(struct text *out)
{
        text_add(out, head);
        text_add(out, scalars);
        text_add(out, parameters);
        text_add(out, execution);
        text_add(out, resources);
        text_add(out, notify);
        text_add(out, files);
}
