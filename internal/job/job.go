// Package job is work for later, queued in the transaction that causes it: it
// runs if and only if that transaction commits, at least once, again after a
// failure, on whichever process claims it.
package job

import "github.com/tenantry/tenantry/internal/db"

// Enqueue queues payload, written as JSON, for the handler of kind. It runs as
// soon as tx has committed.
func Enqueue(tx *db.Tx, kind string, payload any) error {
	return EnqueueAt(tx, tx.Now, kind, payload)
}

// EnqueueAt is Enqueue for a later time.
func EnqueueAt(tx *db.Tx, at db.Time, kind string, payload any) error {
	return enqueue(tx, at, kind, payload)
}
