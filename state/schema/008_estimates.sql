-- What is expected of each step, for telling while a run goes on how long it will take: its own seconds, these over what its provider does
-- at once (0: no limit), the seconds from its start to the end of the run, and the step that follows on the longest way there (-1: none).
ALTER TABLE step ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE step ADD COLUMN share REAL NOT NULL DEFAULT 0;
ALTER TABLE step ADD COLUMN remaining REAL NOT NULL DEFAULT 0;
ALTER TABLE step ADD COLUMN next INTEGER NOT NULL DEFAULT -1;
