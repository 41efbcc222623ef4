-- One row once all that was there before the ledger had hashes has them (0011,
-- credit.Seal). From then on a row without one was changed by somebody. The hash
-- is made with the installation's key.
CREATE TABLE credit_sealed (
  id BIGINT NOT NULL PRIMARY KEY,
  sealed_at BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  CHECK (id = 1)
);
