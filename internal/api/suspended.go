package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/branding"
)

//go:embed suspended.html
var suspendedPage string

var suspendedTemplate = template.Must(template.New("suspended").Parse(suspendedPage))

// suspended answers in the place of the console where the host is the custom
// domain of somebody who is on hold: 403, to a person as a page in the host's
// brand. It reports whether it did. The API goes on: who signs in there may
// what holds leave.
func (s *Server) suspended(w http.ResponseWriter, r *http.Request) bool {
	if s.Branding == nil {
		return false
	}
	p, err := s.Branding.Current(r.Context(), s.proxies.host(r), branding.Caller{})
	if err != nil {
		writeProblem(w, r, err)
		return true
	}
	switch p.Stopped {
	case branding.Nobody:
		return false
	case branding.Admin:
		err = auth.AdminSuspended.Refusal()
	case branding.Organization:
		err = auth.OrganizationSuspended.Refusal()
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		writeProblem(w, r, err)
		return true
	}
	var b bytes.Buffer
	if err := suspendedTemplate.Execute(&b, p.Current.Branding); err != nil {
		writeProblem(w, r, err)
		return true
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Host, Accept")
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write(b.Bytes())
	return true
}
