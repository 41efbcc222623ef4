package usage

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/quota"
)

// MeterLimit is a meter as it stands for one organization, beside its limit.
type MeterLimit struct {
	Meter     string       `json:"meter"`
	Name      string       `json:"name"`
	Kind      quota.Kind   `json:"kind" enum:"counter,gauge,seats"`
	Unit      string       `json:"unit"`
	Limit     *int64       `json:"limit" doc:"The effective one: the least of organization, group and platform; null: unlimited"`
	DecidedBy *quota.Level `json:"decided_by" enum:"organization,group,platform" doc:"Whose limit it is; null: unlimited"`
	Mode      quota.Mode   `json:"mode" enum:"hard,soft"`
	Own       *int64       `json:"own_limit" doc:"What was set for the organization alone; null: nothing. That of a built-in meter stands in the organization"`
	OwnMode   *quota.Mode  `json:"own_mode" enum:"hard,soft" doc:"null: the meter's"`
	Used      int64        `json:"used"`
	Reserved  int64        `json:"reserved"`
	Remaining *int64       `json:"remaining" doc:"null: unlimited"`
	Percent   *float64     `json:"percent" doc:"null: unlimited"`
	State     State        `json:"state" enum:"ok,warning,exceeded"`
	ResetAt   *db.Time     `json:"reset_at" doc:"null: it has no period"`
}

// MeterLimits is every meter of the catalogue, for one organization.
type MeterLimits struct {
	Data []MeterLimit `json:"data"`
}

// LimitPatch changes what holds for one organization.
type LimitPatch struct {
	Limit patch.Field[int64]  `json:"limit,omitzero" required:"false" example:"5000" doc:"null restores the meter's. That of a built-in meter is set with the organization"`
	Mode  patch.Field[string] `json:"mode,omitzero" required:"false" example:"soft" doc:"hard or soft; null restores the meter's"`
}

// Limits gives what holds for an organization of every meter, and what it uses.
func Limits(tx *db.Tx, o id.Organization) (MeterLimits, error) {
	known, err := knownIn(tx)
	if err != nil {
		return MeterLimits{}, err
	}
	period, month := Month(tx.Now, known.zone)
	a, err := quota.Find(tx, o)
	if err != nil {
		return MeterLimits{}, err
	}
	stand, err := standings(tx, o, month)
	if err != nil {
		return MeterLimits{}, err
	}
	all := MeterLimits{Data: []MeterLimit{}}
	for _, m := range slices.SortedFunc(maps.Values(known.meters), func(a, b quota.Meter) int { return cmp.Compare(a.Key, b.Key) }) {
		s := stand[m.Key]
		if m.Kind == quota.People {
			s = standing{used: a.Members + a.Invited}
		}
		all.Data = append(all.Data, limitOf(&a, m, s, period))
	}
	return all, nil
}

func limitOf(a *quota.Account, m quota.Meter, s standing, p Period) MeterLimit {
	l, set := a.Limit(m), a.Setting(m.Key)
	v := MeterLimit{Meter: m.Key, Name: m.Name, Kind: m.Kind, Unit: m.Unit, Mode: l.Mode, Own: set.Limit,
		Used: max(s.used, 0), Reserved: s.reserved, State: OK}
	if set.Mode != "" {
		v.OwnMode = &set.Mode
	}
	if m.Kind == quota.Counter {
		v.ResetAt = &p.To
	}
	if l.Limit != unlimited {
		v.Limit, v.DecidedBy = &l.Limit, &l.By
		v.Remaining = new(max(l.Limit-v.Used-s.reserved, 0))
		v.Percent, v.State = measure(float64(v.Used), float64(l.Limit))
	}
	return v
}

