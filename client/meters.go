package client

import (
	"context"
	"net/url"
	"time"
)

// Meter is what can be measured.
type Meter struct {
	ID          int64     `json:"id"`
	Key         string    `json:"key"` // never changes
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Kind        string    `json:"kind"` // counter, gauge, seats
	Unit        string    `json:"unit"`
	Plugin      *string   `json:"plugin"` // who alone may report it; nil: every plugin
	Limit       int64     `json:"limit"`  // the platform's, of one organization
	Mode        string    `json:"mode"`   // hard, soft
	BuiltIn     bool      `json:"built_in"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// NewMeter is what a meter is made of; key, name and kind are required.
type NewMeter struct {
	Key         string  `json:"key"`
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Kind        string  `json:"kind"` // counter, gauge
	Unit        string  `json:"unit,omitempty"`
	Plugin      *string `json:"plugin,omitempty"`
	Limit       *int64  `json:"limit,omitempty"`
	Mode        string  `json:"mode,omitempty"`
}

// MeterEdit changes a meter; of a built-in one neither unit nor plugin.
type MeterEdit struct {
	Name        Optional[string] `json:"name,omitzero"`
	Description Optional[string] `json:"description,omitzero"`
	Unit        Optional[string] `json:"unit,omitzero"`
	Plugin      Optional[string] `json:"plugin,omitzero"`
	Limit       Optional[int64]  `json:"limit,omitzero"`
	Mode        Optional[string] `json:"mode,omitzero"`
}

// MeterFilter narrows a list of meters.
type MeterFilter struct {
	Q string `query:"q"`
}

func meterPath(key string) string { return "/api/tenants/meters/" + url.PathEscape(key) }

// Meters lists what can be measured.
func (c *Client) Meters(f MeterFilter) List[Meter] {
	return listOf[Meter](c, f, "/api/tenants/meters")
}

// CreateMeter adds a meter.
func (c *Client) CreateMeter(ctx context.Context, in NewMeter, o ...CallOption) (Meter, error) {
	return do[Meter](ctx, c, "POST", "/api/tenants/meters", in, o)
}

// Meter reads a meter.
func (c *Client) Meter(ctx context.Context, key string, o ...CallOption) (Meter, error) {
	return do[Meter](ctx, c, "GET", meterPath(key), nil, o)
}

// UpdateMeter changes a meter.
func (c *Client) UpdateMeter(ctx context.Context, key string, in MeterEdit, o ...CallOption) (Meter, error) {
	return do[Meter](ctx, c, "PUT", meterPath(key), in, o)
}

// DeleteMeter takes a meter out of the catalogue.
func (c *Client) DeleteMeter(ctx context.Context, key string, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", meterPath(key), nil, o)
	return err
}
