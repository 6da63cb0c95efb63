-- A store of schema 1, with a run that waits, answered, and one that was killed with an intent open. Secrets are a test's.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO environment VALUES(1,'waits','91f15fc577208bcf8923d1e7ecc5e7fb',1,1795775803002,2,6,X'f32bced62ef69f5fe5eefe7fdf87066b1608f00cadce0e3279692c527c989085',1,NULL,1795775803015,1795775803015,30000);
INSERT INTO environment VALUES(2,'broken','83fffdcb1fb69967066318382fcbe40f',0,1795775803064,2,2,X'2b8033e1f6f58c9948281379f4d999dc02f0071bae92bf2eabca8331e3da3175',1,NULL,1795775803069,1795775803069,30000);
CREATE TABLE output (
    environment INTEGER PRIMARY KEY REFERENCES environment (id),
    value       TEXT NOT NULL
) STRICT;
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
INSERT INTO resource VALUES(1,1,'first','','value','value','ca2e3780-6647-fbe8-d1ac-15132f7221ca','{"t":["object",{"input":"string"}],"v":{"input":"one"}}','{"t":["object",{"id":"string","output":"string"}],"v":{"id":"ca2e3780-6647-fbe8-d1ac-15132f7221ca","output":"one"}}',NULL,NULL,X'','ca2e37806647fbe8d1ac15132f7221ca',0,0,1795775803020,1795775803020);
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
INSERT INTO run VALUES(1,1,'r1','apply','waiting','root','544004ed910c57d83299cbace59b93d41e61947e9775f6c58a50a918537c1975','{"create":1,"update":0,"replace":0,"delete":0,"forget":0,"gates":0,"failed":0,"skipped":0,"remaining":2}',1795775803016,0);
INSERT INTO run VALUES(2,2,'r1','apply','running','root','4e49497295664aa378f1bcab60c9f74ffd1a3d843849fdcbc9ef3d7e0e236a85',NULL,1795775803071,0);
CREATE TABLE run_plan (
    run         INTEGER PRIMARY KEY REFERENCES run (row),
    plan        TEXT NOT NULL
) STRICT;
INSERT INTO run_plan VALUES(1,replace('{"format":1,"environment":"waits","file":"waits.yaml","lineage":"91f15fc577208bcf8923d1e7ecc5e7fb","serial":0,"digest":"544004ed910c57d83299cbace59b93d41e61947e9775f6c58a50a918537c1975","created":"2026-11-27T10:36:42.950Z","mode":"apply","refresh":true,"sources":[{"path":"waits.yaml","text":"environment: waits\nresources:\n  first: {type: value, properties: {input: one}}\n  go: {type: gate, after: [first], properties: {message: \"On with it?\"}}\n  second: {type: value, after: [go], properties: {input: \"${first.output}, two\"}}\n"}],"parameters":"{\"t\":[\"object\",{}],\"v\":{}}","world":{"time":1795775802950,"observations":[]},"targets":[],"excludes":[],"plan":{"environment":"waits","serial":0,"digest":"544004ed910c57d83299cbace59b93d41e61947e9775f6c58a50a918537c1975","summary":{"create":2,"update":0,"replace":0,"delete":0,"keep":0,"gates":1,"deferred":0,"forget":0,"read":0},"steps":[{"index":0,"address":"first","type":"value","action":"create","provider":"value","changes":[{"path":"input","before":null,"after":"one"}],"after":[],"seconds":0.000},{"index":1,"address":"go","type":"gate","action":"gate","gate":"go","changes":[],"after":[0],"seconds":0.000},{"index":2,"address":"second","type":"value","action":"create","provider":"value","changes":[{"path":"input","before":null,"unknown":true}],"after":[0,1],"seconds":0.000}],"deferred":[],"outputs_change":false,"estimate":{"seconds":0.000,"critical_path":["first","go","second"]}}}\012','\012',char(10)));
INSERT INTO run_plan VALUES(2,replace('{"format":1,"environment":"broken","file":"broken.yaml","lineage":"83fffdcb1fb69967066318382fcbe40f","serial":0,"digest":"4e49497295664aa378f1bcab60c9f74ffd1a3d843849fdcbc9ef3d7e0e236a85","created":"2026-11-27T10:36:43.059Z","mode":"apply","refresh":true,"sources":[{"path":"broken.yaml","text":"environment: broken\nresources:\n  work: {type: exec.command, properties: {run: \"echo done >>made\", creates: made}}\n  after: {type: value, properties: {input: \"${work.id}\"}}\n"}],"parameters":"{\"t\":[\"object\",{}],\"v\":{}}","world":{"time":1795775803059,"observations":[]},"targets":[],"excludes":[],"plan":{"environment":"broken","serial":0,"digest":"4e49497295664aa378f1bcab60c9f74ffd1a3d843849fdcbc9ef3d7e0e236a85","summary":{"create":2,"update":0,"replace":0,"delete":0,"keep":0,"gates":0,"deferred":0,"forget":0,"read":0},"steps":[{"index":0,"address":"work","type":"exec.command","action":"create","provider":"exec","changes":[{"path":"creates","before":null,"after":"made"},{"path":"run","before":null,"after":"echo done >>made"}],"after":[],"seconds":1.000},{"index":1,"address":"after","type":"value","action":"create","provider":"value","changes":[{"path":"input","before":null,"unknown":true}],"after":[0],"seconds":0.000}],"deferred":[],"outputs_change":false,"estimate":{"seconds":1.000,"critical_path":["work","after"]}}}\012','\012',char(10)));
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
INSERT INTO step VALUES(1,0,'first','value','create','done',NULL,0,1795775803019,1795775803020);
INSERT INTO step VALUES(1,1,'go','gate','gate','waiting',NULL,0,1795775803027,0);
INSERT INTO step VALUES(1,2,'second','value','create','pending',NULL,0,0,0);
INSERT INTO step VALUES(2,0,'work','exec.command','create','running',NULL,0,1795775803072,0);
INSERT INTO step VALUES(2,1,'after','value','create','pending',NULL,0,0,0);
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
INSERT INTO operation VALUES(1,2,'r1',0,'work','','exec.command','exec','create','9e574872af7eb4e40b072f6748903ad1',0,NULL,'9e574872af7eb4e40b072f6748903ad1',NULL,'{"t":["object",{"creates":"string","environment":["map","string"],"folder":"string","input":"string","on_delete":"string","run":"string","triggers":"dynamic","unless":"string"}],"v":{"creates":"made","environment":null,"folder":null,"input":null,"on_delete":null,"run":"echo done >>made","triggers":null,"unless":null}}',NULL,NULL,1795775803072);
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
INSERT INTO gate VALUES(1,1,'r1','go','approved','{"message":"On with it?","digest":"544004ed910c57d83299cbace59b93d41e61947e9775f6c58a50a918537c1975","approvers":null,"behind":[{"address":"second","action":"create"}]}','root','before the update',1795775803027,1795775819059);
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
INSERT INTO event VALUES(1,1,1,1795775803020,'r1','run-started','{}',X'55a06475b8228a384163abb8a36f0e1e7328af05c1e1b6e817feba8837527224');
INSERT INTO event VALUES(2,1,2,1795775803023,'r1','step-started','{"address":"first","action":"create"}',X'0bb7f0db51f4096551b5302d1ae44aa9aaf7c9c82ec753cfd18742aeea1ebaf0');
INSERT INTO event VALUES(3,1,3,1795775803023,'r1','step-done','{"address":"first","action":"create","elapsed_ms":1}',X'693c5a2e33d7625de2e672490b80f7426bfe1486dd5278d22950f9dbc671b344');
INSERT INTO event VALUES(4,1,4,1795775803027,'r1','gate-waiting','{"address":"go","action":"gate","message":"On with it?"}',X'b911df687cea885c755a0057a9ccbeaac1c09e02bacb29dabb2b6d51482e414d');
INSERT INTO event VALUES(5,1,5,1795775803027,'r1','run-waiting','{"create":1,"update":0,"replace":0,"delete":0,"forget":0,"gates":0,"failed":0,"skipped":0,"remaining":2}',X'f0a05723dd1bcdf2486255d62db5d84863227cb6ebdaaa172d21de1f63c1687a');
INSERT INTO event VALUES(6,2,1,1795775803072,'r1','run-started','{}',X'2ef58b48e2d369c29db30a725def90cafce60ee321b73616b7ffa3303da3b353');
INSERT INTO event VALUES(7,2,2,1795775803072,'r1','step-started','{"address":"work","action":"create"}',X'2b8033e1f6f58c9948281379f4d999dc02f0071bae92bf2eabca8331e3da3175');
INSERT INTO event VALUES(8,1,6,1795775819059,'r1','gate-answered','{"gate":"go","answer":"approved","by":"root","comment":"before the update","digest":"544004ed910c57d83299cbace59b93d41e61947e9775f6c58a50a918537c1975"}',X'f32bced62ef69f5fe5eefe7fdf87066b1608f00cadce0e3279692c527c989085');
CREATE TABLE duration (
    type        TEXT NOT NULL,
    action      TEXT NOT NULL,
    seconds     REAL NOT NULL,
    samples     INTEGER NOT NULL,
    PRIMARY KEY (type, action)
) STRICT, WITHOUT ROWID;
INSERT INTO duration VALUES('value','create',0.0010000000000000000208,1);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('resource',1);
CREATE INDEX history_by_address ON history (environment, address);
CREATE INDEX history_by_resource ON history (resource);
CREATE INDEX run_by_environment ON run (environment);
CREATE INDEX event_by_run ON event (environment, run, seq);
COMMIT;
PRAGMA application_id = 1416983668; PRAGMA user_version = 1;
