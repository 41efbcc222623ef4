-- The platform's own state.

CREATE TABLE settings (
  id BIGINT NOT NULL PRIMARY KEY,
  auto_approve_registrations BOOLEAN NOT NULL,
  default_storage_limit_gb BIGINT NOT NULL,
  default_max_users BIGINT NOT NULL,
  default_bandwidth_limit_gb BIGINT NOT NULL,
  default_credit_limit BIGINT NOT NULL,
  password_min_length BIGINT NOT NULL,
  billing_timezone TEXT NOT NULL,
  branding TEXT NOT NULL, -- JSON: the platform's own eight fields
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (id = 1)
);
INSERT INTO settings VALUES (1, FALSE, 10, 10, 100, 0, 12, 'UTC', '{}', 1, 0, 0);

-- Answers kept for Idempotency-Key, stored with their effect.
CREATE TABLE idempotency_keys (
  principal TEXT COLLATE "C" NOT NULL, -- 'u<id>' or 'k<id>'
  key TEXT COLLATE "C" NOT NULL,
  route TEXT COLLATE "C" NOT NULL,
  body_hash BYTEA NOT NULL,
  status BIGINT NOT NULL,
  headers TEXT NOT NULL,
  answer BYTEA NOT NULL,
  permanent BOOLEAN NOT NULL, -- credits: kept for ever
  created_at BIGINT NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at) WHERE NOT permanent;

-- Which key encrypts secrets: a known text under it, so that a wrong key is
-- noticed at start.
CREATE TABLE encryption_keys (
  slot BIGINT NOT NULL PRIMARY KEY, -- 1: the key in use; one row of it decides a race
  id TEXT COLLATE "C" NOT NULL,
  proof BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
