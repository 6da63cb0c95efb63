/*
 * Resources, the versions they had, and the outputs: what the world is believed to be.
 *
 * A row keeps its number from creation to deletion, over updates and moves; history refers to it, and so follows a
 * resource that got another address.
 */
#include "state/sqlite_internal.h"

#include <string.h>

#include "base/text.h"

/* ---- dependency addresses as one blob: each address with a NUL byte behind it, as no address holds one; before those that are inherited
 * an empty one, as no address is empty ---- */

void addresses_write(char *const *after, size_t count, size_t inherited, struct text *out)
{
        size_t own = count - inherited;
        for (size_t i = 0; i < count; i++) {
                if (i == own) text_addc(out, '\0');
                text_addn(out, after[i], strlen(after[i]) + 1);
        }
}

char **addresses_read(const char *blob, size_t len, size_t *count, size_t *inherited)
{
        char **list = NULL;
        size_t capacity = 0, own = SIZE_MAX;
        *count = 0;
        for (size_t start = 0; start < len;) {
                size_t n = strnlen(blob + start, len - start);
                if (n > 0)
                        vec_push(list, *count, capacity, mem_strndup(blob + start, n));
                else if (own == SIZE_MAX)
                        own = *count;
                start += n + 1;
        }
        if (inherited != NULL) *inherited = own < *count ? *count - own : 0;
        return list;
}

/* ---- reading ---- */

static struct resource_row resource_read(sqlite3_stmt *st)
{
        struct resource_row row = {
            .address = column_text(st, 0),
            .deposed = column_text(st, 1),
            .type = column_text(st, 2),
            .provider = column_text(st, 3),
            .id = column_text(st, 4),
            .properties = column_text(st, 5),
            .outputs = column_text(st, 6),
            .host = column_text(st, 7),
            .private_ = column_text(st, 8),
            .token = column_text(st, 10),
            .protect = column_int(st, 11) != 0,
            .keep = column_int(st, 12) != 0,
            .created_ms = column_int(st, 13),
            .updated_ms = column_int(st, 14),
            .tainted = column_int(st, 15) != 0,
            .account = column_text(st, 16),
        };
        row.after = addresses_read(sqlite3_column_blob(st, 9), (size_t)sqlite3_column_bytes(st, 9),
            &row.after_count, &row.inherited_count);
        return row;
}

int store_resources(
    struct store *s, const char *environment, struct resource_row **rows, size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT address, deposed, type, provider, remote_id, properties, outputs, host, private, after, "
            "token,"
            " protect, keep, created_ms, updated_ms, tainted, account FROM resource"
            " WHERE environment = (SELECT id FROM environment WHERE name = ?) ORDER BY address, deposed",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        struct resource_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) vec_push(list, used, capacity, resource_read(st));
        if (more < 0) {
                resource_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void resource_row_release(struct resource_row *row)
{
        free(row->address);
        free(row->deposed);
        free(row->type);
        free(row->provider);
        free(row->id);
        free(row->properties);
        free(row->outputs);
        free(row->host);
        free(row->private_);
        free(row->account);
        for (size_t i = 0; i < row->after_count; i++) free(row->after[i]);
        free(row->after);
        free(row->token);
        *row = (struct resource_row){0};
}

void resource_rows_free(struct resource_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) resource_row_release(&rows[i]);
        free(rows);
}

