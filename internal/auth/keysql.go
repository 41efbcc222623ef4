package auth

import (
	"encoding/json"
	"fmt"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

const apiKeyColumns = `id, organization_id, name, prefix, scopes, created_by, created_at, last_used_at, expires_at, revoked_at`

func scanAPIKey(r db.Row) (k APIKey, err error) {
	var scopes string
	err = r.Scan(&k.ID, &k.OrganizationID, &k.Name, &k.Prefix, &scopes, &k.CreatedBy, &k.CreatedAt, &k.LastUsedAt, &k.ExpiresAt, &k.RevokedAt)
	if err != nil {
		return k, err
	}
	k.UpdatedAt = k.CreatedAt
	if k.RevokedAt != nil {
		k.UpdatedAt = *k.RevokedAt
	}
	if err := json.Unmarshal([]byte(scopes), &k.Scopes); err != nil {
		return k, fmt.Errorf("read the scopes of an API key: %w", err)
	}
	return k, nil
}

func insertKey(tx *db.Tx, k APIKey, d digest) (id.Key, error) {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return 0, err
	}
	n, err := tx.Insert(`INSERT INTO api_keys (organization_id, name, prefix, search_key, hash, scopes, created_by, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		k.OrganizationID, k.Name, k.Prefix, text.Key(k.Name+" "+k.Prefix), d[:], string(scopes), k.CreatedBy, k.CreatedAt, k.ExpiresAt)
	return id.Key(n), err
}

// listed are the keys of an organization that a search finds.
const listed = `organization_id IS NOT DISTINCT FROM $1 AND revoked_at IS NULL AND search_key LIKE $2 ESCAPE '\'`

func listKeys(tx *db.Tx, o id.Organization, q string, r page.Request) ([]APIKey, error) {
	after := r.After
	if after == (page.Position{}) {
		after = page.Position{At: 1 << 62, ID: 1}
	}
	return db.All(tx, scanAPIKey, `SELECT `+apiKeyColumns+` FROM api_keys
		WHERE `+listed+` AND (created_at, id) < ($3, $4)
		ORDER BY created_at DESC, id DESC`+r.Rows(), id.Ref(o), text.Like(q), after.At, after.ID)
}

func countKeys(tx *db.Tx, o id.Organization, q string) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM api_keys WHERE `+listed, id.Ref(o), text.Like(q))
}

func keyOf(tx *db.Tx, o id.Organization, key id.Key) (APIKey, error) {
	return db.One(tx, scanAPIKey, `SELECT `+apiKeyColumns+` FROM api_keys WHERE id = $1 AND organization_id IS NOT DISTINCT FROM $2`, key, id.Ref(o))
}

func revokeKey(tx *db.Tx, o id.Organization, key id.Key) (APIKey, error) {
	return db.One(tx, scanAPIKey, `UPDATE api_keys SET revoked_at = $1
		WHERE id = $2 AND organization_id IS NOT DISTINCT FROM $3 AND revoked_at IS NULL RETURNING `+apiKeyColumns, tx.Now, key, id.Ref(o))
}

// lockKey reads a key and keeps others from changing it.
func lockKey(tx *db.Tx, o id.Organization, key id.Key) (APIKey, error) {
	return db.One(tx, scanAPIKey, `UPDATE api_keys SET name = name WHERE id = $1 AND organization_id IS NOT DISTINCT FROM $2 RETURNING `+apiKeyColumns, key, id.Ref(o))
}

func endKeyAt(tx *db.Tx, key id.Key, at db.Time) error {
	_, err := tx.Exec(`UPDATE api_keys SET expires_at = $1 WHERE id = $2`, at, key)
	return err
}

func touchKey(tx *db.Tx, key id.Key, at db.Time) error {
	_, err := tx.Exec(`UPDATE api_keys SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $3)`, at, key, at)
	return err
}

// prune removes tokens a day after their end, and throttle counters that no
// longer count.
func prune(tx *db.Tx) error {
	old := tx.Now.Add(-forgetFailures)
	for _, q := range []string{
		`DELETE FROM access_tokens WHERE expires_at < $1`,
		`DELETE FROM refresh_tokens WHERE expires_at < $1`,
		`DELETE FROM one_time_tokens WHERE expires_at < $1`,
		`DELETE FROM throttle WHERE updated_at < $1`,
	} {
		if _, err := tx.Exec(q, old); err != nil {
			return err
		}
	}
	return nil
}

func isArchived(tx *db.Tx, organization id.Organization) (bool, error) {
	status, err := db.One(tx, db.String, `SELECT status FROM organizations WHERE id = $1`, organization)
	return status == "archived", err
}

func keyLife(tx *db.Tx, d digest) (life, error) {
	return db.One(tx, scanLife, `SELECT created_at, expires_at FROM api_keys WHERE hash = $1`, d[:])
}
