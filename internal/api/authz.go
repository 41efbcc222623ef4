package api

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
)

// authzRoutes publish the authorization table.
func (s *Server) authzRoutes() []route {
	return []route{
		read(op{Method: "GET", Path: "/api/tenants/authz/matrix", ID: "authorization-matrix", Tag: "Authorization", Summary: "Who may do what: every route with its permission", May: auth.AuthzRead},
			func(*db.Tx, *Call, *struct{}) (matrix, error) {
				m := matrix{Routes: []matrixRow{}}
				for _, o := range s.ops {
					m.Routes = append(m.Routes, matrixRow{
						Method: o.Method, Path: o.Path, Operation: o.ID, Permission: o.May.Name, Object: string(o.May.Object),
						Who: roleNames(o.May), Scope: string(o.May.Scope), OpenWhileSuspended: o.May.Held || o.May.Public || o.May.Self,
						Personal: o.May.Personal,
					})
				}
				return m, nil
			}),
		read(op{Method: "GET", Path: "/api/tenants/authz/explain", ID: "explain-authorization", Tag: "Authorization", Summary: "Why may a user do this, or why not", May: auth.AuthzRead,
			Description: "Decides a request of the user at this moment by the code that decides it at the door: the route and permission that it meets, the object, the roles and holds, and the outcome. Nothing is done or recorded."},
			func(tx *db.Tx, _ *Call, in *question) (explanation, error) { return s.explain(tx, in) }),
	}
}

// matrix is the authorization table as data.
type matrix struct {
	Routes []matrixRow `json:"routes"`
}

type matrixRow struct {
	Method             string   `json:"method"`
	Path               string   `json:"path"`
	Operation          string   `json:"operation"`
	Permission         string   `json:"permission"`
	Object             string   `json:"object" doc:"What the path names: nothing, an organization or an admin."`
	Who                []string `json:"who"`
	Scope              string   `json:"scope" doc:"The scope that lets an API key in."`
	OpenWhileSuspended bool     `json:"open_while_suspended"`
	Personal           bool     `json:"personal" doc:"Closed to whoever acts for a member."`
}
