/* Connecting to a provider as it is configured where something stands; see connect.h. */
#include "run/connect.h"

#include "run/credentials.h"
#include "run/limit.h"

struct connection *provider_connect(const struct connector *c, const struct provider_use *use,
    const struct schema *schema, struct error **err)
{
        if (use->config != NULL && !value_is_wholly_known(use->config)) {
                error_set(
                    err, ERROR_INPUT, NULL, "the configuration of provider '%s' is not known yet", use->name);
                return NULL;
        }
        cleanup(value_free) struct value *config = use->config ? value_ref(use->config)
                                                               : value_object(NULL, NULL, 0);
        credentials_renew(c->present, c->schemas, use->address, use->name, schema->type, &config);
        const struct provider_block *block = use->block;
        return plugins_connect(c->plugins, schema, use->name ? use->name : schema->type, config,
            block ? block->parallel : 0, block ? block->rate : 0, err);
}

int connection_leave(struct connection *c, struct error **err)
{
        if (limiter_leave(c->limiter)) return 0;
        return error_internal(err, "a slot of provider %s was given back that nobody had taken", c->name);
}
