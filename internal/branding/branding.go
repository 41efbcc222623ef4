// Package branding is the white label: the eight fields that each admin may
// set, and what of them holds for a request. Every field is inherited on its
// own, from the owner of the verified host down to the platform.
package branding

import (
	"errors"
	"fmt"

	"github.com/lucasb-eyer/go-colorful"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/logo"
)

// Topic is published when what holds for some request may have changed.
const Topic = "branding"

// Branding is what an admin has set; a null field is inherited.
type Branding struct {
	AdminID   id.Admin     `json:"admin_id"`
	Branding  brand.Fields `json:"branding"`
	Inherited brand.Fields `json:"inherited" doc:"What holds where a field is null: the platform's brand, a value of its own or a built-in one."`
	Warnings  []Warning    `json:"warnings" doc:"What is allowed but hard to read."`
	CreatedAt db.Time      `json:"created_at"`
	UpdatedAt db.Time      `json:"updated_at"`
	Version   int64        `json:"-"`
}

// Revision is the version that If-Match compares.
func (b Branding) Revision() int64 { return b.Version }

// Warning is a value that is accepted but ill-advised.
type Warning struct {
	Field   string  `json:"field" example:"primary_color"`
	Code    string  `json:"code" enum:"low_contrast"`
	Message string  `json:"message"`
	Ratio   float64 `json:"ratio" doc:"Contrast with white, 1 to 21; WCAG AA asks 4.5 of text."`
}

// Edit is the body of an update.
type Edit struct {
	Branding brand.Patch `json:"branding"`
}

// Create makes the empty row of a new admin.
func Create(tx *db.Tx, admin id.Admin) error { return insert(tx, admin) }

// Lock locks the row until tx ends and gives its version, for If-Match.
func Lock(tx *db.Tx, admin id.Admin) (int64, error) {
	b, err := lock(tx, admin)
	return b.Version, missing(err)
}

// Of gives what the admin has set.
func Of(tx *db.Tx, admin id.Admin) (Branding, error) {
	b, err := one(tx, admin)
	if err != nil {
		return b, missing(err)
	}
	return b.complete(tx)
}

// complete adds what is not the admin's own.
func (b Branding) complete(tx *db.Tx) (_ Branding, err error) {
	b.Warnings = warnings(b.Branding)
	b.Inherited, _, err = base(tx)
	return b, err
}

// Update merges the change. Hiding the platform's name is 403 where the
// admin's partner group forbids it, save to the platform itself; what is hidden
// already may stay so.
func Update(tx *db.Tx, actor audit.Actor, admin id.Admin, in Edit) (Branding, error) {
	before, err := lock(tx, admin)
	if err != nil {
		return Branding{}, missing(err)
	}
	hidden := before.Branding.HidePoweredBy != nil && *before.Branding.HidePoweredBy
	if in.Branding.HidePoweredBy.Value && !hidden && actor.Tier < audit.Platform {
		may, err := mayHide(tx, admin)
		if err != nil {
			return Branding{}, err
		}
		if !may {
			return Branding{}, fault.DeniedField("branding.hide_powered_by")
		}
	}
	var v fault.Validation
	after := before
	after.Branding = brand.Apply(before.Branding, in.Branding, &v)
	if err := v.Err(); err != nil {
		return Branding{}, err
	}
	if err := logo.CheckBrand(tx, admin, after.Branding); err != nil {
		return Branding{}, err
	}
	changes, err := audit.Diff(before.Branding, after.Branding)
	if err != nil {
		return Branding{}, err
	}
	if after, err = after.complete(tx); err != nil {
		return Branding{}, err
	}
	if len(changes) == 0 {
		return after, nil
	}
	after.Version++
	after.UpdatedAt = tx.Now
	if err := update(tx, after); err != nil {
		return Branding{}, err
	}
	tx.Publish(Topic, "")
	name, err := reach(tx, admin)
	if err != nil {
		return Branding{}, err
	}
	_, err = audit.Record(tx, audit.Event{Actor: actor, Action: "branding.updated", Target: audit.Target{Type: "branding", ID: int64(admin), Name: name},
		Admin: admin, Changes: changes})
	return after, err
}

// reach names the admin and, in a dry run, counts who sees its brand.
func reach(tx *db.Tx, admin id.Admin) (name string, err error) {
	if effect.Wanted(tx) {
		organizations, users, domains, err := audience(tx, admin)
		if err != nil {
			return "", err
		}
		effect.Add(tx, effect.Organizations, organizations)
		effect.Add(tx, effect.Users, users)
		effect.Add(tx, effect.Domains, domains)
	}
	return adminName(tx, admin)
}

// readable is the contrast that WCAG AA asks of text.
const readable = 4.5

// warnings names the colours that white text, or text on white, is hard to
// read with.
func warnings(f brand.Fields) []Warning {
	all := []Warning{}
	for _, c := range []struct {
		field string
		value *string
	}{{"primary_color", f.PrimaryColor}, {"secondary_color", f.SecondaryColor}} {
		if c.value == nil {
			continue
		}
		if r, err := contrast(*c.value); err == nil && r < readable {
			all = append(all, Warning{Field: c.field, Code: "low_contrast", Ratio: r,
				Message: fmt.Sprintf("The contrast with white is %.2f to 1; text needs %.1f.", r, readable)})
		}
	}
	return all
}

// contrast is WCAG's ratio of a colour and white, to two decimals.
func contrast(hex string) (float64, error) {
	c, err := colorful.Hex(hex)
	if err != nil {
		return 0, err
	}
	r, g, b := c.LinearRgb()
	ratio := 1.05 / (0.2126*r + 0.7152*g + 0.0722*b + 0.05)
	return float64(int(ratio*100)) / 100, nil
}

func missing(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return fault.Missing()
	}
	return err
}
