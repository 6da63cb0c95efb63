/* Two configurations of a provider into one; see credentials.h. */
#include "run/credentials.h"

#include <string.h>

static const struct value *known(const struct value *config, const char *name)
{
        const struct value *v = value_get(config, name);
        return v != NULL && value_is_known(v) && !value_is_null(v) ? v : NULL;
}

/* "aws" of aws.ec2.vpc */
static const struct property *config_schema(
    const struct schema_source *schemas, const char *type, size_t *count)
{
        cleanup_free char *provider = mem_strndup(type, strcspn(type, "."));
        return schemas->config(schemas->context, provider, count, NULL);
}

void credentials_renew(
    struct plan *present, const struct schema_source *schemas, const struct step *step, struct value **config)
{
        const struct step same = {.address = step->address, .provider = step->provider, .type = step->type};
        cleanup(value_free) struct value *now = NULL;
        cleanup(error_free) struct error *ignored = NULL;
        size_t count = 0;
        if (step->provider == NULL || plan_provider_config(present, &same, &now, &ignored) < 0) return;
        const struct property *properties = config_schema(schemas, step->type, &count);
        if (properties == NULL || !value_is_known(*config) || !value_is_known(now)) return;
        struct value_builder b = {0};
        for (size_t i = 0; i < count; i++) {
                const char *name = properties[i].name;
                const struct value *then = value_get(*config, name);
                const struct value *today = properties[i].sensitive ? known(now, name) : NULL;
                if (today != NULL || then != NULL)
                        value_builder_add(&b, name, value_ref(today ? today : then));
        }
        value_free(*config);
        *config = value_builder_object(&b);
}
