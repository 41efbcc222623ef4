package quota

import "github.com/tenantry/tenantry/internal/db"

// turn is the advisory lock by which use that is counted and limits that move
// see each other: "tenquota".
const turn = 0x7465_6e71_756f_7461

// KeepLimits keeps every limit from moving until tx ends, and waits for one that
// moves. Whoever counts use takes it before it reads the limits: of two who
// cross each other one would else look at the old limit and the other at the
// old use, and nobody would be told. Those who count do not wait for each other.
func KeepLimits(tx *db.Tx) error { return take(tx, "pg_advisory_xact_lock_shared") }

// moveLimits waits for all who count, and keeps others from it until tx ends.
func moveLimits(tx *db.Tx) error { return take(tx, "pg_advisory_xact_lock") }
