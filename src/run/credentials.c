/* Two configurations of a provider into one; see credentials.h. */
#include "run/credentials.h"

#include <string.h>

/* All that is a credential, taken together, is known. */
static bool is_told(const struct property *properties, size_t count, const struct value *config)
{
        if (!value_is_known(config) || value_is_null(config)) return false;
        for (size_t i = 0; i < count; i++) {
                const struct value *v = properties[i].credential ? value_get(config, properties[i].name)
                                                                 : NULL;
                if (v != NULL && !value_is_wholly_known(v)) return false;
        }
        return true;
}

void credentials_renew(struct plan *present, const struct schema_source *schemas, const char *address,
    const char *provider, const char *type, struct value **config)
{
        const struct step same = {.address = address, .provider = provider, .type = type};
        struct provider_use now;
        cleanup(error_free) struct error *ignored = NULL;
        size_t count = 0;
        if (present == NULL || provider == NULL || *config == NULL || !value_is_known(*config)) return;
        cleanup_free char *kind = mem_strndup(type, strcspn(type, ".")); /* "aws" of aws.ec2.vpc */
        if (plan_provider(present, &same, &now, &ignored) < 0) return;
        if (now.block == NULL || !text_equal(now.block->type, kind)) return;
        const struct property *properties = schemas->config(schemas->context, kind, &count, NULL);
        if (properties == NULL || !is_told(properties, count, now.config)) return;
        struct value_builder b = {0};
        for (size_t i = 0; i < count; i++) {
                const char *name = properties[i].name;
                const struct value *v = value_get(properties[i].credential ? now.config : *config, name);
                if (v != NULL) value_builder_add(&b, name, value_ref(v));
        }
        value_free(*config);
        *config = value_builder_object(&b);
}
