package client

import (
	"context"
	"net/url"
	"strconv"
)

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

// Question asks how a request of a user would be decided.
type Question struct {
	UserID       int64
	Method, Path string
}

// Explanation is how it would be, and what the decision rests on.
type Explanation struct {
	UserID     int64          `json:"user_id"`
	Method     string         `json:"method"`
	Path       string         `json:"path"`
	Operation  *string        `json:"operation"` // nil: no route takes it
	Route      *string        `json:"route"`
	Permission *Rule          `json:"permission"`
	Object     *JudgedObject  `json:"object"` // in the path; nil for none
	Roles      []Role         `json:"roles"`
	Holds      []HoldOnObject `json:"holds"`
	Allowed    bool           `json:"allowed"`
	Status     int            `json:"status"`
	Code       *string        `json:"code"`    // of the refusal
	Role       *string        `json:"role"`    // lets the user in
	Tier       *string        `json:"tier"`    // platform, reseller, tenant
	Stopped    *string        `json:"stopped"` // organization_suspended, admin_suspended
	Why        string         `json:"why"`
}

// Rule is a row of the authorization table.
type Rule struct {
	Permission string   `json:"permission"`
	Object     string   `json:"object"`
	Roles      []string `json:"roles"`
	Scope      string   `json:"scope"`
	Public     bool     `json:"public"`
	Self       bool     `json:"self"`
	Held       bool     `json:"held"`
	Write      bool     `json:"write"`
	Personal   bool     `json:"personal"`
}

// JudgedObject is the thing in the path.
type JudgedObject struct {
	Type           string `json:"type"` // organization, admin
	Exists         bool   `json:"exists"`
	InScope        bool   `json:"in_scope"`
	OrganizationID *int64 `json:"organization_id"`
	AdminID        *int64 `json:"admin_id"`
}

// HoldOnObject is a hold with what it lies on: one of the two.
type HoldOnObject struct {
	OrganizationID *int64 `json:"organization_id"`
	AdminID        *int64 `json:"admin_id"`
	Hold
}

// ExplainAuthorization says why a user may do something, or why not.
func (c *Client) ExplainAuthorization(ctx context.Context, q Question, o ...CallOption) (Explanation, error) {
	v := url.Values{"user_id": {strconv.FormatInt(q.UserID, 10)}, "method": {q.Method}, "path": {q.Path}}
	return do[Explanation](ctx, c, "GET", "/api/tenants/authz/explain?"+v.Encode(), nil, o)
}
