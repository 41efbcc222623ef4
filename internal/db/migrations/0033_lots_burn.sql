-- What is open of a wallet is read in the order in which it is burnt, as far as
-- an operation needs. Its account and open alone are the head of that order.
DROP INDEX credit_lots_open;
CREATE INDEX credit_lots_burn ON credit_lots (account_id, priority, COALESCE(expires_at, 9223372036854775807),
  (CASE category WHEN 'plan' THEN 0 WHEN 'promo' THEN 1 WHEN 'refund' THEN 2 ELSE 3 END), created_at, id) WHERE remaining > 0;

-- What of a wallet expires soon is added up without those that never do.
CREATE INDEX credit_lots_expiring ON credit_lots (account_id, expires_at) WHERE remaining > 0 AND expires_at IS NOT NULL;
