/*
 * Collection functions on maps and objects, whose keys are always in byte order.
 */
#include "lang/functions_collection.h"

#include <string.h>

#include "base/map.h"

static bool kind_is_keyed(enum type_kind kind)
{
        return kind == TYPE_MAP || kind == TYPE_OBJECT;
}

static const struct type *dynamic_type(void)
{
        return type_ref(type_dynamic);
}

static const char *key_string(const struct value *v)
{
        return value_as_string(v);
}

/* keys(map) */

TYPE_OF(keys)
{
        const struct type *type = value_type(call->args[0]);
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return dynamic_type();
        case TYPE_MAP: return type_list(type_string);
        case TYPE_OBJECT: break;
        default: return call_refuse(err, "a map or object is required, not %s", type_friendly(type));
        }
        size_t count = type_count(type);
        cleanup_free const struct type **types = mem_alloc((count ? count : 1) * sizeof *types);
        for (size_t i = 0; i < count; i++) types[i] = type_string;
        return type_tuple(types, count);
}

/* The keys of an object are those of its type, so they are neither unknown nor sensitive. */
VALUE_OF(keys)
{
        (void)err;
        const struct value *map = call->args[0];
        const struct type *type = value_type(map);
        cleanup(value_vec_release) struct value_vec keys = {0};
        if (type_kind(type) == TYPE_OBJECT) {
                for (size_t i = 0; i < type_count(type); i++)
                        value_vec_push(&keys, value_string(type_attribute_at(type, i)->name));
                return value_mark_steal(value_tuple(keys.items, keys.count), value_is_sensitive(map));
        }
        if (!value_is_known(map))
                return value_mark_steal(value_unknown(call->result), value_is_sensitive(map));
        for (size_t i = 0; i < value_count(map); i++)
                value_vec_push(&keys, value_string(value_key_at(map, i)));
        return value_mark_steal(value_vec_list(&keys, type_string), value_is_sensitive(map));
}

/* values(map) */

TYPE_OF(values)
{
        const struct type *type = value_type(call->args[0]);
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return dynamic_type();
        case TYPE_MAP: return type_list(type_element(type));
        case TYPE_OBJECT: break;
        default: return call_refuse(err, "a map or object is required, not %s", type_friendly(type));
        }
        size_t count = type_count(type);
        cleanup_free const struct type **types = mem_alloc((count ? count : 1) * sizeof *types);
        for (size_t i = 0; i < count; i++) types[i] = type_attribute_at(type, i)->type;
        return type_tuple(types, count);
}

VALUE_OF(values)
{
        (void)err;
        const struct value *map = call->args[0];
        if (!value_is_known(map))
                return value_mark_steal(value_unknown(call->result), value_is_sensitive(map));
        cleanup(value_vec_release) struct value_vec values = {0};
        for (size_t i = 0; i < value_count(map); i++) value_vec_push(&values, value_ref(value_at(map, i)));
        struct value *v = value_kind(map) == TYPE_OBJECT
                              ? value_tuple(values.items, values.count)
                              : value_vec_list(&values, type_element(value_type(map)));
        return value_mark_steal(v, value_is_sensitive(map));
}

/* lookup(map, key, default) */

static const struct type *lookup_in_object(const struct call *call, struct error **err)
{
        if (!value_is_known(call->args[1])) return dynamic_type();
        const struct type_attribute *found = type_attribute(
            value_type(call->args[0]), key_string(call->args[1]));
        if (found) return type_ref(found->type);
        if (call->arg_count == 3) return type_ref(value_type(call->args[2]));
        if (value_is_sensitive(call->args[1])) return call_refuse(err, "the object has no such attribute");
        return call_refuse(err, "the object has no attribute \"%s\"", key_string(call->args[1]));
}

TYPE_OF(lookup)
{
        if (call->arg_count > 3)
                return call_refuse(err, "at most three arguments are expected, not %zu", call->arg_count);
        const struct type *type = value_type(call->args[0]);
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return dynamic_type();
        case TYPE_OBJECT: return lookup_in_object(call, err);
        case TYPE_MAP: break;
        default:
                return call_refuse(
                    err, "a map is required as the first argument, not %s", type_friendly(type));
        }
        if (call->arg_count == 3) {
                cleanup(error_free) struct error *problem = NULL;
                cleanup(value_free) struct value *fallback = value_convert(
                    call->args[2], type_element(type), &problem);
                if (!fallback)
                        return call_refuse(err,
                            "invalid value for \"default\": must have the same type as the map's elements");
        }
        return type_ref(type_element(type));
}

