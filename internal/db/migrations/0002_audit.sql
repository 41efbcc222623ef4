-- The audit log. An event's id is given at insert; its dense numbers, from 0
-- (seq in the platform's order, admin_seq and organization_seq in its scopes'),
-- are assigned by SQLite's writer at once, by PostgreSQL's sequencer from
-- audit_pending shortly after.

CREATE TABLE audit_pending (
  id {{id}},
  organization_id BIGINT,
  admin_id BIGINT,
  occurred_at BIGINT NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  target_type TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  actor_type TEXT COLLATE "C" NOT NULL,
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
  actor_type TEXT COLLATE "C" NOT NULL,
  actor_id BIGINT,
  body TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
CREATE UNIQUE INDEX audit_events_organization ON audit_events (organization_id, organization_seq);
CREATE UNIQUE INDEX audit_events_admin ON audit_events (admin_id, admin_seq);
CREATE INDEX audit_events_action ON audit_events (action, seq);
CREATE INDEX audit_events_target ON audit_events (target_type, seq);
CREATE INDEX audit_events_admin_action ON audit_events (admin_id, action, seq);
CREATE INDEX audit_events_admin_target ON audit_events (admin_id, target_type, seq);
CREATE INDEX audit_events_organization_action ON audit_events (organization_id, action, seq);
CREATE INDEX audit_events_organization_target ON audit_events (organization_id, target_type, seq);
CREATE INDEX audit_events_actor ON audit_events (actor_id, seq);
CREATE INDEX audit_events_refused ON audit_events (outcome, seq) WHERE outcome <> 'ok';
CREATE INDEX audit_events_admin_refused ON audit_events (admin_id, outcome, seq) WHERE outcome <> 'ok';
CREATE INDEX audit_events_organization_refused ON audit_events (organization_id, outcome, seq) WHERE outcome <> 'ok';

-- The next number of each scope, which is also how many events it has: 'p' for
-- the platform, 'a<id>', 'o<id>'.
CREATE TABLE audit_heads (
  scope TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  next_seq BIGINT NOT NULL
);

-- How many events there are: totals, statistics and deep offsets without
-- counting rows. A bucket never spans two days (since 1970, UTC) nor two blocks
-- of 16,384 of its scope's own numbers. first_seq and last_seq are the
-- platform's numbers of its first and last event.
CREATE TABLE audit_rollups (
  scope TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  target_type TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  block BIGINT NOT NULL,
  day BIGINT NOT NULL,
  admin_id BIGINT NOT NULL, -- in an organization's scope, whose it was then; else 0
  n BIGINT NOT NULL,
  first_seq BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  PRIMARY KEY (scope, action, target_type, outcome, block, day, admin_id)
);
CREATE INDEX audit_rollups_day ON audit_rollups (scope, day);
CREATE INDEX audit_rollups_target ON audit_rollups (scope, target_type);

-- Events per scope, day and actor; last_seq finds the actor's latest name.
CREATE TABLE audit_actors (
  scope TEXT COLLATE "C" NOT NULL,
  day BIGINT NOT NULL,
  actor_type TEXT COLLATE "C" NOT NULL,
  actor_id BIGINT NOT NULL, -- 0 is none
  admin_id BIGINT NOT NULL, -- as in audit_rollups
  n BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  PRIMARY KEY (scope, day, actor_type, actor_id, admin_id)
);
CREATE INDEX audit_actors_actor ON audit_actors (scope, actor_id);
