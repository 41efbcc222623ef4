-- The second wall, on PostgreSQL: whatever a query asks for, it finds and takes
-- only rows of the scope that its connection speaks for. The scope is the
-- parameter tenantry.scope: 'platform' reaches all; 'tenant U {O} {A} {P}' what
-- belongs to user U, organizations O, admins A with all their organizations,
-- and what is said of the admins P themselves; anything else nothing. See
-- Scope in scope.go. FORCE holds the owner of the tables too.

-- only postgres
CREATE FUNCTION tenantry_platform() RETURNS BOOLEAN LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT CASE WHEN current_setting('tenantry.scope', true) = 'platform' THEN TRUE END $$;
CREATE FUNCTION tenantry_user() RETURNS BIGINT LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(split_part(current_setting('tenantry.scope', true), ' ', 2), '')::BIGINT $$;
CREATE FUNCTION tenantry_organizations() RETURNS BIGINT[] LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(split_part(current_setting('tenantry.scope', true), ' ', 3), '')::BIGINT[] $$;
CREATE FUNCTION tenantry_admins() RETURNS BIGINT[] LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(split_part(current_setting('tenantry.scope', true), ' ', 4), '')::BIGINT[] $$;
CREATE FUNCTION tenantry_admins_and_parents() RETURNS BIGINT[] LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT tenantry_admins() || NULLIF(split_part(current_setting('tenantry.scope', true), ' ', 5), '')::BIGINT[] $$;
-- The names that the audit log has for the scopes of a tenant.
CREATE FUNCTION tenantry_logs() RETURNS TEXT[] LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT ARRAY(SELECT 'o' || o FROM unnest(tenantry_organizations()) o UNION ALL SELECT 'a' || a FROM unnest(tenantry_admins()) a) $$;

-- Each function stands in a subquery of its own, so that it runs once a query.
-- IS NOT NULL makes the planner expect that nearly every row passes, as it does
-- where the query itself names the tenant: of a plain condition it would expect
-- half, and take other plans.
CREATE POLICY tenancy ON organizations USING ((SELECT tenantry_platform()) IS NOT NULL
  OR id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[]));
CREATE POLICY tenancy ON admins USING ((SELECT tenantry_platform()) IS NOT NULL OR id = ANY ((SELECT tenantry_admins_and_parents())::BIGINT[]));
CREATE POLICY tenancy ON brandings USING ((SELECT tenantry_platform()) IS NOT NULL OR admin_id = ANY ((SELECT tenantry_admins_and_parents())::BIGINT[]));
CREATE POLICY tenancy ON admin_users USING ((SELECT tenantry_platform()) IS NOT NULL
  OR admin_id = ANY ((SELECT tenantry_admins_and_parents())::BIGINT[]) OR user_id = (SELECT tenantry_user()));

-- What belongs to an organization is reached with it: by the policy above.
CREATE POLICY tenancy ON memberships USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR user_id = (SELECT tenantry_user())
  OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
CREATE POLICY tenancy ON invitations USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
CREATE POLICY tenancy ON api_keys USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
CREATE POLICY tenancy ON organization_plugins USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
CREATE POLICY tenancy ON usage_current USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));

CREATE POLICY tenancy ON holds USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR admin_id = ANY ((SELECT tenantry_admins_and_parents())::BIGINT[])
  OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
CREATE POLICY tenancy ON custom_domains USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR admin_id = ANY ((SELECT tenantry_admins_and_parents())::BIGINT[])
  OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
-- Who holds a host is told by the host itself, and which slugs are taken by registering.
CREATE POLICY published ON custom_domains FOR SELECT USING (status = 'verified');
CREATE POLICY published ON slugs FOR SELECT USING (TRUE);
CREATE POLICY tenancy ON slugs USING ((SELECT tenantry_platform()) IS NOT NULL OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]));

-- An admin's credits are its own people's alone.
CREATE POLICY tenancy ON credit_accounts USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[])
  OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
CREATE POLICY tenancy ON credit_transactions USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[])
  OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
CREATE POLICY tenancy ON credit_entries USING ((SELECT tenantry_platform()) IS NOT NULL
  OR EXISTS (SELECT 1 FROM credit_transactions t WHERE t.id = transaction_id));

-- What a tenant is told is written by others of its tenancy and read by the
-- user alone.
CREATE POLICY tenancy ON notifications USING ((SELECT tenantry_platform()) IS NOT NULL OR user_id = (SELECT tenantry_user()));
CREATE POLICY told ON notifications FOR INSERT WITH CHECK (
  organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR admin_id = ANY ((SELECT tenantry_admins_and_parents())::BIGINT[])
  OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id));
CREATE POLICY tenancy ON sessions USING ((SELECT tenantry_platform()) IS NOT NULL OR user_id = (SELECT tenantry_user()));
CREATE POLICY tenancy ON registration_requests USING ((SELECT tenantry_platform()) IS NOT NULL);

-- Events keep the tenancy that they were written with. What somebody without a
-- tenant does to the own account belongs to nobody else.
CREATE POLICY tenancy ON audit_pending USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR admin_id = ANY ((SELECT tenantry_admins_and_parents())::BIGINT[])
  OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id)
  OR (organization_id IS NULL AND admin_id IS NULL AND actor_id = (SELECT tenantry_user())));
CREATE POLICY tenancy ON audit_events USING ((SELECT tenantry_platform()) IS NOT NULL
  OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[]));
CREATE POLICY tenancy ON audit_heads USING ((SELECT tenantry_platform()) IS NOT NULL OR scope = ANY ((SELECT tenantry_logs())::TEXT[]));
CREATE POLICY published ON audit_heads FOR SELECT USING (scope = 'p'); -- where the log ends, for all
CREATE POLICY tenancy ON audit_rollups USING ((SELECT tenantry_platform()) IS NOT NULL
  OR scope = ANY ((SELECT tenantry_logs())::TEXT[]) OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[]));
CREATE POLICY tenancy ON audit_actors USING ((SELECT tenantry_platform()) IS NOT NULL
  OR scope = ANY ((SELECT tenantry_logs())::TEXT[]) OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[]));

DO $$
DECLARE t TEXT;
BEGIN
  FOR t IN SELECT DISTINCT tablename FROM pg_policies WHERE schemaname = current_schema() LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
  END LOOP;
END $$;
-- end
