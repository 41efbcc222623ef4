package auth

import (
	"math"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

// Users.

const userColumns = `id, email, name, phone, email_verified, superadmin, status, created_at, updated_at, version`

func scanUser(r db.Row) (u User, err error) {
	return u, r.Scan(&u.ID, &u.Email, &u.Name, &u.Phone, &u.EmailVerified, &u.Superadmin, &u.Status, &u.CreatedAt, &u.UpdatedAt, &u.Version)
}

// insertUser answers ErrNoRows for an address that is known.
func insertUser(tx *db.Tx, u User, key, hash string) (int64, error) {
	var stored *string
	if hash != "" {
		stored = &hash
	}
	return tx.Insert(`INSERT INTO users (email, email_key, name, name_key, phone, password_hash, email_verified, superadmin, status, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (email_key) DO NOTHING RETURNING id`,
		u.Email, key, u.Name, text.Key(u.Name), u.Phone, stored, u.EmailVerified, u.Superadmin, string(u.Status), u.Version, u.CreatedAt, u.UpdatedAt)
}

func userByKey(tx *db.Tx, key string) (User, error) {
	return db.One(tx, scanUser, `SELECT `+userColumns+` FROM users WHERE email_key = $1`, key)
}

func userByID(tx *db.Tx, u id.User) (User, error) {
	return db.One(tx, scanUser, `SELECT `+userColumns+` FROM users WHERE id = $1`, u)
}

func lockUser(tx *db.Tx, u id.User) (User, error) {
	return db.One(tx, scanUser, `UPDATE users SET version = version WHERE id = $1 RETURNING `+userColumns, u)
}

func updateProfile(tx *db.Tx, u User) error {
	_, err := tx.Exec(`UPDATE users SET name = $1, name_key = $2, phone = $3, version = $4, updated_at = $5 WHERE id = $6`,
		u.Name, text.Key(u.Name), u.Phone, u.Version, u.UpdatedAt, u.ID)
	return err
}

func countUsers(tx *db.Tx, like string) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM users WHERE email_key LIKE $1 ESCAPE '\' OR name_key LIKE $2 ESCAPE '\'`, like, like)
}

func listUsers(tx *db.Tx, like string, r page.Request) ([]User, error) {
	after := r.After
	if after == (page.Position{}) {
		after = page.Position{At: math.MaxInt64, ID: math.MaxInt64}
	}
	return db.All(tx, scanUser, `SELECT `+userColumns+` FROM users WHERE (email_key LIKE $1 ESCAPE '\' OR name_key LIKE $2 ESCAPE '\') AND (created_at, id) < ($3, $4)
		ORDER BY created_at DESC, id DESC`+r.Rows(), like, like, after.At, after.ID)
}

func superadmins(tx *db.Tx) ([]id.User, error) {
	return db.All(tx, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) },
		`SELECT id FROM users WHERE superadmin AND status = 'active' ORDER BY id LIMIT 1000`)
}

func organizationNamed(tx *db.Tx, o id.Organization) (ActiveOrganization, error) {
	return db.One(tx, func(r db.Row) (a ActiveOrganization, err error) {
		return a, r.Scan(&a.ID, &a.Name, &a.Slug, &a.Suspended)
	}, `SELECT o.id, o.name, o.slug, `+organizationHeld+` OR `+adminHeld+`
		FROM organizations o JOIN (SELECT CAST($1 AS BIGINT) AS now) w ON TRUE LEFT JOIN admins a ON a.id = o.admin_id WHERE o.id = $2`, tx.Now, o)
}

// credential is what a password is checked against. The hash is empty where
// there is none.
type credential struct {
	user User
	hash string
}

func scanCredential(r db.Row) (c credential, err error) {
	var hash *string
	u := &c.user
	err = r.Scan(&u.ID, &u.Email, &u.Name, &u.Phone, &u.EmailVerified, &u.Superadmin, &u.Status, &u.CreatedAt, &u.UpdatedAt, &u.Version, &hash)
	if hash != nil {
		c.hash = *hash
	}
	return c, err
}

