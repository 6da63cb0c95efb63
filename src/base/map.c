/* Insertion-ordered hash map; see map.h. */
#include "base/map.h"

#include <string.h>
#include <sys/random.h>

static uint64_t seed_value(void)
{
        static uint64_t seed; /* the one exception to "no globals": a constant once drawn */
        while (seed == 0)
                if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = 0x9e3779b97f4a7c15u;
        return seed;
}

/* Multiply-and-fold over 8-byte words, as in wyhash; seeded, not cryptographic. */
static uint64_t mix(uint64_t a, uint64_t b)
{
        __extension__ unsigned __int128 product = a;
        product *= b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_key(const char *key)
{
        uint64_t h = seed_value();
        size_t len = strlen(key);
        for (size_t left = len; left > 0;) {
                uint64_t word = 0;
                size_t n = left < 8 ? left : 8;
                memcpy(&word, key, n);
                h = mix(h ^ word ^ 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu ^ n);
                key += n;
                left -= n;
        }
        return mix(h ^ len, 0x8ebc6af09c88c6e3u);
}

static size_t find_slot(const struct map *map, const char *key, uint64_t hash)
{
        size_t mask = map->slot_count - 1;
        for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
                uint32_t index = map->slots[slot];
                if (index == 0) return slot;
                const struct map_entry *e = &map->entries[index - 1];
                if (e->key != NULL && e->hash == hash && strcmp(e->key, key) == 0) return slot;
        }
}

static struct map_entry *find(const struct map *map, const char *key)
{
        if (map->slot_count == 0) return NULL;
        uint32_t index = map->slots[find_slot(map, key, hash_key(key))];
        return index ? &map->entries[index - 1] : NULL;
}

/* Drops removed entries and sizes the slots for twice the live ones. */
static void rebuild(struct map *map)
{
        size_t live = 0;
        for (size_t i = 0; i < map->used; i++)
                if (map->entries[i].key != NULL) map->entries[live++] = map->entries[i];
        map->used = live;
        map->slot_count = 16;
        while (map->slot_count < live * 4) map->slot_count *= 2;
        free(map->slots);
        map->slots = mem_alloc(map->slot_count * sizeof *map->slots);
        for (size_t i = 0; i < live; i++)
                map->slots[find_slot(map, map->entries[i].key, map->entries[i].hash)] = (uint32_t)i + 1;
}

static void *put(struct map *map, const char *key, void *value, bool copy)
{
        if ((map->used + 1) * 2 > map->slot_count) rebuild(map);
        uint64_t hash = hash_key(key);
        size_t slot = find_slot(map, key, hash);
        if (map->slots[slot] != 0) {
                struct map_entry *e = &map->entries[map->slots[slot] - 1];
                void *before = e->value;
                e->value = value;
                return before;
        }
        struct map_entry e = {copy ? mem_strdup(key) : key, value, hash, copy};
        vec_push(map->entries, map->used, map->capacity, e);
        map->slots[slot] = (uint32_t)map->used;
        map->count++;
        return NULL;
}

void *map_put(struct map *map, const char *key, void *value)
{
        return put(map, key, value, false);
}

void *map_put_copy(struct map *map, const char *key, void *value)
{
        return put(map, key, value, true);
}

void *map_get(const struct map *map, const char *key)
{
        struct map_entry *e = find(map, key);
        return e ? e->value : NULL;
}

bool map_has(const struct map *map, const char *key)
{
        return find(map, key) != NULL;
}

void *map_remove(struct map *map, const char *key)
{
        struct map_entry *e = find(map, key);
        if (e == NULL) return NULL;
        void *value = e->value;
        if (e->owned) free((char *)e->key);
        e->key = NULL; /* its slot stays taken until the next rebuild, so probing goes on past it */
        e->owned = false;
        map->count--;
        return value;
}

void map_release(struct map *map)
{
        for (size_t i = 0; i < map->used; i++)
                if (map->entries[i].owned) free((char *)map->entries[i].key);
        free(map->entries);
        free(map->slots);
        *map = (struct map){0};
}

struct map_entry *map_next_(struct map_entry *entry, struct map_entry *end)
{
        while (entry != end && entry->key == NULL) entry++;
        return entry == end ? NULL : entry;
}
