/*
 * Building, applying and replaying effects; see effects.h. A record is
 * {"entry": {the journal's entry}, "properties", "outputs", "digest", "ready", "visible"}; the last two are
 * instants on the wall clock, as the monotonic one does not survive a restart.
 */
#include "providers/sandbox/effects.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"

/* Ten years, the longest duration that can be set. */
#define LATENCY_MAX ((int64_t)10 * 366 * 24 * 3600 * 1000)

static void journal_add(struct sandbox_journal *journal, const json_t *entry)
{
        cleanup_free char *line = json_dumps(entry, JSON_COMPACT);
        if (journal->count > 0) text_add(&journal->lines, ",\n");
        vec_push(journal->starts, journal->count, journal->capacity, journal->lines.len);
        text_add(&journal->lines, line);
}

char *sandbox_journal_text(const struct sandbox_journal *journal, int64_t since, size_t *len)
{
        struct text out = {0};
        text_addc(&out, '[');
        if (since < (int64_t)journal->count) {
                size_t start = journal->starts[since > 0 ? since : 0];
                text_addn(&out, journal->lines.data + start, journal->lines.len - start);
        }
        text_add(&out, "]\n");
        *len = out.len;
        return text_steal(&out);
}

static json_t *text_or_null(const char *text)
{
        return text ? json_string(text) : json_null();
}

static json_t *entry_new(const struct sandbox_cloud *cloud, const char *effect,
    const struct sandbox_type *type, const char *id, const json_t *properties, const char *key)
{
        char time[CLOCK_TEXT];
        clock_text(clock_wall_ms(), time);
        json_t *name = json_object_get(properties, "name");
        json_t *labels = json_object_get(properties, "labels");
        return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "seq",
            (json_int_t)cloud->journal.count + 1, "time", time, "effect", effect, "type", type->name, "id",
            id, "name", name ? json_deep_copy(name) : json_null(), "labels",
            labels ? json_deep_copy(labels) : json_object(), "key", text_or_null(key));
}

/* Takes over the entry; `rest` is the record without it and may be NULL. */
static void record_effect(struct sandbox_cloud *cloud, json_t *entry, json_t *rest)
{
        journal_add(&cloud->journal, entry);
        if (cloud->disk.file >= 0) {
                json_t *record = rest ? json_incref(rest) : json_object();
                json_object_set(record, "entry", entry);
                cleanup_free char *line = json_dumps(record, JSON_COMPACT);
                sandbox_disk_append(&cloud->disk, line, strlen(line));
                json_decref(record);
        }
        json_decref(entry);
        json_decref(rest);
}

struct sandbox_object *sandbox_effect_created(struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const char *id, json_t *properties, json_t *outputs, const char *key, const char *digest)
{
        struct sandbox_object *object = mem_alloc(sizeof *object);
        int64_t now = clock_monotonic_ms(), wall = clock_wall_ms();
        object->type = type;
        snprintf(object->id, sizeof object->id, "%s", id);
        object->seq = (int64_t)cloud->journal.count + 1;
        object->ready_at = now + sandbox_control_draw_latency(&cloud->control);
        object->visible_at = now + cloud->control.visible_after;
        object->properties = properties;
        object->outputs = outputs;
        object->key = mem_strdup(key);
        snprintf(object->digest, sizeof object->digest, "%s", digest);
        sandbox_objects_add(&cloud->objects, object);
        json_t *entry = entry_new(cloud, "created", type, id, properties, key);
        json_object_set_new(entry, "latency_ms", json_integer(object->ready_at - now));
        record_effect(cloud, entry,
            json_pack("{s:O, s:O, s:s, s:I, s:I}", "properties", properties, "outputs", outputs, "digest",
                digest, "ready", (json_int_t)(wall + object->ready_at - now), "visible",
                (json_int_t)(wall + object->visible_at - now)));
        return object;
}

void sandbox_effect_updated(struct sandbox_cloud *cloud, struct sandbox_object *object, json_t *properties,
    json_t *outputs, const char *key)
{
        sandbox_objects_change(&cloud->objects, object, properties, outputs);
        record_effect(cloud, entry_new(cloud, "updated", object->type, object->id, properties, key),
            json_pack("{s:O, s:O}", "properties", properties, "outputs", outputs));
}