VALUE_OF(lookup)
{
        const struct value *map = call->args[0], *key = call->args[1];
        bool sensitive = value_is_sensitive(map) || value_is_sensitive(key);
        if (!value_is_known(map) || !value_is_known(key))
                return value_mark_steal(value_unknown(call->result), sensitive);
        const struct value *found = value_get(map, key_string(key));
        if (found) return value_mark_steal(value_ref(found), sensitive);
        if (call->arg_count < 3)
                return sensitive ? call_refuse(err, "the map has no such key")
                                 : call_refuse(err, "lookup failed to find key \"%s\"", key_string(key));
        return value_mark_steal(value_convert(call->args[2], call->result, err), sensitive);
}

/* merge(maps...) */

static void attributes_of(struct map *types, const struct value *v)
{
        const struct type *type = value_type(v);
        if (value_is_known(v) && value_is_null(v)) return;
        if (type_kind(type) == TYPE_OBJECT)
                for (size_t i = 0; i < type_count(type); i++)
                        map_put(types, type_attribute_at(type, i)->name,
                            (void *)(uintptr_t)type_attribute_at(type, i)->type);
        else
                for (size_t i = 0; i < value_count(v); i++)
                        map_put(types, value_key_at(v, i), (void *)(uintptr_t)type_element(type));
}

static const struct type *merge_object_type(const struct call *call)
{
        __attribute__((__cleanup__(map_release_cleanup))) struct map types = {0};
        for (size_t i = 0; i < call->arg_count; i++) {
                const struct value *v = call->args[i];
                if (value_kind(v) == TYPE_MAP && !value_is_known(v)) return dynamic_type();
                attributes_of(&types, v);
        }
        cleanup_free struct type_attribute *attributes = mem_alloc((types.count + 1) * sizeof *attributes);
        size_t count = 0;
        for (map_foreach (&types, entry))
                attributes[count++] = (struct type_attribute){.name = entry->key, .type = entry->value};
        return type_object(attributes, count);
}

TYPE_OF(merge)
{
        bool same = true;
        for (size_t i = 0; i < call->arg_count; i++) {
                const struct type *type = value_type(call->args[i]);
                if (type_kind(type) == TYPE_DYNAMIC) return dynamic_type();
                if (!kind_is_keyed(type_kind(type)))
                        return call_refuse(
                            err, "arguments must be maps or objects, not %s", type_friendly(type));
                same = same && type_equal(type, value_type(call->args[0]));
        }
        if (call->arg_count && same) return type_ref(value_type(call->args[0]));
        return merge_object_type(call);
}

static struct value *merged(const struct call *call, const struct map *parts)
{
        cleanup_free const char **keys = mem_alloc((parts->count + 1) * sizeof *keys);
        cleanup_free struct value **values = mem_alloc((parts->count + 1) * sizeof *values);
        size_t count = 0;
        for (map_foreach (parts, entry)) {
                keys[count] = entry->key;
                values[count++] = entry->value;
        }
        if (type_kind(call->result) == TYPE_MAP)
                return value_map(type_element(call->result), keys, values, count);
        return value_object(keys, values, count);
}

VALUE_OF(merge)
{
        bool sensitive = false, unknown = false;
        __attribute__((__cleanup__(map_release_cleanup))) struct map parts = {0};
        for (size_t i = 0; i < call->arg_count; i++) {
                const struct value *v = call->args[i];
                sensitive = sensitive || value_is_sensitive(v);
                unknown = unknown || !value_is_known(v);
                if (value_is_known(v) && !value_is_null(v) && !kind_is_keyed(value_kind(v)))
                        return call_refuse(
                            err, "arguments must be maps or objects, not %s", type_friendly(value_type(v)));
                for (size_t j = 0; j < value_count(v); j++)
                        map_put(&parts, value_key_at(v, j), (void *)(uintptr_t)value_at(v, j));
        }
        return value_mark_steal(unknown ? value_unknown(call->result) : merged(call, &parts), sensitive);
}

/* transpose(map): from each value to the keys that listed it */

static void key_vec_free(void *p)
{
        struct value_vec *keys = p;
        value_vec_release(keys);
        free(keys);
}

