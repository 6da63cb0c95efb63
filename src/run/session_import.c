/* Taking over an object that exists already: read it by its id, record it under its address. See session.h. */
#include <string.h>

#include "base/clock.h"
#include "plan/address.h"
#include "run/connect.h"
#include "run/owner.h"
#include "run/record.h"
#include "run/session_internal.h"

struct import {
        struct session *session;
        const struct step *step;
        struct connection *connection;
        bool over, gone;
        char *failure, *private_, *id;
        struct value *observed;
};

static void imported(void *context, const struct operation_outcome *outcome)
{
        struct import *i = context;
        if (outcome->failed) i->failure = mem_strdup(outcome->message);
        i->gone = outcome->gone;
        i->id = mem_strdup(outcome->id);
        i->private_ = mem_strdup(outcome->private_);
        i->observed = outcome->observed ? value_ref(outcome->observed) : NULL;
        loop_stop(i->session->engine->loop);
}

/* The step that would create the address: it knows the schema, the provider and what the object depends on. */
static const struct step *find_creation(struct session *s, const char *address, struct error **err)
{
        for (size_t i = 0; i < s->plan->count; i++) {
                const struct step *step = &s->plan->steps[i];
                if (step->schema == NULL || strcmp(step->address, address) != 0) continue;
                if (step->action == ACTION_CREATE || step->action == ACTION_ADOPT) return step;
        }
        if (map_has(&s->state->by_address, address))
                error_set(err, ERROR_CONFLICT, NULL, "%s is recorded already; `tutti state rm` forgets it",
                    address);
        else
                error_set(err, ERROR_INPUT, NULL, "%s is not in the template; write it there first", address);
        return NULL;
}

int session_check_owners(struct session *s, const struct resource_row *rows, size_t count, struct error **err)
{
        return owner_check_rows(s->state, rows, count, &s->sealer, err);
}

static int refuse_second(struct session *s, const struct import *i, struct error **err)
{
        const struct step *step = i->step;
        const struct object object = {
            step->type, i->id, step->provider, i->connection->account_text, step->host};
        const char *owner = owner_recorded(s->state, &object, step->address);
        if (owner == NULL) return 0;
        return error_set(err, ERROR_CONFLICT, NULL,
            "import %s: %s '%s' is recorded as %s already; `tutti state mv` gives it another address",
            step->address, step->type, i->id, owner);
}

static int record(struct session *s, const struct import *i, struct error **err)
{
        const struct step *step = i->step;
        cleanup(value_free) struct value *properties = NULL, *outputs = NULL;
        if (record_split(step->schema, NULL, i->observed, i->id, &properties, &outputs, err) < 0) return -1;
        cleanup(arena_free) struct arena *a = arena_new();
        struct resource_row row = {
            .address = (char *)step->address,
            .deposed = (char *)"",
            .type = (char *)step->type,
            .provider = (char *)(step->provider ? step->provider : ""),
            .id = i->id ? i->id : (char *)"",
            .properties = (char *)record_text(properties, &s->sealer, a, err),
            .outputs = (char *)record_text(outputs, &s->sealer, a, err),
            .host = step->host && value_is_wholly_known(step->host)
                        ? (char *)record_text(step->host, &s->sealer, a, err)
                        : NULL,
            .private_ = i->private_,
            .account = i->connection->account_text,
            .after = (char **)step->depends,
            .after_count = step->depends_count,
            .token = (char *)"",
            .keep = step->resource && step->resource->keep,
            .created_ms = clock_wall_ms(),
            .updated_ms = clock_wall_ms(),
        };
        if (row.properties == NULL || row.outputs == NULL) return -1;
        struct store_write *writes = arena_alloc(a, (2 + s->state->open_count) * sizeof *writes);
        size_t count = 1;
        writes[count] = (struct store_write){.kind = WRITE_RESOURCE, .action = "import"};
        writes[count++].resource = &row;
        /* Whatever was begun to be created there: a person says that it is this, if it is not known to be another. */
        const struct open_operation *open = map_get(&s->state->open_by_address, step->address);
        for (; open != NULL; open = open->next) {
                const char *made = open->object.id ? open->object.id : "";
                if (open->creates && *made != '\0' && !text_equal(made, row.id)) continue;
                writes[count] = (struct store_write){.kind = WRITE_OPERATION_OVER, .action = "import"};
                writes[count++].operation = open->row;
        }
        return session_commit(s, "import", writes, count, err);
}

static int import_now(struct session *s, const char *address, const char *id, struct error **err)
{
        struct plan *plan;
        struct plan_request request = {.mode = PLAN_APPLY, .no_refresh = true};
        if (session_plan(s, &request, &plan, err) < 0) return -1;
        struct import i = {.session = s, .step = find_creation(s, address, err)};
        if (i.step == NULL) return -1;
        if (!i.step->schema->can_import)
                return error_set(err, ERROR_INPUT, NULL, "%s: objects of type %s cannot be imported", address,
                    i.step->type);
        struct connector connector = {s->plugins, &s->schemas, NULL};
        struct provider_use use;
        if (plan_provider(plan, i.step, &use, err) < 0) return -1;
        struct connection *c = provider_connect(&connector, &use, i.step->schema, err);
        if (c == NULL || session_engine(s, err) == NULL) return -1;
        i.connection = c;
        struct operation_request op = {.action = TUTTI_IMPORT,
            .schema = i.step->schema,
            .connection = c,
            .address = address,
            .id = id,
            .host = i.step->host};
        struct operation_events events = {.done = imported, .context = &i};
        operation_start(&s->engine->io, &op, &events);
        loop_run(s->engine->loop);
        int status;
        if (i.failure != NULL)
                status = error_set(err, ERROR_PROVIDER, NULL, "import %s: %s", address, i.failure);
        else if (i.gone || i.observed == NULL)
                status = error_set(err, ERROR_MISSING, NULL, "import %s: there is no %s with id '%s'",
                    address, i.step->type, id);
        else {
                if (i.id == NULL) i.id = mem_strdup(id);
                status = refuse_second(s, &i, err) < 0 ? -1 : record(s, &i, err);
        }
        value_free(i.observed);
        free(i.failure);
        free(i.private_);
        free(i.id);
        return status;
}

int session_import(struct session *s, const char *address, const char *id, struct error **err)
{
        if (address_check(address, err) < 0 || session_hold_record(s, false, err) < 0) return -1;
        int status = import_now(s, address, id, err);
        session_let_go(s);
        return status;
}
