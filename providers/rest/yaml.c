/*
 * libyaml's events made into a tree: see yaml.h.
 */
#include "yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml_reader {
        yaml_parser_t parser;
        struct pool *pool;
        struct problems *problems;
        const char *file;
        size_t nodes;
        bool failed; /* one problem of form ends the reading */
};

static struct node *yaml_node(struct yaml_reader *r, unsigned depth);

static void yaml_fail(struct yaml_reader *r, const yaml_mark_t *mark, const char *what)
{
        if (r->failed) return;
        r->failed = true;
        problems_add(r->problems, r->file, (unsigned)mark->line + 1, (unsigned)mark->column + 1, "%s", what);
}

static bool yaml_next(struct yaml_reader *r, yaml_event_t *event)
{
        if (r->failed) return false;
        if (yaml_parser_parse(&r->parser, event)) return true;
        const char *what = r->parser.problem ? r->parser.problem : "not YAML";
        yaml_fail(r, &r->parser.problem_mark, what);
        return false;
}

static bool yaml_decorated(const yaml_char_t *anchor, const yaml_char_t *tag)
{
        return anchor || (tag && strcmp((const char *)tag, "!") != 0);
}

static struct node *yaml_scalar(struct yaml_reader *r, const yaml_event_t *event, struct node *n)
{
        n->kind = NODE_SCALAR;
        n->text = pool_text(r->pool, (const char *)event->data.scalar.value, event->data.scalar.length);
        n->len = event->data.scalar.length;
        n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        if (event->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
            event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
                n->column++;
        if (event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
            event->data.scalar.style == YAML_FOLDED_SCALAR_STYLE)
                n->line++, n->column = 1;
        return n;
}

/* Whether a key may join the ones there are; a problem if not. */
static bool yaml_key_fits(
    struct yaml_reader *r, struct node *const *keys, size_t count, const struct node *key)
{
        if (key->kind != NODE_SCALAR) {
                node_problem(r->problems, key, "a key must be a plain text");
                return false;
        }
        if (count >= YAML_KEYS_MAX) {
                node_problem(r->problems, key, "more than %d keys in one map", YAML_KEYS_MAX);
                return false;
        }
        for (size_t i = 0; i < count; i++) {
                if (strcmp(keys[i]->text, key->text) != 0) continue;
                node_problem(
                    r->problems, key, "duplicate key '%s', first on line %u", key->text, keys[i]->line);
                return false;
        }
        return true;
}

/* The children up to the end event; arrays grow outside the pool and are copied in at the end. */
static struct node *yaml_children(struct yaml_reader *r, struct node *n, unsigned depth)
{
        struct node **items = NULL, **keys = NULL;
        size_t count = 0, capacity = 0;
        for (;;) {
                struct node *key = NULL, *item = yaml_node(r, depth + 1);
                if (!item) break;
                if (n->kind == NODE_MAP) {
                        key = item;
                        if (!(item = yaml_node(r, depth + 1))) break;
                        if (!yaml_key_fits(r, keys, count, key)) continue;
                }
                if (count == capacity) {
                        capacity = capacity ? capacity * 2 : 8;
                        items = util_grow(items, capacity, sizeof *items);
                        keys = util_grow(keys, capacity, sizeof *keys);
                }
                items[count] = item;
                keys[count++] = key;
        }
        n->items = pool_alloc(r->pool, count * sizeof *items + 1);
        n->keys = pool_alloc(r->pool, count * sizeof *keys + 1);
        if (count)
                memcpy(n->items, items, count * sizeof *items), memcpy(n->keys, keys, count * sizeof *keys);
        n->count = count;
        free(items);
        free(keys);
        return n;
}

/* The next node; NULL at the end of a list or map, and after a failure. */
static struct node *yaml_node(struct yaml_reader *r, unsigned depth)
{
        yaml_event_t event;
        if (!yaml_next(r, &event)) return NULL;
        struct node *n = pool_alloc(r->pool, sizeof *n);
        n->file = r->file;
        n->line = (unsigned)event.start_mark.line + 1;
        n->column = (unsigned)event.start_mark.column + 1;
        if (depth > YAML_DEPTH_MAX) yaml_fail(r, &event.start_mark, "nested too deeply");
        if (++r->nodes > YAML_NODES_MAX) yaml_fail(r, &event.start_mark, "too many nodes in one file");
        struct node *ret = NULL;
        switch (r->failed ? YAML_NO_EVENT : event.type) {
        case YAML_SCALAR_EVENT:
                if (yaml_decorated(event.data.scalar.anchor, event.data.scalar.tag))
                        yaml_fail(r, &event.start_mark,
                            "anchors and tags have no meaning in a manifest; use patterns");
                else
                        ret = yaml_scalar(r, &event, n);
                break;
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
                n->kind = event.type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
                if (event.type == YAML_MAPPING_START_EVENT
                        ? yaml_decorated(event.data.mapping_start.anchor, event.data.mapping_start.tag)
                        : yaml_decorated(event.data.sequence_start.anchor, event.data.sequence_start.tag))
                        yaml_fail(r, &event.start_mark,
                            "anchors and tags have no meaning in a manifest; use patterns");
                else
                        ret = yaml_children(r, n, depth);
                break;
        case YAML_ALIAS_EVENT:
                yaml_fail(r, &event.start_mark, "anchors have no meaning in a manifest; use patterns");
                break;
        default: break;
        }
        yaml_event_delete(&event);
        return r->failed ? NULL : ret;
}

/* Passes one event of the given type. */
static bool yaml_pass(struct yaml_reader *r, yaml_event_type_t type, const char *otherwise)
{
        yaml_event_t event;
        if (!yaml_next(r, &event)) return false;
        if (event.type != type) yaml_fail(r, &event.start_mark, otherwise);
        yaml_event_delete(&event);
        return !r->failed;
}

struct node *node_read(
    struct pool *pool, const char *file, const char *text, size_t len, struct problems *problems)
{
        struct yaml_reader r = {
            .pool = pool, .problems = problems, .file = pool_text(pool, file, strlen(file))};
        if (len > YAML_BYTES_MAX) {
                problems_add(
                    problems, file, 0, 0, "larger than a manifest may be (%d bytes)", YAML_BYTES_MAX);
                return NULL;
        }
        if (!yaml_parser_initialize(&r.parser)) abort();
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
        struct node *root = NULL;
        if (yaml_pass(&r, YAML_STREAM_START_EVENT, "not YAML") &&
            yaml_pass(&r, YAML_DOCUMENT_START_EVENT, "empty"))
                root = yaml_node(&r, 0);
        if (root) yaml_pass(&r, YAML_DOCUMENT_END_EVENT, "not YAML");
        if (root) yaml_pass(&r, YAML_STREAM_END_EVENT, "more than one document");
        yaml_parser_delete(&r.parser);
        return r.failed ? NULL : root;
}

struct node *node_file(struct pool *pool, const char *path, const char *file, struct problems *problems)
{
        FILE *f = fopen(path, "re");
        if (!f) {
                problems_add(problems, file, 0, 0, "%s", strerror(errno));
                return NULL;
        }
        char *text = util_alloc(YAML_BYTES_MAX + 2);
        size_t len = fread(text, 1, YAML_BYTES_MAX + 1, f);
        bool broken = ferror(f) != 0;
        fclose(f);
        struct node *root = NULL;
        if (broken)
                problems_add(problems, file, 0, 0, "cannot be read");
        else
                root = node_read(pool, file, text, len, problems);
        free(text);
        return root;
}

bool node_is_none(const struct node *n)
{
        return n && n->kind == NODE_SCALAR && n->plain && strcmp(n->text, "none") == 0;
}

struct node *node_raw(const struct node *map, const char *key)
{
        if (!map || map->kind != NODE_MAP) return NULL;
        for (size_t i = 0; i < map->count; i++)
                if (strcmp(map->keys[i]->text, key) == 0) return map->items[i];
        return NULL;
}

struct node *node_get(const struct node *map, const char *key)
{
        struct node *n = node_raw(map, key);
        return node_is_none(n) ? NULL : n;
}

struct node *node_over(struct pool *pool, struct node *base, struct node *over)
{
        if (!base || !over) return over ? over : base;
        if (base->kind != NODE_MAP || over->kind != NODE_MAP) return over;
        struct node *n = pool_alloc(pool, sizeof *n);
        *n = *over;
        n->items = pool_alloc(pool, (base->count + over->count) * sizeof *n->items + 1);
        n->keys = pool_alloc(pool, (base->count + over->count) * sizeof *n->keys + 1);
        n->count = 0;
        for (size_t i = 0; i < base->count; i++) {
                struct node *o = node_raw(over, base->keys[i]->text);
                n->keys[n->count] = base->keys[i];
                n->items[n->count++] = o ? node_over(pool, base->items[i], o) : base->items[i];
        }
        for (size_t i = 0; i < over->count; i++) {
                if (node_raw(base, over->keys[i]->text)) continue;
                n->keys[n->count] = over->keys[i];
                n->items[n->count++] = over->items[i];
        }
        return n;
}

void node_check_keys(
    const struct node *map, const char *what, const char *const *keys, struct problems *problems)
{
        if (!map || map->kind != NODE_MAP) return;
        for (size_t i = 0; i < map->count; i++) {
                const char *key = map->keys[i]->text;
                const char *const *k = keys;
                while (*k && strcmp(*k, key) != 0) k++;
                if (*k) continue;
                const char *near = util_nearest(key, keys);
                node_problem(problems, map->keys[i], "unknown key '%s' in %s%s%s%s", key, what,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
}

bool node_is(const struct node *n, enum node_kind kind, const char *what, struct problems *problems)
{
        static const char *const names[] = {"a text", "a list", "a map"};
        if (n->kind == kind) return true;
        node_problem(problems, n, "%s must be %s", what, names[kind]);
        return false;
}
