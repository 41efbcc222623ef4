package audit

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// record writes the event where its dense numbers are assigned: on both
// engines it first stands in audit_pending, from which number takes it.
func record(tx *db.Tx, e Event) (id.Event, error) {
	if e.Outcome == "" {
		e.Outcome = OK
	}
	b, err := write(e, tx.Now)
	if err != nil {
		return 0, err
	}
	n, err := tx.Insert(`INSERT INTO audit_pending (organization_id, admin_id, occurred_at, action, target_type, outcome, actor_type, actor_id, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '') RETURNING id`,
		id.Ref(e.Organization), id.Ref(e.Admin), tx.Now, e.Action, e.Target.Type, string(e.Outcome), string(e.Actor.Type), id.Ref(e.Actor.ID))
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(`UPDATE audit_pending SET body = $1 WHERE id = $2`, b.with(id.Event(n)), n); err != nil {
		return 0, err
	}
	tx.SetValue(recordedKey{}, append(Recorded(tx), id.Event(n)))
	tx.Publish(Topic, "")
	return id.Event(n), nil
}
