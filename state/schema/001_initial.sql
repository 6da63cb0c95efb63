-- The store, as first laid out. Every table is STRICT; every row belongs to an environment, directly or through its
-- run. Times are wall-clock milliseconds since 1970. What each table promises is told in docs/state.md.

CREATE TABLE environment (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    lineage     TEXT NOT NULL,
    serial      INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL,
    next_run    INTEGER NOT NULL DEFAULT 1,
    -- the head of the event chain: without it, cutting the tail off would go unnoticed
    event_count INTEGER NOT NULL DEFAULT 0,
    event_head  BLOB NOT NULL,
    -- the lease; free while lease_holder is NULL; the fence never goes down
    fence             INTEGER NOT NULL DEFAULT 0,
    lease_holder      TEXT,
    lease_acquired_ms INTEGER NOT NULL DEFAULT 0,
    lease_renewed_ms  INTEGER NOT NULL DEFAULT 0,
    lease_ttl_ms      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Apart from the environment's row, which every commit rewrites and which therefore stays small.
CREATE TABLE output (
    environment INTEGER PRIMARY KEY REFERENCES environment (id),
    value       TEXT NOT NULL
) STRICT;

-- AUTOINCREMENT: history refers to ids of resources that are gone, so an id is never given out twice.
CREATE TABLE resource (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment (id),
    address     TEXT NOT NULL,
    deposed     TEXT NOT NULL,
    type        TEXT NOT NULL,
    provider    TEXT NOT NULL,
    remote_id   TEXT NOT NULL,
    properties  TEXT NOT NULL,
    outputs     TEXT NOT NULL,
    host        TEXT,
    private     TEXT,
    after       BLOB NOT NULL, -- addresses, each with a NUL byte behind it
    token       TEXT NOT NULL,
    protect     INTEGER NOT NULL,
    keep        INTEGER NOT NULL,
    created_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    UNIQUE (environment, address, deposed)
) STRICT;

-- One row per change: what the change replaced. `resource` stays the same over a move, so that the history follows.
CREATE TABLE history (
    id          INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL REFERENCES environment (id),
    resource    INTEGER NOT NULL,
    address     TEXT NOT NULL,
    serial      INTEGER NOT NULL,
    time_ms     INTEGER NOT NULL,
    run         TEXT NOT NULL,
    action      TEXT NOT NULL,
    properties  TEXT NOT NULL,
    outputs     TEXT NOT NULL
) STRICT;
CREATE INDEX history_by_address ON history (environment, address);
CREATE INDEX history_by_resource ON history (resource);

CREATE TABLE run (
    row         INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL REFERENCES environment (id),
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL,
    requester   TEXT NOT NULL,
    digest      TEXT NOT NULL,
    summary     TEXT,
    started_ms  INTEGER NOT NULL,
    ended_ms    INTEGER NOT NULL,
    UNIQUE (environment, id)
) STRICT;
CREATE INDEX run_by_environment ON run (environment);

-- Plans are large and read once: apart from the rows that lists read.
CREATE TABLE run_plan (
    run         INTEGER PRIMARY KEY REFERENCES run (row),
    plan        TEXT NOT NULL
) STRICT;

CREATE TABLE step (
    run         INTEGER NOT NULL REFERENCES run (row),
    number      INTEGER NOT NULL,
    address     TEXT NOT NULL,
    type        TEXT NOT NULL,
    action      TEXT NOT NULL,
    status      TEXT NOT NULL,
    message     TEXT,
    attempts    INTEGER NOT NULL,
    started_ms  INTEGER NOT NULL,
    ended_ms    INTEGER NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

-- Only what is not settled yet; empty between runs.
CREATE TABLE operation (
    id          INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL REFERENCES environment (id),
    run         TEXT NOT NULL,
    step        INTEGER NOT NULL,
    address     TEXT NOT NULL,
    deposed     TEXT NOT NULL,
    type        TEXT NOT NULL,
    provider    TEXT NOT NULL,
    action      TEXT NOT NULL,
    token       TEXT NOT NULL,
    state       INTEGER NOT NULL,
    saved       TEXT,
    remote_id   TEXT,
    prior       TEXT,
    planned     TEXT,
    host        TEXT,
    private     TEXT,
    started_ms  INTEGER NOT NULL,
    UNIQUE (environment, run, step),
    FOREIGN KEY (environment, run) REFERENCES run (environment, id)
) STRICT;

CREATE TABLE gate (
    id          INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL REFERENCES environment (id),
    run         TEXT NOT NULL,
    name        TEXT NOT NULL,
    status      TEXT NOT NULL,
    details     TEXT NOT NULL,
    answered_by TEXT,
    comment     TEXT,
    opened_ms   INTEGER NOT NULL,
    answered_ms INTEGER NOT NULL,
    UNIQUE (environment, run, name),
    FOREIGN KEY (environment, run) REFERENCES run (environment, id)
) STRICT;

CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL REFERENCES environment (id),
    seq         INTEGER NOT NULL,
    time_ms     INTEGER NOT NULL,
    run         TEXT NOT NULL, -- '' for what belongs to no run
    kind        TEXT NOT NULL,
    data        TEXT NOT NULL,
    hash        BLOB NOT NULL,
    UNIQUE (environment, seq)
) STRICT;
CREATE INDEX event_by_run ON event (environment, run, seq);

CREATE TABLE duration (
    type        TEXT NOT NULL,
    action      TEXT NOT NULL,
    seconds     REAL NOT NULL,
    samples     INTEGER NOT NULL,
    PRIMARY KEY (type, action)
) STRICT, WITHOUT ROWID;
