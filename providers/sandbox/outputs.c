/* One function per output; see outputs.h. */
#include "providers/sandbox/outputs.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "providers/sandbox/cidr.h"
#include "providers/sandbox/hosts.h"

/* Floating addresses come from the block that is set aside for benchmarks (RFC 2544): they lead nowhere. */
static const char public_block[] = "198.18.0.0/15";

/*
 * The next free address behind *cursor, going round. Each address that is passed over is in use, so the search is
 * bounded by the number of those. The network's own address, the gateway's (.1) and the broadcast stay free.
 */
static int take_address(const struct sandbox_cloud *cloud, const char *scope, const char *block,
    uint64_t *cursor, char *out, struct sandbox_refusal *refusal)
{
        struct sandbox_cidr cidr;
        sandbox_cidr_parse(block, &cidr);
        uint64_t size = sandbox_cidr_size(&cidr), first = size > 4 ? 2 : 0,
                 last = size > 4 ? size - 2 : size - 1;
        for (uint64_t tried = 0; tried <= last - first; tried++) {
                if (*cursor < first || *cursor > last) *cursor = first;
                sandbox_cidr_host(&cidr, (*cursor)++, out);
                cleanup_free char *address = mem_printf("%s/%s", scope, out);
                if (!map_has(&cloud->objects.addresses, address)) return 0;
        }
        return sandbox_refuse(refusal, 409, "subnet_id", "%s has no free address left in %s", scope, block);
}

static int take_subnet_address(
    const struct sandbox_cloud *cloud, const json_t *properties, char *out, struct sandbox_refusal *refusal)
{
        const char *id = json_string_value(json_object_get(properties, "subnet_id"));
        struct sandbox_object *subnet = sandbox_objects_find(
            &cloud->objects, sandbox_type_at(SANDBOX_SUBNET), id);
        return take_address(
            cloud, id, sandbox_object_text(subnet, "cidr"), &subnet->address_cursor, out, refusal);
}

static json_t *key_outputs(const json_t *properties)
{
        const char *key = json_string_value(json_object_get(properties, "public_key"));
        const char *blob = key ? strchr(key, ' ') : NULL;
        unsigned char hash[SHA256_DIGEST_LENGTH], text[64], *decoded;
        if (blob == NULL) return json_pack("{s:n}", "fingerprint");
        size_t len = strcspn(++blob, " \r\n=");
        size_t whole = len / 4 * 4 + (len % 4 ? 4 : 0);
        cleanup_free char *padded = mem_alloc(whole + 1);
        memset(padded, '=', whole);
        memcpy(padded, blob, len);
        decoded = mem_alloc(whole);
        int bytes = EVP_DecodeBlock(decoded, (unsigned char *)padded, (int)whole);
        size_t count = bytes < 0 ? 0 : (size_t)bytes - (whole - len);
        SHA256(decoded, count, hash);
        free(decoded);
        int used = EVP_EncodeBlock(text, hash, sizeof hash);
        while (used > 0 && text[used - 1] == '=') text[--used] = '\0';
        return json_pack("{s:s+}", "fingerprint", "SHA256:", (char *)text);
}

static void set_host(
    json_t *outputs, const struct sandbox_hosts *hosts, const struct sandbox_host_address *address)
{
        const char *note = sandbox_hosts_note(hosts);
        if (note != NULL) {
                json_t *none = json_pack("{s:n, s:n, s:n, s:n, s:s}", "ssh_host", "ssh_port", "ssh_user",
                    "host_key", "note", note);
                json_object_update_new(outputs, none);
                return;
        }
        json_object_del(outputs, "note");
        json_object_update_new(outputs,
            json_pack("{s:s, s:i, s:s, s:s}", "ssh_host", "127.0.0.1", "ssh_port", (int)address->port,
                "ssh_user", sandbox_hosts_user(hosts), "host_key", address->key));
}

static json_t *server_outputs(
    struct sandbox_cloud *cloud, const char *id, const json_t *properties, struct sandbox_refusal *refusal)
{
        char ip[SANDBOX_CIDR_TEXT];
        struct sandbox_host_address address = {0};
        cleanup(error_free) struct error *err = NULL;
        if (take_subnet_address(cloud, properties, ip, refusal) < 0) return NULL;
        const char *name = json_string_value(json_object_get(properties, "name"));
        if (sandbox_hosts_note(cloud->hosts) == NULL &&
            sandbox_hosts_start(cloud->hosts, id, name, 0, &address, &err) < 0) {
                sandbox_refuse(refusal, 503, NULL, "%s", error_message(err));
                return NULL;
        }
        json_t *outputs = json_pack("{s:s}", "private_ip", ip);
        set_host(outputs, cloud->hosts, &address);
        return outputs;
}

