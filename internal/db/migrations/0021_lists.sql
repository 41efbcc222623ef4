-- Long lists by another order than the newest, and people by their names.

-- only postgres
ALTER TABLE organizations ALTER COLUMN name_key TYPE TEXT COLLATE "C"; -- the order of SQLite
-- end

CREATE INDEX organizations_name ON organizations (name_key, id);
CREATE INDEX organizations_admin_name ON organizations (admin_id, name_key, id);
CREATE INDEX organizations_by_slug ON organizations (slug, id);
CREATE INDEX organizations_admin_slug ON organizations (admin_id, slug, id);
CREATE INDEX organizations_members ON organizations (members, id);
CREATE INDEX organizations_admin_members ON organizations (admin_id, members, id);

CREATE INDEX users_newest ON users (created_at, id);
