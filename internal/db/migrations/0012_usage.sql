-- Metering: what can be measured, what was, and what is set aside.

CREATE TABLE meters (
  id {{id}},
  key TEXT COLLATE "C" NOT NULL,
  name TEXT NOT NULL,
  search_key TEXT NOT NULL, -- name, lower case
  description TEXT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL, -- counter, gauge, seats
  unit TEXT NOT NULL,
  plugin_key TEXT COLLATE "C" REFERENCES plugins (key), -- who alone may report it; NULL: every plugin
  default_limit BIGINT NOT NULL, -- the platform's, of one organization; -1 is unlimited
  mode TEXT COLLATE "C" NOT NULL, -- hard, soft
  built_in BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX meters_key ON meters (key);
CREATE INDEX meters_plugin ON meters (plugin_key);

INSERT INTO meters (key, name, search_key, description, kind, unit, plugin_key, default_limit, mode, built_in, version, created_at, updated_at) VALUES
  ('bandwidth_bytes', 'Bandwidth', 'bandwidth', 'Data transferred in a month.', 'counter', 'bytes', NULL, -1, 'hard', TRUE, 1, 1795564800000000, 1795564800000000),
  ('storage_bytes', 'Storage', 'storage', 'Data stored.', 'gauge', 'bytes', NULL, -1, 'hard', TRUE, 1, 1795564800000000, 1795564800000000),
  ('seats', 'Seats', 'seats', 'Members and open invitations.', 'seats', 'people', NULL, -1, 'hard', TRUE, 1, 1795564800000000, 1795564800000000);

-- What differs for one organization from the meter's own limit and mode. The
-- limits of the built-in meters stand with the organization.
CREATE TABLE usage_limits (
  organization_id BIGINT NOT NULL REFERENCES organizations (id),
  meter TEXT COLLATE "C" NOT NULL,
  limit_value BIGINT, -- NULL: the meter's
  mode TEXT COLLATE "C", -- NULL: the meter's
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, meter)
);
CREATE INDEX usage_limits_meter ON usage_limits (meter);

-- Beside what is used: what open reservations set aside, and of which
-- thresholds was told in which month.
ALTER TABLE usage_current ADD COLUMN reserved BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_current ADD COLUMN told BIGINT NOT NULL DEFAULT 0; -- bits: 1 is 80 %, 2 is 100 %, 4 is back below 75 %
ALTER TABLE usage_current ADD COLUMN told_period BIGINT NOT NULL DEFAULT 0;
CREATE INDEX usage_current_meter ON usage_current (meter, period, organization_id);

-- Which events were counted, for 32 days: source and id, as they are where they
-- are short, so that ids that rise lie beside each other.
CREATE TABLE usage_seen (
  id {{id}},
  organization_id BIGINT NOT NULL,
  event_key BYTEA NOT NULL,
  seen_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX usage_seen_event ON usage_seen (organization_id, event_key);

-- Roll-ups: an hour and a day of the billing time zone, per plugin. Of a
-- counter value is the sum; of a gauge what it stood at last, peak the most it
-- stood at, and set_at the time of the last event that set it. corrected is
-- the part of value that events more than 72 hours old brought.
CREATE TABLE usage_hours (
  organization_id BIGINT NOT NULL,
  meter TEXT COLLATE "C" NOT NULL,
  begins_at BIGINT NOT NULL,
  plugin_key TEXT COLLATE "C" NOT NULL,
  value BIGINT NOT NULL,
  peak BIGINT NOT NULL,
  set_at BIGINT NOT NULL,
  events BIGINT NOT NULL,
  late BIGINT NOT NULL,
  corrected BIGINT NOT NULL,
  PRIMARY KEY (organization_id, meter, begins_at, plugin_key)
);
CREATE INDEX usage_hours_age ON usage_hours (begins_at);
CREATE TABLE usage_days (
  organization_id BIGINT NOT NULL,
  meter TEXT COLLATE "C" NOT NULL,
  begins_at BIGINT NOT NULL, -- days since 1970 by the zone's calendar
  plugin_key TEXT COLLATE "C" NOT NULL,
  value BIGINT NOT NULL,
  peak BIGINT NOT NULL,
  set_at BIGINT NOT NULL,
  events BIGINT NOT NULL,
  late BIGINT NOT NULL,
  corrected BIGINT NOT NULL,
  PRIMARY KEY (organization_id, meter, begins_at, plugin_key)
);

-- What each plugin's share of a gauge stands at; usage_current is their sum.
CREATE TABLE usage_gauges (
  organization_id BIGINT NOT NULL,
  meter TEXT COLLATE "C" NOT NULL,
  plugin_key TEXT COLLATE "C" NOT NULL,
  value BIGINT NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, meter, plugin_key)
);

-- Room set aside before it is used.
CREATE TABLE usage_reservations (
  id {{id}},
  organization_id BIGINT NOT NULL REFERENCES organizations (id),
  meter TEXT COLLATE "C" NOT NULL,
  period BIGINT NOT NULL, -- of the row in usage_current that holds it
  plugin_key TEXT COLLATE "C" NOT NULL,
  quantity BIGINT NOT NULL,
  committed BIGINT, -- what was used of it in the end
  state TEXT COLLATE "C" NOT NULL, -- open, committed, released, expired
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT,
  CHECK (quantity > 0)
);
CREATE UNIQUE INDEX usage_reservations_key ON usage_reservations (organization_id, id);
CREATE INDEX usage_reservations_due ON usage_reservations (expires_at) WHERE state = 'open';
CREATE INDEX usage_reservations_open ON usage_reservations (organization_id, meter, expires_at) WHERE state = 'open';
CREATE INDEX usage_reservations_ended ON usage_reservations (ended_at) WHERE ended_at IS NOT NULL;

-- only postgres
DO $$
DECLARE t TEXT;
BEGIN
  FOREACH t IN ARRAY ARRAY['usage_limits', 'usage_seen', 'usage_hours', 'usage_days', 'usage_gauges', 'usage_reservations'] LOOP
    EXECUTE format('CREATE POLICY tenancy ON %I USING ((SELECT tenantry_platform()) IS NOT NULL
      OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id))', t);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
  END LOOP;
END $$;
-- end
