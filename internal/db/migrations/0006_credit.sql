-- The ledger: double entry, whole credits, append-only but for the counters of
-- an account, which are the fold of its entries.

-- Every wallet has an issuance account of its own beside it (kind issuance
-- with the same owner), so that issuing to many wallets meets no common row;
-- all issuance is their sum.
CREATE TABLE credit_accounts (
  id {{id}},
  kind TEXT COLLATE "C" NOT NULL, -- issuance, admin, organization, consumed, expired, adjustment
  admin_id BIGINT REFERENCES admins (id),
  organization_id BIGINT REFERENCES organizations (id),
  plugin_key TEXT COLLATE "C",
  debits_posted BIGINT NOT NULL,
  credits_posted BIGINT NOT NULL,
  debits_pending BIGINT NOT NULL,
  credits_pending BIGINT NOT NULL,
  credit_limit BIGINT NOT NULL, -- how far below zero an organization may go
  limit_backed_by BIGINT, -- the admin that set the limit and backs it by its balance; NULL: a superadmin set it
  limits_backed BIGINT NOT NULL, -- of an admin: the sum of the limits that it backs
  transactions BIGINT NOT NULL, -- how many touched the account: the total of its list, without counting
  moved_at BIGINT NOT NULL, -- of the last transaction; never goes back, so an account's transactions are in order of time
  created_at BIGINT NOT NULL,
  CHECK (debits_posted >= 0 AND credits_posted >= 0 AND debits_pending >= 0 AND credits_pending >= 0 AND credit_limit >= 0 AND limits_backed >= 0)
);
CREATE UNIQUE INDEX credit_accounts_admin ON credit_accounts (admin_id, kind) WHERE admin_id IS NOT NULL;
CREATE UNIQUE INDEX credit_accounts_organization ON credit_accounts (organization_id, kind) WHERE organization_id IS NOT NULL;
CREATE UNIQUE INDEX credit_accounts_plugin ON credit_accounts (plugin_key) WHERE kind = 'consumed';
CREATE UNIQUE INDEX credit_accounts_single ON credit_accounts (kind) WHERE kind IN ('expired', 'adjustment');
CREATE INDEX credit_accounts_backed ON credit_accounts (limit_backed_by) WHERE limit_backed_by IS NOT NULL;

CREATE TABLE credit_transactions (
  id {{id}},
  kind TEXT COLLATE "C" NOT NULL, -- grant, allocate, add
  amount BIGINT NOT NULL,
  admin_id BIGINT,
  organization_id BIGINT,
  actor_type TEXT COLLATE "C" NOT NULL,
  actor_id BIGINT,
  reason TEXT,
  source TEXT COLLATE "C" NOT NULL, -- platform, admin
  partner_group_id BIGINT, -- the policy in force at the time
  discount_bp BIGINT NOT NULL, -- of a grant
  net_cost BIGINT NOT NULL, -- of a grant
  idempotency_principal TEXT COLLATE "C",
  idempotency_key TEXT COLLATE "C",
  expires_at BIGINT,
  created_at BIGINT NOT NULL,
  CHECK (amount > 0)
);
CREATE UNIQUE INDEX credit_transactions_idempotency ON credit_transactions (idempotency_principal, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX credit_transactions_admin ON credit_transactions (admin_id, created_at, id) WHERE admin_id IS NOT NULL;
CREATE INDEX credit_transactions_organization ON credit_transactions (organization_id, created_at, id) WHERE organization_id IS NOT NULL;

CREATE TABLE credit_entries (
  id {{id}},
  transaction_id BIGINT NOT NULL REFERENCES credit_transactions (id),
  debit_account_id BIGINT NOT NULL REFERENCES credit_accounts (id),
  credit_account_id BIGINT NOT NULL REFERENCES credit_accounts (id),
  amount BIGINT NOT NULL,
  debit_balance_after BIGINT NOT NULL,
  credit_balance_after BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (amount > 0)
);
CREATE INDEX credit_entries_transaction ON credit_entries (transaction_id);
CREATE INDEX credit_entries_debit ON credit_entries (debit_account_id, id);
CREATE INDEX credit_entries_credit ON credit_entries (credit_account_id, id);
