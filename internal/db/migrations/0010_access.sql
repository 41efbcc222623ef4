-- Leave to act inside an organization as one of its members, for a while and
-- for a reason. Of the token only the digest is kept; it ends with the grant.

CREATE TABLE access_grants (
  id {{id}},
  organization_id BIGINT NOT NULL REFERENCES organizations (id),
  admin_id BIGINT, -- the organization's at that time; NULL: the platform's
  user_id BIGINT NOT NULL REFERENCES users (id), -- the member acted for
  operator_id BIGINT NOT NULL REFERENCES users (id), -- who acts
  session_id BIGINT NOT NULL, -- of the operator: the grant ends with it
  platform BOOLEAN NOT NULL, -- given to a superadmin; else to the staff of the admin
  hash BYTEA NOT NULL,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT, -- before its time
  ended_because TEXT COLLATE "C" -- ended, session_ended, password_changed, staff_removed, member_removed, organization_moved
);
CREATE UNIQUE INDEX access_grants_hash ON access_grants (hash);
CREATE INDEX access_grants_organization ON access_grants (organization_id, created_at, id);
CREATE INDEX access_grants_open ON access_grants (organization_id, expires_at) WHERE ended_at IS NULL;
CREATE INDEX access_grants_operator ON access_grants (operator_id, expires_at) WHERE ended_at IS NULL;

-- only postgres
CREATE POLICY tenancy ON access_grants USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR operator_id = (SELECT tenantry_user())
  OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
ALTER TABLE access_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_grants FORCE ROW LEVEL SECURITY;
-- A grant lives as long as its operator's session: whoever acts under it asks.
CREATE POLICY acting ON sessions FOR SELECT USING (EXISTS (
  SELECT 1 FROM access_grants g WHERE g.session_id = sessions.id AND g.user_id = (SELECT tenantry_user())));
-- end
