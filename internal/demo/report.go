package demo

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
)

// tell is the whole story.
func (s *seed) tell() {
	s.tellPlatform()
	s.tellResellers()
	s.tellTenants()
	s.tellWork()
	s.tellDays()
	s.tellTrouble()
	s.tellReading()
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
