/* The leaves in which two states of a resource differ, and properties whose drift is ignored. */
#include <ctype.h>
#include <string.h>
#include "lang/property_path.h"
#include "plan/diff.h"

struct leaves { /* the changes of one resource as they are found */
        struct arena *arena;
        const struct value *recorded;
        struct change *items;
        size_t count, capacity;
        struct text path;
        bool forces_replace, drifted;
};

static bool is_keyed(const struct value *v)
{
        return value_kind(v) == TYPE_MAP || value_kind(v) == TYPE_OBJECT;
}

static bool is_row(const struct value *v)
{
        return value_kind(v) == TYPE_LIST || value_kind(v) == TYPE_TUPLE;
}

static bool is_whole(const struct value *v)
{
        return v != NULL && value_is_known(v) && !value_is_null(v);
}

static const struct value *absent_if_null(const struct value *v)
{
        return v == NULL || (value_is_known(v) && value_is_null(v)) ? NULL : v;
}

static void add_leaf(struct leaves *l, const struct value *before, const struct value *after, bool sensitive)
{
        before = absent_if_null(before);
        after = absent_if_null(after);
        if (before == NULL && after == NULL) return;
        bool secret = sensitive || (before && value_has_sensitive(before)) ||
                      (after && value_has_sensitive(after));
        struct change change = {.path = arena_strndup(l->arena, l->path.data, l->path.len),
            .before = before,
            .after = after,
            .sensitive = secret,
            .forces_replace = l->forces_replace};
        if (l->drifted) {
                const struct value *was = absent_if_null(value_path(l->recorded, change.path));
                change.drift = was == NULL || before == NULL ? was != before : !value_equal(was, before);
        }
        vec_push(l->items, l->count, l->capacity, change);
}

static void add_key(struct text *path, const char *key)
{
        bool plain = isalpha((unsigned char)key[0]) || key[0] == '_';
        for (const char *p = key; plain && *p; p++)
                plain = isalnum((unsigned char)*p) || *p == '_' || *p == '-';
        if (plain) {
                text_addc(path, '.');
                text_add(path, key);
                return;
        }
        text_addc(path, '[');
        text_add_json(path, key, strlen(key));
        text_addc(path, ']');
}

static void compare_values(
    struct leaves *l, const struct value *before, const struct value *after, bool sensitive);

static void compare_keyed(struct leaves *l, const struct value *before, const struct value *after)
{
        size_t a = 0, b = 0, len = l->path.len;
        while (a < value_count(before) || b < value_count(after)) {
                const char *left = a < value_count(before) ? value_key_at(before, a) : NULL;
                const char *right = b < value_count(after) ? value_key_at(after, b) : NULL;
                int order = left == NULL ? 1 : right == NULL ? -1 : strcmp(left, right);
                const char *key = order <= 0 ? left : right;
                if (key == NULL) break; /* never: one of them is there */
                add_key(&l->path, key);
                compare_values(l, order <= 0 ? value_at(before, a) : NULL,
                    order >= 0 ? value_at(after, b) : NULL, false);
                a += order <= 0;
                b += order >= 0;
                l->path.len = len;
        }
}

static void compare_rows(struct leaves *l, const struct value *before, const struct value *after)
{
        size_t len = l->path.len, m = value_count(before), n = value_count(after);
        for (size_t i = 0; i < m || i < n; i++) {
                text_addf(&l->path, "[%zu]", i);
                compare_values(
                    l, i < m ? value_at(before, i) : NULL, i < n ? value_at(after, i) : NULL, false);
                l->path.len = len;
        }
}

static void compare_values(
    struct leaves *l, const struct value *before, const struct value *after, bool sensitive)
{
        if (before != NULL && after != NULL && value_equal(before, after)) return;
        sensitive |= (before && value_is_sensitive(before)) || (after && value_is_sensitive(after));
        bool both = is_whole(before) && is_whole(after) && !sensitive;
        if (both && is_keyed(before) && is_keyed(after))
                compare_keyed(l, before, after);
        else if (both && is_row(before) && is_row(after))
                compare_rows(l, before, after);
        else
                add_leaf(l, before, after, sensitive);
}

