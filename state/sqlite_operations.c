/*
 * Operations: the intent of each action, on disk before its effect, and the state to resume it from. A row lives from
 * the first intent until it is known what became of the action: over a crash, and over runs that could not find out.
 */
#include "state/sqlite_internal.h"

#include "base/text.h"

static struct operation_row operation_read(sqlite3_stmt *st)
{
        struct operation_row row = {
            .run = column_text(st, 0),
            .step = column_int(st, 1),
            .address = column_text(st, 2),
            .deposed = column_text(st, 3),
            .type = column_text(st, 4),
            .provider = column_text(st, 5),
            .action = column_text(st, 6),
            .token = column_text(st, 7),
            .state = (int32_t)column_int(st, 8),
            .saved = column_text(st, 9),
            .id = column_text(st, 10),
            .prior = column_text(st, 11),
            .planned = column_text(st, 12),
            .host = column_text(st, 13),
            .private_ = column_text(st, 14),
            .started_ms = column_int(st, 15),
            .absent = column_int(st, 17) != 0,
            .accepted = column_int(st, 18) != 0,
            .definition = column_text(st, 19),
            .account = column_text(st, 20),
        };
        row.after = addresses_read(
            sqlite3_column_blob(st, 16), (size_t)sqlite3_column_bytes(st, 16), &row.after_count, NULL);
        return row;
}

int store_operations(
    struct store *s, const char *environment, struct operation_row **rows, size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT run, step, address, deposed, type, provider, action, token, state, saved, remote_id, "
            "prior, planned,"
            " host, private, started_ms, after, absent, accepted, definition, account FROM operation"
            " WHERE environment = (SELECT id FROM environment WHERE name = ?) ORDER BY run, step",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        struct operation_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) vec_push(list, used, capacity, operation_read(st));
        if (more < 0) {
                operation_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void operation_rows_free(struct operation_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct operation_row *row = &rows[i];
                char *const texts[] = {row->run, row->address, row->deposed, row->type, row->provider,
                    row->action, row->token, row->saved, row->id, row->prior, row->planned, row->host,
                    row->private_, row->definition, row->account};
                for (size_t k = 0; k < row->after_count; k++) free(row->after[k]);
                free(row->after);
                for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) free(texts[k]);
        }
        free(rows);
}

int write_operation(
    struct store *s, const struct environment_state *e, const struct operation_row *op, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO operation (environment, run, step, address, deposed, type, provider, action, token, "
            "state, saved,"
            " remote_id, prior, planned, host, private, started_ms, after, absent, accepted, definition, "
            "account)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, "
            "?20, ?21, ?22)"
            " ON CONFLICT (environment, run, step) DO UPDATE SET address = ?4, deposed = ?5, type = ?6, "
            "provider = ?7,"
            " action = ?8, token = ?9, state = ?10, saved = ?11, remote_id = ?12, prior = ?13, planned = "
            "?14, host = ?15,"
            " private = ?16, started_ms = ?17, after = ?18, absent = ?19, accepted = ?20, definition = ?21, "
            "account = ?22",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, op->run);
        bind_int(st, 3, op->step);
        bind_text(st, 4, op->address);
        bind_name(st, 5, op->deposed);
        bind_text(st, 6, op->type);
        bind_name(st, 7, op->provider);
        bind_text(st, 8, op->action);
        bind_name(st, 9, op->token);
        bind_int(st, 10, op->state);
        bind_text(st, 11, op->saved);
        bind_text(st, 12, op->id);
        bind_text(st, 13, op->prior);
        bind_text(st, 14, op->planned);
        bind_text(st, 15, op->host);
        bind_text(st, 16, op->private_);
        bind_int(st, 17, op->started_ms);
        struct text after __attribute__((__cleanup__(text_release_cleanup))) = {0};
        addresses_write(op->after, op->after_count, 0, &after);
        sqlite3_bind_blob64(st, 18, after.len > 0 ? after.data : "", after.len, SQLITE_STATIC);
        bind_int(st, 19, op->absent);
        bind_int(st, 20, op->accepted);
        bind_text(st, 21, op->definition);
        bind_text(st, 22, op->account);
        return sqlite_run(s, st, err);
}

int write_operation_over(
    struct store *s, const struct environment_state *e, const struct operation_row *op, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "DELETE FROM operation WHERE environment = ? AND run = ? AND step = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, op->run);
        bind_int(st, 3, op->step);
        return sqlite_run(s, st, err);
}
