-- What the store's key vouches for of a run: who it is of, its plan and its steps (src/run/proof.h). It stands beside the run, not beside
-- its plan, so that lists read it without reading plans.
ALTER TABLE run ADD COLUMN proof TEXT;
