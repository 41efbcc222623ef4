package secret

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
)

const (
	proofPurpose = "proof"
	proofText    = "tenantry"
)

// Known reports whether the database was made with a key.
func Known(tx *db.Tx) (bool, error) {
	n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM encryption_keys`)
	return n > 0, err
}

// Verify refuses a key that is not the database's; the first one becomes it.
func Verify(tx *db.Tx, b *Box) error {
	known, err := Known(tx)
	if err != nil {
		return err
	}
	if !known {
		_, err := tx.Exec(`INSERT INTO encryption_keys (id, proof, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`,
			b.ID(), b.Seal(proofPurpose, []byte(proofText)), tx.Now)
		return err
	}
	proof, err := db.One(tx, func(r db.Row) (p []byte, err error) { return p, r.Scan(&p) }, `SELECT proof FROM encryption_keys WHERE id = $1`, b.ID())
	if errors.Is(err, db.ErrNoRows) {
		return errors.New("secret: this is not the key that the database was made with")
	}
	if err != nil {
		return err
	}
	text, err := b.Open(proofPurpose, proof)
	if err != nil || string(text) != proofText {
		return errors.New("secret: this is not the key that the database was made with")
	}
	return nil
}
