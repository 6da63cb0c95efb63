/*
 * The event log as the witness of other rows: what was written to `gate` and `answer` stands in the log as a digest of the whole row,
 * from the same transaction. A row that was changed, put in, taken out or exchanged since does not agree with it.
 *
 *     digest = SHA-256( for each column, in the order of the table: type, length, bytes )      type: I integer, T text, N null
 *
 * Of an answer the digest is in the event `gate-answered`; a change of a gate has the event `gate-recorded` of its own.
 */
#include "state/sqlite_internal.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

#define GATE "id, environment, run, name, status, details, answered_by, comment, opened_ms, answered_ms"
#define ANSWER                                                                                     \
        "id, environment, run, gate, answer, person, comment, user, digest, proposal, opened_ms, " \
        "answered_ms, "                                                                            \
        "signature, key, signed_ms, expires_ms"

/* Of the row that the statement stands at, in hexadecimal. */
static void row_digest(sqlite3_stmt *st, char hex[65])
{
        unsigned char digest[32];
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) abort(); /* no memory */
        for (int i = 0; i < sqlite3_column_count(st); i++) {
                int type = sqlite3_column_type(st, i);
                char tag = type == SQLITE_NULL ? 'N' : type == SQLITE_INTEGER ? 'I' : 'T';
                const void *bytes = sqlite3_column_blob(st, i); /* of an integer its digits */
                uint64_t len = (uint64_t)sqlite3_column_bytes(st, i);
                unsigned char head[9] = {(unsigned char)tag};
                for (int k = 0; k < 8; k++) head[1 + k] = (unsigned char)(len >> (56 - 8 * k));
                EVP_DigestUpdate(md, head, sizeof head);
                if (len > 0) EVP_DigestUpdate(md, bytes, len);
        }
        EVP_DigestFinal_ex(md, digest, NULL);
        EVP_MD_CTX_free(md);
        text_hex(digest, sizeof digest, hex);
}

int witness_gate(
    struct store *s, struct environment_state *e, const char *run, const char *name, struct error **err)
{
        char hex[65];
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT " GATE " FROM gate WHERE environment = ? AND run = ? AND name = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, e->id);
        bind_text(st, 2, run);
        bind_text(st, 3, name);
        int found = sqlite_step(s, st, err);
        if (found != 1) return found;
        row_digest(st, hex);
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_add(&json, "{\"gate\":");
        text_add_json(&json, name, strlen(name));
        text_addf(&json, ",\"row\":\"%s\"}", hex);
        return write_event(s, e, run, "gate-recorded", json.data, err);
}

int witness_answer(struct store *s, int64_t id, char hex[65], struct error **err)
{
        cleanup(statement_done)
            sqlite3_stmt *st = sqlite_statement(s, "SELECT " ANSWER " FROM answer WHERE id = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, id);
        if (sqlite_step(s, st, err) < 0) return -1;
        row_digest(st, hex);
        return 0;
}

/* ---- verification ---- */

struct testimony { /* what the log says of one row */
        const char *run, *gate, *digest;
        bool seen;
};

struct witnessed {
        struct map rows; /* key → struct testimony * */
        struct arena *arena;
        const char *environment;
        int64_t id, before; /* rows up to this number are older than the witness */
};

static int tampered(const struct witnessed *w, const char *what, const char *gate, const char *run,
    const char *how, struct error **err)
{
        return error_set(err, ERROR_CONFLICT, NULL,
            "the record of environment '%s' was tampered with: %s gate '%s' of run %s %s", w->environment,
            what, gate ? gate : "?", run ? run : "?", how);
}

/* Reads the log's testimonies. Of a gate the last one counts, so its key is the gate; of an answer each, so its key is the digest. */
static int listen(struct store *s, struct witnessed *w, bool answers, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT run, json_extract(data, '$.gate'), json_extract(data, '$.row') FROM event"
            " WHERE environment = ? AND kind = ? ORDER BY seq",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, w->id);
        bind_text(st, 2, answers ? "gate-answered" : "gate-recorded");
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) {
                cleanup_free char *run = column_text(st, 0), *gate = column_text(st, 1),
                                  *row = column_text(st, 2);
                if (run == NULL || gate == NULL || row == NULL)
                        continue; /* from before answers had a digest */
                const char *key = answers ? arena_strdup(w->arena, row)
                                          : arena_printf(w->arena, "%s\n%s", run, gate);
                struct testimony *t = arena_alloc(w->arena, sizeof *t);
                *t = (struct testimony){arena_strdup(w->arena, run), arena_strdup(w->arena, gate),
                    arena_strdup(w->arena, row), false};
                map_put(&w->rows, key, t);
        }
        return more;
}