static void transposed_release(struct map *map)
{
        for (map_foreach (map, entry)) key_vec_free(entry->value);
        map_release(map);
}

VALUE_OF(transpose)
{
        const struct value *map = call->args[0];
        __attribute__((__cleanup__(transposed_release))) struct map turned = {0};
        for (size_t i = 0; i < value_count(map); i++) {
                const struct value *list = value_at(map, i);
                if (value_is_null(list))
                        return call_refuse(err, "the list of \"%s\" is null", value_key_at(map, i));
                for (size_t j = 0; j < value_count(list); j++) {
                        const struct value *name = value_at(list, j);
                        if (value_is_null(name))
                                return call_refuse(
                                    err, "the list of \"%s\" holds a null value", value_key_at(map, i));
                        struct value_vec *keys = map_get(&turned, key_string(name));
                        if (!keys) map_put(&turned, key_string(name), keys = mem_alloc(sizeof *keys));
                        value_vec_push(keys, value_string(value_key_at(map, i)));
                }
        }
        cleanup_free const char **keys = mem_alloc((turned.count + 1) * sizeof *keys);
        cleanup(value_vec_release) struct value_vec lists = {0};
        cleanup(type_free) const struct type *list_type = type_list(type_string);
        for (map_foreach (&turned, entry)) {
                keys[lists.count] = entry->key;
                value_vec_push(&lists, value_vec_list(entry->value, type_string));
        }
        return value_map(list_type, keys, lists.items, lists.count);
}

/* zipmap(keys, values) */

static bool zipmap_counts(const struct value *keys, size_t values, struct error **err)
{
        if (value_count(keys) != values)
                return call_refuse(err, "number of keys (%zu) does not match number of values (%zu)",
                    value_count(keys), values);
        for (size_t i = 0; i < values; i++)
                if (value_is_null(value_at(keys, i)))
                        return call_refuse(err, "element %zu of the keys is null", i);
        return true;
}

TYPE_OF(zipmap)
{
        const struct value *keys = call->args[0];
        const struct type *type = value_type(call->args[1]);
        switch (type_kind(type)) {
        case TYPE_DYNAMIC: return dynamic_type();
        case TYPE_LIST: return type_map(type_element(type));
        case TYPE_TUPLE: break;
        default: return call_refuse(err, "values must be a list or tuple, not %s", type_friendly(type));
        }
        if (!value_is_wholly_known(keys)) return dynamic_type();
        size_t count = type_count(type);
        if (!zipmap_counts(keys, count, err)) return NULL;
        __attribute__((__cleanup__(map_release_cleanup))) struct map types = {0};
        for (size_t i = 0; i < count; i++)
                map_put(&types, key_string(value_at(keys, i)), (void *)(uintptr_t)type_at(type, i));
        cleanup_free struct type_attribute *attributes = mem_alloc((types.count + 1) * sizeof *attributes);
        size_t n = 0;
        for (map_foreach (&types, entry))
                attributes[n++] = (struct type_attribute){.name = entry->key, .type = entry->value};
        return type_object(attributes, n);
}

VALUE_OF(zipmap)
{
        const struct value *keys = call->args[0], *values = call->args[1];
        bool sensitive = value_is_sensitive(keys) || value_is_sensitive(values);
        if (!value_is_wholly_known(keys) || !value_is_known(values))
                return value_mark_steal(value_unknown(call->result), sensitive);
        size_t count = value_count(values);
        if (!zipmap_counts(keys, count, err)) return NULL;

        cleanup_free const char **names = mem_alloc((count + 1) * sizeof *names);
        cleanup(value_vec_release) struct value_vec parts = {0};
        __attribute__((__cleanup__(map_release_cleanup))) struct map last = {0};
        for (size_t i = 0; i < count; i++) {
                sensitive = sensitive || value_is_sensitive(value_at(keys, i));
                map_put(&last, key_string(value_at(keys, i)), (void *)(uintptr_t)value_at(values, i));
        }
        for (map_foreach (&last, entry)) {
                names[parts.count] = entry->key;
                value_vec_push(&parts, value_ref(entry->value));
        }
        struct value *v = value_kind(values) == TYPE_TUPLE
                              ? value_object(names, parts.items, parts.count)
                              : value_map(type_element(value_type(values)), names, parts.items, parts.count);
        return value_mark_steal(v, sensitive);
}
