-- The outbox: what somebody is to be told of, one row for each target, written in the transaction of what it tells of. It holds no
-- secret: `target` is the name by which the environment file knows the URL and what signs or logs in.
CREATE TABLE notification (
    row         INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL REFERENCES environment (id),
    id          TEXT NOT NULL UNIQUE, -- random; the receiver sees the same one each time a message is sent again
    target      TEXT NOT NULL,
    subject     TEXT NOT NULL,        -- what it is about; one target is told once of one subject
    event       TEXT NOT NULL,
    run         TEXT NOT NULL,        -- '' for what belongs to no run
    body        TEXT NOT NULL,        -- JSON
    status      TEXT NOT NULL,        -- pending, delivered, given-up
    attempts    INTEGER NOT NULL DEFAULT 0,
    error       TEXT,                 -- of the last attempt
    created_ms  INTEGER NOT NULL,
    next_ms     INTEGER NOT NULL,     -- when it is due
    claimed_ms  INTEGER NOT NULL DEFAULT 0, -- until when one process has it in hand
    settled_ms  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (environment, target, subject)
) STRICT;
CREATE INDEX notification_pending ON notification (environment, next_ms) WHERE status = 'pending';
