package audit

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Visibility is what of the log a caller may see: the union of what its roles
// give. The zero value sees nothing.
type Visibility struct {
	All           bool // superadmins and platform-wide keys
	Admins        []id.Admin
	Organizations []id.Organization
}

// Concerns reports whether a notice on Done is of something that v sees.
func (v Visibility) Concerns(notice string) bool {
	if v.All {
		return true
	}
	o, a, _ := strings.Cut(notice, ":")
	organization, admin := readID[id.Organization](o), readID[id.Admin](a)
	return slices.Contains(v.Organizations, organization) || slices.Contains(v.Admins, admin)
}

// scopeNotice says in a notice on Done who sees what was done.
func scopeNotice(o id.Organization, a id.Admin) string { return fmt.Sprintf("%d:%d", o, a) }

// readID gives zero, which is nobody's, for what is no id.
func readID[T id.Any](s string) T {
	n, _ := strconv.ParseInt(s, 10, 64)
	return T(n)
}

// Filter narrows a list; a zero field does not.
type Filter struct {
	Action       string // exact, or a prefix such as "organization.*"
	TargetType   string
	Actor        int64
	Organization id.Organization
	Admin        id.Admin
	Outcome      Outcome
	From         db.Time // included
	To           db.Time // not included
}

var actionForm = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?$`)

// Check refuses filters that no event could ever match, all fields at once.
func (f Filter) Check() error {
	var v fault.Validation
	if f.Action != "" && (len(f.Action) > 100 || !actionForm.MatchString(f.Action)) {
		v.Add("action", "invalid_value", "Give an action such as organization.suspended, or a prefix such as organization.*.")
	}
	if f.TargetType != "" && !slices.Contains(Types, f.TargetType) {
		v.Add("target_type", "unknown_value", "Use one of: %s.", strings.Join(Types, ", "))
	}
	if f.Outcome != "" && f.Outcome != OK && f.Outcome != Denied && f.Outcome != Failed {
		v.Add("outcome", "invalid_value", "Use ok, denied or error.")
	}
	if f.Actor < 0 {
		v.Add("actor_id", "invalid_value", "Give the id of a user or an API key.")
	}
	if f.To != 0 && f.From != 0 && f.To <= f.From {
		v.Add("to", "invalid_value", "Give a time after from.")
	}
	return v.Err()
}

// prefix is the beginning that a filter by prefix asks for, dot included.
func (f Filter) prefix() (string, bool) { return strings.CutSuffix(f.Action, "*") }

// timed reports a filter by time.
func (f Filter) timed() bool { return f.From != 0 || f.To != 0 }

// plain reports that nothing is filtered beyond the scope.
func (f Filter) plain() bool {
	return f.Action == "" && f.TargetType == "" && f.Actor == 0 && f.Outcome == "" && !f.timed()
}

// part is one piece of what is visible: the platform's log, an admin's, an
// organization's, or of the latter only what belongs to one admin or not to
// some. The parts of a visibility have no event in common.
type part struct {
	organization id.Organization
	admin        id.Admin
	without      []id.Admin // with an organization alone: seen through these anyhow
}

// parts are the pieces of what v sees that f leaves.
func (v Visibility) parts(f Filter) []part {
	if v.All {
		return []part{{organization: f.Organization, admin: f.Admin}}
	}
	admins := distinct(v.Admins)
	var parts []part
	for _, a := range admins {
		if f.Admin == 0 || f.Admin == a {
			parts = append(parts, part{organization: f.Organization, admin: a})
		}
	}
	for _, o := range distinct(v.Organizations) {
		switch {
		case f.Organization != 0 && f.Organization != o:
		case f.Admin == 0:
			parts = append(parts, part{organization: o, without: admins})
		case !slices.Contains(admins, f.Admin):
			parts = append(parts, part{organization: o, admin: f.Admin})
		}
	}
	return parts
}

func distinct[T id.Any](ids []T) []T {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// scope is the sequence that the part is read by.
func (p part) scope() string {
	switch {
	case p.organization != 0:
		return organizationScope(p.organization)
	case p.admin != 0:
		return adminScope(p.admin)
	}
	return "p"
}

// whole reports that the part is all of its scope, so that the scope's own
// numbers are the part's.
func (p part) whole() bool {
	return p.organization == 0 || p.admin == 0 && len(p.without) == 0
}
