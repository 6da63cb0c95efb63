/* Recorded rows turned into values, ready to be compared with. */
#include "plan/account.h"

#include <string.h>

static int decode_object(const char *text, const struct sealer *sealer, const char *address, const char *what,
    struct value **ret, struct error **err)
{
        if (text == NULL || text[0] == '\0') {
                *ret = value_object(NULL, NULL, 0);
                return 0;
        }
        cleanup(value_free) struct value *value = value_decode(text, strlen(text), sealer, err);
        struct place place = {.address = address};
        if (value == NULL) {
                error_context(err, "cannot read the recorded %s of %s", what, address);
                return error_place(err, &place);
        }
        if (value_kind(value) != TYPE_OBJECT || value_is_null(value) || !value_is_known(value))
                return error_set(
                    err, ERROR_SYSTEM, &place, "the recorded %s of %s are not an object", what, address);
        *ret = steal(value);
        return 0;
}

/* `account`: the row's, where it was read before; or NULL. */
static int decode_row(const struct resource_row *row, const struct value *account,
    const struct sealer *sealer, struct recorded *r, struct error **err)
{
        *r = (struct recorded){.address = row->address,
            .deposed = row->deposed ? row->deposed : "",
            .type = row->type,
            .provider = row->provider,
            .id = row->id ? row->id : "",
            .private_ = row->private_,
            .token = row->token,
            .after = (const char *const *)row->after,
            .after_count = row->after_count,
            .inherited_count = row->inherited_count,
            .protect = row->protect,
            .keep = row->keep,
            .tainted = row->tainted,
            .created_ms = row->created_ms,
            .updated_ms = row->updated_ms};
        if (decode_object(row->properties, sealer, row->address, "properties", &r->properties, err) < 0)
                return -1;
        if (decode_object(row->outputs, sealer, row->address, "outputs", &r->outputs, err) < 0) return -1;
        struct place place = {.address = row->address};
        if (account != NULL)
                r->account = value_ref(account);
        else if (row->account != NULL && (r->account = account_read(row->account, err)) == NULL) {
                error_context(err, "cannot read the record of %s", row->address);
                return error_place(err, &place);
        }
        if (row->host == NULL) return 0;
        return decode_object(row->host, sealer, row->address, "host", &r->host, err);
}

static int compare_rows(const void *a, const void *b)
{
        const struct recorded *left = a, *right = b;
        int order = strcmp(left->address, right->address);
        return order ? order : strcmp(left->deposed, right->deposed);
}

int state_decode(const struct environment_row *env, struct resource_row *steal_rows, size_t count,
    const char *outputs, const struct sealer *sealer, struct state **ret, struct error **err)
{
        *ret = NULL;
        cleanup(state_free) struct state *state = mem_alloc(sizeof *state);
        state->rows = steal_rows;
        state->row_count = count;
        state->environment = mem_strdup(env->name);
        state->lineage = mem_strdup(env->lineage);
        state->serial = env->serial;
        state->resources = mem_alloc(count * sizeof *state->resources);
        int status = 0;
        for (size_t i = 0; i < count; i++) {
                /* Most things live where the one before does. */
                bool same = i > 0 && text_equal(steal_rows[i].account, steal_rows[i - 1].account);
                const struct value *account = same ? state->resources[i - 1].account : NULL;
                if (decode_row(&steal_rows[i], account, sealer, &state->resources[i], err) < 0) status = -1;
                state->count++;
        }
        if (outputs != NULL && decode_object(outputs, sealer, env->name, "outputs", &state->outputs, err) < 0)
                status = -1;
        if (status < 0) return -1;
        qsort(state->resources, count, sizeof *state->resources, compare_rows);
        for (size_t i = 0; i < count; i++)
                if (state->resources[i].deposed[0] == '\0')
                        map_put(&state->by_address, state->resources[i].address, &state->resources[i]);
        *ret = steal(state);
        return 0;
}

/* A value of an operation's row; *ret is NULL where there is none. */
static int decode_part(const char *text, const struct sealer *sealer, const struct operation_row *row,
    struct value **ret, struct error **err)
{
        *ret = NULL;
        if (text == NULL || text[0] == '\0') return 0;
        *ret = value_decode(text, strlen(text), sealer, err);
        if (*ret != NULL) return 0;
        struct place place = {.address = row->address};
        error_context(err, "read what run %s had begun at %s", row->run, row->address);
        return error_place(err, &place);
}

/* What may be there, as though it were recorded: under a key that no recorded object has. */
static struct recorded object_of(const struct open_operation *open)
{
        const struct operation_row *row = open->row;
        bool named = row->provider != NULL && strcmp(row->provider, row->type) != 0;
        return (struct recorded){.address = row->address,
            .deposed = row->token != NULL && *row->token != '\0' ? row->token : "open",
            .type = row->type,
            .provider = named ? row->provider : NULL,
            .id = row->id ? row->id : "",
            .private_ = row->private_,
            .token = row->token,
            .properties = open->planned,
            .host = open->host,
            .after = (const char *const *)row->after,
            .after_count = row->after_count,
            .open = open};
}

int state_add_operations(struct state *state, struct operation_row *steal_rows, size_t count,
    const struct sealer *sealer, struct error **err)
{
        int status = 0;
        state->operations = steal_rows;
        state->operation_count = count;
        state->open = mem_alloc((count + 1) * sizeof *state->open);
        for (size_t i = 0; i < count && status == 0; i++) {
                struct open_operation *open = &state->open[i];
                open->row = &steal_rows[i];
                open->creates = strcmp(steal_rows[i].action, "create") == 0;
                state->open_count++;
                status = decode_part(steal_rows[i].planned, sealer, open->row, &open->planned, err);
                if (status == 0)
                        status = decode_part(steal_rows[i].host, sealer, open->row, &open->host, err);
                open->object = object_of(open);
                if (status == 0 && steal_rows[i].account != NULL &&
                    (open->object.account = account_read(steal_rows[i].account, err)) == NULL)
                        status = error_context(
                            err, "what run %s had begun at %s", open->row->run, open->row->address);
                open->next = map_get(&state->open_by_address, open->row->address);
                map_put(&state->open_by_address, open->row->address, open);
        }
        return status;
}

const char *recorded_key_aside(const struct recorded *r)
{
        return r->token != NULL && *r->token != '\0' ? r->token : "replaced";
}

size_t state_first_at(const struct state *state, const char *address)
{
        size_t low = 0, high = state->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (strcmp(state->resources[middle].address, address) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void state_free(struct state *state)
{
        if (state == NULL) return;
        for (size_t i = 0; i < state->open_count; i++) {
                value_free(state->open[i].planned);
                value_free(state->open[i].host);
                value_free(state->open[i].object.account);
        }
        free(state->open);
        map_release(&state->open_by_address);
        operation_rows_free(state->operations, state->operation_count);
        for (size_t i = 0; i < state->count; i++) {
                value_free(state->resources[i].properties);
                value_free(state->resources[i].outputs);
                value_free(state->resources[i].host);
                value_free(state->resources[i].account);
        }
        free(state->resources);
        value_free(state->outputs);
        map_release(&state->by_address);
        resource_rows_free(state->rows, state->row_count);
        free(state->environment);
        free(state->lineage);
        free(state);
}

int state_refuse_missing(const struct state *state, const char *address, struct error **err)
{
        return error_set(err, ERROR_MISSING, NULL, "nothing is recorded at '%s'; %s", address,
            map_has(&state->open_by_address, address)
                ? "what a run began there is still open: an apply ends it, or `tutti state rm`"
                : "`tutti state list` shows what is");
}
