-- Where an object was made: the values of its provider's configuration that say which account it is (src/plan/account.h), as a JSON object
-- without secrets. NULL: it was made by a program that did not record it; the next run that writes the row does.
ALTER TABLE resource ADD COLUMN account TEXT;
