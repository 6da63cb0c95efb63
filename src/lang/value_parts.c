/* Asking values for what they are and what they hold, and copies with one part changed. */
#include "lang/value.h"

#include <assert.h>
#include <string.h>

#include "lang/value_internal.h"

static const struct type *simple_type(enum type_kind kind)
{
        switch (kind) {
        case TYPE_STRING: return type_string;
        case TYPE_NUMBER: return type_number;
        case TYPE_BOOL: return type_bool;
        default: return type_dynamic;
        }
}

static const struct type *tuple_type(const struct value *v)
{
        size_t count = value_count(v);
        cleanup_free const struct type **types = mem_alloc(count * sizeof *types);
        for (size_t i = 0; i < count; i++) types[i] = value_type(value_at(v, i));
        return type_tuple(types, count);
}

static const struct type *object_type(const struct value *v)
{
        size_t count = value_count(v);
        cleanup_free struct type_attribute *attributes = mem_alloc(count * sizeof *attributes);
        for (size_t i = 0; i < count; i++)
                attributes[i] = (struct type_attribute){
                    value_key_at(v, i), value_type(value_at(v, i)), false, NULL};
        return type_object(attributes, count);
}

/* The type of a tuple or object follows from its parts; it is worked out when first asked for and kept. */
const struct type *value_type(const struct value *v)
{
        if (is_immediate(v) || v->kind <= TYPE_BOOL) return simple_type(vkind_of(v));
        if (v->state != STATE_KNOWN) return ((const struct value_typed *)v)->type;
        struct value_whole *whole = (struct value_whole *)v;
        if (whole->type == NULL) whole->type = v->kind == TYPE_TUPLE ? tuple_type(v) : object_type(v);
        return whole->type;
}

enum type_kind value_kind(const struct value *v)
{
        return vkind_of(v);
}

bool value_is_null(const struct value *v)
{
        return state_of(v) == STATE_NULL;
}

bool value_is_known(const struct value *v)
{
        return state_of(v) != STATE_UNKNOWN;
}

bool value_is_present(const struct value *v)
{
        if (state_of(v) != STATE_UNKNOWN) return state_of(v) == STATE_KNOWN;
        return is_small(v) ? (uintptr_t)v >> 8 & 1 : (v->known_of & KNOWN_PRESENT) != 0;
}

const char *value_unknown_prefix(const struct value *v, size_t *len)
{
        bool has = state_of(v) == STATE_UNKNOWN && !is_immediate(v) && (v->known_of & KNOWN_PREFIX);
        *len = has ? ((const struct value_prefixed *)v)->len : 0;
        return has ? ((const struct value_prefixed *)v)->data : NULL;
}

bool value_is_wholly_known(const struct value *v)
{
        return (flags_of(v) & VALUE_HAS_UNKNOWN) == 0;
}

bool value_is_sensitive(const struct value *v)
{
        return (flags_of(v) & VALUE_SENSITIVE) != 0;
}

bool value_has_sensitive(const struct value *v)
{
        return (flags_of(v) & VALUE_HAS_SENSITIVE) != 0;
}

bool value_has_infinite(const struct value *v)
{
        return (flags_of(v) & VALUE_HAS_INFINITE) != 0;
}

bool value_as_bool(const struct value *v)
{
        return is_small(v) && ((uintptr_t)v >> 8 & 1);
}

const char *value_as_string(const struct value *v)
{
        assert(vkind_of(v) == TYPE_STRING && is_known(v));
        return ((const struct value_text *)v)->data;
}

size_t value_string_len(const struct value *v)
{
        assert(vkind_of(v) == TYPE_STRING && is_known(v));
        return ((const struct value_text *)v)->len;
}

bool value_as_int(const struct value *v, int64_t *n)
{
        assert(vkind_of(v) == TYPE_NUMBER && is_known(v));
        if (is_immediate(v)) {
                *n = is_integer(v) ? integer_of(v) : machine_integer_of(v);
        } else if (!(v->flags & VALUE_BIG)) {
                *n = ((const struct value_integer *)v)->n;
        } else {
                mpfr_srcptr big = ((const struct value_big *)v)->n;
                if (!mpfr_integer_p(big) || !mpfr_fits_intmax_p(big, MPFR_RNDN)) return false;
                *n = mpfr_get_sj(big, MPFR_RNDN);
        }
        return true;
}

