package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/quota"
)

// The meters of what is built in, and the bytes of a GB.
const (
	storage   = "storage_bytes"
	bandwidth = "bandwidth_bytes"
	gb        = 1_000_000_000
)

// tell is the whole story.
func (s *seed) tell() {
	s.tellPlatform()
	s.tellResellers()
	s.tellTenants()
	s.tellWork()
	s.tellTrouble()
	s.tellReading()
}

// settle finishes what has no story of its own: usage, and mails that shall
// not be sent.
func (s *seed) settle(tx *db.Tx) error {
	for i, t := range s.tenants {
		if err := s.consume(tx, i, t); err != nil {
			return err
		}
	}
	return dropMails(tx)
}

// consume stores the tenant's usage: most within their limits, some near, a
// few beyond. The months before are kept as well.
func (s *seed) consume(tx *db.Tx, i int, t *tenant) error {
	o, err := s.detail(tx, t)
	if err != nil {
		return err
	}
	share := []float64{0.12, 0.35, 0.55, 0.28, 0.71, 0.83, 0.04, 0.47, 0.96, 0.62, 0.19, 1.07}[i%12]
	limit := func(n int64) float64 { // of an unlimited one, something to measure by
		if n < 0 {
			n = 500
		}
		return float64(n) * gb
	}
	if err := setUsage(tx, t, storage, 0, int64(share*limit(o.StorageLimitGB))); err != nil {
		return err
	}
	month := time.Date(s.end.Year(), s.end.Month(), 1, 0, 0, 0, 0, time.UTC)
	passed := float64(s.end.Sub(month)) / float64(month.AddDate(0, 1, 0).Sub(month))
	for back := range 3 {
		first := month.AddDate(0, -back, 0)
		used := share * limit(o.BandwidthLimitGB) * (1 - 0.2*float64(back))
		if back == 0 {
			used *= passed
		}
		if first.AddDate(0, 1, 0).Before(t.made) {
			break
		}
		if err := setUsage(tx, t, bandwidth, first.Unix()/86400, int64(used)); err != nil {
			return err
		}
	}
	return quota.LimitsChanged(tx, t.id) // whoever is near a limit was told
}

// report prints what there is now.
func (s *seed) report(ctx context.Context) error {
	var parts []string
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		parts = nil
		for _, c := range [][2]string{
			{"partner_groups", "partner groups"}, {"admins", "admins"}, {"organizations", "organizations"}, {"registration_requests", "requests"},
			{"users", "users"}, {"credit_transactions", "credit transactions"}, {"notifications", "notifications"},
		} {
			n, err := count(tx, c[0])
			if err != nil {
				return err
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, c[1]))
		}
		return nil
	})
	if err == nil {
		_, err = fmt.Fprintf(s.Out, "Made %s, over %d days.\n", strings.Join(parts, ", "), Days)
	}
	return err
}

// printLogins says how to sign in as whom.
func (s *seed) printLogins() error {
	var b strings.Builder
	b.WriteString("\nSign in with the password " + Password + " as\n")
	line := func(p *person, who string) { fmt.Fprintf(&b, "  %-42s %s\n", p.email, who) }
	line(s.staff[0], "superadmin")
	for _, r := range s.admins {
		switch {
		case r.suspended != "":
			line(r.owner, "owner of the admin "+r.name+", which is suspended")
		case r.portal:
			line(r.owner, "owner of the admin "+r.name)
		}
	}
	line(s.tenants[0].owner, "owner of the organization "+s.tenants[0].company)
	_, err := io.WriteString(s.Out, b.String())
	return err
}
