/* Differences of versions, leaf by leaf; see history.h. Values come out of the store, whose reader bounds their depth. */
#include "cli/history.h"

#include <string.h>

#include "cli/print.h"

struct writer {
        struct text *out;
        bool json, first;
};

static bool is_map(const struct value *v)
{
        return v != NULL && value_is_known(v) && !value_is_null(v) &&
               (value_kind(v) == TYPE_OBJECT || value_kind(v) == TYPE_MAP);
}

static bool is_list(const struct value *v)
{
        return v != NULL && value_is_known(v) && !value_is_null(v) &&
               (value_kind(v) == TYPE_TUPLE || value_kind(v) == TYPE_LIST);
}

static void add_value(struct text *out, const struct value *v, bool sensitive)
{
        if (v == NULL || value_is_null(v))
                text_add(out, "null");
        else if (sensitive)
                text_add(out, "\"(sensitive)\"");
        else
                value_json(v, SECRETS_MASK, NULL, out, NULL);
}

static void add_leaf(
    struct writer *w, const char *path, const struct value *before, const struct value *after, bool sensitive)
{
        if (w->json) {
                text_add(w->out, w->first ? "{\"path\":" : ",{\"path\":");
                text_json(w->out, path);
                text_add(w->out, ",\"before\":");
                add_value(w->out, before, sensitive);
                text_add(w->out, ",\"after\":");
                add_value(w->out, after, sensitive);
                text_add(w->out, sensitive ? ",\"sensitive\":true}" : "}");
        } else {
                text_addf(w->out, "            %s: ", path);
                value_short(before, sensitive, 40, w->out);
                text_add(w->out, " -> ");
                value_short(after, sensitive, 40, w->out);
                text_addc(w->out, '\n');
        }
        w->first = false;
}

static void compare(struct writer *w, const char *path, const struct value *before, const struct value *after,
    bool sensitive);

static void compare_member(struct writer *w, const char *path, const char *key, const struct value *before,
    const struct value *after, bool sensitive)
{
        cleanup_free char *inner = *path ? mem_printf("%s.%s", path, key) : mem_strdup(key);
        compare(w, inner, before, after, sensitive);
}

/* Both are sorted by key: one pass over the two. */
static void compare_maps(
    struct writer *w, const char *path, const struct value *before, const struct value *after, bool sensitive)
{
        size_t i = 0, k = 0, n = before ? value_count(before) : 0, m = after ? value_count(after) : 0;
        while (i < n || k < m) {
                int order = i >= n   ? 1
                            : k >= m ? -1
                                     : strcmp(value_key_at(before, i), value_key_at(after, k));
                const char *key = order <= 0 ? value_key_at(before, i) : value_key_at(after, k);
                const struct value *b = order <= 0 ? value_at(before, i++) : NULL;
                const struct value *a = order >= 0 ? value_at(after, k++) : NULL;
                compare_member(w, path, key, b, a, sensitive);
        }
}

static void compare_lists(
    struct writer *w, const char *path, const struct value *before, const struct value *after, bool sensitive)
{
        for (size_t i = 0; i < value_count(before); i++) {
                cleanup_free char *inner = mem_printf("%s[%zu]", path, i);
                compare(w, inner, value_at(before, i), value_at(after, i), sensitive);
        }
}

static void compare(
    struct writer *w, const char *path, const struct value *before, const struct value *after, bool sensitive)
{
        bool none_before = before == NULL || value_is_null(before),
             none_after = after == NULL || value_is_null(after);
        if ((none_before && none_after) || (!none_before && !none_after && value_equal(before, after)))
                return;
        sensitive |= (before != NULL && value_is_sensitive(before)) ||
                     (after != NULL && value_is_sensitive(after));
        if ((is_map(before) || none_before) && (is_map(after) || none_after) &&
            (*path == '\0' || (!none_before && !none_after)))
                compare_maps(w, path, none_before ? NULL : before, none_after ? NULL : after, sensitive);
        else if (is_list(before) && is_list(after) && value_count(before) == value_count(after))
                compare_lists(w, path, before, after, sensitive);
        else
                add_leaf(w, path, before, after, sensitive);
}

void history_json(const struct value *before, const struct value *after, struct text *out)
{
        struct writer w = {out, true, true};
        text_addc(out, '[');
        compare(&w, "", before, after, false);
        text_addc(out, ']');
}

void history_text(const struct value *before, const struct value *after, struct text *out)
{
        struct writer w = {out, false, true};
        compare(&w, "", before, after, false);
}
