/*
 * From libyaml's events to a tree of nodes.
 *
 * The events are read in one loop with a stack of open collections, so that depth costs no C stack. Children wait in two
 * shared arrays until their collection closes and are then copied into the arena in one piece.
 */
#include "template/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/map.h"
#include "base/text.h"

enum { SMALL_MAP = 12 }; /* up to here, comparing all pairs of keys is cheaper than hashing them */

struct frame { /* a collection that is still open */
        struct yaml_node *node;
        size_t first; /* of its children in the shared array */
        const char *key;
        uint32_t key_line, key_column;
        bool key_merges, merges;
        uint32_t weight;
        uint8_t height;
};

enum { RECENT = 1024 };

struct reader {
        struct arena *arena, *names;
        const char *recent[RECENT]; /* keys read lately: most of them come again and again */
        struct yaml_file *file;
        struct error **err;
        yaml_parser_t parser;
        struct frame stack[YAML_DEPTH_MAX];
        size_t depth;
        struct yaml_entry *entries;
        size_t entry_count, entry_capacity;
        void **items; /* struct yaml_node * */
        size_t item_count, item_capacity;
        struct map anchors; /* name → node; an open one has weight 0 */
        size_t nodes, aliased;
        size_t byte, point; /* byte offset of a code point index, moving forward only */
        bool ascii;
};

static void reader_release(struct reader *r)
{
        yaml_parser_delete(&r->parser);
        free(r->entries);
        free(r->items);
        map_release(&r->anchors);
}
CLEANUP(struct reader *, reader_release);

static int fail_at(struct reader *r, yaml_mark_t mark, const char *message)
{
        struct place place = {r->file->path, (unsigned)mark.line + 1, (unsigned)mark.column + 1, NULL};
        return error_set(r->err, ERROR_INPUT, &place, "%s", message);
}

static bool continues(char c)
{
        return ((unsigned char)c & 0xc0) == 0x80;
}

/* libyaml counts code points. Marks of successive events lie near each other, so going there step by step is linear in all. */
static uint32_t byte_of(struct reader *r, yaml_mark_t mark)
{
        if (r->ascii) return (uint32_t)mark.index;
        const char *text = r->file->text;
        for (; r->point < mark.index && r->byte < r->file->len; r->point++) {
                do r->byte++;
                while (r->byte < r->file->len && continues(text[r->byte]));
        }
        for (; r->point > mark.index && r->byte > 0; r->point--) {
                do r->byte--;
                while (r->byte > 0 && continues(text[r->byte]));
        }
        return (uint32_t)r->byte;
}

static struct yaml_node *node_new(struct reader *r, const yaml_event_t *event, enum yaml_kind kind)
{
        struct yaml_node *node = arena_alloc(r->arena, sizeof *node);
        node->kind = (uint8_t)kind;
        node->line = (uint32_t)event->start_mark.line + 1;
        node->column = (uint32_t)event->start_mark.column + 1;
        node->start = byte_of(r, event->start_mark);
        return node;
}

static int remember_anchor(struct reader *r, const yaml_char_t *anchor, struct yaml_node *node)
{
        if (anchor != NULL) map_put(&r->anchors, arena_strdup(r->arena, (const char *)anchor), node);
        return 0;
}

/* --- keys and values ------------------------------------------------------------------------------------------------- */

static const char *key_text_of(struct reader *r, const char *text, size_t len)
{
        unsigned slot = (unsigned)len * 31;
        for (size_t i = 0; i < len; i++) slot = slot * 33 + (unsigned char)text[i];
        const char **recent = &r->recent[slot % RECENT];
        if (*recent == NULL || strcmp(*recent, text) != 0) *recent = arena_strndup(r->names, text, len);
        return *recent;
}

static int take_key(
    struct reader *r, struct frame *top, const char *text, size_t len, bool plain, yaml_mark_t mark)
{
        if (memchr(text, '\0', len) != NULL) return fail_at(r, mark, "a key must not hold a NUL character");
        if (len == 0 && plain) return fail_at(r, mark, "a key is missing before ':'");
        top->key = key_text_of(r, text, len);
        top->key_line = (uint32_t)mark.line + 1;
        top->key_column = (uint32_t)mark.column + 1;
        top->key_merges = plain && strcmp(text, "<<") == 0;
        top->merges |= top->key_merges;
        return 0;
}

