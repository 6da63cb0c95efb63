/* State as one JSON document; see state_document.h. */
#include "cli/state_document.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "cli/print.h"
#include "plan/account.h"
#include "plan/address.h"

static int add_value(
    struct text *out, const struct value *v, bool reveal, const struct sealer *sealer, struct error **err)
{
        if (v == NULL) {
                text_add(out, "{}");
                return 0;
        }
        return value_json(v,
            reveal   ? SECRETS_REVEAL
            : sealer ? SECRETS_SEAL
                     : SECRETS_MASK,
            sealer, out, err);
}

static void add_addresses(struct text *out, const char *key, const char *const *addresses, size_t count)
{
        text_addf(out, ",\"%s\":[", key);
        for (size_t i = 0; i < count; i++) {
                if (i > 0) text_addc(out, ',');
                text_json(out, addresses[i]);
        }
        text_addc(out, ']');
}

int state_document_resource(
    const struct recorded *r, bool reveal, const struct sealer *sealer, struct text *out, struct error **err)
{
        char created[CLOCK_TEXT], updated[CLOCK_TEXT];
        clock_text(r->created_ms, created);
        clock_text(r->updated_ms, updated);
        text_add(out, "{\"address\":");
        text_json(out, r->address);
        if (*r->deposed != '\0') {
                text_add(out, ",\"deposed\":");
                text_json(out, r->deposed);
        }
        text_add(out, ",\"type\":");
        text_json(out, r->type);
        text_add(out, ",\"provider\":");
        text_json(out, r->provider);
        if (r->account != NULL) {
                text_add(out, ",\"account\":");
                if (add_value(out, r->account, reveal, sealer, err) < 0) return -1;
        }
        text_add(out, ",\"id\":");
        text_json(out, r->id);
        text_add(out, ",\"properties\":");
        if (add_value(out, r->properties, reveal, sealer, err) < 0) return -1;
        text_add(out, ",\"outputs\":");
        if (add_value(out, r->outputs, reveal, sealer, err) < 0) return -1;
        if (r->host != NULL) {
                text_add(out, ",\"host\":");
                if (add_value(out, r->host, reveal, sealer, err) < 0) return -1;
        }
        size_t own = r->after_count - r->inherited_count;
        add_addresses(out, "after", r->after, own);
        if (r->inherited_count > 0) add_addresses(out, "inherited", r->after + own, r->inherited_count);
        text_addf(out, ",\"created\":\"%s\",\"updated\":\"%s\"}", created, updated);
        return 0;
}

int state_document(
    const struct state *state, bool reveal, const struct sealer *sealer, struct text *out, struct error **err)
{
        text_add(out, "{\"environment\":");
        text_json(out, state->environment);
        text_add(out, ",\"lineage\":");
        text_json(out, state->lineage);
        text_addf(out, ",\"serial\":%lld,\"resources\":[", (long long)state->serial);
        for (size_t i = 0; i < state->count; i++) {
                if (i > 0) text_addc(out, ',');
                if (state_document_resource(&state->resources[i], reveal, sealer, out, err) < 0) return -1;
        }
        text_add(out, "],\"outputs\":");
        if (add_value(out, state->outputs, reveal, sealer, err) < 0) return -1;
        text_addc(out, '}');
        return 0;
}

/* A JSON part as a value_encode text in the arena; sealed parts opened and sealed again with this store's key. */
static char *part(struct session *s, struct arena *arena, const json_t *v, struct error **err)
{
        char *json = json_dumps(v ? v : json_object(), JSON_COMPACT | JSON_ENCODE_ANY);
        cleanup(value_free) struct value *value = value_from_json(
            json, strlen(json), NULL, session_sealer(s), err);
        free(json);
        struct text text = {0};
        char *copy = NULL;
        if (value != NULL && value_encode(value, session_sealer(s), &text, err) == 0)
                copy = arena_strndup(arena, text.data, text.len);
        text_release(&text);
        return copy;
}

static char *string_of(struct arena *arena, const json_t *object, const char *key)
{
        const char *s = json_string_value(json_object_get(object, key));
        return arena_strdup(arena, s ? s : "");
}

/* What it comes after: of its own, and inherited. */
static int read_order(struct arena *arena, const json_t *r, struct resource_row *row, struct error **err)
{
        const json_t *lists[] = {json_object_get(r, "after"), json_object_get(r, "inherited")};
        row->inherited_count = json_array_size(lists[1]);
        size_t most = json_array_size(lists[0]) + row->inherited_count;
        row->after = arena_alloc(arena, (most + 1) * sizeof *row->after);
        for (unsigned l = 0; l < 2; l++)
                for (size_t i = 0; i < json_array_size(lists[l]); i++) {
                        const char *address = json_string_value(json_array_get(lists[l], i));
                        if (address_check(address ? address : "", err) < 0) return -1;
                        row->after[row->after_count++] = arena_strdup(arena, address);
                }
        return 0;
}

