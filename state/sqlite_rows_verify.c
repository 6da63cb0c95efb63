/*
 * Every row of an environment against the event log's testimonies (sqlite_rows.c): the last one of a row has to be what stands there, and
 * each has to begin with what the one before it ended with. So a row that was changed, put in, taken out, exchanged or put back as it
 * once was is found, also when the program wrote over it since.
 *
 * Linear in the log and in the store, in time and in memory: for `tutti audit` only.
 */
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"
#include "state/sqlite_rows.h"

enum { NAMED = 20 /* rows that are named; the others are counted */ };

struct testimony {
        unsigned char digest[ROW_DIGEST];
        int64_t seq; /* the event that it is of */
        uint8_t table;
        bool there, seen;
        uint64_t key[2];
};

struct inquiry {
        struct store *store;
        const char *environment;
        struct environment_state e;
        struct map rows; /* table and key → struct testimony * */
        struct arena *arena;
        size_t found;
        char last_environment[2 * ROW_DIGEST + 1];
        int64_t last_fence;
        struct error **err;
};

static void tell(struct inquiry *q, const char *what, const char *how)
{
        if (q->found++ < NAMED)
                error_set(q->err, ERROR_CONFLICT, NULL,
                    "the record of environment '%s' was tampered with: %s %s", q->environment, what, how);
}

static struct testimony *testimony(struct inquiry *q, unsigned table, const uint64_t key[2])
{
        char name[48];
        snprintf(name, sizeof name, "%u %" PRIx64 " %" PRIx64, table, key[0], key[1]);
        struct testimony *t = map_get(&q->rows, name);
        if (t != NULL) return t;
        t = arena_alloc(q->arena, sizeof *t);
        *t = (struct testimony){.table = (uint8_t)table, .key = {key[0], key[1]}};
        map_put(&q->rows, arena_strdup(q->arena, name), t);
        return t;
}

/* ---- the log ---- */

struct reader {
        const unsigned char *at, *end;
};

static bool read_varint(struct reader *r, uint64_t *ret)
{
        *ret = 0;
        for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
                unsigned char byte = *r->at++;
                *ret |= (uint64_t)(byte & 127) << shift;
                if (byte < 128) return true;
        }
        return false;
}

static const unsigned char *read_digest(struct reader *r)
{
        if (r->end - r->at < ROW_DIGEST) return NULL;
        r->at += ROW_DIGEST;
        return r->at - ROW_DIGEST;
}

/* An answer has an event of its own before the testimony of its transaction. */
static char *name_answer(struct inquiry *q, int64_t seq)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(q->store,
            "SELECT json_extract(data, '$.by'), json_extract(data, '$.gate'), run FROM event"
            " WHERE environment = ? AND seq < ? AND kind = 'gate-answered' ORDER BY seq DESC LIMIT 1",
            NULL);
        if (st != NULL) bind_int(st, 1, q->e.id);
        if (st != NULL) bind_int(st, 2, seq);
        if (st == NULL || sqlite_step(q->store, st, NULL) != 1) return NULL;
        cleanup_free char *by = column_text(st, 0), *gate = column_text(st, 1), *run = column_text(st, 2);
        if (by == NULL || gate == NULL || run == NULL) return NULL;
        return mem_printf("the answer of %s to gate %s of run %s", by, gate, run);
}

/* What a row is called that is not there to say so itself. */
static char *name_missing(struct inquiry *q, const struct testimony *t)
{
        const struct witnessed_table *table = &witnessed_tables[t->table];
        if (strcmp(table->name, "resource") == 0) {
                cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(q->store,
                    "SELECT address FROM history WHERE resource = ? ORDER BY id DESC LIMIT 1", NULL);
                if (st != NULL) bind_int(st, 1, (int64_t)t->key[0]);
                if (st != NULL && sqlite_step(q->store, st, NULL) == 1)
                        return mem_printf("resource %s (row %" PRId64 ", last written by event %" PRId64 ")",
                            (const char *)sqlite3_column_text(st, 0), (int64_t)t->key[0], t->seq);
        }
        char *answer = strcmp(table->name, "answer") == 0 ? name_answer(q, t->seq) : NULL;
        if (answer != NULL) return answer;
        if (strcmp(table->name, "step") == 0)
                return mem_printf("step %" PRId64 " of a run (row %" PRId64 " of run, event %" PRId64 ")",
                    (int64_t)t->key[1], (int64_t)t->key[0], t->seq);
        return mem_printf("row %" PRId64 " of %s (last written by event %" PRId64 ")", (int64_t)t->key[0],
            table->name, t->seq);
}