static int find_missing(const struct witnessed *w, const char *what, struct error **err)
{
        for (map_foreach (&w->rows, entry)) {
                const struct testimony *t = entry->value;
                if (!t->seen) return tampered(w, what, t->gate, t->run, "is missing", err);
        }
        return 0;
}

/* Each row against what the log says of it. Columns 0, 2 and 3: number, run, gate. */
static int compare(struct store *s, struct witnessed *w, sqlite3_stmt *st, bool answers, struct error **err)
{
        const char *what = answers ? "an answer to" : "the row of";
        bind_int(st, 1, w->id);
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) {
                char hex[65];
                row_digest(st, hex);
                cleanup_free char *run = column_text(st, 2), *gate = column_text(st, 3);
                cleanup_free char *key = answers ? mem_strdup(hex) : mem_printf("%s\n%s", run, gate);
                struct testimony *t = map_get(&w->rows, key);
                if (t == NULL && column_int(st, 0) <= w->before) continue;
                if (t == NULL)
                        return tampered(
                            w, what, gate, run, answers ? "was changed or put in" : "was put in", err);
                if (strcmp(t->digest, hex) != 0) return tampered(w, what, gate, run, "was changed", err);
                t->seen = true;
        }
        return more < 0 ? -1 : find_missing(w, what, err);
}

static int64_t bound(struct store *s, int64_t environment, bool answers, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT gates_before, answers_before FROM environment WHERE id = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, environment);
        return sqlite_step(s, st, err) == 1 ? column_int(st, answers ? 1 : 0) : -1;
}

static int verify_table(
    struct store *s, const char *environment, int64_t id, bool answers, struct error **err)
{
        struct witnessed w = {.environment = environment, .id = id, .arena = arena_new()};
        w.before = bound(s, id, answers, err);
        cleanup(statement_done) sqlite3_stmt *st =
            answers
                ? sqlite_statement(s, "SELECT " ANSWER " FROM answer WHERE environment = ? ORDER BY id", err)
                : sqlite_statement(s, "SELECT " GATE " FROM gate WHERE environment = ? ORDER BY id", err);
        int result = w.before < 0 || st == NULL || listen(s, &w, answers, err) < 0
                         ? -1
                         : compare(s, &w, st, answers, err);
        map_release(&w.rows);
        arena_free(w.arena);
        return result;
}

int witness_verify(struct store *s, const char *environment, int64_t id, struct error **err)
{
        if (verify_table(s, environment, id, false, err) < 0) return -1;
        return verify_table(s, environment, id, true, err);
}

int witness_verify_answers(
    struct store *s, const char *environment, int64_t id, const char *run, struct error **err)
{
        struct witnessed w = {.environment = environment, .id = id, .arena = arena_new()};
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT " ANSWER " FROM answer WHERE environment = ? AND run = ?", err);
        int more = st == NULL ? -1 : listen(s, &w, true, err);
        if (more == 0) {
                bind_int(st, 1, id);
                bind_text(st, 2, run);
        }
        while (more == 0 && (more = sqlite_step(s, st, err)) == 1) {
                char hex[65];
                row_digest(st, hex);
                struct testimony *t = map_get(&w.rows, hex);
                if (t != NULL) t->seen = true;
                more = 0;
        }
        for (map_foreach (&w.rows, entry)) {
                struct testimony *t = entry->value;
                if (strcmp(t->run, run) != 0) t->seen = true;
        }
        if (more == 0) more = find_missing(&w, "an answer to", err);
        map_release(&w.rows);
        arena_free(w.arena);
        return more;
}
