/* One function per rule; see relations.h. */
#include "providers/sandbox/relations.h"

#include <string.h>
#include "providers/sandbox/cidr.h"

struct relation {
        const struct sandbox_cloud *cloud;
        const struct sandbox_type *type;
        const json_t *properties;
        const struct sandbox_object *self;
        struct sandbox_refusal *refusal;
};

static const char *text_of(const struct relation *r, const char *property)
{
        return json_string_value(json_object_get(r->properties, property));
}

/* The object that a (checked) reference names. */
static const struct sandbox_object *target_of(
    const struct relation *r, const char *property, enum sandbox_type_index type)
{
        const char *id = text_of(r, property);
        return id ? sandbox_objects_find(&r->cloud->objects, sandbox_type_at(type), id) : NULL;
}

static int check_reference(
    const struct relation *r, const struct sandbox_property *property, const json_t *id)
{
        const struct sandbox_type *target = sandbox_type_at(property->target);
        if (!json_is_string(id)) return 0;
        if (sandbox_objects_find(&r->cloud->objects, target, json_string_value(id)) != NULL) return 0;
        return sandbox_refuse(r->refusal, 404, property->name, "%s: there is no %s '%.64s'", property->name,
            target->name, json_string_value(id));
}

static int check_references(const struct relation *r)
{
        for (size_t i = 0; i < r->type->property_count; i++) {
                const struct sandbox_property *p = &r->type->properties[i];
                const json_t *value = json_object_get(r->properties, p->name);
                size_t k;
                json_t *item;
                if (p->kind == SANDBOX_REFERENCE && check_reference(r, p, value) < 0) return -1;
                if (p->kind != SANDBOX_REFERENCES) continue;
                json_array_foreach((json_t *)value, k, item) if (check_reference(r, p, item) < 0) return -1;
        }
        return 0;
}

/* In DNS one name may have an address and a text, so records share a name if they differ in type. */
static int check_name(const struct relation *r)
{
        const char *name = text_of(r, "name"), *kind = text_of(r, "type");
        if (name == NULL || r->cloud->control.duplicate_names) return 0;
        const struct sandbox_object *other = sandbox_objects_named(&r->cloud->objects, r->type, name);
        for (; other != NULL; other = other->next) {
                if (other == r->self) continue;
                if (kind != NULL && strcmp(kind, sandbox_object_text(other, "type")) != 0) continue;
                return sandbox_refuse(r->refusal, 409, "name", "there is already a %s named '%s': %s",
                    r->type->name, name, other->id);
        }
        return 0;
}

static bool cidr_of(const struct sandbox_object *object, struct sandbox_cidr *cidr)
{
        const char *text = sandbox_object_text(object, "cidr");
        return text != NULL && sandbox_cidr_parse(text, cidr);
}

/* A network that changes must still contain its subnets. */
static int check_network(const struct relation *r)
{
        struct sandbox_cidr network, subnet;
        sandbox_cidr_parse(text_of(r, "cidr"), &network);
        if (r->self == NULL) return 0;
        for (map_foreach (&r->self->users, entry)) {
                const struct sandbox_object *user = entry->value;
                if (user->type->index != SANDBOX_SUBNET || !cidr_of(user, &subnet)) continue;
                if (!sandbox_cidr_contains(&network, &subnet))
                        return sandbox_refuse(r->refusal, 422, "cidr",
                            "cidr %s does not contain %s of its subnet %s", text_of(r, "cidr"),
                            sandbox_object_text(user, "cidr"), user->id);
        }
        return 0;
}

/* A subnet that changes must still contain the addresses that it gave out. */
static int check_subnet_addresses(const struct relation *r, const struct sandbox_cidr *subnet)
{
        struct sandbox_cidr address;
        if (r->self == NULL) return 0;
        for (map_foreach (&r->self->users, entry)) {
                const struct sandbox_object *user = entry->value;
                const char *ip = json_string_value(json_object_get(user->outputs, "private_ip"));
                if (ip == NULL) ip = json_string_value(json_object_get(user->outputs, "ip"));
                if (ip == NULL || !sandbox_cidr_parse_address(ip, &address)) continue;
                if (!sandbox_cidr_contains(subnet, &address))
                        return sandbox_refuse(r->refusal, 422, "cidr",
                            "cidr %s does not contain the address %s of %s", text_of(r, "cidr"), ip,
                            user->id);
        }
        return 0;
}

