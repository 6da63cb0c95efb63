/*
 * What the cloud itself decides about an object: addresses, devices, fingerprints, where to log in.
 */
#ifndef TUTTI_SANDBOX_OUTPUTS_H
#define TUTTI_SANDBOX_OUTPUTS_H

#include "providers/sandbox/cloud.h"

/* The outputs of a new object; for a server, opens its door. A new reference, or NULL and a refusal (409 when
 * there is no address or device left, 503 when this machine has no resources left for a host). */
json_t *sandbox_outputs_new(struct sandbox_cloud *cloud, const struct sandbox_type *type, const char *id,
    const json_t *properties, struct sandbox_refusal *refusal);

/* The outputs of an object once its properties are `properties`. A new reference. */
json_t *sandbox_outputs_after(const struct sandbox_object *object, const json_t *properties);

/* Brings the host of a server in line with its properties: name, authorised keys, when it opens. */
int sandbox_outputs_apply_host(
    struct sandbox_cloud *cloud, const struct sandbox_object *server, struct error **err);
/* The same for every server that uses this key. */
int sandbox_outputs_apply_key(
    struct sandbox_cloud *cloud, const struct sandbox_object *key, struct error **err);

/* Opens the doors of all servers that the disk brought back; their outputs follow where a port was lost. */
int sandbox_outputs_revive(struct sandbox_cloud *cloud, struct error **err);

#endif