static int attach(struct reader *r, struct yaml_node *node, yaml_mark_t mark)
{
        if (r->depth == 0) {
                r->file->root = node;
                return 0;
        }
        struct frame *top = &r->stack[r->depth - 1];
        if (top->node->kind == YAML_MAP && top->key == NULL) {
                if (node->kind != YAML_SCALAR)
                        return fail_at(r, mark, "a key must be text, not a map or a list");
                return take_key(r, top, node->text, node->count, node->style == YAML_PLAIN, mark);
        }
        if (top->node->kind == YAML_MAP) {
                struct yaml_entry entry = {top->key, top->key_line, top->key_column, top->key_merges, node};
                vec_push(r->entries, r->entry_count, r->entry_capacity, entry);
                top->key = NULL;
                if (entry.merge) return 0; /* its entries count, once they are merged */
        } else {
                vec_push(r->items, r->item_count, r->item_capacity, node);
        }
        if (node->height >= top->height) top->height = (uint8_t)(node->height + 1);
        top->weight += node->weight; /* bounded: written + aliased nodes */
        return 0;
}

/* --- scalars and aliases --------------------------------------------------------------------------------------------- */

static int scalar_style(const yaml_event_t *event)
{
        switch (event->data.scalar.style) {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: return YAML_SINGLE;
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return YAML_DOUBLE;
        case YAML_LITERAL_SCALAR_STYLE: return YAML_LITERAL;
        case YAML_FOLDED_SCALAR_STYLE: return YAML_FOLDED;
        default: return YAML_PLAIN;
        }
}

/* Only `!` and `!!str` say something that we can keep: "this is text". */
static int check_tag(struct reader *r, const yaml_char_t *tag, const yaml_event_t *event, bool *text)
{
        *text = tag != NULL;
        if (tag == NULL || strcmp((const char *)tag, "!") == 0 ||
            strcmp((const char *)tag, YAML_STR_TAG) == 0)
                return 0;
        struct place place = {r->file->path, (unsigned)event->start_mark.line + 1,
            (unsigned)event->start_mark.column + 1, NULL};
        return error_set(r->err, ERROR_INPUT, &place, "the YAML tag '%.60s' is not supported; only !!str is",
            (const char *)tag);
}

static int read_scalar(struct reader *r, const yaml_event_t *event)
{
        bool text;
        if (check_tag(r, event->data.scalar.tag, event, &text) < 0) return -1;
        if (++r->nodes > YAML_NODES_MAX)
                return fail_at(r, event->start_mark, "the file holds too many values");
        const char *value = (const char *)event->data.scalar.value;
        size_t len = event->data.scalar.length;
        struct frame *top = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
        bool is_key = top != NULL && top->node->kind == YAML_MAP && top->key == NULL;
        if (is_key && event->data.scalar.anchor == NULL) /* needs no node */
                return take_key(r, top, value, len, scalar_style(event) == YAML_PLAIN, event->start_mark);
        struct yaml_node *node = node_new(r, event, YAML_SCALAR);
        node->end = byte_of(r, event->end_mark);
        node->style = (uint8_t)scalar_style(event);
        node->text = arena_strndup(r->arena, value, len);
        node->count = (uint32_t)len;
        node->weight = 1;
        if (node->style == YAML_PLAIN && !text) node->core = (uint8_t)yaml_core(node->text, node->count);
        remember_anchor(r, event->data.scalar.anchor, node);
        return attach(r, node, event->start_mark);
}

static int read_alias(struct reader *r, const yaml_event_t *event)
{
        struct place place = {r->file->path, (unsigned)event->start_mark.line + 1,
            (unsigned)event->start_mark.column + 1, NULL};
        const char *name = (const char *)event->data.alias.anchor;
        struct yaml_node *node = map_get(&r->anchors, name);
        if (node == NULL)
                return error_set(r->err, ERROR_INPUT, &place,
                    "the alias *%.60s has no anchor &%.60s before it", name, name);
        if (node->weight == 0)
                return error_set(
                    r->err, ERROR_INPUT, &place, "the alias *%.60s stands inside what it repeats", name);
        r->aliased += node->weight;
        if (r->aliased > YAML_ALIASED_MAX)
                return error_set(
                    r->err, ERROR_INPUT, &place, "aliases expand to more than %d values", YAML_ALIASED_MAX);
        if (r->depth + node->height >= YAML_DEPTH_MAX)
                return error_set(r->err, ERROR_INPUT, &place,
                    "the alias *%.60s makes a nesting deeper than %d levels", name, YAML_DEPTH_MAX);
        return attach(r, node, event->start_mark);
}

/* --- collections ----------------------------------------------------------------------------------------------------- */