static void hear(struct inquiry *q, struct testimony *t, const unsigned char *was, const unsigned char *is,
    int64_t seq, bool adopted)
{
        /* A row that somebody changed before it was written over; or one that was there and no event speaks of. */
        bool same = was == NULL ? !t->there : t->there && memcmp(t->digest, was, ROW_DIGEST) == 0;
        if (!same && !adopted) {
                char how[80];
                cleanup_free char *name = name_missing(q, t);
                snprintf(how, sizeof how, "had been changed when event %" PRId64 " was written", seq);
                tell(q, name, how);
        }
        t->there = is != NULL;
        if (is != NULL) memcpy(t->digest, is, ROW_DIGEST);
        t->seq = seq;
}

/* `shared`: only what is about tables that all environments share. */
static bool hear_all(struct inquiry *q, struct reader *r, int64_t seq, bool adopted, bool shared)
{
        while (r->at < r->end) {
                unsigned head = *r->at++, table = head & ROW_TABLE;
                uint64_t key[2] = {0};
                if (table >= witnessed_table_count || !read_varint(r, &key[0]) ||
                    (!witnessed_tables[table].numbered && !read_varint(r, &key[1])))
                        return false;
                const unsigned char *was = head & ROW_WAS ? read_digest(r) : NULL;
                const unsigned char *is = head & ROW_IS ? read_digest(r) : NULL;
                if ((head & ROW_WAS && was == NULL) || (head & ROW_IS && is == NULL)) return false;
                bool common = strcmp(witnessed_tables[table].name, "duration") == 0;
                if (common || !shared) hear(q, testimony(q, table, key), was, is, seq, adopted);
        }
        return true;
}

static bool hear_event(struct inquiry *q, const char *data, int64_t seq, bool adopted, bool shared)
{
        json_t *json = json_loads(data ? data : "", 0, NULL);
        const char *rows = json_string_value(json_object_get(json, "rows"));
        const char *environment = json_string_value(json_object_get(json, "environment"));
        size_t len = rows ? strlen(rows) : 0;
        bool good = environment != NULL && len > 0 && len % 4 == 0 && len < INT32_MAX;
        if (good) {
                unsigned char *bytes = mem_alloc(len);
                int n = EVP_DecodeBlock(bytes, (const unsigned char *)rows, (int)len);
                n -= (rows[len - 1] == '=') + (rows[len - 2] == '=');
                struct reader r = {bytes, bytes + (n > 0 ? n : 0)};
                good = n > 0 && hear_all(q, &r, seq, adopted, shared);
                free(bytes);
        }
        if (good && !shared) {
                snprintf(q->last_environment, sizeof q->last_environment, "%s", environment);
                q->last_fence = json_integer_value(json_object_get(json, "fence"));
        }
        json_decref(json);
        return good;
}

/* Those of other environments are read too: they share a table. In the order in which they were written. */
static int hear_log(struct inquiry *q)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(q->store,
            "SELECT environment, seq, kind, data FROM event WHERE kind IN ('rows', 'rows-adopted') ORDER BY "
            "id",
            q->err);
        if (st == NULL) return -1;
        int more;
        while ((more = sqlite_step(q->store, st, q->err)) == 1) {
                bool shared = column_int(st, 0) != q->e.id;
                bool adopted = strcmp((const char *)sqlite3_column_text(st, 2), "rows") != 0;
                int64_t seq = column_int(st, 1);
                if (hear_event(q, (const char *)sqlite3_column_text(st, 3), seq, adopted, shared) || shared)
                        continue;
                char what[40];
                snprintf(what, sizeof what, "event %" PRId64, seq);
                tell(q, what, "cannot be read");
        }
        return more;
}

