package audit

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

func record(tx *db.Tx, e Event) (id.Event, error) {
	if e.Outcome == "" {
		e.Outcome = OK
	}
	n, err := tx.Insert(`INSERT INTO audit_pending (organization_id, admin_id, occurred_at, action, target_type, outcome, actor_id, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '{}') RETURNING id`,
		id.Ref(e.Organization), id.Ref(e.Admin), tx.Now, e.Action, e.Target.Type, string(e.Outcome), e.Actor.ID)
	if err != nil {
		return 0, err
	}
	tx.SetValue(recordedKey{}, append(Recorded(tx), id.Event(n)))
	return id.Event(n), nil
}
