package secret

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
)

// What is kept under the key, so that a wrong one is noticed.
const (
	proofPurpose = "proof"
	proofText    = "tenantry"
)

// ErrWrongKey refuses a key that the database was not made with.
var ErrWrongKey = errors.New("secret: this is not the key that the database was made with")

// Known reports whether the database was made with a key.
func Known(tx *db.Tx) (bool, error) {
	n, err := db.One(tx, db.Int64, `SELECT count(*) FROM encryption_keys`)
	return n > 0, err
}

// Verify refuses with ErrWrongKey a key that is not the database's; the first
// one becomes it. Of two processes that come first at once, with two keys, one
// is refused.
func Verify(tx *db.Tx, b *Box) error {
	if err := first(tx, b); err != nil {
		return err
	}
	proof, err := db.One(tx, func(r db.Row) (p []byte, err error) { return p, r.Scan(&p) },
		`SELECT proof FROM encryption_keys WHERE id = $1`, b.ID())
	if errors.Is(err, db.ErrNoRows) {
		return ErrWrongKey
	}
	if err != nil {
		return err
	}
	if text, err := b.Open(proofPurpose, proof); err != nil || string(text) != proofText {
		return ErrWrongKey
	}
	return nil
}

// first makes the key the database's where it has none yet.
func first(tx *db.Tx, b *Box) error {
	_, err := tx.Exec(`INSERT INTO encryption_keys (slot, id, proof, created_at) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING`,
		b.ID(), b.Seal(proofPurpose, []byte(proofText)), tx.Now)
	return err
}
