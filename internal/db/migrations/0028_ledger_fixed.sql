-- What a row of the ledger belongs to and speaks of is said when it is stored
-- (0027) and never again. Nothing the service does writes these columns, so the
-- triggers cost it nothing.

-- only postgres
CREATE FUNCTION tenantry_fixed() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  RAISE integrity_constraint_violation USING MESSAGE = TG_NAME || ': the tenant of a row and what it refers to stay';
END $$;
CREATE TRIGGER credit_accounts_fixed BEFORE UPDATE OF id, kind, admin_id, organization_id, plugin_key ON credit_accounts
  FOR EACH ROW EXECUTE FUNCTION tenantry_fixed();
CREATE TRIGGER credit_transactions_fixed BEFORE UPDATE OF id, admin_id, organization_id, hold_id, reverses_id ON credit_transactions
  FOR EACH ROW EXECUTE FUNCTION tenantry_fixed();
CREATE TRIGGER credit_entries_fixed BEFORE UPDATE OF id, admin_id, organization_id, transaction_id, debit_account_id, credit_account_id, debit_lot_id, credit_lot_id ON credit_entries
  FOR EACH ROW EXECUTE FUNCTION tenantry_fixed();
CREATE TRIGGER credit_lots_fixed BEFORE UPDATE OF id, admin_id, organization_id, account_id, transaction_id, parent_lot_id ON credit_lots
  FOR EACH ROW EXECUTE FUNCTION tenantry_fixed();
CREATE TRIGGER credit_holds_fixed BEFORE UPDATE OF id, organization_id, account_id ON credit_holds
  FOR EACH ROW EXECUTE FUNCTION tenantry_fixed();
CREATE TRIGGER credit_limits_fixed BEFORE UPDATE OF id, organization_id, account_id ON credit_limits
  FOR EACH ROW EXECUTE FUNCTION tenantry_fixed();
-- end

-- only sqlite
CREATE TRIGGER credit_accounts_fixed BEFORE UPDATE OF id, kind, admin_id, organization_id, plugin_key ON credit_accounts
BEGIN SELECT RAISE(ABORT, 'credit_accounts_fixed: the tenant of a row and what it refers to stay'); END;
CREATE TRIGGER credit_transactions_fixed BEFORE UPDATE OF id, admin_id, organization_id, hold_id, reverses_id ON credit_transactions
BEGIN SELECT RAISE(ABORT, 'credit_transactions_fixed: the tenant of a row and what it refers to stay'); END;
CREATE TRIGGER credit_entries_fixed BEFORE UPDATE OF id, admin_id, organization_id, transaction_id, debit_account_id, credit_account_id, debit_lot_id, credit_lot_id ON credit_entries
BEGIN SELECT RAISE(ABORT, 'credit_entries_fixed: the tenant of a row and what it refers to stay'); END;
CREATE TRIGGER credit_lots_fixed BEFORE UPDATE OF id, admin_id, organization_id, account_id, transaction_id, parent_lot_id ON credit_lots
BEGIN SELECT RAISE(ABORT, 'credit_lots_fixed: the tenant of a row and what it refers to stay'); END;
CREATE TRIGGER credit_holds_fixed BEFORE UPDATE OF id, organization_id, account_id ON credit_holds
BEGIN SELECT RAISE(ABORT, 'credit_holds_fixed: the tenant of a row and what it refers to stay'); END;
CREATE TRIGGER credit_limits_fixed BEFORE UPDATE OF id, organization_id, account_id ON credit_limits
BEGIN SELECT RAISE(ABORT, 'credit_limits_fixed: the tenant of a row and what it refers to stay'); END;
-- end