static int open_collection(struct reader *r, const yaml_event_t *event, enum yaml_kind kind)
{
        bool map = kind == YAML_MAP, text;
        if (r->depth == YAML_DEPTH_MAX) {
                struct place place = {r->file->path, (unsigned)event->start_mark.line + 1,
                    (unsigned)event->start_mark.column + 1, NULL};
                return error_set(r->err, ERROR_INPUT, &place, "nested deeper than %d levels", YAML_DEPTH_MAX);
        }
        if (check_tag(r, map ? event->data.mapping_start.tag : event->data.sequence_start.tag, event, &text) <
            0)
                return -1;
        struct yaml_node *node = node_new(r, event, kind);
        remember_anchor(r, map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, node);
        if (++r->nodes > YAML_NODES_MAX)
                return fail_at(r, event->start_mark, "the file holds too many values");
        r->stack[r->depth++] = (struct frame){
            .node = node, .first = map ? r->entry_count : r->item_count, .weight = 1};
        return 0;
}

/* Puts what `<<` names behind the map's own entries; its own win, then those merged first. */
static int merge_one(struct reader *r, struct frame *top, struct map *seen, const struct yaml_entry *at,
    const struct yaml_node *from)
{
        struct place place = yaml_key_place(r->file, at);
        if (from->kind != YAML_MAP)
                return error_set(r->err, ERROR_INPUT, &place, "'<<' merges a map or a list of maps");
        r->aliased += from->count;
        if (r->aliased > YAML_ALIASED_MAX)
                return error_set(
                    r->err, ERROR_INPUT, &place, "aliases expand to more than %d values", YAML_ALIASED_MAX);
        for (uint32_t i = 0; i < from->count; i++) {
                struct yaml_entry entry = from->entries[i];
                if (map_has(seen, entry.key)) continue;
                map_put(seen, entry.key, entry.value);
                vec_push(r->entries, r->entry_count, r->entry_capacity, entry);
                top->weight += entry.value->weight;
                if (entry.value->height >= top->height) top->height = (uint8_t)(entry.value->height + 1);
        }
        return 0;
}

static int merge_keys(struct reader *r, struct frame *top)
{
        __attribute__((__cleanup__(map_release_cleanup))) struct map seen = {0};
        size_t end = r->entry_count;
        for (size_t i = top->first; i < end; i++)
                if (!r->entries[i].merge) map_put(&seen, r->entries[i].key, r->entries[i].value);
        for (size_t i = top->first; i < end; i++) {
                struct yaml_entry at = r->entries[i]; /* a copy: the array grows */
                if (!at.merge) continue;
                const struct yaml_node *value = at.value;
                size_t sources = value->kind == YAML_SEQUENCE ? value->count : 1;
                for (size_t k = 0; k < sources; k++)
                        if (merge_one(r, top, &seen, &at,
                                value->kind == YAML_SEQUENCE ? value->items[k] : value) < 0)
                                return -1;
        }
        size_t kept = top->first;
        for (size_t i = top->first; i < r->entry_count; i++)
                if (!r->entries[i].merge) r->entries[kept++] = r->entries[i];
        r->entry_count = kept;
        return 0;
}

static void duplicate(struct reader *r, const struct yaml_entry *again, const struct yaml_entry *first)
{
        struct place place = yaml_key_place(r->file, again);
        error_set(
            r->err, ERROR_INPUT, &place, "duplicate key '%.100s', first on line %u", again->key, first->line);
}

static void check_duplicates(struct reader *r, const struct yaml_entry *entries, size_t count)
{
        if (count <= SMALL_MAP) {
                for (size_t i = 1; i < count; i++) {
                        size_t k = 0;
                        while (k < i && strcmp(entries[k].key, entries[i].key) != 0) k++;
                        if (k < i) duplicate(r, &entries[i], &entries[k]);
                }
                return;
        }
        __attribute__((__cleanup__(map_release_cleanup))) struct map seen = {0};
        for (size_t i = 0; i < count; i++) {
                const struct yaml_entry *first = map_get(&seen, entries[i].key);
                if (first != NULL)
                        duplicate(r, &entries[i], first);
                else
                        map_put(&seen, entries[i].key, (void *)&entries[i]);
        }
}

