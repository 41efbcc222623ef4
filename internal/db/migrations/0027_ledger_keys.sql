-- Rows of the ledger that speak of each other are of one tenant, or are not
-- stored. Keys over both columns would cost an index of every transaction, so
-- triggers say it: for what is rare row by row, for entries once a statement.
-- Where a lot came from and the two sides of an entry are not held to it: credits
-- pass from an admin to its organizations. On PostgreSQL they come after the
-- policies, which refuse first what another tenant writes.

-- only postgres
CREATE FUNCTION tenantry_own_account() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM credit_accounts a WHERE a.id = NEW.account_id AND a.organization_id IS NOT DISTINCT FROM NEW.organization_id) THEN
    RAISE integrity_constraint_violation USING MESSAGE = TG_NAME || ': no account of the tenant';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER credit_holds_account AFTER INSERT ON credit_holds FOR EACH ROW EXECUTE FUNCTION tenantry_own_account();
CREATE TRIGGER credit_lots_account AFTER INSERT ON credit_lots FOR EACH ROW EXECUTE FUNCTION tenantry_own_account();
CREATE TRIGGER credit_limits_account AFTER INSERT ON credit_limits FOR EACH ROW EXECUTE FUNCTION tenantry_own_account();

CREATE FUNCTION tenantry_own_hold() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM credit_holds h WHERE h.id = NEW.hold_id AND h.organization_id = NEW.organization_id) THEN
    RAISE integrity_constraint_violation USING MESSAGE = TG_NAME || ': no hold of the tenant';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER credit_transactions_hold AFTER INSERT ON credit_transactions FOR EACH ROW
  WHEN (NEW.hold_id IS NOT NULL) EXECUTE FUNCTION tenantry_own_hold();

CREATE FUNCTION tenantry_own_transaction() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM credit_transactions t WHERE t.id = NEW.reverses_id AND t.organization_id IS NOT DISTINCT FROM NEW.organization_id) THEN
    RAISE integrity_constraint_violation USING MESSAGE = TG_NAME || ': no transaction of the tenant';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER credit_transactions_reverses AFTER INSERT ON credit_transactions FOR EACH ROW
  WHEN (NEW.reverses_id IS NOT NULL) EXECUTE FUNCTION tenantry_own_transaction();

CREATE FUNCTION tenantry_own_entries() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT 1 FROM added e LEFT JOIN credit_transactions t ON t.id = e.transaction_id
      WHERE t.id IS NULL OR t.organization_id IS DISTINCT FROM e.organization_id OR t.admin_id IS DISTINCT FROM e.admin_id) THEN
    RAISE integrity_constraint_violation USING MESSAGE = TG_NAME || ': no transaction of the tenant';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER credit_entries_transaction AFTER INSERT ON credit_entries REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION tenantry_own_entries();
-- end

-- only sqlite
CREATE TRIGGER credit_holds_account BEFORE INSERT ON credit_holds
  WHEN NOT EXISTS (SELECT 1 FROM credit_accounts a WHERE a.id = NEW.account_id AND a.organization_id IS NEW.organization_id)
BEGIN SELECT RAISE(ABORT, 'credit_holds_account: no account of the tenant'); END;
CREATE TRIGGER credit_lots_account BEFORE INSERT ON credit_lots
  WHEN NOT EXISTS (SELECT 1 FROM credit_accounts a WHERE a.id = NEW.account_id AND a.organization_id IS NEW.organization_id)
BEGIN SELECT RAISE(ABORT, 'credit_lots_account: no account of the tenant'); END;
CREATE TRIGGER credit_limits_account BEFORE INSERT ON credit_limits
  WHEN NOT EXISTS (SELECT 1 FROM credit_accounts a WHERE a.id = NEW.account_id AND a.organization_id IS NEW.organization_id)
BEGIN SELECT RAISE(ABORT, 'credit_limits_account: no account of the tenant'); END;
CREATE TRIGGER credit_transactions_hold BEFORE INSERT ON credit_transactions WHEN NEW.hold_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM credit_holds h WHERE h.id = NEW.hold_id AND h.organization_id = NEW.organization_id)
BEGIN SELECT RAISE(ABORT, 'credit_transactions_hold: no hold of the tenant'); END;
CREATE TRIGGER credit_transactions_reverses BEFORE INSERT ON credit_transactions WHEN NEW.reverses_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM credit_transactions t WHERE t.id = NEW.reverses_id AND t.organization_id IS NEW.organization_id)
BEGIN SELECT RAISE(ABORT, 'credit_transactions_reverses: no transaction of the tenant'); END;
CREATE TRIGGER credit_entries_transaction BEFORE INSERT ON credit_entries
  WHEN NOT EXISTS (SELECT 1 FROM credit_transactions t WHERE t.id = NEW.transaction_id
    AND t.organization_id IS NEW.organization_id AND t.admin_id IS NEW.admin_id)
BEGIN SELECT RAISE(ABORT, 'credit_entries_transaction: no transaction of the tenant'); END;
-- end
