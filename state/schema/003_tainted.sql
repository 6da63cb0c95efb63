-- Made but broken: its creation failed with an object left behind, and the next plan replaces it.
ALTER TABLE resource ADD COLUMN tainted INTEGER NOT NULL DEFAULT 0;
