/* Shelves, namesakes and references; see objects.h. */
#include "providers/sandbox/objects.h"

#include <string.h>
#include "base/mem.h"

static void object_free(struct sandbox_object *object)
{
        json_decref(object->properties);
        json_decref(object->outputs);
        map_release(&object->users);
        free(object->key);
        free(object);
}

void sandbox_objects_release(struct sandbox_objects *objects)
{
        for (size_t t = 0; t < SANDBOX_TYPES; t++) {
                struct sandbox_shelf *shelf = &objects->shelves[t];
                for (size_t i = 0; i < shelf->slot_count; i++)
                        if (shelf->slots[i].object != NULL) object_free(shelf->slots[i].object);
                free(shelf->slots);
                map_release(&shelf->by_id);
                map_release(&shelf->by_name);
        }
        map_release(&objects->by_key);
        map_release(&objects->addresses);
}

struct sandbox_object *sandbox_objects_find(
    const struct sandbox_objects *objects, const struct sandbox_type *type, const char *id)
{
        return map_get(&objects->shelves[type->index].by_id, id);
}

struct sandbox_object *sandbox_objects_named(
    const struct sandbox_objects *objects, const struct sandbox_type *type, const char *name)
{
        return map_get(&objects->shelves[type->index].by_name, name);
}

const char *sandbox_object_text(const struct sandbox_object *object, const char *property)
{
        return json_string_value(json_object_get(object->properties, property));
}

static bool property_names(const json_t *value, const char *id)
{
        size_t i;
        json_t *item;
        if (json_is_string(value)) return strcmp(json_string_value(value), id) == 0;
        json_array_foreach(
            (json_t *)value, i, item) if (strcmp(json_string_value(item), id) == 0) return true;
        return false;
}

static bool is_reference(const struct sandbox_property *property)
{
        return property->kind == SANDBOX_REFERENCE || property->kind == SANDBOX_REFERENCES;
}

bool sandbox_object_is_held_by(const struct sandbox_object *target, const struct sandbox_object *user)
{
        for (size_t i = 0; i < user->type->property_count; i++) {
                const struct sandbox_property *p = &user->type->properties[i];
                if (is_reference(p) && p->hold == SANDBOX_HOLDS && p->target == target->type->index &&
                    property_names(json_object_get(user->properties, p->name), target->id))
                        return true;
        }
        return false;
}

/* Enters `object` among the users of the object `id`, or strikes it off. */
static void refer(struct sandbox_objects *objects, const struct sandbox_property *property, const json_t *id,
    struct sandbox_object *object, bool on)
{
        if (!json_is_string(id)) return;
        struct sandbox_object *target = sandbox_objects_find(
            objects, sandbox_type_at(property->target), json_string_value(id));
        if (target == NULL) return;
        if (on)
                map_put(&target->users, object->id, object);
        else
                map_remove(&target->users, object->id);
}

static void occupy(struct sandbox_objects *objects, struct sandbox_object *object, bool on)
{
        const char *ip = json_string_value(json_object_get(object->outputs, "ip"));
        if (ip == NULL) ip = json_string_value(json_object_get(object->outputs, "private_ip"));
        if (ip == NULL) return;
        const char *subnet = sandbox_object_text(object, "subnet_id");
        cleanup_free char *address = mem_printf("%s/%s", subnet ? subnet : "public", ip);
        if (on)
                map_put_copy(&objects->addresses, address, object);
        else
                map_remove(&objects->addresses, address);
}

static void name(struct sandbox_shelf *shelf, struct sandbox_object *object, bool on)
{
        const char *text = sandbox_object_text(object, "name");
        if (text == NULL) return;
        struct sandbox_object *first = map_get(&shelf->by_name, text);
        if (on) {
                object->before = NULL;
                object->next = first;
                if (first != NULL) first->before = object;
                map_put_copy(&shelf->by_name, text, object);
                return;
        }
        if (object->next != NULL) object->next->before = object->before;
        if (object->before != NULL)
                object->before->next = object->next;
        else if (object->next != NULL)
                map_put_copy(&shelf->by_name, text, object->next);
        else
                map_remove(&shelf->by_name, text);
        object->next = object->before = NULL;
}

