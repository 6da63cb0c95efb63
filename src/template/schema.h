/*
 * Schemas: what a resource type accepts and gives. Filled in by run/plugin.c from the provider ABI; read by
 * template (checks), plan (diff) and cli (provider show). Immutable.
 */
#ifndef TUTTI_TEMPLATE_SCHEMA_H
#define TUTTI_TEMPLATE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "lang/value.h"

struct property {
        const char *name;
        const struct type *type;
        bool required, computed, sensitive, create_only, write_only, unordered;
        bool
            credential; /* of a provider's configuration: says who asks, not where; every sensitive one does */
        bool
            incidental; /* of a provider's configuration: two values of it are no two accounts, as with a time-out */
        bool grows;                   /* a number: a smaller one forces a replacement */
        const struct value *fallback; /* converted to `type`, or NULL */
        const char *doc;
};

struct schema {
        const char *type; /* "aws.ec2.vpc" */
        const char *doc;
        bool lookup;                                                  /* a lookup, not a resource */
        bool acts_on_host;                                            /* wants `host` */
        bool can_find, can_import, repeatable, local, no_read, plans; /* see provider.h */
        bool finds_token, overwrites, by_method;                      /* see provider.h */
        const char *definition;            /* digest of its description, or NULL; see struct tutti_type */
        const struct property *properties; /* sorted by name */
        size_t property_count;
        const struct property *outputs; /* sorted by name; `id` is among them */
        size_t output_count;
        double create_seconds; /* typical; 0 unknown */
        int64_t timeout_ms[4]; /* create, update, delete, read; 0: the engine's */
        const void *own;       /* the provider room's */
};

const struct property *schema_property(const struct schema *schema, const char *name); /* NULL if none */
const struct property *schema_output(const struct schema *schema, const char *name);

/* Where schemas come from. Implemented by run/; tests make their own. */
struct schema_source {
        /* NULL with a problem when the provider or type does not exist (with a suggestion) or its manifest is wrong. */
        const struct schema *(*find)(void *context, const char *type, struct error **err);
        /* The provider name of a type: "aws" for aws.ec2.vpc. Its configuration's properties; NULL with a problem if there is none. */
        const struct property *(*config)(
            void *context, const char *provider, size_t *count, struct error **err);
        /* A provider's own checks of a configuration that may hold unknowns; problems into *err, with `place`. May be NULL. */
        int (*validate)(void *context, const struct schema *schema, const struct value *properties,
            const struct place *place, struct error **err);
        /* What a provider's configuration (NULL: none is written) comes to with its defaults and the environment variables, secrets marked; an object,
         * new reference; unknown parts stay so. NULL: as it is written. The function may be NULL. */
        struct value *(*resolve)(void *context, const char *provider, const struct value *config);
        void *context;
};

#endif