/* ---- the tables ---- */

static int compare_table(struct inquiry *q, unsigned table)
{
        cleanup(statement_done)
            sqlite3_stmt *st = sqlite_statement(q->store, witnessed_tables[table].rows, q->err);
        if (st == NULL) return -1;
        bind_int(st, 1, q->e.id);
        int more, columns = sqlite3_column_count(st) - 1;
        while ((more = sqlite_step(q->store, st, q->err)) == 1) {
                unsigned char digest[ROW_DIGEST];
                uint64_t key[2];
                witness_row_digest(q->store, st, columns, digest);
                witness_row_key(q->store, &witnessed_tables[table], st, key);
                const char *name = (const char *)sqlite3_column_text(st, columns);
                struct testimony *t = testimony(q, table, key);
                t->seen = true;
                if (!t->there)
                        tell(q, name ? name : witnessed_tables[table].name, "was put in");
                else if (memcmp(t->digest, digest, ROW_DIGEST) != 0)
                        tell(q, name ? name : witnessed_tables[table].name, "was changed");
        }
        return more;
}

static void find_missing(struct inquiry *q)
{
        for (map_foreach (&q->rows, entry)) {
                const struct testimony *t = entry->value;
                if (!t->there || t->seen) continue;
                cleanup_free char *name = name_missing(q, t);
                tell(q, name, "is missing");
        }
}

static int compare_environment(struct inquiry *q)
{
        char now[2 * ROW_DIGEST + 1];
        witness_environment(q->store, &q->e, q->environment, now);
        if (q->last_environment[0] != '\0' && strcmp(q->last_environment, now) != 0)
                tell(q, "the environment's own row (name, serial, next run)", "was changed");
        if (q->e.fence < q->last_fence) tell(q, "the fence of its lease", "was lowered");
        return 0;
}

static int count_of(struct store *s, const char *sql, int64_t *ret, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s, sql, err);
        if (st == NULL || sqlite_step(s, st, err) < 0) return -1;
        *ret = column_int(st, 0);
        return 0;
}

/* Numbers of events follow one another over all environments; those of resources are never given out twice. */
static int compare_numbers(struct inquiry *q)
{
        int64_t gaps, order, reused;
        if (count_of(q->store, "SELECT coalesce(max(id), 0) - count(*) + (min(id) < 1) FROM event", &gaps,
                q->err) < 0 ||
            count_of(q->store,
                "SELECT count(*) FROM event a JOIN event b ON b.environment = a.environment"
                " AND b.seq = a.seq + 1 WHERE b.id <= a.id",
                &order, q->err) < 0 ||
            count_of(q->store,
                "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'resource'), 0) <"
                " coalesce((SELECT max(resource) FROM history), 0)",
                &reused, q->err) < 0)
                return -1;
        if (gaps != 0 || order > 0) tell(q, "the order in which events were written", "was changed");
        if (reused) tell(q, "the last number of a resource", "was lowered");
        return 0;
}

static int inquire(struct inquiry *q)
{
        if (hear_log(q) < 0) return -1;
        for (unsigned i = 0; i < witnessed_table_count; i++)
                if (compare_table(q, i) < 0) return -1;
        find_missing(q);
        if (compare_environment(q) < 0 || compare_numbers(q) < 0) return -1;
        if (q->found > NAMED)
                error_set(q->err, ERROR_CONFLICT, NULL, "%zu more rows were tampered with", q->found - NAMED);
        return q->found > 0 ? -1 : 0;
}

int witness_verify_rows(struct store *s, const char *environment, struct error **err)
{
        struct inquiry q = {.store = s, .environment = environment, .arena = arena_new(), .err = err};
        int found = environment_state_load(s, environment, &q.e, err);
        int result = found == 1 ? inquire(&q) : found;
        map_release(&q.rows);
        arena_free(q.arena);
        return result;
}
