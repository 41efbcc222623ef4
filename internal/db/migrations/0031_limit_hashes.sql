-- The credit limits that were in force carry hashes as the rest of the ledger
-- does: what could be spent rests on them. Those that are there get theirs from
-- credit.Seal.
ALTER TABLE credit_limits ADD COLUMN hash BYTEA;
DELETE FROM credit_sealed; -- which did not speak of them