// SetLimit changes the limit or mode of a meter for one organization. To all
// but a superadmin an archived one is 409 invalid_transition.
func SetLimit(tx *db.Tx, actor audit.Actor, o id.Organization, admin id.Admin, key string, p LimitPatch) (MeterLimit, error) {
	known, err := knownIn(tx)
	if err != nil {
		return MeterLimit{}, err
	}
	m, ok := known.meters[key]
	if !ok {
		return MeterLimit{}, fault.Missing()
	}
	if err := p.check(m); err != nil {
		return MeterLimit{}, err
	}
	if err := lockOrganization(tx, o); err != nil {
		return MeterLimit{}, err
	}
	a, err := quota.Find(tx, o)
	if err == nil {
		err = checkOpen(actor, &a)
	}
	if err != nil {
		return MeterLimit{}, err
	}
	before, err := oneLimit(tx, o, key)
	if err != nil {
		return before, err
	}
	var mode *string
	if before.OwnMode != nil {
		mode = new(string(*before.OwnMode))
	}
	if err := storeLimit(tx, o, key, p.Limit.Pointer(before.Own), p.Mode.Pointer(mode)); err != nil {
		return before, err
	}
	after, err := oneLimit(tx, o, key)
	if err != nil {
		return before, err
	}
	changes, err := audit.Diff(before, after)
	if err != nil || len(changes) == 0 {
		return before, err
	}
	quota.Changed(tx, o)
	effect.Add(tx, effect.Organizations, 1)
	effect.Add(tx, effect.Users, a.Members)
	if after.Limit != nil && after.Used > *after.Limit && after.stricter(before) {
		effect.Exceed(tx, effect.Beyond(partyOf(o, a.Name), key, *after.Limit, after.Used))
	}
	if err := quota.LimitsChanged(tx, o); err != nil {
		return after, err
	}
	_, err = audit.Record(tx, audit.Event{Actor: actor, Action: "organization.meter_limit_updated", Changes: changes,
		Target: audit.Target{Type: "organization", ID: int64(o), Name: a.Name}, Organization: o, Admin: admin})
	return after, err
}

// stricter reports whether l, which bounds, refuses something that before let
// through.
func (l MeterLimit) stricter(before MeterLimit) bool {
	return before.Limit == nil || *l.Limit < *before.Limit || l.Mode == quota.Hard && before.Mode == quota.Soft
}

func partyOf(o id.Organization, name string) effect.Party {
	return effect.Party{Type: "organization", ID: int64(o), Name: name}
}

// checkOpen refuses an archived organization to all but a superadmin.
func checkOpen(actor audit.Actor, a *quota.Account) error {
	if !a.Archived || actor.Tier != audit.Reseller { // others are let in to no archived organization, or to all
		return nil
	}
	return fault.New(fault.Conflict, "invalid_transition", "The organization is archived; the platform alone changes it or brings it back.").
		With("current_status", "archived").With("allowed", []string{})
}

func (p LimitPatch) check(m quota.Meter) error {
	var v fault.Validation
	switch m.Key {
	case quota.Storage, quota.Bandwidth, quota.Seats:
		if p.Limit.Set {
			v.Add("limit", "not_applicable", "The limit of a built-in meter is set with the organization: PUT …/limits.")
		}
	}
	if p.Limit.Given() && (p.Limit.Value < 0 || p.Limit.Value > maxLimit) {
		v.Add("limit", "out_of_range", "Give a number from 0 to %d.", maxLimit)
	}
	if p.Mode.Given() && !quota.Mode(p.Mode.Value).Valid() {
		v.Add("mode", "unknown_value", "Use hard or soft.")
	}
	if m.Kind == quota.People && p.Mode.Set {
		v.Add("mode", "not_applicable", "Seats are always hard.")
	}
	return v.Err()
}

func oneLimit(tx *db.Tx, o id.Organization, key string) (MeterLimit, error) {
	all, err := Limits(tx, o)
	if err != nil {
		return MeterLimit{}, err
	}
	for _, l := range all.Data {
		if l.Meter == key {
			return l, nil
		}
	}
	return MeterLimit{}, fault.Missing()
}
