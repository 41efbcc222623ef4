package usage

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// row is an organization with what it uses.
type row struct {
	members, invited, maxUsers int64
	storage, storageLimit      int64
	bandwidth, bandwidthLimit  int64
}

// read takes an invitation that is over as none, whether or not its seat was
// freed yet.
func read(tx *db.Tx, organization id.Organization, month int64) (row, error) {
	v, err := db.One(tx, func(r db.Row) (v row, err error) {
		return v, r.Scan(&v.members, &v.invited, &v.maxUsers, &v.storageLimit, &v.bandwidthLimit, &v.storage, &v.bandwidth)
	}, `SELECT o.members,
			o.invited - (SELECT COUNT(*) FROM invitations i WHERE i.organization_id = o.id AND i.state = 'open' AND i.expires_at <= $1),
			o.max_users, o.storage_limit_gb, o.bandwidth_limit_gb,
			COALESCE((SELECT u.used FROM usage_current u WHERE u.organization_id = o.id AND u.meter = 'storage_bytes' AND u.period = 0), 0),
			COALESCE((SELECT u.used FROM usage_current u WHERE u.organization_id = o.id AND u.meter = 'bandwidth_bytes' AND u.period = $2), 0)
		FROM organizations o WHERE o.id = $3`, tx.Now, month, organization)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return v, err
}