static int check_subnet(const struct relation *r)
{
        struct sandbox_cidr network, subnet, sibling;
        const struct sandbox_object *parent = target_of(r, "network_id", SANDBOX_NETWORK);
        const char *text = text_of(r, "cidr");
        sandbox_cidr_parse(text, &subnet);
        if (cidr_of(parent, &network) && !sandbox_cidr_contains(&network, &subnet))
                return sandbox_refuse(r->refusal, 422, "cidr", "cidr %s is outside %s of network %s", text,
                    sandbox_object_text(parent, "cidr"), parent->id);
        for (map_foreach (&parent->users, entry)) {
                const struct sandbox_object *user = entry->value;
                if (user == r->self || user->type->index != SANDBOX_SUBNET || !cidr_of(user, &sibling))
                        continue;
                if (sandbox_cidr_overlaps(&subnet, &sibling))
                        return sandbox_refuse(r->refusal, 422, "cidr", "cidr %s overlaps %s of subnet %s",
                            text, sandbox_object_text(user, "cidr"), user->id);
        }
        return check_subnet_addresses(r, &subnet);
}

/* A firewall guards the servers of its own network. */
static int check_server(const struct relation *r)
{
        const struct sandbox_object *subnet = target_of(r, "subnet_id", SANDBOX_SUBNET);
        const char *network = sandbox_object_text(subnet, "network_id");
        size_t i;
        json_t *id;
        json_array_foreach(json_object_get(r->properties, "firewall_ids"), i, id)
        {
                const struct sandbox_object *firewall = sandbox_objects_find(
                    &r->cloud->objects, sandbox_type_at(SANDBOX_FIREWALL), json_string_value(id));
                if (strcmp(sandbox_object_text(firewall, "network_id"), network) != 0)
                        return sandbox_refuse(r->refusal, 422, "firewall_ids",
                            "firewall %s belongs to another network than subnet %s", firewall->id,
                            subnet->id);
        }
        return 0;
}

static int check_volume(const struct relation *r)
{
        if (r->self == NULL) return 0;
        json_int_t before = json_integer_value(json_object_get(r->self->properties, "size_gb"));
        json_int_t after = json_integer_value(json_object_get(r->properties, "size_gb"));
        if (after >= before) return 0;
        return sandbox_refuse(r->refusal, 422, "size_gb",
            "a volume cannot shrink: size_gb is %" JSON_INTEGER_FORMAT ", not %" JSON_INTEGER_FORMAT, before,
            after);
}

static int check_attachment(const struct relation *r)
{
        const struct sandbox_object *volume = target_of(r, "volume_id", SANDBOX_VOLUME);
        for (map_foreach (&volume->users, entry)) {
                const struct sandbox_object *user = entry->value;
                if (user != r->self)
                        return sandbox_refuse(r->refusal, 409, "volume_id",
                            "volume %s is attached to server %s already: %s", volume->id,
                            sandbox_object_text(user, "server_id"), user->id);
        }
        return 0;
}

int sandbox_relations_check(const struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const json_t *properties, const struct sandbox_object *self, struct sandbox_refusal *refusal)
{
        struct relation r = {cloud, type, properties, self, refusal};
        if (check_references(&r) < 0 || check_name(&r) < 0) return -1;
        switch (type->index) {
        case SANDBOX_NETWORK: return check_network(&r);
        case SANDBOX_SUBNET: return check_subnet(&r);
        case SANDBOX_SERVER: return check_server(&r);
        case SANDBOX_VOLUME: return check_volume(&r);
        case SANDBOX_ATTACHMENT: return check_attachment(&r);
        default: return 0;
        }
}

int sandbox_relations_check_unused(const struct sandbox_object *object, struct sandbox_refusal *refusal)
{
        for (map_foreach (&object->users, entry)) {
                const struct sandbox_object *user = entry->value;
                if (sandbox_object_is_held_by(object, user))
                        return sandbox_refuse(refusal, 409, NULL, "%s %s is in use by %s %s",
                            object->type->name, object->id, user->type->name, user->id);
        }
        return 0;
}
