-- People and keys are found by what somebody would type. fill.go writes the
-- keys of the rows that are there: only Go lowers every letter alike.

ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT ''; -- lower case
ALTER TABLE api_keys ADD COLUMN search_key TEXT NOT NULL DEFAULT ''; -- name and prefix, lower case
