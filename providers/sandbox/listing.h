/*
 * Lists of objects: filtered by name and labels, in order of creation, page by page.
 */
#ifndef TUTTI_SANDBOX_LISTING_H
#define TUTTI_SANDBOX_LISTING_H

#include <jansson.h>
#include "providers/sandbox/routes.h"

/* The array of objects for the request's query: name=, label=KEY:VALUE (any number, all must match), limit= (1 to
 * 10000, which is also the default), page=. *link, NULL before, becomes the value of a Link header to the page that follows, if
 * there is one; the caller frees it. A new reference, or NULL and a refusal. */
json_t *sandbox_listing(const struct sandbox_cloud *cloud, const struct sandbox_type *type,
    const struct sandbox_request *request, char **link, struct sandbox_refusal *refusal);

/* A whole number from 0 to max. False when it is not. */
bool sandbox_listing_number(const char *text, int64_t max, int64_t *ret);

#endif
