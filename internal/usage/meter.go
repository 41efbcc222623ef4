package usage

import (
	"regexp"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/text"
)

// MaxMeters bounds the catalogue of meters, so that it can be held at once.
const MaxMeters = 1000

// Meter is what can be measured, as it is answered.
type Meter struct {
	ID          id.Meter   `json:"id"`
	Key         string     `json:"key" example:"orders" doc:"Names the meter everywhere; never changes"`
	Name        string     `json:"name" example:"Orders"`
	Description string     `json:"description"`
	Kind        quota.Kind `json:"kind" enum:"counter,gauge,seats" doc:"A counter grows through a month, a gauge stands at something until it is set anew; seats are counted by Tenantry"`
	Unit        string     `json:"unit" example:"orders"`
	Plugin      *string    `json:"plugin" example:"ecommerce" doc:"Who alone may report it; null: every plugin"`
	Limit       int64      `json:"limit" doc:"The platform's, of one organization; -1 is unlimited"`
	Mode        quota.Mode `json:"mode" enum:"hard,soft" doc:"Whether a limit refuses what is beyond it, or marks it"`
	BuiltIn     bool       `json:"built_in"`
	CreatedAt   db.Time    `json:"created_at"`
	UpdatedAt   db.Time    `json:"updated_at"`
	Version     int64      `json:"-"`
}

// Revision moves with every change of a settable field.
func (m Meter) Revision() int64 { return m.Version }

// NewMeter is what a meter is made of; key, name and kind are required.
type NewMeter struct {
	Key         string     `json:"key" example:"orders" maxLength:"64"`
	Name        string     `json:"name" example:"Orders" maxLength:"200"`
	Description string     `json:"description,omitempty" required:"false" maxLength:"2000"`
	Kind        quota.Kind `json:"kind" enum:"counter,gauge"`
	Unit        string     `json:"unit,omitempty" required:"false" example:"orders" maxLength:"64" doc:"bytes are shown as GB; without it the key"`
	Plugin      *string    `json:"plugin,omitempty" example:"ecommerce" maxLength:"64" doc:"Who alone may report it; absent or null: every plugin"`
	Limit       *int64     `json:"limit,omitempty" example:"10000" doc:"Of one organization; -1, or nothing, is unlimited"`
	Mode        quota.Mode `json:"mode,omitempty" required:"false" enum:"hard,soft" doc:"Without it hard"`
}

// MeterPatch is a merging PUT: an absent field stays.
type MeterPatch struct {
	Name        patch.Field[string] `json:"name,omitzero" required:"false" example:"Orders"`
	Description patch.Field[string] `json:"description,omitzero" required:"false" doc:"null empties it"`
	Unit        patch.Field[string] `json:"unit,omitzero" required:"false" example:"orders" doc:"Not of a built-in meter"`
	Plugin      patch.Field[string] `json:"plugin,omitzero" required:"false" example:"ecommerce" doc:"null: every plugin. Not of a built-in meter"`
	Limit       patch.Field[int64]  `json:"limit,omitzero" required:"false" example:"10000" doc:"-1 or null is unlimited"`
	Mode        patch.Field[string] `json:"mode,omitzero" required:"false" example:"soft" doc:"hard or soft; null restores hard"`
}

// Bounds of a meter's texts.
const (
	maxName        = 120
	maxDescription = 1000
	maxUnit        = 30
	maxLimit       = int64(1e17)
)

var meterKeys = regexp.MustCompile(`^[a-z][a-z0-9_]{1,63}$`)

// Meters lists the catalogue, newest first.
func Meters(tx *db.Tx, q string, r page.Request) (page.List[Meter], error) {
	return listMeters(tx, q, r)
}

// MeterOf gives one; fault.Missing where there is none.
func MeterOf(tx *db.Tx, key string) (Meter, error) { return findMeter(tx, key) }

// LockMeter keeps every other transaction from changing the meter until this
// one ends, and gives its version.
func LockMeter(tx *db.Tx, key string) (int64, error) {
	m, err := lockMeter(tx, key)
	return m.Version, err
}

// CreateMeter adds a meter. A key that another has is the conflict key_taken.
func CreateMeter(tx *db.Tx, actor audit.Actor, in NewMeter) (Meter, error) {
	var v fault.Validation
	m := Meter{Key: in.Key, Kind: in.Kind, Unit: in.Unit, Plugin: in.Plugin, Limit: unlimited, Mode: in.Mode}
	if !meterKeys.MatchString(in.Key) {
		v.Add("key", "invalid_key", "Use 2 to 64 of a-z, 0-9 and _, beginning with a letter.")
	}
	m.Name = text.Name("name", in.Name, maxName, &v)
	m.Description = text.Prose("description", in.Description, maxDescription, &v)
	if m.Unit == "" {
		m.Unit = in.Key
	}
	if in.Limit != nil {
		m.Limit = *in.Limit
	}
	if m.Mode == "" {
		m.Mode = quota.Hard
	}
	if in.Kind != quota.Counter && in.Kind != quota.Gauge {
		v.Add("kind", "unknown_value", "Use counter or gauge.")
	}
	if err := m.check(tx, &v); err != nil {
		return Meter{}, err
	}
	n, err := countMeters(tx)
	if err != nil {
		return Meter{}, err
	}
	if n >= MaxMeters {
		return Meter{}, fault.New(fault.Conflict, "catalogue_full", "There are %d meters already, which is all there may be.", n)
	}
	m, created, err := insertMeter(tx, m)
	if err == nil && !created {
		err = fault.New(fault.Conflict, "key_taken", "Another meter has this key; choose another.")
	}
	if err != nil {
		return Meter{}, err
	}
	return m, m.record(tx, actor, "meter.created", Meter{}, m)
}

