-- From here on the event log vouches for the rows of gates and answers; those with lower numbers were there before it did.
ALTER TABLE environment ADD COLUMN gates_before   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE environment ADD COLUMN answers_before INTEGER NOT NULL DEFAULT 0;
UPDATE environment SET gates_before = (SELECT coalesce(max(id), 0) FROM gate), answers_before = (SELECT coalesce(max(id), 0) FROM answer);
