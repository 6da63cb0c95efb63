/*
 * The event log as the witness of every row of every table.
 *
 * SQLite tells, before it writes a row, what stood there and what will (its pre-update hook). That gives one testimony for each row
 * that is inserted, changed or deleted, whichever statement does it: table, number, digest of the row as it was, digest of the row as it
 * is. Those of a transaction are one event `rows` at its end, in the chain like any other:
 *
 *     {"fence": of the lease, "environment": digest of its row, "rows": base64 of the testimonies}
 *
 *     testimony = table | 64 if there was a row | 128 if there is one        one byte
 *                 its number, as a varint; two where the table has no row numbers
 *                 digest of the row that was, digest of the row that is      16 bytes each, as far as there is one
 *     digest    = the first 16 bytes of SHA-256( for each column in the order of the table: type, and what it holds )
 *                 I, 8 bytes: an integer, or a real without a fraction; R, 8 bytes: another real; N: null
 *                 T or B, length in 8 bytes, bytes: text or blob                                       all big-endian
 *
 * The digest of what was there is what keeps a change by somebody else from being covered by the next one of ours: it does not agree
 * with the testimony before it. Cost: that of the bytes written, whatever the size of the store. What the rows are held against
 * is in sqlite_rows_verify.c.
 */
#include "state/sqlite_internal.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "state/sqlite_rows.h"

const struct witnessed_table witnessed_tables[] = {
    {"output", "value", true, "SELECT t.*, 'the outputs' FROM output t WHERE environment = ?1"},
    {"resource", "type", true, "SELECT t.*, 'resource ' || address FROM resource t WHERE environment = ?1"},
    {"history", "action", true,
        "SELECT t.*, 'the history of ' || address || ' (' || action || ' by run ' || run || ')' FROM history "
        "t"
        " WHERE environment = ?1"},
    {"run", "status", true, "SELECT t.*, 'run ' || id FROM run t WHERE environment = ?1"},
    {"run_plan", "plan", true,
        "SELECT t.*, 'the plan of run ' || r.id FROM run_plan t JOIN run r ON r.row = t.run"
        " WHERE r.environment = ?1"},
    {"step", "status", false,
        "SELECT t.*, 'step ' || t.number || ' (' || t.address || ') of run ' || r.id FROM step t"
        " JOIN run r ON r.row = t.run WHERE r.environment = ?1"},
    {"operation", "state", true,
        "SELECT t.*, 'the intent of step ' || step || ' (' || address || ') of run ' || run FROM operation t"
        " WHERE environment = ?1"},
    {"gate", "status", true,
        "SELECT t.*, 'gate ' || name || ' of run ' || run FROM gate t WHERE environment = ?1"},
    {"answer", "answer", true,
        "SELECT t.*, 'the answer of ' || person || ' to gate ' || gate || ' of run ' || run FROM answer t"
        " WHERE environment = ?1"},
    {"notification", "status", true,
        "SELECT t.*, 'message ' || id || ' to ' || target FROM notification t WHERE environment = ?1"},
    /* Shared by all environments of a store. */
    {"duration", "samples", false,
        "SELECT t.*, 'the duration of ' || type || ' ' || action FROM duration t WHERE ?1 > 0"},
};
const unsigned witnessed_table_count = sizeof witnessed_tables / sizeof witnessed_tables[0];

struct witness {
        EVP_MD *sha256;
        EVP_MD_CTX *md;
        struct text row;         /* the bytes of a row, for its digest */
        struct text testimonies; /* of the transaction so far */
        bool adopting;           /* what was there is taken for good: the testimony has no row before it */
        bool broken;             /* the hook could not read what it had to */
        size_t adopted;
};

/* ---- digests ---- */

static void add_number(struct text *out, char tag, uint64_t n)
{
        char bytes[9] = {tag};
        for (int k = 0; k < 8; k++) bytes[1 + k] = (char)(n >> (56 - 8 * k));
        text_addn(out, bytes, sizeof bytes);
}

static void add_bytes(struct text *out, char tag, const void *bytes, size_t len)
{
        add_number(out, tag, len);
        if (len > 0) text_addn(out, bytes, len);
}

/* SQLite keeps a real without a fraction as an integer, and does not always say which of the two a column is. */
static void add_real(struct text *out, double x)
{
        enum { EXACT = 1 << 30 };
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        bool whole = fabs(x) < EXACT && x == floor(x);
        add_number(out, whole ? 'I' : 'R', whole ? (uint64_t)(int64_t)x : bits);
}

static void add_value(struct text *out, sqlite3_value *v)
{
        int type = sqlite3_value_type(v);
        if (type == SQLITE_NULL) {
                text_addc(out, 'N');
        } else if (type == SQLITE_INTEGER) {
                add_number(out, 'I', (uint64_t)sqlite3_value_int64(v));
        } else if (type == SQLITE_FLOAT) {
                add_real(out, sqlite3_value_double(v));
        } else {
                bool blob = type == SQLITE_BLOB;
                const void *bytes = blob ? sqlite3_value_blob(v) : sqlite3_value_text(v);
                add_bytes(out, blob ? 'B' : 'T', bytes, (size_t)sqlite3_value_bytes(v));
        }
}

