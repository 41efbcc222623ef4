-- The ledger in full: lots say which credits a wallet holds, holds set credits
-- aside, and every transaction, entry and lot carries a keyed hash; the entries
-- of a wallet form a chain.

ALTER TABLE credit_accounts ADD COLUMN chain_length BIGINT NOT NULL DEFAULT 0; -- of a wallet: how many entries touched it
ALTER TABLE credit_accounts ADD COLUMN chain_head BYTEA; -- the hash over all of them; NULL: not sealed yet
ALTER TABLE credit_accounts ADD COLUMN low_mark BIGINT NOT NULL DEFAULT 0; -- a balance at or below it is low
ALTER TABLE credit_accounts ADD COLUMN warned_month BIGINT NOT NULL DEFAULT 0; -- 202611
ALTER TABLE credit_accounts ADD COLUMN warned BIGINT NOT NULL DEFAULT 0; -- what was told in that month, as bits
ALTER TABLE credit_accounts ADD COLUMN due_at BIGINT; -- nothing of it expires before
CREATE INDEX credit_accounts_due ON credit_accounts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX credit_accounts_of_admin ON credit_accounts (admin_id) WHERE admin_id IS NOT NULL;
CREATE INDEX credit_accounts_of_organization ON credit_accounts (organization_id) WHERE organization_id IS NOT NULL;

-- What is consumed is counted for each organization and plugin on its own.
DROP INDEX credit_accounts_organization;
DROP INDEX credit_accounts_plugin;
DROP INDEX credit_accounts_single;
CREATE UNIQUE INDEX credit_accounts_organization ON credit_accounts (organization_id, kind) WHERE organization_id IS NOT NULL AND kind <> 'consumed';
CREATE UNIQUE INDEX credit_accounts_consumed ON credit_accounts (organization_id, plugin_key) WHERE kind = 'consumed';

