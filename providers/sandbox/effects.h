/*
 * An effect is the one way in which the practice cloud changes. It is built as a record, applied to the
 * objects, entered in the journal and appended to the disk; a restart applies the same records again.
 */
#ifndef TUTTI_SANDBOX_EFFECTS_H
#define TUTTI_SANDBOX_EFFECTS_H

#include "providers/sandbox/cloud.h"

/* Each takes over the references to properties and outputs. `key` is the request's Idempotency-Key or NULL. */
struct sandbox_object *sandbox_effect_created(struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const char *id, json_t *properties, json_t *outputs, const char *key, const char *digest);
void sandbox_effect_updated(struct sandbox_cloud *cloud, struct sandbox_object *object, json_t *properties,
    json_t *outputs, const char *key);
void sandbox_effect_deleted(struct sandbox_cloud *cloud, struct sandbox_object *object, const char *key);

/* Applies a record read back from the disk. Fits sandbox_disk_replay; `context` is the cloud. */
int sandbox_effect_replay(void *context, const json_t *record, struct error **err);

#endif