struct change *diff_changes(struct arena *arena, const struct schema *schema, const struct value *prior,
    const struct value *planned, const struct value *recorded, size_t *count)
{
        struct leaves l = {.arena = arena, .recorded = recorded};
        for (size_t i = 0; i < schema->property_count; i++) {
                const struct property *p = &schema->properties[i];
                const struct value *after = value_get(planned, p->name);
                const struct value *before = prior ? value_get(prior, p->name) : NULL;
                if (prior == NULL && (after == NULL || (p->computed && !value_is_known(after)))) continue;
                if (prior != NULL && diff_same(p, before, after)) continue;
                l.path.len = 0;
                text_add(&l.path, p->name);
                l.forces_replace = prior != NULL && diff_replaces(p, before, after);
                l.drifted = prior && recorded && !diff_same(p, value_get(recorded, p->name), before);
                if (prior == NULL || p->unordered)
                        add_leaf(&l, before, after, p->sensitive);
                else
                        compare_values(&l, before, after, p->sensitive);
        }
        text_release(&l.path);
        struct change *changes = NULL;
        if (l.count > 0) {
                changes = arena_alloc(arena, l.count * sizeof *changes);
                memcpy(changes, l.items, l.count * sizeof *changes);
        }
        free(l.items);
        *count = l.count;
        return changes;
}

static struct value *replace_path(const struct value *v, const struct value *from, const char *path);

static struct value *replace_element(
    const struct value *v, const struct value *from, size_t index, const char *rest)
{
        size_t count = value_count(v);
        bool longer = is_row(v) && value_kind(v) == TYPE_LIST && index == count && *rest == '\0';
        if (longer) count++; /* it left the template, and it stays */
        if (!is_row(v) || index >= count || from == NULL || index >= value_count(from)) return value_ref(v);
        cleanup_free struct value **items = mem_alloc(count * sizeof *items);
        for (size_t i = 0; i < count; i++)
                items[i] = i == index ? replace_path(longer ? NULL : value_at(v, i), value_at(from, i), rest)
                                      : value_ref(value_at(v, i));
        struct value *row = value_kind(v) == TYPE_LIST ? value_list(type_element(value_type(v)), items, count)
                                                       : value_tuple(items, count);
        for (size_t i = 0; i < count; i++) value_free(items[i]);
        return row;
}

/* Of its kind, with nothing in it; NULL for what cannot be empty. */
static struct value *empty_like(const struct value *v)
{
        switch (value_kind(v)) {
        case TYPE_MAP: return value_map(type_element(value_type(v)), NULL, NULL, 0);
        case TYPE_LIST: return value_list(type_element(value_type(v)), NULL, 0);
        default: return NULL;
        }
}

/* A map or object with one entry as it is in `from`, or without it if it is not there. */
static struct value *replace_entry(
    const struct value *v, const struct value *from, const char *name, const char *rest)
{
        const struct value *now = value_get(v, name), *then = from ? value_get(from, name) : NULL;
        cleanup(value_free) struct value *entry = NULL;
        bool left = *rest != '\0' && is_whole(then) && (now == NULL || value_is_null(now));
        cleanup(value_free) struct value *nothing = left ? empty_like(then) : NULL;
        if (*rest == '\0')
                entry = then ? value_ref(then) : NULL;
        else if (nothing != NULL) /* what holds it left the template, and it stays */
                entry = replace_path(nothing, then, rest);
        else if (now != NULL)
                entry = replace_path(now, then, rest);
        if (nothing != NULL && value_count(entry) == 0) value_free(steal(entry));
        if (nothing != NULL && entry == NULL && now != NULL) entry = value_ref(now);
        if (value_kind(v) == TYPE_OBJECT) return value_with(v, name, entry);
        struct value_builder b = {0};
        for (size_t i = 0; i < value_count(v); i++)
                if (strcmp(value_key_at(v, i), name) != 0)
                        value_builder_add(&b, value_key_at(v, i), value_ref(value_at(v, i)));
        if (entry != NULL) value_builder_add(&b, name, value_ref(entry));
        struct value *map = value_map(type_element(value_type(v)), b.keys, b.values, b.count);
        value_builder_release(&b);
        return map;
}

static struct value *replace_path(const struct value *v, const struct value *from, const char *path)
{
        if (*path == '\0') return value_ref(from ? from : v);
        if (!is_whole(v) || (from != NULL && !is_whole(from))) return value_ref(v);
        char *name = NULL;
        size_t index = 0;
        const char *rest = property_path_step(path, &name, &index);
        struct value *result = NULL;
        if (rest == NULL)
                result = value_ref(v);
        else if (name == NULL)
                result = replace_element(v, from, index, rest);
        else if (is_keyed(v) && (from == NULL || is_keyed(from)))
                result = replace_entry(v, from, name, rest);
        else
                result = value_ref(v);
        free(name);
        return result;
}

struct value *diff_ignore(
    const struct value *planned, const struct value *prior, const char *const *ignore, size_t ignore_count)
{
        struct value *result = value_ref(planned);
        for (size_t i = 0; i < ignore_count && prior != NULL; i++) {
                struct value *next = replace_path(result, prior, ignore[i]);
                value_free(result);
                result = next;
        }
        return result;
}
