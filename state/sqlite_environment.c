/*
 * Environments: their rows, and the part of them that every writing transaction loads, changes and saves once.
 */
#include "state/sqlite_internal.h"

#include <string.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/text.h"

int environment_missing(const struct store *s, const char *name, struct error **err)
{
        return error_set(err, ERROR_MISSING, NULL, "the store %s has no environment '%s'", s->path, name);
}

int64_t environment_id(struct store *s, const char *name, struct error **err)
{
        cleanup(statement_done)
            sqlite3_stmt *st = sqlite_statement(s, "SELECT id FROM environment WHERE name = ?", err);
        if (st == NULL) return -1;
        bind_text(st, 1, name);
        int found = sqlite_step(s, st, err);
        return found == 1 ? column_int(st, 0) : found;
}

int environment_state_load(
    struct store *s, const char *name, struct environment_state *ret, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT id, serial, next_run, event_count, event_head, fence, lease_holder IS NOT NULL, "
            "created_ms,"
            " gates_before, answers_before, rows_since FROM environment WHERE name = ?",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, name);
        int found = sqlite_step(s, st, err);
        if (found != 1) return found;
        *ret = (struct environment_state){
            .name = name,
            .id = column_int(st, 0),
            .serial = column_int(st, 1),
            .next_run = column_int(st, 2),
            .event_count = column_int(st, 3),
            .fence = column_int(st, 5),
            .leased = column_int(st, 6) != 0,
            .created_ms = column_int(st, 7),
            .gates_before = column_int(st, 8),
            .answers_before = column_int(st, 9),
            .rows_since = column_int(st, 10),
            .now_ms = clock_wall_ms(),
        };
        const void *head = sqlite3_column_blob(st, 4);
        /* A head of another length was tampered with; zeros will not match either, and store_verify says so. */
        if (sqlite3_column_bytes(st, 4) == EVENT_HASH) memcpy(ret->event_head, head, EVENT_HASH);
        return 1;
}

int environment_save(struct store *s, struct environment_state *e, struct error **err)
{
        if (witness_flush(s, e, err) < 0) return -1;
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "UPDATE environment SET serial = ?2, next_run = ?3, event_count = ?4, event_head = ?5 WHERE id = "
            "?1",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_int(st, 2, e->serial);
        bind_int(st, 3, e->next_run);
        bind_int(st, 4, e->event_count);
        sqlite3_bind_blob(st, 5, e->event_head, EVENT_HASH, SQLITE_STATIC);
        return sqlite_run(s, st, err);
}

int64_t environment_change(struct environment_state *e)
{
        if (!e->changed) e->serial++;
        e->changed = true;
        return e->serial;
}

static struct environment_row row_read(sqlite3_stmt *st)
{
        return (struct environment_row){
            .name = column_text(st, 0),
            .lineage = column_text(st, 1),
            .serial = column_int(st, 2),
            .created_ms = column_int(st, 3),
        };
}

static int find(struct store *s, const char *name, struct environment_row *ret, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT name, lineage, serial, created_ms FROM environment WHERE name = ?", err);
        if (st == NULL) return -1;
        bind_text(st, 1, name);
        int found = sqlite_step(s, st, err);
        if (found == 1) *ret = row_read(st);
        return found;
}

static int insert(struct store *s, const char *name, struct error **err)
{
        unsigned char random[16], origin[EVENT_HASH];
        char lineage[2 * sizeof random + 1];
        if (RAND_bytes(random, sizeof random) != 1)
                return error_set(err, ERROR_SYSTEM, NULL, "cannot draw random bytes for a lineage");
        text_hex(random, sizeof random, lineage);
        if (event_origin(s, lineage, origin, err) < 0) return -1;

        if (sqlite_begin(s, err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        /* Another process may have been first. */
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO environment (name, lineage, created_ms, event_head) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO NOTHING",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, name);
        bind_text(st, 2, lineage);
        bind_int(st, 3, clock_wall_ms());
        sqlite3_bind_blob(st, 4, origin, EVENT_HASH, SQLITE_STATIC);
        if (sqlite_run(s, st, err) < 0) return -1;
        return sqlite_commit(s, err);
}

int store_environment(
    struct store *s, const char *name, bool create, struct environment_row *ret, struct error **err)
{
        int found = find(s, name, ret, err);
        if (found == 0 && create) {
                if (name[0] == '\0') return error_set(err, ERROR_INPUT, NULL, "an environment needs a name");
                if (insert(s, name, err) < 0) return -1;
                found = find(s, name, ret, err);
        }
        if (found == 0) return environment_missing(s, name, err);
        return found < 0 ? -1 : 0;
}

void environment_row_release(struct environment_row *row)
{
        free(row->name);
        free(row->lineage);
        *row = (struct environment_row){0};
}

int store_environments(struct store *s, struct environment_row **rows, size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT name, lineage, serial, created_ms FROM environment ORDER BY name", err);
        if (st == NULL) return -1;
        struct environment_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) vec_push(list, used, capacity, row_read(st));
        if (more < 0) {
                environment_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void environment_rows_free(struct environment_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) environment_row_release(&rows[i]);
        free(rows);
}
