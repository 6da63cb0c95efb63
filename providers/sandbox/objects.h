/*
 * The objects of the practice cloud and how they hang together.
 *
 * A shelf per type finds an object by id, by name, and in order of creation. Each object knows who refers
 * to it, so that a deletion in use is refused, and references vanish with their object, without a search.
 */
#ifndef TUTTI_SANDBOX_OBJECTS_H
#define TUTTI_SANDBOX_OBJECTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/map.h"
#include "providers/sandbox/types.h"

enum { SANDBOX_ID = 32, SANDBOX_DIGEST = 65 };

struct sandbox_object {
        const struct sandbox_type *type;
        char id[SANDBOX_ID];
        int64_t seq;                          /* of its creation in the journal */
        int64_t ready_at, visible_at;         /* on the monotonic clock, in ms */
        json_t *properties;                   /* every property of its type; secrets as digests */
        json_t *outputs;                      /* without id and status */
        char *key, digest[SANDBOX_DIGEST];    /* the Idempotency-Key (or NULL) and body that created it */
        struct map users;                     /* id -> the object that refers to this one */
        uint64_t address_cursor;              /* of a subnet: where to look for a free address */
        struct sandbox_object *next, *before; /* others of the same type and name */
};

struct sandbox_shelf {
        struct map by_id;
        struct map by_name; /* the newest of that name; the others hang behind it */
        struct sandbox_slot {
                int64_t seq;
                struct sandbox_object *object; /* NULL once removed */
        } * slots;                             /* in order of creation */
        size_t slot_count, slot_capacity;
};

struct sandbox_objects {
        struct sandbox_shelf shelves[SANDBOX_TYPES];
        struct map by_key;    /* Idempotency-Key -> object */
        struct map addresses; /* "SUBNET-ID/ADDRESS" or "public/ADDRESS" -> object */
        uint64_t public_cursor;
};

void sandbox_objects_release(struct sandbox_objects *objects);

/* Each returns NULL when there is none. */
struct sandbox_object *sandbox_objects_find(
    const struct sandbox_objects *objects, const struct sandbox_type *type, const char *id);
struct sandbox_object *sandbox_objects_named(
    const struct sandbox_objects *objects, const struct sandbox_type *type, const char *name);

/* A property as text; NULL when the object has none of that name or it is not a text. */
const char *sandbox_object_text(const struct sandbox_object *object, const char *property);
/* True when a property of `user` that holds its target names `target`. */
bool sandbox_object_is_held_by(const struct sandbox_object *target, const struct sandbox_object *user);

/* Puts a complete object on its shelf, which owns it from now on. Its seq is larger than any before. */
void sandbox_objects_add(struct sandbox_objects *objects, struct sandbox_object *object);
/* Replaces properties and outputs; takes over both references. */
void sandbox_objects_change(
    struct sandbox_objects *objects, struct sandbox_object *object, json_t *properties, json_t *outputs);
/* Takes the object off and frees it; references to it vanish from the objects that have them. */
void sandbox_objects_remove(struct sandbox_objects *objects, struct sandbox_object *object);

/* The index of the first slot whose seq exceeds `seq`. O(log n). */
size_t sandbox_shelf_after(const struct sandbox_shelf *shelf, int64_t seq);

#endif
