/*
 * What can be done to the practice cloud: create, update, delete, show. Each is a list of checks, then one
 * effect, then what follows from it for hosts. See cloud.h.
 */
#include "providers/sandbox/cloud.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "providers/sandbox/effects.h"
#include "providers/sandbox/hosts.h"
#include "providers/sandbox/outputs.h"
#include "providers/sandbox/relations.h"
#include "providers/sandbox/values.h"

int sandbox_cloud_open(struct sandbox_cloud *cloud, const char *directory, struct error **err)
{
        return sandbox_disk_open(&cloud->disk, directory, sandbox_effect_replay, cloud, err);
}

void sandbox_cloud_release(struct sandbox_cloud *cloud)
{
        sandbox_hosts_free(cloud->hosts);
        sandbox_objects_release(&cloud->objects);
        sandbox_control_release(&cloud->control);
        text_release(&cloud->journal.lines);
        free(cloud->journal.starts);
        sandbox_disk_close(&cloud->disk);
}

/* SHA-256 over both texts with a NUL between them, in hexadecimal. */
static void digest_texts(const char *a, const char *b, char out[SANDBOX_DIGEST])
{
        unsigned char hash[SHA256_DIGEST_LENGTH];
        struct text both = {0};
        text_addn(&both, a, strlen(a) + 1);
        text_add(&both, b);
        SHA256((unsigned char *)both.data, both.len, hash);
        text_hex(hash, sizeof hash, out);
        mem_wipe(both.data, both.len);
        text_release(&both);
}

/* Two bodies are the same when they say the same, whatever the order of their members. */
static void digest_body(const struct sandbox_type *type, const json_t *body, char out[SANDBOX_DIGEST])
{
        cleanup_free char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
        digest_texts(type->name, text, out);
        mem_wipe(text, strlen(text));
}

static void draw_id(const struct sandbox_cloud *cloud, const struct sandbox_type *type, char id[SANDBOX_ID])
{
        unsigned char random[6];
        char hex[2 * sizeof random + 1];
        do {
                RAND_bytes(random, sizeof random);
                text_hex(random, sizeof random, hex);
                snprintf(id, SANDBOX_ID, "%s-%s", type->prefix, hex);
        } while (sandbox_objects_find(&cloud->objects, type, id) != NULL);
}

static int check_known(const struct sandbox_type *type, const json_t *body, struct sandbox_refusal *refusal)
{
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)body, key, value)
        {
                if (sandbox_type_property(type, key) != NULL) continue;
                bool output = strcmp(key, "id") == 0 || strcmp(key, "status") == 0;
                for (size_t i = 0; type->outputs[i] != NULL; i++)
                        output |= strcmp(key, type->outputs[i]) == 0;
                if (output)
                        return sandbox_refuse(
                            refusal, 422, key, "'%.64s' of a %s is set by the cloud", key, type->name);
                const char *like = sandbox_type_suggest(type, key);
                return sandbox_refuse(refusal, 422, key, "a %s has no property '%.64s'%s%s%s", type->name,
                    key, like ? "; did you mean '" : "", like ? like : "", like ? "'?" : "");
        }
        return 0;
}

/* What is kept of a value. A secret leaves only a digest, which tells whether it changes. */
static json_t *keep_value(const struct sandbox_property *property, const char *id, const json_t *value)
{
        char digest[SANDBOX_DIGEST];
        if (property->kind != SANDBOX_SECRET) return json_deep_copy(value);
        digest_texts(id, json_string_value(value), digest);
        return json_string(digest);
}

/* The value that the body gives to a property: 1 when there is one to check, 0 when the fallback was taken. */
static int keep_property(const struct sandbox_property *property, const char *id, const json_t *given,
    json_t *properties, struct sandbox_refusal *refusal)
{
        if (given != NULL && (!json_is_null(given) || property->required)) {
                if (sandbox_value_check(property, given, refusal) < 0) return -1;
                return json_object_set_new(properties, property->name, keep_value(property, id, given));
        }
        if (property->required)
                return sandbox_refuse(refusal, 422, property->name, "%s is required", property->name);
        return json_object_set_new(
            properties, property->name, json_loads(property->fallback, JSON_DECODE_ANY, NULL));
}

static int check_together(const struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const json_t *properties, const struct sandbox_object *self, struct sandbox_refusal *refusal)
{
        if (type->index == SANDBOX_RECORD && sandbox_value_check_record(properties, refusal) < 0) return -1;
        return sandbox_relations_check(cloud, type, properties, self, refusal);
}

/* A new reference to the checked properties of a new object, or NULL. */
static json_t *complete(const struct sandbox_cloud *cloud, const struct sandbox_type *type, const char *id,
    const json_t *body, struct sandbox_refusal *refusal)
{
        if (check_known(type, body, refusal) < 0) return NULL;
        json_t *properties = json_object();
        int result = 0;
        for (size_t i = 0; i < type->property_count && result == 0; i++) {
                const struct sandbox_property *p = &type->properties[i];
                result = keep_property(p, id, json_object_get(body, p->name), properties, refusal);
        }
        if (result == 0) result = check_together(cloud, type, properties, NULL, refusal);
        if (result == 0) return properties;
        json_decref(properties);
        return NULL;
}

