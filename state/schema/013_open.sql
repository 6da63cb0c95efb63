-- An operation outlives the run that began it, for as long as nobody knows what became of it; then another run has to know as much of it.
ALTER TABLE operation ADD COLUMN after      BLOB    NOT NULL DEFAULT x''; -- addresses that its object depends on, each with a NUL byte behind it
ALTER TABLE operation ADD COLUMN absent     INTEGER NOT NULL DEFAULT 0;   -- a creation: no object had its name when the intent was recorded
ALTER TABLE operation ADD COLUMN accepted   INTEGER NOT NULL DEFAULT 0;   -- a creation: the cloud answered it; it is never sent again
ALTER TABLE operation ADD COLUMN account    TEXT;                         -- where it acts; as of a resource
ALTER TABLE operation ADD COLUMN definition TEXT;                         -- digest of the type's description that `state` and `saved` belong to
