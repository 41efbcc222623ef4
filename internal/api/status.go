package api

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/job"
	"github.com/tenantry/tenantry/internal/page"
)

// installation is how the process that answers is, and its store.
type installation struct {
	Version   string  `json:"version" doc:"Of the product"`
	StartedAt db.Time `json:"started_at" doc:"Of the process that answers"`
	Engine    string  `json:"engine" enum:"sqlite,postgres"`
	Schema    int64   `json:"schema" doc:"Number of the newest migration"`
	Ready     bool    `json:"ready" doc:"Whether the store takes writes"`
	WriteMS   float64 `json:"write_ms" doc:"How long the write that tried took"`
	Jobs      backlog `json:"jobs"`
	AsOf      db.Time `json:"as_of"`
}

// backlog is the queued work of all processes.
type backlog struct {
	Ready        int64   `json:"ready" doc:"Waiting for their time or a worker"`
	Running      int64   `json:"running"`
	Dead         int64   `json:"dead" doc:"Given up; kept for 30 days"`
	DelaySeconds float64 `json:"delay_seconds" doc:"How long the oldest that is due has waited"`
}

// statusRoutes tell the operator how the installation is, and who is in it.
func (s *Server) statusRoutes() []route {
	return []route{
		read(op{Method: "GET", Path: "/api/tenants/users", ID: "list-users", Tag: "System", Summary: "List users", May: auth.UserList,
			Description: "Everybody who can sign in, whatever they belong to."},
			func(tx *db.Tx, _ *Call, in *struct {
				ListInput
				Q string `query:"q" maxLength:"200" doc:"Part of name or e-mail."`
			}) (page.List[auth.User], error) {
				r, err := in.page()
				if err != nil {
					return page.List[auth.User]{}, err
				}
				return auth.Users(tx, in.Q, r)
			}),
		read(op{Method: "GET", Path: "/api/tenants/users/{id}", ID: "get-user", Tag: "System", Refuses: []int{404}, Summary: "Read a user", May: auth.UserList},
			func(tx *db.Tx, c *Call, _ *struct{}) (auth.User, error) {
				return auth.UserByID(tx, id.User(c.ID("id")))
			}),
		direct(op{Method: "GET", Path: "/api/tenants/system", ID: "get-system", Tag: "System", Summary: "See how the installation is", May: auth.SystemRead,
			Description: "Version, store and work that waits, as of now; it tries a write as /readyz does."},
			func(ctx context.Context, c *Call, _ *struct{}) (installation, error) {
				i := installation{Version: s.Version, StartedAt: s.started, Engine: string(s.DB.Engine()), AsOf: s.DB.Now()}
				err := s.DB.In(c.Principal.Scope()).Read(ctx, func(tx *db.Tx) error {
					var err error
					if i.Schema, err = schemaVersion(tx); err != nil {
						return err
					}
					n, err := job.Count(tx)
					i.Jobs = backlog{Ready: n.Ready, Running: n.Running, Dead: n.Dead, DelaySeconds: n.Delay.Seconds()}
					return err
				})
				if err != nil {
					return i, err
				}
				try, cancel := context.WithTimeout(ctx, 3*time.Second)
				defer cancel()
				begun := time.Now()
				i.Ready = s.DB.Ping(try) == nil
				i.WriteMS = float64(time.Since(begun).Microseconds()) / 1000
				return i, nil
			}),
	}
}
