-- Organizations and what belongs to one. Every table of a tenant carries its
-- organization id as a part of a key.

CREATE TABLE organizations (
  id {{id}},
  admin_id BIGINT REFERENCES admins (id), -- NULL: the platform's own
  name TEXT NOT NULL,
  name_key TEXT NOT NULL, -- lower case, for search
  slug TEXT COLLATE "C" NOT NULL,
  owner_user_id BIGINT REFERENCES users (id),
  status TEXT COLLATE "C" NOT NULL, -- active, archived; suspended is a hold in force
  storage_limit_gb BIGINT NOT NULL, -- -1 is unlimited
  max_users BIGINT NOT NULL,
  bandwidth_limit_gb BIGINT NOT NULL,
  members BIGINT NOT NULL, -- seats taken: changed with memberships and invitations, in their transaction
  invited BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX organizations_slug ON organizations (slug);
CREATE UNIQUE INDEX organizations_admin_id ON organizations (admin_id, id);
CREATE INDEX organizations_newest ON organizations (created_at, id);
CREATE INDEX organizations_admin_newest ON organizations (admin_id, created_at, id);
CREATE INDEX organizations_status ON organizations (status, created_at, id);


CREATE TABLE memberships (
  organization_id BIGINT NOT NULL REFERENCES organizations (id),
  user_id BIGINT NOT NULL REFERENCES users (id),
  role TEXT COLLATE "C" NOT NULL, -- owner, manager, member
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id, organization_id);

CREATE TABLE invitations (
  id {{id}},
  organization_id BIGINT NOT NULL REFERENCES organizations (id),
  email TEXT NOT NULL,
  email_key TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL,
  token_hash BYTEA NOT NULL, -- of the link that the inviter is shown
  mail_hash BYTEA NOT NULL, -- of the link that is mailed; using it proves the address
  state TEXT COLLATE "C" NOT NULL, -- open, accepted, revoked, expired
  invited_by BIGINT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE UNIQUE INDEX invitations_key ON invitations (organization_id, id);
CREATE UNIQUE INDEX invitations_token ON invitations (token_hash);
CREATE UNIQUE INDEX invitations_mail ON invitations (mail_hash);
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email_key) WHERE state = 'open';
CREATE INDEX invitations_expiry ON invitations (expires_at) WHERE state = 'open';

-- Keys of services: an organization's, or platform-wide (organization_id NULL).
CREATE TABLE api_keys (
  id {{id}},
  organization_id BIGINT REFERENCES organizations (id),
  name TEXT NOT NULL,
  prefix TEXT COLLATE "C" NOT NULL, -- the first characters, to recognise it by
  hash BYTEA NOT NULL,
  scopes TEXT NOT NULL, -- JSON array
  created_by BIGINT,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  expires_at BIGINT,
  revoked_at BIGINT
);
CREATE UNIQUE INDEX api_keys_key ON api_keys (organization_id, id);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

-- Why an organization or an admin is suspended; a row a reason.
CREATE TABLE holds (
  id {{id}},
  organization_id BIGINT REFERENCES organizations (id),
  admin_id BIGINT REFERENCES admins (id),
  source TEXT COLLATE "C" NOT NULL, -- platform, admin, quota, billing
  reason TEXT NOT NULL,
  placed_by BIGINT, -- user id; NULL is the system
  placed_at BIGINT NOT NULL,
  expires_at BIGINT,
  lifted_by BIGINT,
  lifted_at BIGINT,
  CHECK ((organization_id IS NULL) <> (admin_id IS NULL))
);
CREATE UNIQUE INDEX holds_organization ON holds (organization_id, source) WHERE lifted_at IS NULL AND organization_id IS NOT NULL;
CREATE UNIQUE INDEX holds_admin ON holds (admin_id, source) WHERE lifted_at IS NULL AND admin_id IS NOT NULL;

-- Custom host names, of an organization or an admin. Claims that are pending
-- block nobody; one verified holder a host.
CREATE TABLE custom_domains (
  id {{id}},
  organization_id BIGINT REFERENCES organizations (id),
  admin_id BIGINT REFERENCES admins (id),
  host TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL, -- pending, verified
  token TEXT COLLATE "C" NOT NULL, -- what the TXT record must hold; public by nature
  created_at BIGINT NOT NULL,
  verified_at BIGINT,
  CHECK ((organization_id IS NULL) <> (admin_id IS NULL))
);
CREATE UNIQUE INDEX custom_domains_organization ON custom_domains (organization_id) WHERE organization_id IS NOT NULL;
CREATE UNIQUE INDEX custom_domains_admin ON custom_domains (admin_id) WHERE admin_id IS NOT NULL;
CREATE UNIQUE INDEX custom_domains_verified ON custom_domains (host) WHERE status = 'verified';

-- The catalogue of what the product can do.
CREATE TABLE plugins (
  id {{id}},
  key TEXT COLLATE "C" NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  search_key TEXT NOT NULL DEFAULT '', -- name and category, lower case
  category TEXT NOT NULL,
  plugin_version TEXT NOT NULL,
  core BOOLEAN NOT NULL,
  depends_on TEXT NOT NULL, -- JSON array of keys
  default_enabled BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX plugins_key ON plugins (key);

-- Which plugins of the built-in catalogue were brought in already: one that a
-- superadmin deleted does not come back at the next start.
CREATE TABLE plugin_seeds (
  key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  seeded_at BIGINT NOT NULL
);

CREATE TABLE organization_plugins (
  organization_id BIGINT NOT NULL REFERENCES organizations (id),
  plugin_key TEXT COLLATE "C" NOT NULL REFERENCES plugins (key),
  enabled_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, plugin_key)
);
CREATE INDEX organization_plugins_plugin ON organization_plugins (plugin_key, organization_id);

-- What an organization consumes now: a row a meter and period. period is the
-- month's first day (days since 1970) for counters, 0 for gauges.
CREATE TABLE usage_current (
  organization_id BIGINT NOT NULL REFERENCES organizations (id),
  meter TEXT COLLATE "C" NOT NULL,
  period BIGINT NOT NULL,
  used BIGINT NOT NULL, -- bytes
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, meter, period)
);

-- Those who prove the same host take turns here.
CREATE TABLE domain_turns (
  host TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  taken_at BIGINT NOT NULL
);
