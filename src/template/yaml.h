/*
 * YAML files as trees of nodes that know where they stand. Internal to template/.
 *
 * What is read is YAML as libyaml parses it, with the scalars of the YAML 1.2 core schema: only true, false, null and
 * numbers, written plain, are not strings ("yes" and "no" are). Anchors, aliases and merge keys are resolved, so a node may be
 * reached on several ways: the tree is a graph without cycles. Duplicate keys are problems.
 *
 * Bounds: depth 100; keys and values written in the file 4,000,000; values that aliases and merge keys add 1,000,000.
 */
#ifndef TUTTI_TEMPLATE_YAML_H
#define TUTTI_TEMPLATE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/mem.h"
#include "lang/expr.h"

enum {
        YAML_DEPTH_MAX = 100,
        YAML_NODES_MAX = 4000000,
        YAML_ALIASED_MAX = 1000000,
        YAML_BYTES_MAX = 16 << 20
};

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAP };
enum yaml_style { YAML_PLAIN, YAML_SINGLE, YAML_DOUBLE, YAML_LITERAL, YAML_FOLDED };
enum yaml_core {
        YAML_STRING,
        YAML_NULL,
        YAML_BOOL,
        YAML_NUMBER,
        YAML_AMBIGUOUS, /* 0123, .inf, .nan: readers disagree on what these are */
};

struct yaml_node {
        uint8_t kind, style, core;
        uint8_t height;        /* levels below, 0 for a scalar */
        uint32_t line, column; /* from 1 */
        uint32_t start, end;   /* bytes of the file, with anchor and tag; `end` of scalars only */
        uint32_t weight;       /* nodes in it, aliases expanded, itself included */
        uint32_t count;        /* entries, items; bytes of text */
        union {
                const char *text; /* NUL behind it */
                struct yaml_entry *entries;
                struct yaml_node **items;
        };
};

struct yaml_entry {
        const char *key;
        uint32_t line, column; /* of the key */
        bool merge;            /* the key is a plain `<<`; only while reading */
        struct yaml_node *value;
};

struct yaml_file {
        const char *path; /* borrowed, for places */
        const char *text; /* borrowed, without a byte order mark */
        size_t len;
        struct yaml_node *root; /* in the arena */
};

/* Reads `text`, which outlives the tree; keys go into `names`, all else into `arena`. -1 with all problems that could be found; after a mistake in the syntax, only that. */
int yaml_read(struct arena *arena, struct arena *names, const char *path, const char *text, size_t len,
    struct yaml_file *file, struct error **err);

/* How long the byte order mark is that the text begins with, as some editors write it: 3, or 0. */
size_t yaml_mark_len(const char *text, size_t len);
/* -1 with one problem when the bytes are not UTF-8 text that YAML allows. */
int yaml_check_bytes(const char *path, const char *text, size_t len, struct error **err);
/* Nothing but printable ASCII, tabs and line breaks. */
bool yaml_is_plain_ascii(const char *text, size_t len);
/* What a plain scalar is. */
enum yaml_core yaml_core(const char *text, size_t len);

struct place yaml_place(const struct yaml_file *file, const struct yaml_node *node);
struct place yaml_key_place(const struct yaml_file *file, const struct yaml_entry *entry);
/* NULL when `map` is no map or has no such key. Linear in the number of keys: for maps with a fixed set of keys. */
const struct yaml_entry *yaml_get(const struct yaml_node *map, const char *key);
bool yaml_absent(const struct yaml_node *node);

/* Where each line and each escaped character of a scalar's text stands in the file. `map->lines` is in the arena. */
void yaml_source_map(
    struct arena *arena, const struct yaml_file *file, const struct yaml_node *node, struct source_map *map);

/* "a map", "a list", "text", "a number", … for messages. */
const char *yaml_kind_name(const struct yaml_node *node);

struct yaml_parser_s;
/* Turns libyaml's complaint into a problem in the user's words. */
int yaml_complain(const struct yaml_file *file, const struct yaml_parser_s *parser, struct error **err);

#endif
