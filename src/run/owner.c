/* Whose an object is; see owner.h. */
#include "run/owner.h"

#include <string.h>

#include "plan/account.h"
#include "run/plugin.h"

/* `by_account`: else by the name of its block. To be freed. */
static char *key_of(const struct object *o, bool by_account)
{
        struct text host __attribute__((__cleanup__(text_release_cleanup))) = {0};
        const struct value *address = o->host ? value_get(o->host, "address") : NULL,
                           *port = o->host ? value_get(o->host, "port") : NULL;
        if (address != NULL) value_json(address, SECRETS_REVEAL, NULL, &host, NULL);
        if (port != NULL) value_json(port, SECRETS_REVEAL, NULL, &host, NULL);
        const char *where = by_account ? o->account : o->provider ? o->provider : "";
        return mem_printf(
            "%s\n%s%s\n%s\n%s", o->type, by_account ? "at " : "", where, host.data ? host.data : "", o->id);
}

/* What is recorded, by its account where that is known. To be freed; NULL for what has no id. */
static char *recorded_key(const struct recorded *r)
{
        if (r->id == NULL || *r->id == '\0') return NULL;
        cleanup_free char *account = r->account ? account_text(r->account) : NULL;
        const struct object o = {r->type, r->id, r->provider, account, r->host};
        return key_of(&o, account != NULL);
}

const char *owner_recorded(const struct state *state, const struct object *object, const char *address)
{
        cleanup_free char *here = object->account ? key_of(object, true) : NULL,
                          *named = key_of(object, false);
        for (size_t i = 0; i < state->count && *object->id != '\0'; i++) {
                const struct recorded *r = &state->resources[i];
                if (strcmp(r->id, object->id) != 0 || strcmp(r->address, address) == 0) continue;
                cleanup_free char *key = recorded_key(r);
                if (text_equal(key, here) || text_equal(key, named)) return r->address;
        }
        return NULL;
}

/* --- while a run goes on --------------------------------------------------------------------------------------------- */

static void load(struct executor *x)
{
        const struct state *state = x->request.plan->input->state;
        if (x->owners_loaded) return;
        x->owners_loaded = true;
        for (size_t i = 0; i < state->count; i++) {
                cleanup_free char *key = recorded_key(&state->resources[i]);
                if (key != NULL) map_put_copy(&x->owners, key, (void *)state->resources[i].address);
        }
}

static struct object object_of(const struct step_run *r, const char *id)
{
        const struct recorded *recorded = r->step->recorded;
        return (struct object){r->step->type, id, r->step->provider,
            r->connection ? r->connection->account_text : NULL,
            r->host    ? r->host
            : recorded ? recorded->host
                       : NULL};
}

const char *owner_of_id(struct step_run *r, const char *id)
{
        struct executor *x = r->executor;
        if (r->step->schema->local || *id == '\0') return NULL;
        load(x);
        const struct object o = object_of(r, id);
        for (int by_account = o.account != NULL; by_account >= 0; by_account--) {
                cleanup_free char *key = key_of(&o, by_account);
                const char *owner = map_get(&x->owners, key);
                if (owner != NULL && strcmp(owner, r->step->address) != 0) return owner;
        }
        return NULL;
}

void owner_take(struct step_run *r, const char *id)
{
        if (r->step->schema->local || id == NULL || *id == '\0') return;
        load(r->executor);
        const struct object o = object_of(r, id);
        cleanup_free char *key = key_of(&o, o.account != NULL);
        map_put_copy(&r->executor->owners, key, (void *)r->step->address);
}

void owner_leave(struct step_run *r)
{
        struct executor *x = r->executor;
        cleanup_free char *key = x->owners_loaded && r->step->recorded ? recorded_key(r->step->recorded)
                                                                       : NULL;
        const char *owner = key ? map_get(&x->owners, key) : NULL;
        if (owner != NULL && strcmp(owner, r->step->address) == 0) map_remove(&x->owners, key);
}
