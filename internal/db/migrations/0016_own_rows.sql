-- What one row of a tenant says of another names the tenant too: a foreign
-- owner cannot even be stored. SQLite takes no foreign key for a table
-- that exists, so triggers say there what the keys say on PostgreSQL.

-- only postgres
ALTER TABLE organizations ADD CONSTRAINT organizations_owner
  FOREIGN KEY (id, owner_user_id) REFERENCES memberships (organization_id, user_id);
-- end

-- only sqlite
CREATE TRIGGER organizations_owner_new BEFORE INSERT ON organizations WHEN NEW.owner_user_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'organizations_owner: no member yet'); END;
CREATE TRIGGER organizations_owner BEFORE UPDATE OF id, owner_user_id ON organizations WHEN NEW.owner_user_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.organization_id = NEW.id AND m.user_id = NEW.owner_user_id)
BEGIN SELECT RAISE(ABORT, 'organizations_owner: no member'); END;
CREATE TRIGGER organizations_owner_left BEFORE DELETE ON memberships
  WHEN EXISTS (SELECT 1 FROM organizations o WHERE o.id = OLD.organization_id AND o.owner_user_id = OLD.user_id)
BEGIN SELECT RAISE(ABORT, 'organizations_owner: still the owner'); END;
CREATE TRIGGER organizations_owner_moved BEFORE UPDATE OF organization_id, user_id ON memberships
  WHEN EXISTS (SELECT 1 FROM organizations o WHERE o.id = OLD.organization_id AND o.owner_user_id = OLD.user_id)
  AND (OLD.organization_id <> NEW.organization_id OR OLD.user_id <> NEW.user_id)
BEGIN SELECT RAISE(ABORT, 'organizations_owner: still the owner'); END;
-- end
