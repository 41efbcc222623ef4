package demo

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/org"
)

// tellWork is what happens to organizations once they are made.
func (s *seed) tellWork() {}

// tellTrouble suspends and archives.
func (s *seed) tellTrouble() {}

func (s *seed) detail(tx *db.Tx, t *tenant) (org.Organization, error) {
	return org.Detail(tx, t.id)
}
