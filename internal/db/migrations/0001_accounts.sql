-- People, how they prove who they are, and what they hold at the moment.

CREATE TABLE users (
  id {{id}},
  email TEXT NOT NULL,
  email_key TEXT COLLATE "C" NOT NULL, -- normalised: what makes two addresses the same
  name TEXT NOT NULL,
  phone TEXT,
  password_hash TEXT, -- argon2id in PHC form; NULL cannot sign in by password
  email_verified BOOLEAN NOT NULL,
  superadmin BOOLEAN NOT NULL,
  status TEXT COLLATE "C" NOT NULL, -- active, disabled
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_superadmin ON users (id) WHERE superadmin;

-- One row a sign-in; all tokens of a family hang on it and die with it.
CREATE TABLE sessions (
  id {{id}},
  user_id BIGINT NOT NULL REFERENCES users (id),
  organization_id BIGINT, -- the active organization ("my organization")
  ip TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX sessions_user ON sessions (user_id, id);

CREATE TABLE access_tokens (
  hash BYTEA NOT NULL PRIMARY KEY,
  session_id BIGINT NOT NULL REFERENCES sessions (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);

CREATE TABLE refresh_tokens (
  hash BYTEA NOT NULL PRIMARY KEY,
  session_id BIGINT NOT NULL REFERENCES sessions (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT -- a second use revokes the session
);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Single-use secrets sent to a person: password reset, e-mail proof, first set-up.
CREATE TABLE one_time_tokens (
  hash BYTEA NOT NULL PRIMARY KEY,
  purpose TEXT COLLATE "C" NOT NULL,
  user_id BIGINT REFERENCES users (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);

-- Failed sign-ins per account and per address; what slows guessing down.
CREATE TABLE throttle (
  subject TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  blocked_until BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX throttle_updated ON throttle (updated_at);