static void digest(struct witness *w, unsigned char ret[ROW_DIGEST])
{
        unsigned char full[EVP_MAX_MD_SIZE];
        if (EVP_DigestInit_ex(w->md, w->sha256, NULL) != 1 ||
            EVP_DigestUpdate(w->md, w->row.data, w->row.len) != 1 ||
            EVP_DigestFinal_ex(w->md, full, NULL) != 1)
                abort(); /* no memory */
        memcpy(ret, full, ROW_DIGEST);
        text_clear(&w->row);
}

void witness_row_digest(struct store *s, sqlite3_stmt *st, int columns, unsigned char ret[ROW_DIGEST])
{
        for (int i = 0; i < columns; i++) add_value(&s->witness->row, sqlite3_column_value(st, i));
        digest(s->witness, ret);
}

/* ---- testimonies ---- */

static void add_varint(struct text *out, uint64_t n)
{
        for (; n >= 128; n >>= 7) text_addc(out, (char)(n | 128));
        text_addc(out, (char)n);
}

static int table_number(const char *name)
{
        for (unsigned i = 0; i < witnessed_table_count; i++)
                if (strcmp(witnessed_tables[i].name, name) == 0) return (int)i;
        return -1;
}

/* The columns of the primary key stand first; a text gives the number that its digest begins with. */
static uint64_t key_part(struct witness *w, sqlite3_value *v)
{
        unsigned char hash[ROW_DIGEST];
        uint64_t number = 0;
        if (sqlite3_value_type(v) == SQLITE_INTEGER) return (uint64_t)sqlite3_value_int64(v);
        add_value(&w->row, v);
        digest(w, hash);
        for (int i = 0; i < 8; i++) number = number << 8 | hash[i];
        return number;
}

void witness_row_key(struct store *s, const struct witnessed_table *table, sqlite3_stmt *st, uint64_t key[2])
{
        key[0] = key_part(s->witness, sqlite3_column_value(st, 0));
        key[1] = table->numbered ? 0 : key_part(s->witness, sqlite3_column_value(st, 1));
}

typedef int value_reader(sqlite3 *, int, sqlite3_value **);

static bool row_of(struct witness *w, sqlite3 *db, value_reader *read, unsigned char ret[ROW_DIGEST])
{
        int count = sqlite3_preupdate_count(db);
        for (int i = 0; i < count; i++) {
                sqlite3_value *v;
                if (read(db, i, &v) != SQLITE_OK) return false;
                add_value(&w->row, v);
        }
        digest(w, ret);
        return true;
}

static bool key_of(struct witness *w, sqlite3 *db, value_reader *read, bool numbered, uint64_t key[2])
{
        for (int i = 0; i < (numbered ? 1 : 2); i++) {
                sqlite3_value *v;
                if (read(db, i, &v) != SQLITE_OK) return false;
                key[i] = key_part(w, v);
        }
        return true;
}

/* SQLite's pre-update hook: https://www.sqlite.org/c3ref/preupdate_blobwrite.html. No statement changes a primary key. */
static void before_write(void *context, sqlite3 *db, int op, const char *schema, const char *name,
    sqlite3_int64 number_before, sqlite3_int64 number)
{
        (void)schema;
        struct witness *w = context;
        int table = table_number(name);
        if (table < 0) return; /* environment and event, which the chain itself is about */
        bool numbered = witnessed_tables[table].numbered;
        bool before = op != SQLITE_INSERT, after = op != SQLITE_DELETE;
        uint64_t key[2] = {(uint64_t)(op == SQLITE_INSERT ? number : number_before), 0};
        unsigned char was[ROW_DIGEST], is[ROW_DIGEST];
        value_reader *read = before ? sqlite3_preupdate_old : sqlite3_preupdate_new;
        bool good = numbered || key_of(w, db, read, numbered, key);
        before = before && !w->adopting;
        good = good && (!before || row_of(w, db, sqlite3_preupdate_old, was));
        good = good && (!after || row_of(w, db, sqlite3_preupdate_new, is));
        w->broken = w->broken || !good;
        w->adopted += w->adopting;
        struct text *out = &w->testimonies;
        text_addc(out, (char)((unsigned)table | (before ? ROW_WAS : 0) | (after ? ROW_IS : 0)));
        add_varint(out, key[0]);
        if (!numbered) add_varint(out, key[1]);
        if (before) text_addn(out, was, sizeof was);
        if (after) text_addn(out, is, sizeof is);
}

void witness_open(struct store *s)
{
        struct witness *w = mem_alloc(sizeof *w);
        w->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        w->md = EVP_MD_CTX_new();
        if (w->sha256 == NULL || w->md == NULL) abort(); /* no memory */
        s->witness = w;
}

