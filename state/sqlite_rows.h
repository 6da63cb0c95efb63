/*
 * The tables whose rows the event log is the witness of, and the form of a testimony; see sqlite_rows.c, which makes them, and
 * sqlite_rows_verify.c, which holds the rows against them. The numbers of the tables are in every log: new ones go to the end.
 */
#ifndef TUTTI_STATE_SQLITE_ROWS_H
#define TUTTI_STATE_SQLITE_ROWS_H

#include "state/sqlite_internal.h"

struct witnessed_table {
        const char *name;
        const char *
            column; /* not of the key: written anew, unchanged, when the rows that are there are taken for good */
        bool numbered; /* rows have numbers (the first column); else the first two columns are the key */
        const char
            *rows; /* SQL: those of environment ?1, and behind their columns what a person calls the row */
};
extern const struct witnessed_table witnessed_tables[];
extern const unsigned witnessed_table_count;

enum { ROW_DIGEST = 16, ROW_TABLE = 63, ROW_WAS = 64, ROW_IS = 128 };

/* Digest of the first `columns` columns of the row that the statement stands at; its key, as testimonies have it. */
void witness_row_digest(struct store *s, sqlite3_stmt *st, int columns, unsigned char ret[ROW_DIGEST]);
void witness_row_key(struct store *s, const struct witnessed_table *table, sqlite3_stmt *st, uint64_t key[2]);
/* Of the environment's own row, as the events have it. */
void witness_environment(
    struct store *s, const struct environment_state *e, const char *name, char hex[2 * ROW_DIGEST + 1]);

#endif
