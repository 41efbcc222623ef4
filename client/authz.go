package client

import "context"

// Matrix says who may do what.
type Matrix struct {
	Routes []MatrixRow `json:"routes"`
}

// MatrixRow is one route with its permission.
type MatrixRow struct {
	Method             string   `json:"method"`
	Path               string   `json:"path"`
	Operation          string   `json:"operation"`
	Permission         string   `json:"permission"`
	Object             string   `json:"object"` // what the path names: "", organization, admin
	Who                []string `json:"who"`
	Scope              string   `json:"scope"` // lets an API key in
	OpenWhileSuspended bool     `json:"open_while_suspended"`
	Personal           bool     `json:"personal"` // closed to whoever acts for a member
}

// AuthorizationMatrix reads the authorization table.
func (c *Client) AuthorizationMatrix(ctx context.Context, o ...CallOption) (Matrix, error) {
	return do[Matrix](ctx, c, "GET", "/api/tenants/authz/matrix", nil, o)
}
