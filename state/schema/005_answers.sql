-- Answers to gates, one row for each that a person gave: a gate may need several, and its own row holds the outcome.

CREATE TABLE answer (
    id          INTEGER PRIMARY KEY, -- in order of arrival
    environment INTEGER NOT NULL REFERENCES environment (id),
    run         TEXT NOT NULL,
    gate        TEXT NOT NULL,
    answer      TEXT NOT NULL,
    person      TEXT NOT NULL,
    comment     TEXT,
    user        TEXT NOT NULL,
    digest      TEXT NOT NULL, -- of the run's plan
    proposal    TEXT NOT NULL, -- digest of what was shown; '' of answers from before there were any
    opened_ms   INTEGER NOT NULL,
    answered_ms INTEGER NOT NULL,
    signature   TEXT,
    key         TEXT,
    signed_ms   INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    FOREIGN KEY (environment, run, gate) REFERENCES gate (environment, run, name)
) STRICT;
CREATE INDEX answer_by_gate ON answer (environment, run, gate);

INSERT INTO answer (environment, run, gate, answer, person, comment, user, digest, proposal, opened_ms, answered_ms, signed_ms,
                    expires_ms)
    SELECT g.environment, g.run, g.name, g.status, g.answered_by, g.comment, '', r.digest, '', g.opened_ms, g.answered_ms, 0, 0
    FROM gate g JOIN run r ON r.environment = g.environment AND r.id = g.run
    WHERE g.status <> 'waiting' AND g.answered_by IS NOT NULL;
