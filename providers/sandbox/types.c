/* The tables of types.h. Properties stand in the order in which replies show them. */
#include "providers/sandbox/types.h"

#include <string.h>
#include "base/text.h"

#define NAMED                                                          \
        {                                                              \
                .name = "name", .kind = SANDBOX_NAME, .required = true \
        }
#define REQUIRED(property, of_kind)                                 \
        {                                                           \
                .name = property, .kind = of_kind, .required = true \
        }
#define OPTIONAL(property, of_kind, value)                           \
        {                                                            \
                .name = property, .kind = of_kind, .fallback = value \
        }
/* Where an object lives or what it is made of: for its whole life. */
#define FIXED(property, of_kind)                                                   \
        {                                                                          \
                .name = property, .kind = of_kind, .required = true, .fixed = true \
        }
#define INSIDE(property, type)                                                                               \
        {                                                                                                    \
                .name = property, .kind = SANDBOX_REFERENCE, .required = true, .fixed = true, .target = type \
        }
#define LABELLED OPTIONAL("labels", SANDBOX_LABELS, "{}")

static const struct sandbox_type types[SANDBOX_TYPES] = {
    [SANDBOX_NETWORK] = {.index = SANDBOX_NETWORK,
        .name = "network",
        .plural = "networks",
        .prefix = "net",
        .property_count = 3,
        .properties = {NAMED, REQUIRED("cidr", SANDBOX_CIDR), LABELLED}},
    [SANDBOX_SUBNET] = {.index = SANDBOX_SUBNET,
        .name = "subnet",
        .plural = "subnets",
        .prefix = "sub",
        .property_count = 4,
        .properties = {NAMED, INSIDE("network_id", SANDBOX_NETWORK), REQUIRED("cidr", SANDBOX_CIDR),
            LABELLED}},
    [SANDBOX_FIREWALL] = {.index = SANDBOX_FIREWALL,
        .name = "firewall",
        .plural = "firewalls",
        .prefix = "fw",
        .property_count = 3,
        .properties = {NAMED, INSIDE("network_id", SANDBOX_NETWORK), REQUIRED("rules", SANDBOX_RULES)}},
    [SANDBOX_SSH_KEY] = {.index = SANDBOX_SSH_KEY,
        .name = "ssh_key",
        .plural = "ssh_keys",
        .prefix = "key",
        .property_count = 2,
        .properties = {NAMED, REQUIRED("public_key", SANDBOX_PUBLIC_KEY)},
        .outputs = {"fingerprint"}},
    [SANDBOX_SERVER] = {.index = SANDBOX_SERVER,
        .name = "server",
        .plural = "servers",
        .prefix = "srv",
        .property_count = 8,
        .properties = {NAMED, INSIDE("subnet_id", SANDBOX_SUBNET), REQUIRED("size", SANDBOX_TEXT),
            FIXED("image", SANDBOX_TEXT),
            {.name = "ssh_key_ids",
                .kind = SANDBOX_REFERENCES,
                .target = SANDBOX_SSH_KEY,
                .hold = SANDBOX_FOLLOWS,
                .fallback = "[]"},
            {.name = "firewall_ids",
                .kind = SANDBOX_REFERENCES,
                .target = SANDBOX_FIREWALL,
                .fallback = "[]"},
            OPTIONAL("user_data", SANDBOX_LONG_TEXT, "null"), LABELLED},
        .outputs = {"private_ip", "ssh_host", "ssh_port", "ssh_user", "host_key"}},
    [SANDBOX_VOLUME] = {.index = SANDBOX_VOLUME,
        .name = "volume",
        .plural = "volumes",
        .prefix = "vol",
        .property_count = 3,
        .properties = {NAMED, REQUIRED("size_gb", SANDBOX_GIGABYTES), LABELLED}},
    [SANDBOX_ATTACHMENT] = {.index = SANDBOX_ATTACHMENT,
        .name = "attachment",
        .plural = "attachments",
        .prefix = "att",
        .property_count = 2,
        .properties = {INSIDE("server_id", SANDBOX_SERVER), INSIDE("volume_id", SANDBOX_VOLUME)},
        .outputs = {"device"}},
    [SANDBOX_FLOATING_IP] = {.index = SANDBOX_FLOATING_IP,
        .name = "floating_ip",
        .plural = "floating_ips",
        .prefix = "fip",
        .property_count = 2,
        .properties = {NAMED, {.name = "server_id",
                                  .kind = SANDBOX_REFERENCE,
                                  .target = SANDBOX_SERVER,
                                  .hold = SANDBOX_FOLLOWS,
                                  .fallback = "null"}},
        .outputs = {"ip"}},
    [SANDBOX_LOAD_BALANCER] = {.index = SANDBOX_LOAD_BALANCER,
        .name = "load_balancer",
        .plural = "load_balancers",
        .prefix = "lb",
        .property_count = 4,
        .properties = {NAMED, INSIDE("subnet_id", SANDBOX_SUBNET),
            {.name = "server_ids",
                .kind = SANDBOX_REFERENCES,
                .required = true,
                .target = SANDBOX_SERVER,
                .hold = SANDBOX_FOLLOWS},
            REQUIRED("port", SANDBOX_PORT)},
        .outputs = {"ip"}},
    [SANDBOX_DATABASE] = {.index = SANDBOX_DATABASE,
        .name = "database",
        .plural = "databases",
        .prefix = "db",
        .property_count = 5,
        .properties = {NAMED, INSIDE("subnet_id", SANDBOX_SUBNET), FIXED("engine", SANDBOX_TEXT),
            REQUIRED("size", SANDBOX_SIZE), REQUIRED("password", SANDBOX_SECRET)},
        .outputs = {"endpoint"}},
    [SANDBOX_RECORD] = {.index = SANDBOX_RECORD,
        .name = "record",
        .plural = "records",
        .prefix = "rec",
        .property_count = 4,
        .properties = {NAMED, REQUIRED("type", SANDBOX_RECORD_TYPE), REQUIRED("value", SANDBOX_TEXT),
            OPTIONAL("ttl", SANDBOX_SECONDS, "3600")}},
};