void witness_attach(struct store *s)
{
        sqlite3_preupdate_hook(s->db, before_write, s->witness);
}

void witness_close(struct store *s)
{
        struct witness *w = s->witness;
        if (w == NULL) return;
        EVP_MD_CTX_free(w->md);
        EVP_MD_free(w->sha256);
        text_release(&w->row);
        text_release(&w->testimonies);
        free(w);
        s->witness = NULL;
}

EVP_MD_CTX *witness_digest(struct store *s)
{
        if (EVP_DigestInit_ex(s->witness->md, s->witness->sha256, NULL) != 1) abort(); /* no memory */
        return s->witness->md;
}

bool witness_pending(const struct store *s)
{
        return s->witness->testimonies.len > 0;
}

void witness_forget(struct store *s)
{
        text_clear(&s->witness->testimonies);
        s->witness->broken = false;
}

/* ---- the event ---- */

/* What the environment's own row will be, but for the chain's head and the lease. */
void witness_environment(
    struct store *s, const struct environment_state *e, const char *name, char hex[2 * ROW_DIGEST + 1])
{
        unsigned char hash[ROW_DIGEST];
        struct text *out = &s->witness->row;
        add_bytes(out, 'T', name, strlen(name));
        const int64_t numbers[] = {
            e->id, e->created_ms, e->serial, e->next_run, e->gates_before, e->answers_before, e->rows_since};
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
                add_number(out, 'I', (uint64_t)numbers[i]);
        digest(s->witness, hash);
        text_hex(hash, sizeof hash, hex);
}

static void add_base64(struct text *out, const struct text *bytes)
{
        char *encoded = mem_alloc(bytes->len / 3 * 4 + 5);
        int len = EVP_EncodeBlock(
            (unsigned char *)encoded, (const unsigned char *)bytes->data, (int)bytes->len);
        text_addn(out, encoded, (size_t)len);
        free(encoded);
}

int witness_flush(struct store *s, struct environment_state *e, struct error **err)
{
        struct witness *w = s->witness;
        if (w->broken)
                return error_set(err, ERROR_SYSTEM, NULL, "%s: cannot read what is being written", s->path);
        /* What changes the environment's own row changes another as well; events alone are in the chain already. */
        if (!witness_pending(s)) return 0;
        char environment[2 * ROW_DIGEST + 1];
        witness_environment(s, e, e->name, environment);
        struct text json __attribute__((__cleanup__(text_release_cleanup))) = {0};
        text_addf(&json, "{\"fence\":%lld,\"environment\":\"%s\"", (long long)e->fence, environment);
        if (w->adopting) text_addf(&json, ",\"adopted\":%zu", w->adopted);
        text_add(&json, ",\"rows\":\"");
        add_base64(&json, &w->testimonies);
        text_add(&json, "\"}");
        witness_forget(s);
        return write_event(s, e, "", w->adopting ? "rows-adopted" : "rows", json.data, err);
}

/* ---- adoption ---- */

/* Writing a row anew also gives it the columns that were added since it was written. */
static int adopt_table(
    struct store *s, const struct witnessed_table *table, int64_t environment, struct error **err)
{
        cleanup_free char *sql = NULL;
        if (strcmp(table->name, "duration") == 0)
                sql = mem_printf("UPDATE duration SET %s = %s", table->column, table->column);
        else if (strcmp(table->name, "step") == 0 || strcmp(table->name, "run_plan") == 0)
                sql = mem_printf(
                    "UPDATE %s SET %s = %s WHERE run IN (SELECT row FROM run WHERE environment = %lld)",
                    table->name, table->column, table->column, (long long)environment);
        else
                sql = mem_printf("UPDATE %s SET %s = %s WHERE environment = %lld", table->name, table->column,
                    table->column, (long long)environment);
        return sqlite_exec(s, sql, err);
}

static int adopt_environment(struct store *s, const char *name, bool first, struct error **err)
{
        struct environment_state e;
        if (environment_state_load(s, name, &e, err) != 1) return -1;
        s->witness->adopted = 0;
        for (unsigned i = 0; i < witnessed_table_count; i++) {
                bool shared = strcmp(witnessed_tables[i].name, "duration") == 0;
                if ((!shared || first) && adopt_table(s, &witnessed_tables[i], e.id, err) < 0) return -1;
        }
        return environment_save(s, &e, err);
}

int witness_adopt(struct store *s, struct error **err)
{
        struct environment_row *rows = NULL;
        size_t count = 0;
        if (store_environments(s, &rows, &count, err) < 0) return -1;
        s->witness->adopting = true;
        int result = 0;
        for (size_t i = 0; i < count && result == 0; i++)
                result = adopt_environment(s, rows[i].name, i == 0, err);
        s->witness->adopting = false;
        environment_rows_free(rows, count);
        return result;
}
