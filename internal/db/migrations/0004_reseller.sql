-- Partner groups and the resellers ("admins") in them.

CREATE TABLE partner_groups (
  id {{id}},
  name TEXT NOT NULL,
  name_key TEXT COLLATE "C" NOT NULL,
  description TEXT,
  credit_discount_bp BIGINT NOT NULL, -- basis points: 20 % is 2,000
  max_organizations BIGINT,
  max_storage_gb BIGINT,
  max_users BIGINT,
  max_bandwidth_gb BIGINT,
  allowed_plugins TEXT, -- JSON array; NULL allows all
  may_hide_powered_by BOOLEAN NOT NULL,
  oversell BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK (credit_discount_bp BETWEEN 0 AND 10000)
);
CREATE UNIQUE INDEX partner_groups_name ON partner_groups (name_key);
CREATE INDEX partner_groups_newest ON partner_groups (created_at, id);

CREATE TABLE admins (
  id {{id}},
  name TEXT NOT NULL,
  name_key TEXT NOT NULL, -- lower case, for search
  contact_email TEXT NOT NULL,
  company_name TEXT NOT NULL,
  phone TEXT,
  partner_group_id BIGINT REFERENCES partner_groups (id),
  referral_code TEXT COLLATE "C" NOT NULL,
  organization_count BIGINT NOT NULL, -- changed with the organizations, in their transaction
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX admins_referral ON admins (referral_code);
CREATE INDEX admins_group ON admins (partner_group_id, id);
CREATE INDEX admins_newest ON admins (created_at, id);

-- The people of an admin.
CREATE TABLE admin_users (
  admin_id BIGINT NOT NULL REFERENCES admins (id),
  user_id BIGINT NOT NULL REFERENCES users (id),
  role TEXT COLLATE "C" NOT NULL, -- owner, staff
  created_at BIGINT NOT NULL,
  PRIMARY KEY (admin_id, user_id)
);
CREATE INDEX admin_users_user ON admin_users (user_id);
CREATE UNIQUE INDEX admin_users_owner ON admin_users (admin_id) WHERE role = 'owner';
CREATE UNIQUE INDEX admin_users_owns ON admin_users (user_id) WHERE role = 'owner';

-- White label of an admin; a row from the start, NULL inherits.
CREATE TABLE brandings (
  admin_id BIGINT NOT NULL PRIMARY KEY REFERENCES admins (id),
  logo_url TEXT,
  favicon_url TEXT,
  primary_color TEXT,
  secondary_color TEXT,
  app_name TEXT,
  footer_text TEXT,
  support_email TEXT,
  hide_powered_by BOOLEAN,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
