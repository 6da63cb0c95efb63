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

/* To be freed; NULL with *err, or for what has no id. */
static char *row_key(const struct resource_row *row, const struct sealer *sealer, struct error **err)
{
        if (row->id == NULL || *row->id == '\0') return NULL;
        cleanup(value_free) struct value *host = row->host
                                                     ? value_decode(row->host, strlen(row->host), sealer, err)
                                                     : NULL;
        const struct object o = {row->type, row->id, row->provider, row->account, host};
        return key_of(&o, row->account != NULL);
}

static int take_key(struct map *owners, char *steal_key, const struct resource_row *row, struct error **err)
{
        cleanup_free char *key = steal_key;
        const char *owner = key ? map_get(owners, key) : NULL;
        struct place place = {.address = row->address};
        if (owner != NULL)
                return error_set(err, ERROR_CONFLICT, &place,
                    "%s '%s' is recorded as %s already: one object cannot be two resources", row->type,
                    row->id, owner);
        if (key != NULL) map_put_copy(owners, key, row->address);
        return 0;
}

int owner_check_rows(const struct state *state, const struct resource_row *rows, size_t count,
    const struct sealer *sealer, struct error **err)
{
        struct map owners = {0};
        cleanup(error_free) struct error *problems = NULL;
        for (size_t i = 0; i < state->count; i++) {
                cleanup_free char *key = recorded_key(&state->resources[i]);
                if (key != NULL) map_put_copy(&owners, key, (void *)state->resources[i].address);
        }
        for (size_t i = 0; i < count; i++)
                take_key(&owners, row_key(&rows[i], sealer, &problems), &rows[i], &problems);
        map_release(&owners);
        return error_move(err, &problems);
}

/* --- while a run goes on --------------------------------------------------------------------------------------------- */

static void load_one(struct executor *x, const struct recorded *r)
{
        cleanup_free char *key = recorded_key(r);
        const char *owner = r->deposed[0] == '\0' || r->open != NULL
                                ? r->address
                                : arena_printf(x->request.plan->arena, "%s (set aside)", r->address);
        if (key != NULL) map_put_copy(&x->owners, key, (void *)owner);
}

static void load(struct executor *x)
{
        const struct state *state = x->request.plan->input->state;
        if (x->owners_loaded) return;
        x->owners_loaded = true;
        for (size_t i = 0; i < state->open_count; i++)
                if (state->open[i].creates) load_one(x, &state->open[i].object);
        for (size_t i = 0; i < state->count; i++) load_one(x, &state->resources[i]);
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

/* Whose it is, if another's. */
static const char *other_owner(struct step_run *r, const struct object *o)
{
        const struct step *step = r->step;
        for (int by_account = o->account != NULL; by_account >= 0; by_account--) {
                cleanup_free char *key = key_of(o, by_account);
                const char *owner = map_get(&r->executor->owners, key);
                if (owner != NULL && strcmp(owner, step->address) != 0) return owner;
        }
        bool replaced = step->create_first && step->action == ACTION_REPLACE && step->recorded != NULL;
        return replaced && text_equal(step->recorded->id, o->id) ? step->address : NULL;
}

const char *owner_claim(struct step_run *r, const char *id)
{
        struct executor *x = r->executor;
        if (r->step->schema->local || id == NULL || *id == '\0') return NULL;
        load(x);
        const struct object o = object_of(r, id);
        const char *owner = other_owner(r, &o);
        if (owner != NULL) return owner;
        cleanup_free char *key = key_of(&o, o.account != NULL);
        map_put_copy(&x->owners, key, (void *)r->step->address);
        return NULL;
}

void owner_leave(struct step_run *r)
{
        struct executor *x = r->executor;
        cleanup_free char *key = x->owners_loaded && r->step->recorded ? recorded_key(r->step->recorded)
                                                                       : NULL;
        const char *owner = key ? map_get(&x->owners, key) : NULL;
        if (owner != NULL && strcmp(owner, r->step->address) == 0) map_remove(&x->owners, key);
}
