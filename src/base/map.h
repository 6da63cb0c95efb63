/*
 * A hash map from strings to pointers that remembers the order of insertion.
 *
 * Open addressing over indices into an entry array, keyed with SipHash-like mixing of a per-process
 * random seed, so that hostile keys cannot make it quadratic. Keys are borrowed unless the map copies
 * them (map_put_copy); values are never owned.
 */
#ifndef TUTTI_BASE_MAP_H
#define TUTTI_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/mem.h"

struct map_entry {
        const char *key;
        void *value;
        uint64_t hash;
        bool owned;
};

struct map {
        struct map_entry *entries; /* in order of insertion; a removed one has key NULL */
        size_t used, capacity;     /* entries used (with removed ones) and allocated */
        size_t count;              /* live entries */
        uint32_t *slots;           /* index + 1 into entries, 0 for empty */
        size_t slot_count;         /* a power of two */
};

void *map_get(const struct map *map, const char *key); /* NULL when absent */
bool map_has(const struct map *map, const char *key);
void *map_put(struct map *map, const char *key, void *value); /* the value it replaced, or NULL */
void *map_put_copy(struct map *map, const char *key, void *value);
void *map_remove(struct map *map, const char *key); /* the value it had, or NULL */
void map_release(struct map *map);
static inline void map_release_cleanup(struct map *map)
{
        map_release(map);
}

/* for (map_foreach(map, entry)) use(entry->key, entry->value); in order of insertion. */
#define map_foreach(map, entry)                                                                             \
        struct map_entry *entry = (map)->entries, *entry##_end = (map)->used ? entry + (map)->used : entry; \
        (entry = map_next_(entry, entry##_end)) != NULL;                                                    \
        entry++
struct map_entry *map_next_(struct map_entry *entry, struct map_entry *end);

#endif
