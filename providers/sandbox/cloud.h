/*
 * The practice cloud itself: its objects, its journal, its behaviour, its hosts; and what can be done to
 * them. Knows nothing of HTTP. One thread owns it.
 */
#ifndef TUTTI_SANDBOX_CLOUD_H
#define TUTTI_SANDBOX_CLOUD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"
#include "providers/sandbox/control.h"
#include "providers/sandbox/disk.h"
#include "providers/sandbox/objects.h"
#include "providers/sandbox/refusal.h"

struct sandbox_hosts;

/* Every effect as one line of JSON, in order. */
struct sandbox_journal {
        struct text lines; /* separated by ",\n" */
        size_t *starts;    /* of each entry in `lines`; entry i has seq i + 1 */
        size_t count, capacity;
};

struct sandbox_cloud {
        struct sandbox_objects objects;
        struct sandbox_journal journal;
        struct sandbox_control control;
        struct sandbox_disk disk;
        struct sandbox_hosts *hosts;
};

/* Opens the data directory (NULL: keeps nothing) and brings back what it holds, but starts no hosts. On
 * failure the cloud still wants sandbox_cloud_release. Errors as sandbox_disk_open. */
int sandbox_cloud_open(struct sandbox_cloud *cloud, const char *directory, struct error **err);
void sandbox_cloud_release(struct sandbox_cloud *cloud);

enum sandbox_created { SANDBOX_REFUSED = -1, SANDBOX_CREATED, SANDBOX_REPEATED };

/* Creates an object from the properties in `body`, a JSON object. With a `key` (or NULL) that created a living
 * object from the same body before, *ret is that object and the answer SANDBOX_REPEATED. */
enum sandbox_created sandbox_cloud_create(struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const json_t *body, const char *key, struct sandbox_object **ret, struct sandbox_refusal *refusal);
/* Changes the properties that `body` names; null sets one back to its default. */
int sandbox_cloud_update(struct sandbox_cloud *cloud, struct sandbox_object *object, const json_t *body,
    const char *key, struct sandbox_refusal *refusal);
/* Deletes and frees the object, unless another one holds it. */
int sandbox_cloud_delete(struct sandbox_cloud *cloud, struct sandbox_object *object, const char *key,
    struct sandbox_refusal *refusal);

/* The object as replies show it: id, status, properties, outputs; without secrets. A new reference. */
json_t *sandbox_cloud_render(const struct sandbox_object *object, int64_t now);

/* The journal from the entry behind `since` on, as a JSON array. The caller frees. */
char *sandbox_journal_text(const struct sandbox_journal *journal, int64_t since, size_t *len);

#endif