/* A host that cannot be brought in line is the machine's trouble, not the caller's: the object stands. */
static void log_host_error(struct error *err)
{
        if (err != NULL) log_error("%s", error_message(err));
        error_free(err);
}

enum sandbox_created sandbox_cloud_create(struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const json_t *body, const char *key, struct sandbox_object **ret, struct sandbox_refusal *refusal)
{
        char id[SANDBOX_ID], digest[SANDBOX_DIGEST];
        struct error *err = NULL;

        /* 1. a repetition finds what the first request made */
        digest_body(type, body, digest);
        bool honoured = key != NULL && !cloud->control.ignore_keys;
        *ret = honoured ? map_get(&cloud->objects.by_key, key) : NULL;
        if (*ret != NULL && strcmp((*ret)->digest, digest) == 0) return SANDBOX_REPEATED;
        if (*ret != NULL)
                return (enum sandbox_created)sandbox_refuse(
                    refusal, 422, NULL, "this Idempotency-Key created %s from another request", (*ret)->id);

        /* 2. are the properties acceptable, alone and among the other objects? */
        draw_id(cloud, type, id);
        json_t *properties = complete(cloud, type, id, body, refusal);
        if (properties == NULL) return SANDBOX_REFUSED;

        /* 3. what the cloud decides */
        json_t *outputs = sandbox_outputs_new(cloud, type, id, properties, refusal);
        if (outputs == NULL) {
                json_decref(properties);
                return SANDBOX_REFUSED;
        }

        /* 4. the effect */
        *ret = sandbox_effect_created(cloud, type, id, properties, outputs, key, digest);
        if (type->index == SANDBOX_SERVER) sandbox_outputs_apply_host(cloud, *ret, &err);
        log_host_error(err);
        return SANDBOX_CREATED;
}

/* The properties after an update, checked; NULL when refused. */
static json_t *merge(const struct sandbox_cloud *cloud, const struct sandbox_object *object,
    const json_t *body, struct sandbox_refusal *refusal)
{
        const struct sandbox_type *type = object->type;
        if (check_known(type, body, refusal) < 0) return NULL;
        json_t *properties = json_deep_copy(object->properties);
        int result = 0;
        for (size_t i = 0; i < type->property_count && result == 0; i++) {
                const struct sandbox_property *p = &type->properties[i];
                const json_t *given = json_object_get(body, p->name);
                if (given == NULL) continue;
                result = keep_property(p, object->id, given, properties, refusal);
                if (result == 0 && p->fixed &&
                    !json_equal(
                        json_object_get(properties, p->name), json_object_get(object->properties, p->name)))
                        result = sandbox_refuse(refusal, 422, p->name,
                            "%s of a %s is set at its creation and cannot change", p->name, type->name);
        }
        if (result == 0) result = check_together(cloud, type, properties, object, refusal);
        if (result == 0) return properties;
        json_decref(properties);
        return NULL;
}

int sandbox_cloud_update(struct sandbox_cloud *cloud, struct sandbox_object *object, const json_t *body,
    const char *key, struct sandbox_refusal *refusal)
{
        struct error *err = NULL;
        json_t *properties = merge(cloud, object, body, refusal);
        if (properties == NULL) return -1;
        if (json_equal(properties, object->properties)) {
                json_decref(properties);
                return 0;
        }
        sandbox_effect_updated(cloud, object, properties, sandbox_outputs_after(object, properties), key);
        if (object->type->index == SANDBOX_SERVER) sandbox_outputs_apply_host(cloud, object, &err);
        if (object->type->index == SANDBOX_SSH_KEY) sandbox_outputs_apply_key(cloud, object, &err);
        log_host_error(err);
        return 0;
}

/* Rewrites the authorised keys of the servers that had a key which is gone now. */
static void revoke_key(struct sandbox_cloud *cloud, struct map *servers)
{
        struct error *err = NULL;
        for (map_foreach (servers, entry)) sandbox_outputs_apply_host(cloud, entry->value, &err);
        map_release(servers);
        log_host_error(err);
}

int sandbox_cloud_delete(struct sandbox_cloud *cloud, struct sandbox_object *object, const char *key,
    struct sandbox_refusal *refusal)
{
        if (sandbox_relations_check_unused(object, refusal) < 0) return -1;
        struct map affected = {0};
        if (object->type->index == SANDBOX_SSH_KEY)
                for (map_foreach (&object->users, entry))
                        map_put(&affected, ((struct sandbox_object *)entry->value)->id, entry->value);
        if (object->type->index == SANDBOX_SERVER) sandbox_hosts_stop(cloud->hosts, object->id);
        sandbox_effect_deleted(cloud, object, key);
        revoke_key(cloud, &affected);
        return 0;
}

json_t *sandbox_cloud_render(const struct sandbox_object *object, int64_t now)
{
        json_t *shown = json_pack(
            "{s:s, s:s}", "id", object->id, "status", now < object->ready_at ? "creating" : "active");
        for (size_t i = 0; i < object->type->property_count; i++) {
                const struct sandbox_property *p = &object->type->properties[i];
                if (p->kind == SANDBOX_SECRET) continue;
                json_object_set(shown, p->name, json_object_get(object->properties, p->name));
        }
        json_object_update(shown, object->outputs);
        return shown;
}