func credentialByKey(tx *db.Tx, key string) (credential, error) {
	return db.One(tx, scanCredential, `SELECT `+userColumns+`, password_hash FROM users WHERE email_key = $1`, key)
}

func credentialByID(tx *db.Tx, u id.User) (credential, error) {
	return db.One(tx, scanCredential, `SELECT `+userColumns+`, password_hash FROM users WHERE id = $1`, u)
}

// lockCredential locks the user while the hash is still the one that a
// password was checked against; ErrNoRows when it is not, or the user is
// disabled.
func lockCredential(tx *db.Tx, u id.User, hash string) (User, error) {
	return db.One(tx, scanUser, `UPDATE users SET version = version
		WHERE id = $1 AND password_hash = $2 AND status = 'active' RETURNING `+userColumns, u, hash)
}

func setPassword(tx *db.Tx, u id.User, hash string) error {
	_, err := tx.Exec(`UPDATE users SET password_hash = $1, updated_at = $2, version = version + 1 WHERE id = $3`, hash, tx.Now, u)
	return err
}

func setVerified(tx *db.Tx, u id.User) error {
	_, err := tx.Exec(`UPDATE users SET email_verified = TRUE, updated_at = $1, version = version + 1 WHERE id = $2 AND NOT email_verified`, tx.Now, u)
	return err
}

func setSuperadmin(tx *db.Tx, u id.User) error {
	_, err := tx.Exec(`UPDATE users SET superadmin = TRUE, email_verified = TRUE, status = 'active', updated_at = $1, version = version + 1 WHERE id = $2`, tx.Now, u)
	return err
}

// lockPlatform makes those who look for the first superadmin take turns.
func lockPlatform(tx *db.Tx) error {
	_, err := tx.Exec(`UPDATE settings SET version = version WHERE id = 1`)
	return err
}

// Sessions and their tokens.

const sessionColumns = `id, user_id, organization_id, ip, user_agent, created_at, last_used_at, expires_at`

func scanSession(r db.Row) (s Session, err error) {
	return s, r.Scan(&s.ID, &s.user, &s.OrganizationID, &s.IP, &s.UserAgent, &s.CreatedAt, &s.LastUsedAt, &s.ExpiresAt)
}

func insertSession(tx *db.Tx, s Session) (id.Session, error) {
	n, err := tx.Insert(`INSERT INTO sessions (user_id, organization_id, ip, user_agent, created_at, last_used_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		s.user, s.OrganizationID, s.IP, s.UserAgent, s.CreatedAt, s.LastUsedAt, s.ExpiresAt)
	return id.Session(n), err
}

// refreshSession moves the end of a live session of an active user.
func refreshSession(tx *db.Tx, session id.Session) (Session, error) {
	return db.One(tx, scanSession, `UPDATE sessions SET last_used_at = $1,
			expires_at = CASE WHEN created_at + $2 < $3 THEN created_at + $4 ELSE $5 END
		WHERE id = $6 AND revoked_at IS NULL AND expires_at > $7
		AND EXISTS (SELECT 1 FROM users u WHERE u.id = sessions.user_id AND u.status = 'active')
		RETURNING `+sessionColumns,
		tx.Now, SessionLife.Microseconds(), tx.Now.Add(RefreshLife), SessionLife.Microseconds(), tx.Now.Add(RefreshLife), session, tx.Now)
}

func listSessions(tx *db.Tx, u id.User, after db.Time, afterID int64, limit int, offset int64) ([]Session, error) {
	return db.All(tx, scanSession, `SELECT `+sessionColumns+` FROM sessions
		WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND (created_at, id) < ($3, $4)
		ORDER BY created_at DESC, id DESC LIMIT $5 OFFSET $6`, u, tx.Now, after, afterID, limit, offset)
}

func countSessions(tx *db.Tx, u id.User) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2`, u, tx.Now)
}

