package registration

import (
	"encoding/base64"
	"encoding/binary"
	"net/url"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
)

// statusPath is the page that the signed link opens.
const statusPath = "/status?token="

// purpose binds the seal of status tokens.
const purpose = "registration.status"

// StatusURL is the signed link under which the applicant follows the request:
// it holds the request's id, sealed, so that nothing needs to be stored and
// every mail can carry it.
func (s *Service) StatusURL(request id.Request) string {
	sealed := s.Mail.Box.Seal(purpose, binary.AppendVarint(nil, int64(request)))
	return s.Mail.BaseURL + statusPath + url.QueryEscape(base64.RawURLEncoding.EncodeToString(sealed))
}

// Standing is what the applicant sees of the request.
type Standing struct {
	Status         Status  `json:"status" enum:"pending_approval,approved,rejected,active"`
	CompanyName    string  `json:"company_name"`
	DesiredOrgSlug string  `json:"desired_org_slug"`
	Reason         *string `json:"reason" doc:"Of a rejection."`
	Organization   *string `json:"organization" doc:"Its slug, once active."`
	UpdatedAt      db.Time `json:"updated_at"`
}

// StatusByToken reads the request of a status link; a token that is not ours
// is the 404.
func (s *Service) StatusByToken(tx *db.Tx, token string) (Standing, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return Standing{}, fault.Missing()
	}
	b, err := s.Mail.Box.Open(purpose, sealed)
	if err != nil {
		return Standing{}, fault.Missing()
	}
	n, size := binary.Varint(b)
	if size <= 0 {
		return Standing{}, fault.Missing()
	}
	r, err := Find(tx, id.Request(n))
	if err != nil {
		return Standing{}, err
	}
	out := Standing{Status: r.Status, CompanyName: r.CompanyName, DesiredOrgSlug: r.DesiredOrgSlug, Reason: r.Reason, UpdatedAt: r.UpdatedAt}
	if r.OrganizationID != nil {
		slug, err := slugOf(tx, *r.OrganizationID)
		if err != nil {
			return Standing{}, err
		}
		out.Organization = &slug
	}
	return out, nil
}

// SlugAnswer tells whether a slug can be had.
type SlugAnswer struct {
	Slug        string   `json:"slug"`
	Available   bool     `json:"available"`
	Reason      *string  `json:"reason" enum:"slug_taken,invalid_slug,reserved_slug" doc:"Why not."`
	Suggestions []string `json:"suggestions" doc:"Free slugs like it, when it cannot be had."`
}

// SlugStatus tells whether nobody holds the slug now; only register decides.
func SlugStatus(tx *db.Tx, slug string) (SlugAnswer, error) {
	a := SlugAnswer{Slug: slug, Suggestions: []string{}}
	no := func(reason string) { a.Reason = &reason }
	var v fault.Validation
	org.CheckSlug("slug", slug, &v)
	if err := v.Err(); err != nil {
		no(fault.Code(err))
		slug = org.DeriveSlug(slug)
	}
	free, err := org.SlugFree(tx, slug)
	if err != nil {
		return a, err
	}
	switch {
	case a.Reason == nil && free:
		a.Available = true
		return a, nil
	case a.Reason == nil:
		no("slug_taken")
	case free:
		a.Suggestions = append(a.Suggestions, slug)
	}
	more, err := org.Suggestions(tx, slug, 3-len(a.Suggestions))
	a.Suggestions = append(a.Suggestions, more...)
	return a, err
}