// check validates what stands in the meter itself.
func (m *Meter) check(tx *db.Tx, v *fault.Validation) error {
	m.Unit = text.Name("unit", m.Unit, maxUnit, v)
	if m.Limit < unlimited || m.Limit > maxLimit {
		v.Add("limit", "out_of_range", "Give a number from 0 to %d, or -1 for unlimited.", maxLimit)
	}
	if !m.Mode.Valid() {
		v.Add("mode", "unknown_value", "Use hard or soft.")
	}
	if m.Plugin != nil {
		_, plugins, err := loadCatalogue(tx)
		if err != nil {
			return err
		}
		if !plugins[*m.Plugin] {
			v.Add("plugin", "unknown_plugin", "Name a plugin of the catalogue; see GET /api/tenants/available-plugins.")
		}
	}
	return v.Err()
}

// UpdateMeter changes what p gives and leaves the rest.
func UpdateMeter(tx *db.Tx, actor audit.Actor, key string, p MeterPatch) (Meter, error) {
	before, err := lockMeter(tx, key)
	if err != nil {
		return Meter{}, err
	}
	var v fault.Validation
	m := before
	if p.Name.Null {
		v.Add("name", "required", "The name cannot be cleared.")
	} else if p.Name.Set {
		m.Name = text.Name("name", p.Name.Value, maxName, &v)
	}
	if p.Description.Set {
		m.Description = text.Prose("description", p.Description.Value, maxDescription, &v)
	}
	if before.BuiltIn && (p.Unit.Set || p.Plugin.Set) {
		v.Add("unit", "not_applicable", "Of a built-in meter, name, description, limit and mode can be changed.")
	}
	if p.Unit.Null {
		v.Add("unit", "required", "The unit cannot be cleared.")
	}
	m.Unit, m.Plugin = p.Unit.Or(m.Unit), p.Plugin.Pointer(m.Plugin)
	if p.Limit.Set {
		m.Limit = unlimited
		if p.Limit.Given() {
			m.Limit = p.Limit.Value
		}
	}
	if p.Mode.Set {
		m.Mode = quota.Hard
		if p.Mode.Given() {
			m.Mode = quota.Mode(p.Mode.Value)
		}
	}
	if err := m.check(tx, &v); err != nil {
		return Meter{}, err
	}
	changes, err := audit.Diff(before, m)
	if err != nil || len(changes) == 0 {
		return before, err
	}
	if m, err = updateMeter(tx, m); err != nil {
		return Meter{}, err
	}
	if err := m.reach(tx, before); err != nil {
		return Meter{}, err
	}
	if m.Limit != before.Limit {
		if err := quota.MeterLimitChanged(tx, m.Key); err != nil {
			return Meter{}, err
		}
	}
	return m, m.record(tx, actor, "meter.updated", before, m)
}

// reach counts for a dry run whom a change of the meter hits: organizations that
// use it or have a limit of it. Where the platform's limit became stricter, it
// says who uses more.
func (m Meter) reach(tx *db.Tx, before Meter) error {
	if !effect.Wanted(tx) {
		return nil
	}
	zone, err := zone(tx)
	if err != nil {
		return err
	}
	_, month := Month(tx.Now, zone)
	organizations, users, err := meterReach(tx, m, month)
	if err != nil {
		return err
	}
	effect.Add(tx, effect.Organizations, organizations)
	effect.Add(tx, effect.Users, users)
	lowered := before.Limit == unlimited || m.Limit < before.Limit
	if m.Limit == unlimited || !lowered && (m.Mode != quota.Hard || before.Mode != quota.Soft) {
		return nil
	}
	over, err := meterBeyond(tx, m, month)
	effect.Exceed(tx, over...)
	return err
}

// DeleteMeter removes a meter that nothing was measured by, and so hits nobody.
// A built-in one, and one that was used, is the conflict in_use.
func DeleteMeter(tx *db.Tx, actor audit.Actor, key string) error {
	m, err := lockMeter(tx, key)
	if err != nil {
		return err
	}
	used, err := meterUsed(tx, key)
	if err != nil {
		return err
	}
	if m.BuiltIn || used {
		return fault.New(fault.Conflict, "in_use", "A built-in meter stays, and so does one that something was measured by or limited.")
	}
	if err := deleteMeter(tx, key); err != nil {
		return err
	}
	return m.record(tx, actor, "meter.deleted", m, Meter{})
}

func (m Meter) record(tx *db.Tx, actor audit.Actor, action string, before, after Meter) error {
	quota.ChangedAll(tx)
	changes, err := audit.Diff(before, after)
	if err != nil {
		return err
	}
	_, err = audit.Record(tx, audit.Event{Actor: actor, Action: action, Changes: changes,
		Target: audit.Target{Type: "meter", ID: int64(m.ID), Name: m.Key}})
	return err
}