// revokeSession ends a live session of u, and the grants that were given in
// it; ErrNoRows where there is none.
func revokeSession(tx *db.Tx, u id.User, session id.Session) error {
	_, err := db.One(tx, db.Int64, `UPDATE sessions SET revoked_at = $1
		WHERE id = $2 AND user_id = $3 AND revoked_at IS NULL AND expires_at > $4 RETURNING id`,
		tx.Now, session, u, tx.Now)
	if err == nil {
		_, err = endGrants(tx, SessionEnded, `operator_id = $4 AND session_id = $5`, u, session)
	}
	return err
}

// revokeSessions ends all sessions of u but one, for another password: zero
// keeps none. Grants end, whatever the session.
func revokeSessions(tx *db.Tx, u id.User, but id.Session) error {
	if _, err := endGrants(tx, PasswordChanged, `operator_id = $4`, u); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE sessions SET revoked_at = $1 WHERE user_id = $2 AND id <> $3 AND revoked_at IS NULL`, tx.Now, u, but)
	return err
}

func chooseOrganization(tx *db.Tx, session id.Session, o id.Organization) error {
	_, err := tx.Exec(`UPDATE sessions SET organization_id = $1 WHERE id = $2`, id.Ref(o), session)
	return err
}

func touchSession(tx *db.Tx, session id.Session, at db.Time) error {
	_, err := tx.Exec(`UPDATE sessions SET last_used_at = $1 WHERE id = $2 AND last_used_at < $3`, at, session, at)
	return err
}

func insertAccessToken(tx *db.Tx, d digest, session id.Session, expires db.Time) error {
	_, err := tx.Exec(`INSERT INTO access_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`, d[:], session, tx.Now, expires)
	return err
}

// tokenLife is that of an access token, which ends at the latest with its
// session.
func tokenLife(tx *db.Tx, d digest) (life, error) {
	return db.One(tx, scanLife, `SELECT t.created_at, CASE WHEN t.expires_at < s.expires_at THEN t.expires_at ELSE s.expires_at END
		FROM access_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.hash = $1`, d[:])
}

func scanLife(r db.Row) (l life, err error) { return l, r.Scan(&l.issued, &l.ends) }

func insertRefreshToken(tx *db.Tx, d digest, session id.Session, expires db.Time) error {
	_, err := tx.Exec(`INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`, d[:], session, tx.Now, expires)
	return err
}

// useRefreshToken takes an unused token; ErrNoRows where there is none.
func useRefreshToken(tx *db.Tx, d digest) (id.Session, error) {
	n, err := db.One(tx, db.Int64, `UPDATE refresh_tokens SET used_at = $1 WHERE hash = $2 AND used_at IS NULL AND expires_at > $3 RETURNING session_id`,
		tx.Now, d[:], tx.Now)
	return id.Session(n), err
}

// usedRefreshToken gives the live session whose token was used before.
func usedRefreshToken(tx *db.Tx, d digest) (Session, error) {
	return db.One(tx, scanSession, `SELECT s.id, s.user_id, s.organization_id, s.ip, s.user_agent, s.created_at, s.last_used_at, s.expires_at
		FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
		WHERE t.hash = $1 AND t.used_at IS NOT NULL AND s.revoked_at IS NULL AND s.expires_at > $2`, d[:], tx.Now)
}

// knowsAddress reports whether the user signed in from this address lately.
func knowsAddress(tx *db.Tx, u id.User, ip string) (known bool, err error) {
	return db.One(tx, func(r db.Row) (b bool, err error) { return b, r.Scan(&b) },
		`SELECT EXISTS (SELECT 1 FROM sessions WHERE user_id = $1 AND ip = $2 AND created_at > $3)`, u, ip, tx.Now.Add(-knownAddress))
}

// One-time tokens.

func insertOnce(tx *db.Tx, d digest, purpose string, u id.User, expires db.Time) error {
	_, err := tx.Exec(`INSERT INTO one_time_tokens (hash, purpose, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		d[:], purpose, id.Ref(u), tx.Now, expires)
	return err
}

