package org

import (
	"strings"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

// Reach is whose organizations a list may show.
type Reach = auth.Reach

// Filter narrows a list; zero values filter nothing.
type Filter struct {
	Status          Status
	EffectiveStatus Status
	Admin           id.Admin
	Q               string // contained in name, slug or the owner's address
	Sort            Sort
}

// Sort is the order of a list; the zero value is the newest first. Each has an
// index, so a page costs the same at any depth.
type Sort string

// The orders; "-" before one turns it round.
const (
	ByCreated Sort = "created_at"
	ByName    Sort = "name"
	BySlug    Sort = "slug"
	ByMembers Sort = "member_count"
)

// order is a column to sort by, downwards or not, and whether it is a text.
type order struct {
	column     string
	down, text bool
}

// order reads the sort; ok is false for one that there is not.
func (s Sort) order() (o order, ok bool) {
	if s == "" {
		s = "-" + ByCreated
	}
	name, down := strings.CutPrefix(string(s), "-")
	o, ok = map[Sort]order{ByCreated: {column: "o.created_at"}, ByName: {column: "o.name_key", text: true}, BySlug: {column: "o.slug", text: true}, ByMembers: {column: "o.members"}}[Sort(name)]
	o.down = down
	return o, ok
}

// position is where a row stands in the order.
func (s Sort) position(o Organization) page.Position {
	p := page.Position{ID: int64(o.ID), Key: string(s)}
	switch by := Sort(strings.TrimPrefix(string(s), "-")); by {
	case ByName:
		p.Key += "\x00" + text.Key(o.Name)
	case BySlug:
		p.Key += "\x00" + o.Slug
	case ByMembers:
		p.At = o.MemberCount
	default:
		p.At = int64(o.CreatedAt)
	}
	return p
}

// after is the value of the column at a position of this order.
func (s Sort) after(p page.Position, o order) (any, error) {
	key, value, text := strings.Cut(p.Key, "\x00")
	if key != string(s) || text != o.text {
		return nil, page.BadCursor()
	}
	if text {
		return value, nil
	}
	return p.At, nil
}

// List gives the organizations within reach in their order. It costs at most two
// statements however many it answers, and one more where any has holds.
func List(tx *db.Tx, of Reach, f Filter, r page.Request) (page.List[Organization], error) {
	o, ok := f.Sort.order()
	if !ok {
		return page.List[Organization]{}, fault.InvalidField("sort", "unknown_value", "Use created_at, name, slug or member_count, with - before it to turn the order round.")
	}
	return list(tx, of, f, o, r)
}

// Detail gives one organization; fault.Missing where there is none. It costs
// one statement, and another where there are holds.
func Detail(tx *db.Tx, organization id.Organization) (Organization, error) {
	return detailBy(tx, "id", organization)
}

// DetailAt is Detail of what the path of a request names.
func DetailAt(tx *db.Tx, place auth.Place) (Organization, error) {
	column, value := place.Column()
	if place.Object != auth.Organization || column == "" {
		return Organization{}, fault.Missing()
	}
	return detailBy(tx, column, value)
}

// settle works out the states from the holds.
func (o *Organization) settle() {
	if o.Status != Archived {
		o.Status = Active
		if len(o.Holds) > 0 {
			o.Status = Suspended
		}
	}
	o.EffectiveStatus = o.Status
	if o.Status == Active && o.AdminSuspended {
		o.EffectiveStatus = Suspended
	}
}

// Lock keeps every other transaction from changing the organization until this
// one ends, and gives its version. It takes the admin's lock first, so that a
// change of limits can follow.
func Lock(tx *db.Tx, organization id.Organization) (int64, error) {
	if _, err := lockTree(tx, organization, 0); err != nil {
		return 0, err
	}
	version, _, err := lock(tx, organization)
	return version, err
}
