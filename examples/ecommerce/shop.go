package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/tenantry/tenantry/client"
)

// plugin is the shop's key in Tenantry's catalogue.
const plugin = "ecommerce"

// What the shop costs an organization.
const (
	page         = 50_000 // bytes that an item's page weighs, about
	perItem      = 1      // credits of an item that is shipped
	perThumbnail = 1      // credits of a picture, for its thumbnail
)

// shop serves the orders and pictures of many organizations.
type shop struct {
	c        *client.Client
	may      *client.Entitlements
	reporter reporter
	orders   orders
}

func newShop(c *client.Client) *shop {
	return &shop{c: c, reporter: reporter{c: c, some: make(chan struct{}, 1)}, orders: orders{all: map[string]order{}},
		// Two seconds and the server's one: a suspended shop sells for three
		// seconds at most. Without Tenantry nothing is sold.
		may: client.NewEntitlements(c, plugin, client.EntitlementOptions{MaxAge: 2 * time.Second})}
}

func (s *shop) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /shops/{org}/orders", s.place)
	m.HandleFunc("POST /shops/{org}/orders/{order}/ship", s.ship)
	m.HandleFunc("DELETE /shops/{org}/orders/{order}", s.cancel)
	m.HandleFunc("PUT /shops/{org}/pictures/{name}", s.picture)
	return m
}

// deny passes Tenantry's word on: why, and who decided.
func deny(w http.ResponseWriter, d client.Decision, err error) {
	status := http.StatusForbidden
	var refused *client.Error
	if d.Code == client.Unavailable || err != nil && !errors.As(err, &refused) {
		status = http.StatusServiceUnavailable
	} else if refused != nil {
		status, d.Code = refused.Status, refused.Code
		var left int64
		if refused.Member("available", &left) || refused.Member("remaining", &left) {
			d.Remaining = &left
		}
	} else if d.Code == "insufficient_credits" {
		status = http.StatusPaymentRequired
	}
	answer(w, status, map[string]any{"code": d.Code, "decided_by": d.DecidedBy, "remaining": d.Remaining})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
