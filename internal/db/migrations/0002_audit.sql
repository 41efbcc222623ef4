-- The audit log. An event's id is given at insert; its dense numbers (seq in
-- the platform's order, admin_seq and organization_seq in its scopes') are
-- assigned by SQLite's writer at once, by PostgreSQL's sequencer from
-- audit_pending shortly after.

CREATE TABLE audit_pending (
  id {{id}},
  organization_id BIGINT,
  admin_id BIGINT,
  occurred_at BIGINT NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  target_type TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  actor_id BIGINT,
  body TEXT NOT NULL -- canonical JSON of the whole event
);

CREATE TABLE audit_events (
  seq BIGINT NOT NULL PRIMARY KEY,
  id BIGINT NOT NULL,
  organization_id BIGINT,
  organization_seq BIGINT,
  admin_id BIGINT,
  admin_seq BIGINT,
  occurred_at BIGINT NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  target_type TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  actor_id BIGINT,
  body TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
CREATE UNIQUE INDEX audit_events_organization ON audit_events (organization_id, organization_seq);
CREATE UNIQUE INDEX audit_events_admin ON audit_events (admin_id, admin_seq);
CREATE INDEX audit_events_action ON audit_events (action, seq);
CREATE INDEX audit_events_target ON audit_events (target_type, seq);
CREATE INDEX audit_events_admin_action ON audit_events (admin_id, action, admin_seq);
CREATE INDEX audit_events_admin_target ON audit_events (admin_id, target_type, admin_seq);

-- The next number of each scope: 'p' for the platform, 'a<id>', 'o<id>'.
CREATE TABLE audit_heads (
  scope TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  next_seq BIGINT NOT NULL
);

-- Events per scope, day (days since 1970, UTC), action and target type: totals and statistics
-- without counting rows. last_seq is the scope's highest number in the bucket.
CREATE TABLE audit_rollups (
  scope TEXT COLLATE "C" NOT NULL,
  day BIGINT NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  target_type TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  PRIMARY KEY (scope, day, action, target_type)
);