/* Enters or strikes off everything by which others find this object. */
static void index_object(struct sandbox_objects *objects, struct sandbox_object *object, bool on)
{
        for (size_t i = 0; i < object->type->property_count; i++) {
                const struct sandbox_property *p = &object->type->properties[i];
                json_t *value = json_object_get(object->properties, p->name), *item;
                size_t k;
                if (!is_reference(p)) continue;
                refer(objects, p, value, object, on);
                json_array_foreach(value, k, item)
                {
                        refer(objects, p, item, object, on);
                }
        }
        occupy(objects, object, on);
        name(&objects->shelves[object->type->index], object, on);
}

void sandbox_objects_add(struct sandbox_objects *objects, struct sandbox_object *object)
{
        struct sandbox_shelf *shelf = &objects->shelves[object->type->index];
        struct sandbox_slot slot = {object->seq, object};
        vec_push(shelf->slots, shelf->slot_count, shelf->slot_capacity, slot);
        map_put(&shelf->by_id, object->id, object);
        if (object->key != NULL) map_put(&objects->by_key, object->key, object);
        index_object(objects, object, true);
}

void sandbox_objects_change(
    struct sandbox_objects *objects, struct sandbox_object *object, json_t *properties, json_t *outputs)
{
        index_object(objects, object, false);
        json_decref(object->properties);
        json_decref(object->outputs);
        object->properties = properties;
        object->outputs = outputs;
        index_object(objects, object, true);
}

/* Strikes the id of an object that is about to go from a property of another one. */
static void forget(json_t *properties, const struct sandbox_property *property, const char *id)
{
        json_t *value = json_object_get(properties, property->name);
        if (!property_names(value, id)) return;
        if (!json_is_array(value)) {
                json_object_set_new(properties, property->name, json_null());
                return;
        }
        for (size_t i = json_array_size(value); i-- > 0;)
                if (strcmp(json_string_value(json_array_get(value, i)), id) == 0) json_array_remove(value, i);
}

/* Slots of removed objects go once they are the majority, so that a removal costs O(1) on average. */
static void vacate(struct sandbox_shelf *shelf, int64_t seq)
{
        size_t at = sandbox_shelf_after(shelf, seq - 1), live = 0;
        shelf->slots[at].object = NULL;
        if (shelf->slot_count < 2 * shelf->by_id.count + 16) return;
        for (size_t i = 0; i < shelf->slot_count; i++)
                if (shelf->slots[i].object != NULL) shelf->slots[live++] = shelf->slots[i];
        shelf->slot_count = live;
}

void sandbox_objects_remove(struct sandbox_objects *objects, struct sandbox_object *object)
{
        struct sandbox_shelf *shelf = &objects->shelves[object->type->index];
        for (map_foreach (&object->users, entry)) {
                struct sandbox_object *user = entry->value;
                for (size_t i = 0; i < user->type->property_count; i++)
                        if (is_reference(&user->type->properties[i]) &&
                            user->type->properties[i].target == object->type->index)
                                forget(user->properties, &user->type->properties[i], object->id);
        }
        index_object(objects, object, false);
        if (object->key != NULL && map_get(&objects->by_key, object->key) == object)
                map_remove(&objects->by_key, object->key);
        map_remove(&shelf->by_id, object->id);
        vacate(shelf, object->seq);
        object_free(object);
}

size_t sandbox_shelf_after(const struct sandbox_shelf *shelf, int64_t seq)
{
        size_t low = 0, high = shelf->slot_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (shelf->slots[middle].seq > seq)
                        high = middle;
                else
                        low = middle + 1;
        }
        return low;
}