const struct sandbox_type *sandbox_type_at(enum sandbox_type_index index)
{
        return &types[index];
}

const struct sandbox_type *sandbox_type_by_plural(const char *plural, size_t len)
{
        for (size_t i = 0; i < SANDBOX_TYPES; i++)
                if (strlen(types[i].plural) == len && memcmp(types[i].plural, plural, len) == 0)
                        return &types[i];
        return NULL;
}

const struct sandbox_type *sandbox_type_by_name(const char *name)
{
        for (size_t i = 0; i < SANDBOX_TYPES; i++)
                if (strcmp(types[i].name, name) == 0) return &types[i];
        return NULL;
}

const struct sandbox_property *sandbox_type_property(const struct sandbox_type *type, const char *name)
{
        for (size_t i = 0; i < type->property_count; i++)
                if (strcmp(type->properties[i].name, name) == 0) return &type->properties[i];
        return NULL;
}

const char *sandbox_type_suggest(const struct sandbox_type *type, const char *name)
{
        const char *names[8];
        for (size_t i = 0; i < type->property_count; i++) names[i] = type->properties[i].name;
        return text_suggest(name, names, type->property_count);
}

const char *sandbox_kind_name(enum sandbox_kind kind)
{
        static const char *const names[] = {
            [SANDBOX_NAME] = "name",
            [SANDBOX_TEXT] = "text",
            [SANDBOX_LONG_TEXT] = "long text",
            [SANDBOX_SECRET] = "secret",
            [SANDBOX_CIDR] = "cidr",
            [SANDBOX_REFERENCE] = "id",
            [SANDBOX_REFERENCES] = "list of ids",
            [SANDBOX_LABELS] = "labels",
            [SANDBOX_RULES] = "rules",
            [SANDBOX_PUBLIC_KEY] = "public key",
            [SANDBOX_GIGABYTES] = "gigabytes",
            [SANDBOX_SIZE] = "size",
            [SANDBOX_PORT] = "port",
            [SANDBOX_SECONDS] = "seconds",
            [SANDBOX_RECORD_TYPE] = "record type",
        };
        return names[kind];
}
