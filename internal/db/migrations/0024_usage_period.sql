-- What an organization uses now is looked up by period, so that the months it
-- had before are not read with it.
CREATE INDEX usage_current_period ON usage_current (organization_id, period);