static int read_account(struct arena *arena, const json_t *r, struct resource_row *row, struct error **err)
{
        char *json = json_dumps(json_object_get(r, "account"), JSON_COMPACT | JSON_ENCODE_ANY);
        cleanup(value_free) struct value *account = account_read(json, err);
        free(json);
        if (account == NULL) return error_context(err, "%s", row->address);
        cleanup_free char *text = account_text(account);
        row->account = arena_strdup(arena, text);
        return 0;
}

static int row_of(
    struct session *s, struct arena *arena, const json_t *r, struct resource_row *row, struct error **err)
{
        *row = (struct resource_row){
            .address = string_of(arena, r, "address"),
            .deposed = string_of(arena, r, "deposed"),
            .type = string_of(arena, r, "type"),
            .provider = string_of(arena, r, "provider"),
            .id = string_of(arena, r, "id"),
            .token = arena_strdup(arena, ""),
        };
        if (*row->address == '\0' || *row->type == '\0')
                return error_set(
                    err, ERROR_INPUT, NULL, "a resource of the document lacks its address or type");
        if (address_check(row->address, err) < 0) return -1;
        if (*row->deposed == '\0' && map_has(&session_state(s)->by_address, row->address))
                return error_set(err, ERROR_CONFLICT, NULL, "%s is recorded already", row->address);
        row->properties = part(s, arena, json_object_get(r, "properties"), err);
        row->outputs = part(s, arena, json_object_get(r, "outputs"), err);
        if (json_object_get(r, "host") != NULL) row->host = part(s, arena, json_object_get(r, "host"), err);
        if (read_order(arena, r, row, err) < 0)
                return error_context(err, "what %s comes after", row->address);
        if (json_object_get(r, "account") != NULL && read_account(arena, r, row, err) < 0) return -1;
        row->created_ms = row->updated_ms = clock_wall_ms();
        clock_parse(string_of(arena, r, "created"), &row->created_ms);
        clock_parse(string_of(arena, r, "updated"), &row->updated_ms);
        return row->properties && row->outputs ? 0 : error_context(err, "%s", row->address);
}

static int import_rows(struct session *s, const json_t *document, size_t *count, struct error **err)
{
        const json_t *resources = json_object_get(document, "resources");
        const char *environment = json_string_value(json_object_get(document, "environment"));
        if (!json_is_array(resources) || environment == NULL)
                return error_set(err, ERROR_INPUT, NULL,
                    "the document has no `environment` and `resources`; `tutti state export` writes such a "
                    "document");
        if (strcmp(environment, session_name(s)) != 0)
                return error_set(err, ERROR_CONFLICT, NULL, "the document is of environment '%s', not '%s'",
                    environment, session_name(s));
        *count = json_array_size(resources);
        cleanup(arena_free) struct arena *arena = arena_new();
        struct resource_row *rows = arena_alloc(arena, (*count + 1) * sizeof *rows);
        struct store_write *writes = arena_alloc(arena, (*count + 2) * sizeof *writes);
        for (size_t i = 0; i < *count; i++) {
                if (row_of(s, arena, json_array_get(resources, i), &rows[i], err) < 0) return -1;
                writes[i + 1] = (struct store_write){.kind = WRITE_RESOURCE, .action = "import"};
                writes[i + 1].resource = &rows[i];
        }
        if (session_check_owners(s, rows, *count, err) < 0) return -1;
        char *outputs = part(s, arena, json_object_get(document, "outputs"), err);
        if (outputs == NULL) return -1;
        writes[*count + 1] = (struct store_write){.kind = WRITE_OUTPUTS};
        writes[*count + 1].outputs = outputs;
        return session_commit(s, "state", writes, *count + 2, err);
}

int state_document_import(struct session *s, const char *json, size_t len, size_t *count, struct error **err)
{
        json_error_t problem;
        json_t *document = json_loadb(json, len, JSON_REJECT_DUPLICATES, &problem);
        if (document == NULL)
                return error_set(err, ERROR_INPUT, NULL, "the document is no JSON: line %d: %s", problem.line,
                    problem.text);
        int result = session_hold_record(s, false, err);
        if (result == 0) {
                result = import_rows(s, document, count, err);
                session_let_go(s);
        }
        json_decref(document);
        return result;
}
