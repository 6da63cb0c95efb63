/*
 * What other objects have to say about an object's properties: references that must exist, names that
 * are taken, networks that overlap.
 */
#ifndef TUTTI_SANDBOX_RELATIONS_H
#define TUTTI_SANDBOX_RELATIONS_H

#include "providers/sandbox/cloud.h"

/* Checks well-formed properties of a new object (`self` NULL) or of one that is about to change. Refuses with 404
 * for a missing reference, 409 for a conflict with another object, 422 for values that do not go together. */
int sandbox_relations_check(const struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const json_t *properties, const struct sandbox_object *self, struct sandbox_refusal *refusal);

/* Refuses with 409, naming the first one, when another object holds this one. */
int sandbox_relations_check_unused(const struct sandbox_object *object, struct sandbox_refusal *refusal);

#endif