int store_history(struct store *s, const char *environment, const char *address, struct history_row **rows,
    size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT serial, time_ms, run, action, properties, outputs FROM history WHERE id IN ("
            " SELECT id FROM history WHERE environment = (SELECT id FROM environment WHERE name = ?1) AND "
            "address = ?2"
            " UNION SELECT id FROM history WHERE resource IN (SELECT id FROM resource"
            "  WHERE environment = (SELECT id FROM environment WHERE name = ?1) AND address = ?2))"
            " ORDER BY id DESC",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        bind_text(st, 2, address);
        struct history_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1)
                vec_push(list, used, capacity,
                    (struct history_row){
                        .serial = column_int(st, 0),
                        .time_ms = column_int(st, 1),
                        .run = column_text(st, 2),
                        .action = column_text(st, 3),
                        .properties = column_text(st, 4),
                        .outputs = column_text(st, 5),
                    });
        if (more < 0) {
                history_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void history_rows_free(struct history_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                free(rows[i].run);
                free(rows[i].action);
                free(rows[i].properties);
                free(rows[i].outputs);
        }
        free(rows);
}

int store_outputs(struct store *s, const char *environment, char **ret, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT value FROM output WHERE environment = (SELECT id FROM environment WHERE name = ?)", err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        int found = sqlite_step(s, st, err);
        if (found < 0) return -1;
        *ret = found == 1 ? column_text(st, 0) : NULL;
        return 0;
}

/* ---- writing ---- */

/* The version of `address` that is about to be replaced goes into history. Returns how many rows that were (0, 1). */
static int remember(struct store *s, const struct environment_state *e, const struct store_write *w,
    const char *address, const char *deposed, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO history (environment, resource, address, serial, time_ms, run, action, properties, "
            "outputs)"
            " SELECT environment, id, address, ?4, ?5, ?6, ?7, properties, outputs FROM resource"
            " WHERE environment = ?1 AND address = ?2 AND deposed = ?3",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, address);
        bind_name(st, 3, deposed);
        bind_int(st, 4, e->changed ? e->serial : e->serial + 1);
        bind_int(st, 5, e->now_ms);
        bind_name(st, 6, w->run);
        bind_name(st, 7, w->action);
        if (sqlite_run(s, st, err) < 0) return -1;
        return sqlite3_changes(s->db);
}

/* The row just inserted is the first version: it replaced nothing, which is what its row of the history says. */
static int remember_creation(struct store *s, const struct environment_state *e, const struct store_write *w,
    const char *address, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO history (environment, resource, address, serial, time_ms, run, action, properties, "
            "outputs) VALUES (?1, last_insert_rowid(), ?2, ?3, ?4, ?5, ?6, '', '')",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, address);
        bind_int(st, 3, e->serial);
        bind_int(st, 4, e->now_ms);
        bind_name(st, 5, w->run);
        bind_name(st, 6, w->action);
        return sqlite_run(s, st, err);
}

int write_resource(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err)
{
        const struct resource_row *row = w->resource;
        int known = remember(s, e, w, row->address, row->deposed, err);
        if (known < 0) return -1;
        struct text after __attribute__((__cleanup__(text_release_cleanup))) = {0};
        addresses_write(row->after, row->after_count, row->inherited_count, &after);
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO resource (environment, address, deposed, type, provider, remote_id, properties, "
            "outputs, host,"
            " private, after, token, protect, keep, created_ms, updated_ms, tainted, account)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
            " ON CONFLICT (environment, address, deposed) DO UPDATE SET type = ?4, provider = ?5, remote_id "
            "= ?6,"
            " properties = ?7, outputs = ?8, host = ?9, private = ?10, after = ?11, token = ?12, protect = "
            "?13,"
            " keep = ?14, created_ms = ?15, updated_ms = ?16, tainted = ?17, account = ?18",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, row->address);
        bind_name(st, 3, row->deposed);
        bind_text(st, 4, row->type);
        bind_name(st, 5, row->provider);
        bind_name(st, 6, row->id);
        bind_text(st, 7, row->properties);
        bind_text(st, 8, row->outputs);
        bind_text(st, 9, row->host);
        bind_text(st, 10, row->private_);
        sqlite3_bind_blob64(st, 11, after.len > 0 ? after.data : "", after.len, SQLITE_STATIC);
        bind_name(st, 12, row->token);
        bind_int(st, 13, row->protect);
        bind_int(st, 14, row->keep);
        bind_int(st, 15, row->created_ms);
        bind_int(st, 16, row->updated_ms);
        bind_int(st, 17, row->tainted);
        bind_text(st, 18, row->account);
        environment_change(e);
        if (sqlite_run(s, st, err) < 0) return -1;
        return known > 0 ? 0 : remember_creation(s, e, w, row->address, err);
}

int write_resource_after(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err)
{
        const struct resource_row *row = w->resource;
        struct text after __attribute__((__cleanup__(text_release_cleanup))) = {0};
        addresses_write(row->after, row->after_count, row->inherited_count, &after);
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "UPDATE resource SET after = ? WHERE environment = ? AND address = ? AND deposed = ?", err);
        if (st == NULL) return -1;
        sqlite3_bind_blob64(st, 1, after.len > 0 ? after.data : "", after.len, SQLITE_STATIC);
        bind_int(st, 2, e->id);
        bind_text(st, 3, row->address);
        bind_name(st, 4, row->deposed);
        if (sqlite_run(s, st, err) < 0) return -1;
        if (sqlite3_changes(s->db) > 0) environment_change(e);
        return 0;
}

int write_resource_gone(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err)
{
        const struct resource_row *row = w->resource;
        int known = remember(s, e, w, row->address, row->deposed, err);
        /* Gone already: what a recovery repeats is no error. */
        if (known <= 0) return known;
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "DELETE FROM resource WHERE environment = ? AND address = ? AND deposed = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, row->address);
        bind_name(st, 3, row->deposed);
        environment_change(e);
        return sqlite_run(s, st, err);
}

/* How messages name a resource. */
static char *resource_name(const char *address, const char *deposed)
{
        if (deposed == NULL || deposed[0] == '\0') return mem_strdup(address);
        return mem_printf("%s (deposed %s)", address, deposed);
}

static int resource_exists(struct store *s, const struct environment_state *e, const char *address,
    const char *deposed, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT 1 FROM resource WHERE environment = ? AND address = ? AND deposed = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, address);
        bind_name(st, 3, deposed);
        return sqlite_step(s, st, err);
}

int write_resource_move(
    struct store *s, struct environment_state *e, const struct store_write *w, struct error **err)
{
        int taken = resource_exists(s, e, w->move.to, w->move.to_deposed, err);
        if (taken < 0) return -1;
        if (taken) {
                cleanup_free char *to = resource_name(w->move.to, w->move.to_deposed);
                return error_set(
                    err, ERROR_CONFLICT, NULL, "cannot move a resource to %s: there is one already", to);
        }
        int known = remember(s, e, w, w->move.from, w->move.from_deposed, err);
        if (known < 0) return -1;
        if (known == 0) {
                cleanup_free char *from = resource_name(w->move.from, w->move.from_deposed);
                return error_set(
                    err, ERROR_MISSING, NULL, "cannot move %s: nothing is recorded under that address", from);
        }
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE resource SET address = ?4, deposed = ?5 WHERE environment = ?1 AND address = ?2 AND "
            "deposed = ?3",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, w->move.from);
        bind_name(st, 3, w->move.from_deposed);
        bind_text(st, 4, w->move.to);
        bind_name(st, 5, w->move.to_deposed);
        environment_change(e);
        return sqlite_run(s, st, err);
}

int write_outputs(struct store *s, struct environment_state *e, const char *outputs, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO output (environment, value) VALUES (?1, ?2) ON CONFLICT (environment) DO UPDATE SET "
            "value = ?2",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, outputs);
        environment_change(e);
        return sqlite_run(s, st, err);
}
