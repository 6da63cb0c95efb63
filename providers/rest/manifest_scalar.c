/*
 * Reading the scalars, choices and patterns of a manifest's maps.
 */
#include <stdlib.h>
#include <string.h>
#include "manifest.h"

const char *manifest_text(const struct compiler *c, const struct node *map, const char *key)
{
        struct node *n = node_get(map, key);
        return n && node_is(n, NODE_SCALAR, key, c->problems) ? n->text : NULL;
}

bool manifest_bool(const struct compiler *c, const struct node *map, const char *key)
{
        const char *text = manifest_text(c, map, key);
        if (!text || strcmp(text, "false") == 0) return false;
        if (strcmp(text, "true") != 0)
                node_problem(c->problems, node_get(map, key), "%s must be true or false", key);
        return true;
}

int64_t manifest_duration(const struct compiler *c, const struct node *map, const char *key)
{
        const char *text = manifest_text(c, map, key);
        if (!text) return 0;
        int64_t ms = util_duration(text, NULL);
        if (ms < 0)
                node_problem(c->problems, node_get(map, key), "%s must be a duration such as 30s or 5m", key);
        return ms < 0 ? 0 : ms;
}

double manifest_number(const struct compiler *c, const struct node *map, const char *key)
{
        const char *text = manifest_text(c, map, key);
        char *end = NULL;
        double n = text ? strtod(text, &end) : 0;
        if (text && (!*text || *end || !(n >= 0 && n <= 1e9))) {
                node_problem(c->problems, node_get(map, key), "%s must be a number, not negative", key);
                return 0;
        }
        return n;
}

int manifest_choice(const struct compiler *c, const struct node *map, const char *key,
    const char *const *names, int otherwise)
{
        const char *text = manifest_text(c, map, key);
        if (!text) return otherwise;
        for (int i = 0; names[i]; i++)
                if (strcmp(text, names[i]) == 0) return i;
        AUTO_BUF all = {0};
        for (int i = 0; names[i]; i++) buf_format(&all, "%s%s", i ? ", " : "", names[i]);
        node_problem(
            c->problems, node_get(map, key), "%s cannot be '%s': it is one of %s", key, text, all.data);
        return otherwise;
}

void manifest_patterns(const struct compiler *c, const struct node *n, const char *what, struct patterns *ret)
{
        *ret = (struct patterns){0};
        if (!n) return;
        size_t count = n->kind == NODE_LIST ? n->count : 1;
        ret->items = pool_alloc(c->pool, count * sizeof *ret->items + 1);
        for (size_t i = 0; i < count; i++) {
                const struct node *item = n->kind == NODE_LIST ? n->items[i] : n;
                if (node_is(item, NODE_SCALAR, what, c->problems)) ret->items[ret->count++] = item->text;
        }
}

bool patterns_match(const struct patterns *p, const char *text)
{
        for (size_t i = 0; text && i < p->count; i++)
                if (util_match(p->items[i], text)) return true;
        return false;
}
