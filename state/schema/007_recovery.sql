-- A recovery step runs only when the resource fails whose `on_failure` names it.

ALTER TABLE step ADD COLUMN recovery_of TEXT;  -- that resource's address; NULL: a normal step
