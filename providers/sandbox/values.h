/*
 * Is one property's value well formed? Looks at nothing but the value; what other objects have to say is
 * in relations.h.
 */
#ifndef TUTTI_SANDBOX_VALUES_H
#define TUTTI_SANDBOX_VALUES_H

#include <jansson.h>
#include "providers/sandbox/refusal.h"
#include "providers/sandbox/types.h"

/* 0 when `value` may be given to `property`; otherwise -1 and a refusal with status 422 that names the
 * property, or the element of it that is at fault. Never repeats a secret. */
int sandbox_value_check(
    const struct sandbox_property *property, const json_t *value, struct sandbox_refusal *refusal);

/* Checks a record's name, type and value against each other ("A" wants an IPv4 address). */
int sandbox_value_check_record(const json_t *properties, struct sandbox_refusal *refusal);

#endif
