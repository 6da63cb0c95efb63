-- What a failure means for a run as a whole, and which failed run a rollback undoes.

ALTER TABLE run ADD COLUMN on_failure TEXT;  -- --on-failure; NULL: as the template says of each step
ALTER TABLE run ADD COLUMN undoes     TEXT;  -- the id of the run that failed and that this one rolls back; else NULL
