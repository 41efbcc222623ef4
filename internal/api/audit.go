package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// auditRoutes show what was done, to those whom it concerns.
func (s *Server) auditRoutes() []route {
	const tag, seen = "Audit logs", "Superadmins see everything, the people of an admin what belongs to it and its organizations, an owner what belongs to the organization. " +
		"Waits up to half a second for what was committed before."
	return []route{
		direct(op{Method: "GET", Path: "/api/tenants/audit-logs", ID: "list-audit-logs", Tag: tag, Summary: "List audit logs", May: auth.AuditRead, Description: seen, Answers: page.List[audit.Entry]{}},
			func(ctx context.Context, c *Call, in *auditInput) (raw, error) {
				r, err := in.page()
				if err != nil {
					return raw{}, err
				}
				var l page.List[audit.Entry]
				err = s.settled(ctx, c, func(tx *db.Tx) error {
					l, err = audit.List(tx, c.Principal.AuditView(), in.filter(), r)
					return err
				})
				if err != nil {
					return raw{}, err
				}
				return asStored(l)
			}),
		direct(op{Method: "GET", Path: "/api/tenants/audit-logs/stats", ID: "audit-stats", Tag: tag, Summary: "Get audit stats", May: auth.AuditRead, Description: seen},
			func(ctx context.Context, c *Call, in *struct {
				Days int `query:"days" default:"30" minimum:"1" maximum:"365" doc:"How many days to count, today included."`
			}) (st audit.Stats, err error) {
				err = s.settled(ctx, c, func(tx *db.Tx) error {
					st, err = audit.Statistics(tx, c.Principal.AuditView(), in.Days)
					return err
				})
				return st, err
			}),
	}
}

// settled reads once everything that had committed is numbered.
func (s *Server) settled(ctx context.Context, c *Call, f func(tx *db.Tx) error) error {
	return audit.Settled(ctx, s.DB.In(db.Platform), s.DB.In(c.Principal.Scope()), f)
}

// asStored is the page with each event in the words in which it was stored:
// encoding/json would read all of it again.
func asStored(l page.List[audit.Entry]) (raw, error) {
	size := 256
	for _, e := range l.Data {
		size += len(e.Text()) + 1
	}
	b := append(make([]byte, 0, size), `{"data":[`...)
	for i, e := range l.Data {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e.Text()...)
	}
	p, err := json.Marshal(l.Pagination)
	b = append(append(b, `],"pagination":`...), p...)
	return raw{Body: append(b, '}', '\n')}, err
}

type auditInput struct {
	ListInput
	Action       string    `query:"action" maxLength:"100" example:"organization.*" doc:"One action, or all that begin alike: organization.*"`
	TargetType   string    `query:"target_type" maxLength:"100" example:"organization" doc:"What kind of thing it was done to: access, account, admin, api_key, audit, authz, branding, credits, invitation, member, meter, my_organization, notification, organization, partner_group, plugin, profile, registration_request, session, settings, system, token, usage, user."`
	Actor        int64     `query:"actor_id" minimum:"1" doc:"Of a user or an API key."`
	Organization int64     `query:"organization_id" minimum:"1" doc:"Events of this organization."`
	Admin        int64     `query:"admin_id" minimum:"1" doc:"Events of this admin and its organizations."`
	Outcome      string    `query:"outcome" enum:"ok,denied,error" doc:"How it ended."`
	From         time.Time `query:"from" doc:"From this time on (RFC 3339)."`
	To           time.Time `query:"to" doc:"Before this time (RFC 3339)."`
}

func (in *auditInput) filter() audit.Filter {
	f := audit.Filter{
		Action: in.Action, TargetType: in.TargetType, Actor: in.Actor, Organization: id.Organization(in.Organization),
		Admin: id.Admin(in.Admin), Outcome: audit.Outcome(in.Outcome),
	}
	if !in.From.IsZero() {
		f.From = db.At(in.From)
	}
	if !in.To.IsZero() {
		f.To = db.At(in.To)
	}
	return f
}