// onceUser gives the user of a token that could be used now.
func onceUser(tx *db.Tx, d digest, purpose string) (id.User, error) {
	return db.One(tx, scanOptionalUser, `SELECT user_id FROM one_time_tokens WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3`,
		d[:], purpose, tx.Now)
}

// useOnce takes the token: of all who try, one succeeds; ErrNoRows for the others.
func useOnce(tx *db.Tx, d digest, purpose string) (id.User, error) {
	return db.One(tx, scanOptionalUser, `UPDATE one_time_tokens SET used_at = $1 WHERE hash = $2 AND purpose = $3 AND used_at IS NULL AND expires_at > $4
		RETURNING user_id`, tx.Now, d[:], purpose, tx.Now)
}

// insertVerification keeps with the token which address it proves.
func insertVerification(tx *db.Tx, d digest, u id.User, expires db.Time) error {
	_, err := tx.Exec(`INSERT INTO one_time_tokens (hash, purpose, user_id, email_key, created_at, expires_at)
		SELECT $1, $2, id, email_key, CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM users WHERE id = $5`, d[:], purposeVerify, tx.Now, expires, u)
	return err
}

// useVerification takes the user's token while the account has the address
// that it was mailed to; ErrNoRows otherwise. The user is locked.
func useVerification(tx *db.Tx, d digest, u id.User) error {
	_, err := db.One(tx, scanOptionalUser, `UPDATE one_time_tokens SET used_at = $1 WHERE hash = $2 AND purpose = $3 AND user_id = $4 AND used_at IS NULL AND expires_at > $5
		AND email_key = (SELECT email_key FROM users WHERE id = $6) RETURNING user_id`, tx.Now, d[:], purposeVerify, u, tx.Now, u)
	return err
}

func scanOptionalUser(r db.Row) (id.User, error) {
	var u *id.User
	err := r.Scan(&u)
	return id.Val(u), err
}

// spoilOnce ends the other tokens of the same purpose.
func spoilOnce(tx *db.Tx, purpose string, u id.User) error {
	_, err := tx.Exec(`UPDATE one_time_tokens SET used_at = $1 WHERE purpose = $2 AND user_id = $3 AND used_at IS NULL`, tx.Now, purpose, u)
	return err
}

// Throttle.

// blockedUntil gives the later end of two pauses.
func blockedUntil(tx *db.Tx, account, address string) (db.Time, error) {
	n, err := db.One(tx, db.Int64, `SELECT blocked_until FROM throttle WHERE subject IN ($1, $2) ORDER BY blocked_until DESC LIMIT 1`, account, address)
	return db.Time(n), err
}

// countFailure adds one and gives the sum; old failures are forgotten.
func countFailure(tx *db.Tx, subject string) (int64, error) {
	return db.One(tx, db.Int64, `INSERT INTO throttle (subject, failures, blocked_until, updated_at) VALUES ($1, 1, 0, $2)
		ON CONFLICT (subject) DO UPDATE SET
			failures = CASE WHEN throttle.updated_at < $3 THEN 1 ELSE throttle.failures + 1 END, updated_at = excluded.updated_at
		RETURNING failures`, subject, tx.Now, tx.Now.Add(-forgetFailures))
}

func block(tx *db.Tx, subject string, until db.Time) error {
	_, err := tx.Exec(`UPDATE throttle SET blocked_until = $1 WHERE subject = $2`, until, subject)
	return err
}

// lockThrottle makes those who count the same subject take turns.
func lockThrottle(tx *db.Tx, subject string) error {
	_, err := tx.Exec(`INSERT INTO throttle (subject, failures, blocked_until, updated_at) VALUES ($1, 0, 0, $2)
		ON CONFLICT (subject) DO UPDATE SET failures = throttle.failures`, subject, tx.Now)
	return err
}

func forgive(tx *db.Tx, subject string) error {
	_, err := tx.Exec(`DELETE FROM throttle WHERE subject = $1`, subject)
	return err
}
