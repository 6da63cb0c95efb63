-- An apply plans in rounds while parts of it are deferred; each is a run, and tells which one it goes on from: a rollback undoes them together.
ALTER TABLE run ADD COLUMN follows TEXT;
