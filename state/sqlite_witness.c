/*
 * Answers that came in: the event `gate-answered` has a digest of the answer's row, from the same transaction, so that one which was taken
 * out or altered since is missed before anything is done on the strength of the others. Every other row, and rows that were put in, are
 * for the audit, which reads the whole log: sqlite_rows.c.
 *
 *     digest = SHA-256( for each column, in the order of the table: type, length, bytes )      type: I integer, T text, N null
 */
#include "state/sqlite_internal.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

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

/* The digests of a run's answers as they stand in the table. */
static int read_answers(struct store *s, int64_t id, const char *run, struct map *digests, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(
            s, "SELECT " ANSWER " FROM answer WHERE environment = ? AND run = ?", err);
        if (st == NULL) return -1;
        bind_int(st, 1, id);
        bind_text(st, 2, run);
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) {
                char hex[65];
                row_digest(st, hex);
                map_put_copy(digests, hex, digests);
        }
        return more;
}

/* Each of the log's has to be among them. Answers from before they had a digest name none. */
static int miss_answers(struct store *s, const char *environment, int64_t id, const char *run,
    const struct map *digests, struct error **err)
{
        cleanup(statement_done) sqlite3_stmt *st = sqlite_statement(s,
            "SELECT json_extract(data, '$.gate'), json_extract(data, '$.row') FROM event"
            " WHERE environment = ? AND kind = 'gate-answered' AND run = ? ORDER BY seq",
            err);
        if (st == NULL) return -1;
        bind_int(st, 1, id);
        bind_text(st, 2, run);
        int more;
        while ((more = sqlite_step(s, st, err)) == 1) {
                cleanup_free char *gate = column_text(st, 0), *row = column_text(st, 1);
                if (row == NULL || map_has(digests, row)) continue;
                return error_set(err, ERROR_CONFLICT, NULL,
                    "the record of environment '%s' was tampered with: an answer to gate '%s' of run %s is "
                    "missing, or another than it was",
                    environment, gate ? gate : "?", run);
        }
        return more;
}

int witness_verify_answers(
    struct store *s, const char *environment, int64_t id, const char *run, struct error **err)
{
        struct map digests __attribute__((__cleanup__(map_release_cleanup))) = {0};
        if (read_answers(s, id, run, &digests, err) < 0) return -1;
        return miss_answers(s, environment, id, run, &digests, err);
}
