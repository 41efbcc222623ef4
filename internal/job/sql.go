package job

import (
	"encoding/json"
	"fmt"

	"github.com/tenantry/tenantry/internal/db"
)

func enqueue(tx *db.Tx, at db.Time, kind string, payload any) error {
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("write the job %s: %w", kind, err)
	}
	_, err = tx.Exec(`INSERT INTO jobs (kind, payload, state, run_at, attempts, created_at)
		VALUES ($1, $2, 'ready', $3, 0, $4)`, kind, b, at, tx.Now)
	if err == nil {
		tx.Publish("jobs", kind)
	}
	return err
}
