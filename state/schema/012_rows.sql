-- From here on the event log has the digest of each row that is written, and of each that was there (state/sqlite_rows.c). What was witnessed
-- of gates and answers before has its bounds in columns of its own; this one says how far the log goes back with all other rows.
ALTER TABLE environment ADD COLUMN rows_since INTEGER NOT NULL DEFAULT 1; -- the first event that may be about rows
UPDATE environment SET rows_since = event_count + 1;
