package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
)

// kept is an answer stored with its effect under an Idempotency-Key.
type kept struct {
	Principal, Key string
	Route          string
	BodyHash       []byte
	rendered
}

// claimKey takes the key for this transaction. On PostgreSQL a second request
// waits here until the first has committed or rolled back.
func claimKey(tx *db.Tx, k kept) (claimed bool, err error) {
	n, err := tx.Exec(`INSERT INTO idempotency_keys (principal, key, route, body_hash, status, headers, answer, permanent, created_at)
		VALUES ($1, $2, $3, $4, 0, '[]', $5, $6, $7) ON CONFLICT (principal, key) DO NOTHING`,
		k.Principal, k.Key, k.Route, k.BodyHash, []byte{}, strings.Contains(k.Route, "credits"), tx.Now)
	return n == 1, err
}

// answersUnder gives those of the references under which an answer is kept.
func answersUnder(tx *db.Tx, refs []credit.Reference) (map[credit.Reference]bool, error) {
	kept := map[credit.Reference]bool{}
	if len(refs) == 0 {
		return kept, nil
	}
	var pairs []string
	var args []any
	for len(pairs) < len(refs) || len(pairs)&(len(pairs)-1) != 0 { // padded to few lengths, so that few texts of it exist
		r := refs[min(len(pairs), len(refs)-1)]
		pairs = append(pairs, "($"+strconv.Itoa(len(args)+1)+", $"+strconv.Itoa(len(args)+2)+")")
		args = append(args, r.Principal, r.Key)
	}
	rows, err := db.All(tx, func(r db.Row) (k credit.Reference, err error) { return k, r.Scan(&k.Principal, &k.Key) },
		`SELECT principal, key FROM idempotency_keys WHERE (principal, key) IN (VALUES `+strings.Join(pairs, ", ")+`)`, args...)
	for _, k := range rows {
		kept[k] = true
	}
	return kept, err
}

func keptAnswer(tx *db.Tx, principal, key string) (*kept, error) {
	return db.One(tx, func(r db.Row) (*kept, error) {
		k, headers := &kept{Principal: principal, Key: key}, ""
		if err := r.Scan(&k.Route, &k.BodyHash, &k.Status, &headers, &k.Body); err != nil {
			return nil, err
		}
		return k, json.Unmarshal([]byte(headers), &k.Headers)
	}, `SELECT route, body_hash, status, headers, answer FROM idempotency_keys WHERE principal = $1 AND key = $2`, principal, key)
}

func storeAnswer(tx *db.Tx, principal, key string, a rendered) error {
	headers, err := json.Marshal(a.Headers)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE idempotency_keys SET status = $1, headers = $2, answer = $3 WHERE principal = $4 AND key = $5`,
		a.Status, string(headers), a.Body, principal, key)
	return err
}

// KeptKeys is how long answers are kept; those of credits stay for ever.
const KeptKeys = 24 * time.Hour

// ForgetKeys drops the answers that are older than KeptKeys.
func ForgetKeys(ctx context.Context, d *db.DB) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM idempotency_keys WHERE created_at < $1 AND NOT permanent`, tx.Now.Add(-KeptKeys))
		return err
	})
}

// write repeats the answer.
func (k *kept) write(w http.ResponseWriter) {
	h := w.Header()
	k.Headers.set(h)
	h.Set("Idempotent-Replayed", "true")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(k.Status)
	_, _ = w.Write(k.Body)
}

// schemaVersion is the number of the newest migration that the database has.
func schemaVersion(tx *db.Tx) (int64, error) {
	return db.One(tx, db.Int64, `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`)
}
