-- A link that proves an address is void once the account has another one.

ALTER TABLE one_time_tokens ADD COLUMN email_key TEXT COLLATE "C"; -- what was mailed to, where the token proves that
