-- Pictures of white labels, cleaned, under the hash of what is stored.

CREATE TABLE logos (
  id {{id}},
  admin_id BIGINT REFERENCES admins (id), -- NULL: the platform's own
  hash BYTEA NOT NULL, -- SHA-256 of body
  kind TEXT COLLATE "C" NOT NULL, -- png, svg
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  body BYTEA NOT NULL,
  created_by BIGINT,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX logos_owner ON logos (COALESCE(admin_id, 0), hash);
CREATE INDEX logos_hash ON logos (hash);

-- only postgres
CREATE POLICY tenancy ON logos USING ((SELECT tenantry_platform()) IS NOT NULL OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[]));
ALTER TABLE logos ENABLE ROW LEVEL SECURITY;
ALTER TABLE logos FORCE ROW LEVEL SECURITY;
-- end
