/*
 * The event log of an environment, as a hash chain.
 *
 *     hash(0) = SHA-256("tutti events 1" | lineage)
 *     hash(n) = SHA-256(hash(n-1) | seq | time_ms | run | kind | data)
 *
 * Integers are 64 bits, big-endian; every text stands behind its length, written the same way: two different rows never
 * give the same bytes. The environment's row keeps the count and the last hash, so that a log whose tail was cut off is
 * found out as well as one with a row changed, missing or put in.
 */
#include "state/sqlite_internal.h"

#include <string.h>

#include "base/text.h"

static void add_int(EVP_MD_CTX *md, int64_t value)
{
        unsigned char bytes[8];
        for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
        EVP_DigestUpdate(md, bytes, sizeof bytes);
}

static void add_text(EVP_MD_CTX *md, const char *text)
{
        size_t len = strlen(text);
        add_int(md, (int64_t)len);
        EVP_DigestUpdate(md, text, len);
}

static int digest_end(EVP_MD_CTX *md, unsigned char hash[EVENT_HASH], struct error **err)
{
        if (EVP_DigestFinal_ex(md, hash, NULL) == 1) return 0;
        return error_set(err, ERROR_SYSTEM, NULL, "SHA-256 failed");
}

int event_origin(struct store *s, const char *lineage, unsigned char hash[EVENT_HASH], struct error **err)
{
        EVP_MD_CTX *md = witness_digest(s);
        add_text(md, "tutti events 1");
        add_text(md, lineage);
        return digest_end(md, hash, err);
}

/* The next hash of a chain, in place of the last. */
static int chain(
    struct store *s, unsigned char hash[EVENT_HASH], const struct event_row *row, struct error **err)
{
        EVP_MD_CTX *md = witness_digest(s);
        EVP_DigestUpdate(md, hash, EVENT_HASH);
        add_int(md, row->seq);
        add_int(md, row->time_ms);
        add_text(md, row->run);
        add_text(md, row->kind);
        add_text(md, row->data);
        return digest_end(md, hash, err);
}

int write_event(struct store *s, struct environment_state *e, const char *run, const char *kind,
    const char *data, struct error **err)
{
        struct event_row row = {
            .seq = e->event_count + 1,
            .time_ms = e->now_ms,
            .run = (char *)(run != NULL ? run : ""),
            .kind = (char *)kind,
            .data = (char *)(data != NULL ? data : "{}"),
        };
        if (chain(s, e->event_head, &row, err) < 0) return -1;
        e->event_count = row.seq;
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "INSERT INTO event (environment, seq, time_ms, run, kind, data, hash) VALUES (?, ?, ?, ?, ?, ?, "
            "?)",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_int(st, 2, row.seq);
        bind_int(st, 3, row.time_ms);
        bind_text(st, 4, row.run);
        bind_text(st, 5, row.kind);
        bind_text(st, 6, row.data);
        sqlite3_bind_blob(st, 7, e->event_head, EVENT_HASH, SQLITE_STATIC);
        return sqlite_run(s, st, err);
}

static void event_release(struct event_row *row)
{
        free(row->run);
        free(row->kind);
        free(row->data);
}

static struct event_row event_read(sqlite3_stmt *st)
{
        struct event_row row = {
            .seq = column_int(st, 0),
            .time_ms = column_int(st, 1),
            .run = column_text(st, 2),
            .kind = column_text(st, 3),
            .data = column_text(st, 4),
        };
        size_t len = (size_t)sqlite3_column_bytes(st, 5);
        text_hex(sqlite3_column_blob(st, 5), len < EVENT_HASH ? len : EVENT_HASH, row.hash);
        return row;
}

int store_events(struct store *s, const char *environment, const char *run_or_null, struct event_row **rows,
    size_t *count, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            run_or_null != NULL
                ? "SELECT seq, time_ms, run, kind, data, hash FROM event"
                  " WHERE environment = (SELECT id FROM environment WHERE name = ?) AND run = ? ORDER BY seq"
                : "SELECT seq, time_ms, run, kind, data, hash FROM event"
                  " WHERE environment = (SELECT id FROM environment WHERE name = ?) ORDER BY seq",
            err);
        if (st == NULL) return -1;
        bind_text(st, 1, environment);
        if (run_or_null != NULL) bind_text(st, 2, run_or_null);
        struct event_row *list = NULL;
        size_t used = 0, capacity = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) vec_push(list, used, capacity, event_read(st));
        if (more < 0) {
                event_rows_free(list, used);
                return -1;
        }
        *rows = list;
        *count = used;
        return 0;
}

