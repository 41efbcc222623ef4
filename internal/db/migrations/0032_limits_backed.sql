-- What limits rested on an admin at some time is looked up by the admin: each
-- organization has limits, few have one that an admin backs.
CREATE INDEX credit_limits_backed ON credit_limits (limit_backed_by) WHERE limit_backed_by IS NOT NULL;