double value_as_double(const struct value *v)
{
        int64_t n = 0;
        if (!is_immediate(v) && (v->flags & VALUE_BIG))
                return mpfr_get_d(((const struct value_big *)v)->n, MPFR_RNDN);
        return value_as_int(v, &n) ? (double)n : 0;
}

size_t value_count(const struct value *v)
{
        return is_whole(v) ? whole_of(v)->count : 0;
}

const struct value *value_at(const struct value *v, size_t index)
{
        assert(index < value_count(v));
        return is_fields(v) ? fields_of(v)->fields[index].value : sequence_of(v)->items[index];
}

const char *value_key_at(const struct value *v, size_t index)
{
        assert(is_fields(v) && index < value_count(v));
        return fields_of(v)->fields[index].key;
}

/* The index of the key, or of where it would stand. */
static size_t find_field(const struct value *v, const char *key, bool *found)
{
        size_t low = 0, high = value_count(v);
        *found = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(key, fields_of(v)->fields[middle].key);
                if (order == 0) {
                        *found = true;
                        return middle;
                }
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return low;
}

const struct value *value_get(const struct value *v, const char *key)
{
        bool found;
        if (!is_fields(v)) return NULL;
        size_t at = find_field(v, key, &found);
        return found ? fields_of(v)->fields[at].value : NULL;
}

/* One `[…]` of a path; *path is behind the bracket afterwards. */
static const struct value *path_index(const struct value *v, const char **path)
{
        const char *end = strchr(*path, ']');
        if (end == NULL) return NULL;
        const char *text = *path;
        *path = end + 1;
        if (*text == '"' && end - text >= 2 && end[-1] == '"') {
                cleanup_free char *key = mem_strndup(text + 1, (size_t)(end - text) - 2);
                return value_get(v, key);
        }
        char *stop;
        size_t index = strtoul(text, &stop, 10);
        return stop == end && is_sequence(v) && index < value_count(v) ? value_at(v, index) : NULL;
}

const struct value *value_path(const struct value *v, const char *path)
{
        while (v != NULL && *path != '\0') {
                if (*path == '[') {
                        path++;
                        v = path_index(v, &path);
                        continue;
                }
                if (*path == '.') path++;
                size_t len = strcspn(path, ".[");
                cleanup_free char *key = mem_strndup(path, len);
                v = value_get(v, key);
                path += len;
        }
        return v;
}

struct value *value_with(const struct value *v, const char *key, const struct value *attribute)
{
        assert(vkind_of(v) == TYPE_OBJECT);
        bool found;
        size_t count = value_count(v), at = find_field(v, key, &found), n = 0;
        cleanup_free const char **keys = mem_alloc((count + 1) * sizeof *keys);
        cleanup_free struct value **values = mem_alloc((count + 1) * sizeof *values);
        for (size_t i = 0; i <= count; i++) {
                if (i == at && attribute != NULL) {
                        keys[n] = key;
                        values[n++] = (struct value *)attribute;
                }
                if (i == count || (i == at && found)) continue;
                keys[n] = value_key_at(v, i);
                values[n++] = (struct value *)value_at(v, i);
        }
        cleanup(value_free) struct value *made = value_object(keys, values, n);
        return value_sensitive(made, value_is_sensitive(v));
}

struct value *value_merge(const struct value *a, const struct value *b)
{
        size_t na = a ? value_count(a) : 0, nb = b ? value_count(b) : 0, n = 0;
        cleanup_free const char **keys = mem_alloc((na + nb) * sizeof *keys);
        cleanup_free struct value **values = mem_alloc((na + nb) * sizeof *values);
        for (size_t i = 0, j = 0; i < na || j < nb;) {
                int order = i == na ? 1 : j == nb ? -1 : strcmp(value_key_at(a, i), value_key_at(b, j));
                bool from_a = order < 0;
                keys[n] = from_a ? value_key_at(a, i) : value_key_at(b, j);
                values[n++] = (struct value *)(from_a ? value_at(a, i) : value_at(b, j));
                if (order <= 0) i++;
                if (order >= 0) j++;
        }
        cleanup(value_free) struct value *made = value_object(keys, values, n);
        return value_sensitive(made, (a && value_is_sensitive(a)) || (b && value_is_sensitive(b)));
}
