/* Connecting to a provider as it is configured where something stands; see connect.h. */
#include "run/connect.h"

#include <string.h>

#include "plan/account.h"
#include "run/credentials.h"
#include "run/limit.h"

/* Once for each connection. */
static void know_account(
    const struct connector *c, const char *kind, const struct value *config, struct connection *connection)
{
        if (connection->account != NULL) return;
        connection->account = account_of(c->schemas, kind, config);
        if (connection->account != NULL) connection->account_text = account_text(connection->account);
}

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
        struct connection *connection = plugins_connect(c->plugins, schema,
            use->name ? use->name : schema->type, config, block ? block->parallel : 0,
            block ? block->rate : 0, err);
        cleanup_free char *kind = mem_strndup(schema->type, strcspn(schema->type, "."));
        if (connection == NULL) return NULL;
        know_account(c, kind, config, connection);
        return account_check(c->schemas, kind, use, connection->account, err) < 0 ? NULL : connection;
}

int connection_leave(struct connection *c, struct error **err)
{
        if (limiter_leave(c->limiter)) return 0;
        return error_internal(err, "a slot of provider %s was given back that nobody had taken", c->name);
}