/* The first letter that no other volume of the server has: /dev/vda is its own disk. */
static json_t *attachment_outputs(
    const struct sandbox_cloud *cloud, const json_t *properties, struct sandbox_refusal *refusal)
{
        bool taken[26] = {true};
        const char *id = json_string_value(json_object_get(properties, "server_id"));
        const struct sandbox_object *server = sandbox_objects_find(
            &cloud->objects, sandbox_type_at(SANDBOX_SERVER), id);
        for (map_foreach (&server->users, entry)) {
                const struct sandbox_object *user = entry->value;
                const char *device = json_string_value(json_object_get(user->outputs, "device"));
                if (device != NULL && strlen(device) == 8) taken[(unsigned)(device[7] - 'a') % 26] = true;
        }
        for (int i = 0; i < 26; i++) {
                char device[] = "/dev/vda";
                device[7] = (char)('a' + i);
                if (!taken[i]) return json_pack("{s:s}", "device", device);
        }
        sandbox_refuse(refusal, 409, "server_id", "server %s has no room for another volume", id);
        return NULL;
}

static json_t *database_outputs(const char *id, const json_t *properties)
{
        static const struct {
                const char *engine;
                int port;
        } ports[] = {{"mysql", 3306}, {"mariadb", 3306}, {"redis", 6379}, {"mongodb", 27017}};
        const char *engine = json_string_value(json_object_get(properties, "engine"));
        char endpoint[128];
        int port = 5432;
        for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
                if (strncmp(engine, ports[i].engine, strlen(ports[i].engine)) == 0) port = ports[i].port;
        snprintf(endpoint, sizeof endpoint, "%s.databases.sandbox.internal:%d", id, port);
        return json_pack("{s:s}", "endpoint", endpoint);
}

json_t *sandbox_outputs_new(struct sandbox_cloud *cloud, const struct sandbox_type *type, const char *id,
    const json_t *properties, struct sandbox_refusal *refusal)
{
        char ip[SANDBOX_CIDR_TEXT];
        switch (type->index) {
        case SANDBOX_SSH_KEY: return key_outputs(properties);
        case SANDBOX_SERVER: return server_outputs(cloud, id, properties, refusal);
        case SANDBOX_ATTACHMENT: return attachment_outputs(cloud, properties, refusal);
        case SANDBOX_DATABASE: return database_outputs(id, properties);
        case SANDBOX_FLOATING_IP:
                if (take_address(cloud, "public", public_block, &cloud->objects.public_cursor, ip, refusal) <
                    0)
                        return NULL;
                return json_pack("{s:s}", "ip", ip);
        case SANDBOX_LOAD_BALANCER:
                if (take_subnet_address(cloud, properties, ip, refusal) < 0) return NULL;
                return json_pack("{s:s}", "ip", ip);
        default: return json_object();
        }
}

json_t *sandbox_outputs_after(const struct sandbox_object *object, const json_t *properties)
{
        if (object->type->index == SANDBOX_SSH_KEY) return key_outputs(properties);
        return json_deep_copy(object->outputs);
}

int sandbox_outputs_apply_host(
    struct sandbox_cloud *cloud, const struct sandbox_object *server, struct error **err)
{
        if (sandbox_hosts_note(cloud->hosts) != NULL) return 0;
        const json_t *ids = json_object_get(server->properties, "ssh_key_ids");
        size_t count = json_array_size(ids);
        cleanup_free const char **keys = mem_alloc((count + 1) * sizeof *keys);
        for (size_t i = 0; i < count; i++) {
                const char *id = json_string_value(json_array_get(ids, i));
                keys[i] = sandbox_object_text(
                    sandbox_objects_find(&cloud->objects, sandbox_type_at(SANDBOX_SSH_KEY), id),
                    "public_key");
        }
        if (sandbox_hosts_rename(cloud->hosts, server->id, sandbox_object_text(server, "name"), err) < 0)
                return -1;
        if (sandbox_hosts_authorize(cloud->hosts, server->id, keys, count, err) < 0) return -1;
        sandbox_hosts_open(cloud->hosts, server->id, server->ready_at);
        return 0;
}

int sandbox_outputs_apply_key(
    struct sandbox_cloud *cloud, const struct sandbox_object *key, struct error **err)
{
        for (map_foreach (&key->users, entry))
                if (sandbox_outputs_apply_host(cloud, entry->value, err) < 0) return -1;
        return 0;
}

static int revive_server(struct sandbox_cloud *cloud, struct sandbox_object *server, struct error **err)
{
        struct sandbox_host_address address = {0};
        json_int_t port = json_integer_value(json_object_get(server->outputs, "ssh_port"));
        if (port < 0 || port > 65535) port = 0;
        if (sandbox_hosts_note(cloud->hosts) == NULL &&
            sandbox_hosts_start(cloud->hosts, server->id, sandbox_object_text(server, "name"), (unsigned)port,
                &address, err) < 0)
                return -1;
        set_host(server->outputs, cloud->hosts, &address);
        return sandbox_outputs_apply_host(cloud, server, err);
}

int sandbox_outputs_revive(struct sandbox_cloud *cloud, struct error **err)
{
        const struct sandbox_shelf *servers = &cloud->objects.shelves[SANDBOX_SERVER];
        for (size_t i = 0; i < servers->slot_count; i++)
                if (servers->slots[i].object != NULL &&
                    revive_server(cloud, servers->slots[i].object, err) < 0)
                        return -1;
        sandbox_hosts_tidy(cloud->hosts);
        return 0;
}