static int close_collection(struct reader *r)
{
        struct frame *top = &r->stack[r->depth - 1];
        struct yaml_node *node = top->node;
        if (node->kind == YAML_MAP) {
                check_duplicates(r, r->entries + top->first, r->entry_count - top->first);
                if (top->merges && merge_keys(r, top) < 0) return -1;
                node->count = (uint32_t)(r->entry_count - top->first);
                node->entries = arena_alloc(r->arena, node->count * sizeof *node->entries);
                if (node->count > 0)
                        memcpy(node->entries, r->entries + top->first, node->count * sizeof *node->entries);
                r->entry_count = top->first;
        } else {
                node->count = (uint32_t)(r->item_count - top->first);
                node->items = arena_alloc(r->arena, node->count * sizeof(void *));
                if (node->count > 0) memcpy(node->items, r->items + top->first, node->count * sizeof(void *));
                r->item_count = top->first;
        }
        node->weight = top->weight;
        node->height = top->height;
        r->depth--;
        yaml_mark_t start = {.line = node->line - 1, .column = node->column - 1};
        return attach(r, node, start);
}

/* --- the loop -------------------------------------------------------------------------------------------------------- */

static int read_event(struct reader *r, const yaml_event_t *event)
{
        switch (event->type) {
        case YAML_SCALAR_EVENT: return read_scalar(r, event);
        case YAML_ALIAS_EVENT: return read_alias(r, event);
        case YAML_MAPPING_START_EVENT: return open_collection(r, event, YAML_MAP);
        case YAML_SEQUENCE_START_EVENT: return open_collection(r, event, YAML_SEQUENCE);
        case YAML_MAPPING_END_EVENT:
        case YAML_SEQUENCE_END_EVENT: return close_collection(r);
        case YAML_DOCUMENT_START_EVENT:
                if (r->file->root != NULL)
                        return fail_at(
                            r, event->start_mark, "a second document begins here; a file holds one");
                return 0;
        default: return 0;
        }
}

static int read_all(struct reader *r)
{
        vec_grow(r->entries, r->entry_count,
            r->entry_capacity); /* so that there is an array even with nothing in it */
        vec_grow(r->items, r->item_count, r->item_capacity);
        for (bool more = true; more;) {
                yaml_event_t event;
                if (!yaml_parser_parse(&r->parser, &event)) return yaml_complain(r->file, &r->parser, r->err);
                int failed = read_event(r, &event);
                more = event.type != YAML_STREAM_END_EVENT;
                yaml_event_delete(&event);
                if (failed < 0) return -1;
        }
        struct place place = {.file = r->file->path};
        if (r->file->root == NULL) return error_set(r->err, ERROR_INPUT, &place, "the file is empty");
        return 0;
}

int yaml_read(struct arena *arena, struct arena *names, const char *path, const char *text, size_t len,
    struct yaml_file *file, struct error **err)
{
        size_t mark = yaml_mark_len(text, len);
        text += mark;
        len -= mark;
        *file = (struct yaml_file){.path = path, .text = text, .len = len};
        bool ascii = len <= YAML_BYTES_MAX && yaml_is_plain_ascii(text, len);
        if (!ascii && yaml_check_bytes(path, text, len, err) < 0) return -1;
        cleanup(error_free) struct error *problems = NULL;
        cleanup_free struct reader *memory = mem_alloc(sizeof *memory);
        cleanup(reader_release) struct reader *r = memory;
        r->arena = arena;
        r->names = names;
        r->file = file;
        r->err = &problems;
        r->ascii = ascii;
        if (!yaml_parser_initialize(&r->parser)) abort(); /* out of memory */
        yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, len);
        read_all(r);
        return error_move(err, &problems);
}

struct place yaml_place(const struct yaml_file *file, const struct yaml_node *node)
{
        return (struct place){file->path, node->line, node->column, NULL};
}

struct place yaml_key_place(const struct yaml_file *file, const struct yaml_entry *entry)
{
        return (struct place){file->path, entry->line, entry->column, NULL};
}

const struct yaml_entry *yaml_get(const struct yaml_node *map, const char *key)
{
        if (map == NULL || map->kind != YAML_MAP) return NULL;
        for (uint32_t i = 0; i < map->count; i++)
                if (strcmp(map->entries[i].key, key) == 0) return &map->entries[i];
        return NULL;
}

bool yaml_absent(const struct yaml_node *node)
{
        return node == NULL || (node->kind == YAML_SCALAR && node->core == YAML_NULL);
}

const char *yaml_kind_name(const struct yaml_node *node)
{
        if (node->kind == YAML_MAP) return "a map";
        if (node->kind == YAML_SEQUENCE) return "a list";
        switch (node->core) {
        case YAML_NULL: return "nothing";
        case YAML_BOOL: return "true or false";
        case YAML_NUMBER:
        case YAML_AMBIGUOUS: return "a number";
        default: return "text";
        }
}
