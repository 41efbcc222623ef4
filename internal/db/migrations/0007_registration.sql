-- Requests of those who want an organization.

CREATE TABLE registration_requests (
  id {{id}},
  status TEXT COLLATE "C" NOT NULL, -- pending_approval, approved, rejected, active
  email TEXT NOT NULL,
  email_key TEXT COLLATE "C" NOT NULL,
  password_hash TEXT, -- purged when rejected or provisioned
  company_name TEXT NOT NULL,
  company_key TEXT NOT NULL,
  contact_name TEXT NOT NULL,
  phone TEXT,
  phone_key TEXT COLLATE "C",
  desired_org_name TEXT NOT NULL,
  desired_org_slug TEXT COLLATE "C" NOT NULL,
  utm_source TEXT,
  utm_medium TEXT,
  utm_campaign TEXT,
  referral_code TEXT COLLATE "C",
  host TEXT COLLATE "C",
  flags TEXT NOT NULL, -- JSON array
  search_key TEXT NOT NULL, -- lower case: e-mail, company, person, name, slug
  org_name TEXT, -- overrides given at approval
  org_slug TEXT COLLATE "C",
  initial_credit_limit BIGINT,
  storage_limit_gb BIGINT,
  max_users BIGINT,
  bandwidth_limit_gb BIGINT,
  enabled_plugins TEXT,
  admin_id BIGINT REFERENCES admins (id), -- by host or referral code, or as approved
  reason TEXT, -- of a rejection
  decided_by BIGINT,
  decided_at BIGINT,
  provision_state TEXT COLLATE "C", -- failed, done
  provision_attempts BIGINT NOT NULL,
  provision_error TEXT,
  provision_steps TEXT,
  provisioned_at BIGINT,
  organization_id BIGINT REFERENCES organizations (id),
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX registration_requests_newest ON registration_requests (created_at, id);
CREATE INDEX registration_requests_status ON registration_requests (status, created_at, id);
CREATE INDEX registration_requests_email ON registration_requests (email_key);
CREATE INDEX registration_requests_company ON registration_requests (company_key);
CREATE INDEX registration_requests_phone ON registration_requests (phone_key) WHERE phone_key IS NOT NULL;

-- Who holds a slug: one row, whether by an organization, an open request, or
-- until a released one is free again. The primary key decides every race.
CREATE TABLE slugs (
  slug TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  skeleton TEXT COLLATE "C" NOT NULL, -- what look-alikes share
  organization_id BIGINT,
  request_id BIGINT,
  released_at BIGINT,
  CHECK (organization_id IS NOT NULL OR request_id IS NOT NULL)
);
CREATE INDEX slugs_skeleton ON slugs (skeleton);
