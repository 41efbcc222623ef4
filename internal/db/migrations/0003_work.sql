-- What a change sets in motion: notifications, and work for later.

CREATE TABLE notifications (
  id {{id}},
  user_id BIGINT NOT NULL REFERENCES users (id),
  organization_id BIGINT,
  admin_id BIGINT,
  kind TEXT COLLATE "C" NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  target_type TEXT COLLATE "C" NOT NULL,
  target_id BIGINT,
  created_at BIGINT NOT NULL,
  read_at BIGINT
);
CREATE INDEX notifications_user ON notifications (user_id, created_at, id);
CREATE INDEX notifications_stream ON notifications (user_id, id);
CREATE INDEX notifications_unread ON notifications (user_id, created_at, id) WHERE read_at IS NULL;

-- Exact counters, changed with the rows in one transaction.
CREATE TABLE notification_counts (
  user_id BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
  total BIGINT NOT NULL,
  unread BIGINT NOT NULL
);

CREATE TABLE jobs (
  id {{id}},
  kind TEXT COLLATE "C" NOT NULL,
  payload BYTEA NOT NULL,
  state TEXT COLLATE "C" NOT NULL, -- ready, running, done, dead
  single TEXT COLLATE "C", -- of a periodic task: at most one row each
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  lease_until BIGINT,
  last_error TEXT,
  created_at BIGINT NOT NULL,
  finished_at BIGINT
);
CREATE INDEX jobs_ready ON jobs (run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
CREATE UNIQUE INDEX jobs_single ON jobs (single) WHERE single IS NOT NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- One row, written to show that the database takes writes.
CREATE TABLE probes (
  id BIGINT NOT NULL PRIMARY KEY,
  probed_at BIGINT NOT NULL
);