void event_rows_free(struct event_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) event_release(&rows[i]);
        free(rows);
}

/* ---- verification ---- */

static int broken(const char *environment, int64_t seq, const char *why, struct error **err)
{
        return error_set(err, ERROR_CONFLICT, NULL,
            "the event log of environment '%s' was tampered with: event %lld %s", environment, (long long)seq,
            why);
}

/* One row against the hash so far, which moves on. */
static int verify_row(struct store *s, const char *environment, int64_t expected,
    unsigned char hash[EVENT_HASH], sqlite3_stmt *st, struct error **err)
{
        struct event_row row = event_read(st);
        cleanup_free char *run = row.run, *kind = row.kind, *data = row.data;
        if (row.seq != expected) return broken(environment, expected, "is missing", err);
        if (run == NULL || kind == NULL || data == NULL)
                return broken(environment, expected, "lost a part", err);
        /* What stands behind a NUL byte would be neither shown nor hashed. */
        size_t len = strlen(run) + strlen(kind) + strlen(data), stored = 0;
        for (int column = 2; column <= 4; column++) stored += (size_t)sqlite3_column_bytes(st, column);
        if (len != stored) return broken(environment, expected, "hides bytes behind a NUL", err);
        if (chain(s, hash, &row, err) < 0) return -1;
        if (sqlite3_column_bytes(st, 5) != EVENT_HASH ||
            memcmp(sqlite3_column_blob(st, 5), hash, EVENT_HASH) != 0)
                return broken(environment, expected, "does not match its hash", err);
        return 0;
}

static int verify_rows(struct store *s, const char *environment, const struct environment_state *e,
    unsigned char hash[EVENT_HASH], size_t *checked, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT seq, time_ms, run, kind, data, hash FROM event WHERE environment = ? ORDER BY seq", err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        *checked = 0;
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) {
                if (verify_row(s, environment, (int64_t)*checked + 1, hash, st, err) < 0) return -1;
                ++*checked;
        }
        return more;
}

/* The whole log against its hashes, its count and the head of its chain. */
static int verify_chain(struct store *s, const char *environment, const struct environment_state *e,
    size_t *checked, struct error **err)
{
        struct environment_row row;
        if (store_environment(s, environment, false, &row, err) < 0) return -1;
        unsigned char hash[EVENT_HASH];
        int result = event_origin(s, row.lineage, hash, err);
        environment_row_release(&row);
        if (result < 0 || verify_rows(s, environment, e, hash, checked, err) < 0) return -1;
        if ((int64_t)*checked < e->event_count)
                return broken(environment, (int64_t)*checked + 1, "is missing", err);
        if ((int64_t)*checked > e->event_count)
                return broken(environment, e->event_count + 1, "was put in", err);
        if (memcmp(hash, e->event_head, EVENT_HASH) != 0)
                return broken(environment, e->event_count, "is not the one that was written last", err);
        return 0;
}

/* In one snapshot of the head and the rows: a run may be appending. `run` NULL: every row of every table. */
static int verify(
    struct store *s, const char *environment, const char *run, size_t *checked, struct error **err)
{
        if (sqlite_exec(s, "BEGIN", err) < 0) return -1;
        cleanup(transaction_end) struct store *transaction = s;
        struct environment_state e;
        int found = environment_state_load(s, environment, &e, err);
        if (found == 0) return environment_missing(s, environment, err);
        if (found < 0 || verify_chain(s, environment, &e, checked, err) < 0) return -1;
        if (run != NULL) return witness_verify_answers(s, environment, e.id, run, err);
        return witness_verify_rows(s, environment, err);
}

int store_verify(struct store *s, const char *environment, size_t *checked, struct error **err)
{
        if (sqlite_check(s, INT64_MAX, err) < 0) return -1;
        return verify(s, environment, NULL, checked, err);
}

int store_verify_answers(struct store *s, const char *environment, const char *run, struct error **err)
{
        size_t checked;
        return verify(s, environment, run, &checked, err);
}