void sandbox_effect_deleted(struct sandbox_cloud *cloud, struct sandbox_object *object, const char *key)
{
        record_effect(
            cloud, entry_new(cloud, "deleted", object->type, object->id, object->properties, key), NULL);
        sandbox_objects_remove(&cloud->objects, object);
}

/* The time left until a recorded instant, put on this process's monotonic clock. */
static int64_t revive_instant(const json_t *wall)
{
        int64_t now = clock_wall_ms(), then = json_integer_value(wall);
        return clock_monotonic_ms() + (then > now && then - now < LATENCY_MAX ? then - now : 0);
}

static int replay_created(struct sandbox_cloud *cloud, const json_t *record, const struct sandbox_type *type,
    const char *id, struct error **err)
{
        const json_t *entry = json_object_get(record, "entry");
        const char *digest = json_string_value(json_object_get(record, "digest"));
        if (digest == NULL) return error_set(err, ERROR_INPUT, NULL, "damaged journal: no digest");
        struct sandbox_object *object = mem_alloc(sizeof *object);
        object->type = type;
        snprintf(object->id, sizeof object->id, "%s", id);
        object->seq = json_integer_value(json_object_get(entry, "seq"));
        object->ready_at = revive_instant(json_object_get(record, "ready"));
        object->visible_at = revive_instant(json_object_get(record, "visible"));
        object->properties = json_deep_copy(json_object_get(record, "properties"));
        object->outputs = json_deep_copy(json_object_get(record, "outputs"));
        object->key = mem_strdup(json_string_value(json_object_get(entry, "key")));
        snprintf(object->digest, sizeof object->digest, "%s", digest);
        sandbox_objects_add(&cloud->objects, object);
        return 0;
}

/* Lists that hold anything but texts would break their readers; the file may have been edited by hand. */
static bool is_well_formed(const struct sandbox_type *type, const json_t *properties)
{
        for (size_t i = 0; i < type->property_count; i++) {
                const struct sandbox_property *p = &type->properties[i];
                const json_t *value = json_object_get(properties, p->name);
                size_t k;
                json_t *item;
                if (value == NULL) return false;
                if (p->kind == SANDBOX_NAME && !json_is_string(value)) return false;
                if (p->kind == SANDBOX_CIDR && !json_is_string(value)) return false;
                if (p->kind != SANDBOX_REFERENCES) continue;
                if (!json_is_array(value)) return false;
                json_array_foreach((json_t *)value, k, item) if (!json_is_string(item)) return false;
        }
        return true;
}

static int apply_record(struct sandbox_cloud *cloud, const json_t *record, struct error **err)
{
        const json_t *entry = json_object_get(record, "entry");
        const char *effect = json_string_value(json_object_get(entry, "effect"));
        const char *type_name = json_string_value(json_object_get(entry, "type"));
        const char *id = json_string_value(json_object_get(entry, "id"));
        json_t *properties = json_object_get(record, "properties"),
               *outputs = json_object_get(record, "outputs");
        const struct sandbox_type *type = type_name ? sandbox_type_by_name(type_name) : NULL;
        if (effect == NULL || type == NULL || id == NULL || strlen(id) >= SANDBOX_ID ||
            json_integer_value(json_object_get(entry, "seq")) != (json_int_t)cloud->journal.count + 1)
                return error_set(err, ERROR_INPUT, NULL, "damaged journal: not an effect, or out of order");

        struct sandbox_object *object = sandbox_objects_find(&cloud->objects, type, id);
        bool created = strcmp(effect, "created") == 0, deleted = strcmp(effect, "deleted") == 0;
        if (created != (object == NULL))
                return error_set(err, ERROR_INPUT, NULL, "damaged journal: %s of '%s'", effect, id);
        if (deleted) {
                sandbox_objects_remove(&cloud->objects, object);
                return 0;
        }
        if (!json_is_object(outputs) || !is_well_formed(type, properties))
                return error_set(err, ERROR_INPUT, NULL, "damaged journal: properties of '%s'", id);
        if (created) return replay_created(cloud, record, type, id, err);
        sandbox_objects_change(&cloud->objects, object, json_deep_copy(properties), json_deep_copy(outputs));
        return 0;
}

int sandbox_effect_replay(void *context, const json_t *record, struct error **err)
{
        struct sandbox_cloud *cloud = context;
        if (apply_record(cloud, record, err) < 0) return -1;
        journal_add(&cloud->journal, json_object_get(record, "entry"));
        return 0;
}
