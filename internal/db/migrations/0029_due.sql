-- Wallets forgot when a lot expires that a hold had freed: remember it.
UPDATE credit_accounts SET due_at = (SELECT MIN(l.expires_at) FROM credit_lots l WHERE l.account_id = credit_accounts.id AND l.remaining > l.held)
  WHERE kind IN ('admin', 'organization') AND EXISTS (SELECT 1 FROM credit_lots l WHERE l.account_id = credit_accounts.id AND l.remaining > l.held
    AND (credit_accounts.due_at IS NULL OR l.expires_at < credit_accounts.due_at));