ALTER TABLE credit_transactions ADD COLUMN plugin_key TEXT COLLATE "C";
ALTER TABLE credit_transactions ADD COLUMN reference TEXT; -- the service's own word for it
ALTER TABLE credit_transactions ADD COLUMN request_hash BYTEA;
ALTER TABLE credit_transactions ADD COLUMN hold_id BIGINT; -- of what ends a hold, or a part of it
ALTER TABLE credit_transactions ADD COLUMN reverses_id BIGINT; -- of a refund
ALTER TABLE credit_transactions ADD COLUMN hash BYTEA;
CREATE INDEX credit_transactions_hold ON credit_transactions (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX credit_transactions_reverses ON credit_transactions (reverses_id) WHERE reverses_id IS NOT NULL;

-- The entries anew, without references that cost three look-ups a row: that
-- what they name is there is what credits verify looks for.
DROP INDEX credit_entries_transaction;
DROP INDEX credit_entries_debit;
DROP INDEX credit_entries_credit;
ALTER TABLE credit_entries RENAME TO credit_entries_before;
-- effect: post moves the balance; hold sets aside; capture posts what was held;
-- release gives back what was held.
CREATE TABLE credit_entries (
  id {{id}},
  transaction_id BIGINT NOT NULL,
  organization_id BIGINT,
  admin_id BIGINT,
  debit_account_id BIGINT NOT NULL,
  credit_account_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  effect TEXT COLLATE "C" NOT NULL,
  debit_balance_after BIGINT NOT NULL,
  credit_balance_after BIGINT NOT NULL,
  debit_lot_id BIGINT, -- NULL: out of the credit limit, or not from a wallet
  credit_lot_id BIGINT, -- NULL: repaid what was overdrawn, or not into a wallet
  debit_seq BIGINT, -- its place in the chain of the wallet that is debited
  credit_seq BIGINT,
  created_at BIGINT NOT NULL,
  hash BYTEA,
  CHECK (amount > 0)
);
CREATE INDEX credit_entries_transaction ON credit_entries (transaction_id);
CREATE INDEX credit_entries_debit ON credit_entries (debit_account_id, created_at, id);
CREATE INDEX credit_entries_credit ON credit_entries (credit_account_id, created_at, id);
INSERT INTO credit_entries (transaction_id, organization_id, admin_id, debit_account_id, credit_account_id, amount, effect, debit_balance_after, credit_balance_after, created_at)
  SELECT e.transaction_id, t.organization_id, t.admin_id, e.debit_account_id, e.credit_account_id, e.amount, 'post', e.debit_balance_after, e.credit_balance_after, e.created_at
  FROM credit_entries_before e JOIN credit_transactions t ON t.id = e.transaction_id ORDER BY e.id;
DROP TABLE credit_entries_before;

CREATE TABLE credit_lots (
  id {{id}},
  account_id BIGINT NOT NULL,
  organization_id BIGINT,
  admin_id BIGINT,
  transaction_id BIGINT NOT NULL,
  parent_lot_id BIGINT, -- the lot that its credits came from
  category TEXT COLLATE "C" NOT NULL, -- plan, promo, refund, paid
  priority BIGINT NOT NULL, -- the smallest is burnt first
  amount BIGINT NOT NULL,
  repaid BIGINT NOT NULL, -- what of it covered what was overdrawn when it came
  remaining BIGINT NOT NULL,
  held BIGINT NOT NULL,
  expires_at BIGINT,
  created_at BIGINT NOT NULL,
  hash BYTEA,
  CHECK (amount > 0 AND repaid >= 0 AND held >= 0 AND held <= remaining AND remaining <= amount - repaid)
);
CREATE INDEX credit_lots_open ON credit_lots (account_id, id) WHERE remaining > 0;
CREATE INDEX credit_lots_account ON credit_lots (account_id, id);

-- A hold has the id of the transaction that made it.
CREATE TABLE credit_holds (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL,
  organization_id BIGINT NOT NULL,
  plugin_key TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL,
  captured BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL, -- open, captured, voided, expired
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  CHECK (amount > 0 AND captured >= 0 AND captured <= amount)
);
CREATE INDEX credit_holds_open ON credit_holds (account_id, expires_at) WHERE state = 'open';
CREATE INDEX credit_holds_account ON credit_holds (account_id, id);

-- The credit limits that were in force, to explain a number of the past.
CREATE TABLE credit_limits (
  id {{id}},
  account_id BIGINT NOT NULL,
  organization_id BIGINT,
  credit_limit BIGINT NOT NULL,
  limit_backed_by BIGINT,
  set_at BIGINT NOT NULL
);
CREATE INDEX credit_limits_account ON credit_limits (account_id, id);
INSERT INTO credit_limits (account_id, organization_id, credit_limit, limit_backed_by, set_at)
  SELECT id, organization_id, credit_limit, limit_backed_by, created_at FROM credit_accounts WHERE kind = 'organization' AND credit_limit > 0 ORDER BY id;

-- What there was before: every wallet had received only, and an admin had
-- passed on. An admin's pool was one heap, so it becomes one lot; each deposit
-- of an organization becomes a lot of its own. Hashes come with the key, when
-- the program starts (credit.Seal).
UPDATE credit_entries SET debit_seq = s.seq FROM (
    SELECT x.id, x.side, row_number() OVER (PARTITION BY x.account_id ORDER BY x.id) AS seq FROM (
      SELECT e.id, 'd' AS side, e.debit_account_id AS account_id FROM credit_entries e JOIN credit_accounts a ON a.id = e.debit_account_id AND a.kind IN ('admin', 'organization')
      UNION ALL
      SELECT e.id, 'c', e.credit_account_id FROM credit_entries e JOIN credit_accounts a ON a.id = e.credit_account_id AND a.kind IN ('admin', 'organization')) AS x) AS s
  WHERE s.id = credit_entries.id AND s.side = 'd';
UPDATE credit_entries SET credit_seq = s.seq FROM (
    SELECT x.id, x.side, row_number() OVER (PARTITION BY x.account_id ORDER BY x.id) AS seq FROM (
      SELECT e.id, 'd' AS side, e.debit_account_id AS account_id FROM credit_entries e JOIN credit_accounts a ON a.id = e.debit_account_id AND a.kind IN ('admin', 'organization')
      UNION ALL
      SELECT e.id, 'c', e.credit_account_id FROM credit_entries e JOIN credit_accounts a ON a.id = e.credit_account_id AND a.kind IN ('admin', 'organization')) AS x) AS s
  WHERE s.id = credit_entries.id AND s.side = 'c';
UPDATE credit_accounts SET chain_length = (SELECT count(*) FROM credit_entries e WHERE e.debit_account_id = credit_accounts.id OR e.credit_account_id = credit_accounts.id)
  WHERE kind IN ('admin', 'organization');
INSERT INTO credit_lots (account_id, admin_id, transaction_id, category, priority, amount, repaid, remaining, held, created_at)
  SELECT a.id, a.admin_id, t.id, 'paid', 0, a.credits_posted, 0, a.credits_posted - a.debits_posted, 0, t.created_at
  FROM credit_accounts a JOIN credit_transactions t
    ON t.id = (SELECT MIN(e.transaction_id) FROM credit_entries e WHERE e.credit_account_id = a.id)
  WHERE a.kind = 'admin' ORDER BY a.id;
INSERT INTO credit_lots (account_id, organization_id, transaction_id, parent_lot_id, category, priority, amount, repaid, remaining, held, expires_at, created_at)
  SELECT a.id, a.organization_id, t.id, (SELECT l.id FROM credit_lots l WHERE l.account_id = e.debit_account_id), 'paid', 0, t.amount, 0, t.amount, 0, t.expires_at, t.created_at
  FROM credit_transactions t JOIN credit_entries e ON e.transaction_id = t.id
  JOIN credit_accounts a ON a.id = e.credit_account_id AND a.kind = 'organization' ORDER BY t.id;
UPDATE credit_entries SET
  credit_lot_id = (SELECT l.id FROM credit_lots l WHERE l.account_id = credit_entries.credit_account_id
    AND (l.transaction_id = credit_entries.transaction_id OR l.admin_id IS NOT NULL)),
  debit_lot_id = (SELECT l.id FROM credit_lots l WHERE l.account_id = credit_entries.debit_account_id AND l.admin_id IS NOT NULL);
UPDATE credit_accounts SET
  due_at = (SELECT MIN(l.expires_at) FROM credit_lots l WHERE l.account_id = credit_accounts.id),
  low_mark = (credits_posted - debits_posted) / 10
  WHERE kind IN ('admin', 'organization');

-- only postgres
-- credit_entries is a new table under the old name.
DO $$
DECLARE t TEXT;
BEGIN
  FOREACH t IN ARRAY ARRAY['credit_entries', 'credit_lots', 'credit_holds', 'credit_limits'] LOOP
    EXECUTE format('CREATE POLICY tenancy ON %I USING ((SELECT tenantry_platform()) IS NOT NULL
      OR organization_id = ANY ((SELECT tenantry_organizations())::BIGINT[]) %s
      OR EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id))', t,
      CASE WHEN t IN ('credit_entries', 'credit_lots') THEN 'OR admin_id = ANY ((SELECT tenantry_admins())::BIGINT[])' ELSE '' END);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
  END LOOP;
END $$;
-- end
