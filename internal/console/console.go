// Package console serves what a browser opens, all under the brand of the host
// it asked: light pages for everybody (sign-up, sign-in, the way back to a
// forgotten password), which need no script, and the console for whoever is
// signed in, a static application built from web/.
//
// It knows no rule of the product: a form that is sent becomes a call of the
// public API in the same process, with the same limits and refusals, and the
// application is a client of that API alone. The one thing of its own is a
// cookie: the refresh token of a session, which scripts cannot read. It only
// counts here, at POST /session, which trades it for an access token; the API
// takes Bearer tokens and nothing else.
package console

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/logo"
)

// Pages is the handler. Its exported fields are set before it serves; API last,
// as the API falls back on Pages for what it does not know.
type Pages struct {
	// API answers the calls of the forms.
	API http.Handler
	// Brand tells whose brand holds for a host.
	Brand *branding.Service
	// Host is the host name that a request was sent to, as the API understands
	// it; Secure whether it came over TLS.
	Host   func(*http.Request) string
	Secure func(*http.Request) bool

	assets map[string]*asset
	light  []string // addresses of the light pages' style and script
	layout *template.Template
	entry  entry // of the application; zero where it was not built
	forms  map[string]*form
	origin *http.CrossOriginProtection
}

// New reads what is embedded.
func New() (*Pages, error) {
	p := &Pages{assets: map[string]*asset{}, forms: map[string]*form{}, origin: http.NewCrossOriginProtection()}
	for _, f := range slices.Concat(forms, signedForms) {
		p.forms[f.path] = f
	}
	if err := p.load(); err != nil {
		return nil, err
	}
	return p, p.parse()
}

// policy is the Content-Security-Policy of the pages.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; " +
	"connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// ServeHTTP finds the page. What is posted from another site is refused.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	p.remember(w, r)
	path := r.URL.Path
	switch {
	case r.Method == http.MethodPost:
		p.post(w, r)
	case p.assets[path] != nil:
		p.assets[path].serve(w, r)
	case logo.IsPath(path):
		p.logo(w, r)
	case path == "/":
		p.start(w, r)
	case path == "/status":
		p.status(w, r)
	case p.forms[path] != nil:
		p.showForm(w, r, p.forms[path])
	case path == appPath || strings.HasPrefix(path, appPath+"/"):
		p.application(w, r)
	default:
		p.absent(w, r)
	}
}

// post takes what forms and the application send.
func (p *Pages) post(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	f := p.forms[path]
	if f == nil && path != sessionPath && path != sessionPath+"/end" {
		if p.takesGet(path) {
			w.Header().Set("Allow", "GET, HEAD")
			problem(w, http.StatusMethodNotAllowed, "method_not_allowed", "This page is not posted to.")
			return
		}
		p.absent(w, r)
		return
	}
	if err := p.origin.Check(r); err != nil {
		problem(w, http.StatusForbidden, "cross_origin", "This was sent from a page of another site.")
		return
	}
	switch {
	case f != nil:
		p.takeForm(w, r, f)
	case path == sessionPath:
		p.renew(w, r)
	default:
		p.endSession(w, r)
	}
}

func (p *Pages) takesGet(path string) bool {
	return p.assets[path] != nil || path == "/" || path == "/status" || path == appPath || strings.HasPrefix(path, appPath+"/")
}

// appPath is where the application lives; all below it is the application's.
const appPath = "/app"

// start sends whoever comes to the front door on: into the application, or to
// sign in.
func (p *Pages) start(w http.ResponseWriter, r *http.Request) {
	next := "/login"
	if _, err := r.Cookie(cookieName); err == nil {
		next = appPath
	} else if p.stopped(w, r) {
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// wantsPage tells a person's browser from a program.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// absent says that there is no such page: to a person as a page, to a program
// as a problem.
func (p *Pages) absent(w http.ResponseWriter, r *http.Request) {
	if !wantsPage(r) {
		problem(w, http.StatusNotFound, "not_found", "There is nothing here.")
		return
	}
	v, err := p.view(r)
	if err != nil {
		fail(w, err)
		return
	}
	v.Title, v.Message = v.T("There is no such page"), &message{Text: v.T("The address leads nowhere."), Link: "/", LinkText: v.T("To the start")}
	p.write(w, http.StatusNotFound, v)
}

// current is the brand of the host.
func (p *Pages) current(ctx context.Context, r *http.Request) (*branding.Page, error) {
	return p.Brand.Current(ctx, p.Host(r), branding.Caller{})
}
