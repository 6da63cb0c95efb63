/*
 * YAML as a tree with places, for manifests: no anchors, no tags, one document, bounded.
 */
#ifndef TUTTI_REST_YAML_H
#define TUTTI_REST_YAML_H

#include "util.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
        enum node_kind kind;
        const char *file;
        unsigned line, column; /* of the text itself, behind a quote */
        const char *text;      /* scalar */
        size_t len;
        bool plain;          /* not quoted: may be a number, true, null */
        struct node **items; /* list elements, map values */
        struct node **keys;  /* map: scalars, unique */
        size_t count;
};

enum { YAML_BYTES_MAX = 1 << 20, YAML_DEPTH_MAX = 40, YAML_NODES_MAX = 50000, YAML_KEYS_MAX = 2000 };

/* Reads the text of a file. Lives in the pool. NULL with a problem added. */
struct node *node_read(
    struct pool *pool, const char *file, const char *text, size_t len, struct problems *problems);
/* Reads a file of at most YAML_BYTES_MAX bytes. `file` is the name that messages show. */
struct node *node_file(struct pool *pool, const char *path, const char *file, struct problems *problems);

/* The value of a key, or NULL: no map (NULL included), no such key, or the plain scalar `none`. */
struct node *node_get(const struct node *map, const char *key);
/* The same, with `none` given as it stands. */
struct node *node_raw(const struct node *map, const char *key);
bool node_is_none(const struct node *n);
/* `over` laid over `base` (either may be NULL); maps are merged at every level. Shares the nodes of both. */
struct node *node_over(struct pool *pool, struct node *base, struct node *over);
/* A problem at a node's place. */
#define node_problem(problems, n, ...) \
        problems_add((problems), (n)->file, (n)->line, (n)->column, __VA_ARGS__)
/* Every key of the map is one of `keys` (NULL ends them); else a problem each, with the nearest. `what` names the map. */
void node_check_keys(
    const struct node *map, const char *what, const char *const *keys, struct problems *problems);
/* A problem unless it is of the kind. */
bool node_is(const struct node *n, enum node_kind kind, const char *what, struct problems *problems);

#endif
