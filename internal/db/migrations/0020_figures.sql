-- Figures that dashboards show, so that nobody has to add up the ledger.

-- What moved on a day of the billing time zone, by kind: a row an admin, under
-- 0 what belongs to no admin. Filled by a task from the ledger.
CREATE TABLE credit_days (
  admin_id BIGINT NOT NULL,
  day BIGINT NOT NULL, -- since 1970
  kind TEXT COLLATE "C" NOT NULL,
  count BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (admin_id, day, kind)
);
CREATE INDEX credit_days_day ON credit_days (day);

-- How far it was filled.
CREATE TABLE credit_days_filled (
  id BIGINT NOT NULL PRIMARY KEY, -- 1
  transaction_id BIGINT NOT NULL,
  at BIGINT NOT NULL
);
INSERT INTO credit_days_filled (id, transaction_id, at) VALUES (1, 0, 0);

-- Whoever was told of a threshold may be beyond it still.
CREATE INDEX usage_current_told ON usage_current (organization_id, meter) WHERE told <> 0;

-- only postgres
CREATE POLICY tenancy ON credit_days USING ((SELECT tenantry_platform()) IS NOT NULL OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[]));
ALTER TABLE credit_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_days FORCE ROW LEVEL SECURITY;
-- end
