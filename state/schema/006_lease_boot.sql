-- The lease's renewal on the clock of the holder's machine, which counts on when the wall clock jumps. `lease_boot` names the boot that the
-- clock began with; NULL: an older program renewed it, and only the wall clock tells.
ALTER TABLE environment ADD COLUMN lease_boot    TEXT;
ALTER TABLE environment ADD COLUMN lease_boot_ms INTEGER NOT NULL DEFAULT 0;
