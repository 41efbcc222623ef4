package console

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/branding"
)

// view is what a page is made of.
type view struct {
	Title, Notice string
	Lang          string
	Dark          bool
	Brand         look
	Form          *filled
	Message       *message
	Standing      *standing
	Island        any // of the application
	Entry         entry
	Style, Script string
	Languages     []link // to the same page in the others
}

// filled is a form with what was entered and what is wrong with it.
type filled struct {
	Path, Title, Intro, Button string
	Fields                     []entered
	Links                      []link
	Alert, RequestID           string
	Suggestions                []string // to take instead of what was refused
}

type entered struct {
	field
	Value, Wrong string
}

// message is a page that only says something.
type message struct{ Text, Link, LinkText string }

// look is a brand as the templates use it.
type look struct {
	Name, Logo, Icon, Footer, Support string
	PoweredBy                         bool
	// Colours that can be read: on white, and on the dark ground; Text is what
	// is written on Fill.
	Fill, Text, Light, Dark template.CSS
	Theme                   string
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func lookOf(b brand.Fields) look {
	primary := text(b.PrimaryColor)
	if primary == "" {
		primary = "#1F5FBF"
	}
	l := look{Name: text(b.AppName), Logo: text(b.LogoURL), Icon: text(b.FaviconURL), Footer: text(b.FooterText), Support: text(b.SupportEmail), Theme: primary}
	l.PoweredBy = b.HidePoweredBy == nil || !*b.HidePoweredBy
	if l.Name == "" {
		l.Name = "Tenantry"
	}
	if l.Icon == "" {
		l.Icon = "/icon.svg"
	}
	// brand checks that a colour is #RRGGBB; readable gives the same form.
	l.Fill, l.Text = template.CSS(primary), template.CSS(over(primary))                                                                     //nolint:gosec // see above
	l.Light, l.Dark = template.CSS(readable(primary, lightGround, textContrast)), template.CSS(readable(primary, darkGround, textContrast)) //nolint:gosec // see above
	return l
}

// view begins a page: language and brand.
func (p *Pages) view(r *http.Request) (*view, error) {
	page, err := p.current(r.Context(), r)
	if err != nil {
		return nil, err
	}
	v := &view{Lang: language(r), Brand: lookOf(page.Current.Branding), Style: p.light[0], Script: p.light[1]}
	for _, l := range []link{{"en", "English"}, {"de", "Deutsch"}} {
		if l.To != v.Lang {
			q := r.URL.Query()
			q.Set("lang", l.To)
			v.Languages = append(v.Languages, link{To: (&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}).String(), Text: l.Text})
		}
	}
	return v, nil
}

// fill puts a form on the page.
func (v *view) fill(f *form, values map[string]string, e *refusal) {
	v.Title = v.T(f.title)
	out := &filled{Path: f.path, Title: v.T(f.title), Intro: v.T(f.intro), Button: v.T(f.button)}
	wrong := map[string]string{}
	if e != nil {
		out.Alert, out.RequestID, out.Suggestions = v.said(e.Detail), e.RequestID, e.Suggestions
		for _, x := range e.Errors {
			wrong[x.Field] = v.said(x.Message)
		}
	}
	for _, fd := range f.fields {
		fd.Label, fd.Hint = v.T(fd.Label), v.T(fd.Hint)
		in := entered{field: fd, Value: values[fd.Name], Wrong: wrong[fd.Name]}
		if fd.Given && in.Value != "" && in.Wrong == "" {
			in.Hidden = true
		}
		if fd.Type == "password" {
			in.Value = ""
		}
		out.Fields = append(out.Fields, in)
	}
	for _, l := range f.links {
		out.Links = append(out.Links, link{l.To, v.T(l.Text)})
	}
	v.Form = out
}

// parse reads the templates.
func (p *Pages) parse() (err error) {
	p.layout, err = template.New("").Funcs(template.FuncMap{"t": func(v *view, s string) string { return v.T(s) }}).ParseFS(pageFiles, "page/*.html")
	return err
}

// write sends the page. It differs by host and by language, and none is kept.
func (p *Pages) write(w http.ResponseWriter, status int, v *view) {
	b, err := p.render(w, "page.html", v)
	if err != nil {
		fail(w, err)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Host, Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// render makes a page of a template, and says what it is.
func (p *Pages) render(w http.ResponseWriter, template string, v *view) ([]byte, error) {
	var b bytes.Buffer
	if err := p.layout.ExecuteTemplate(&b, template, v); err != nil {
		return nil, err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Lang)
	return b.Bytes(), nil
}

// standing is where a request stands, as the API tells it.
type standing struct {
	Status         string  `json:"status"`
	CompanyName    string  `json:"company_name"`
	DesiredOrgSlug string  `json:"desired_org_slug"`
	Reason         *string `json:"reason"`
	Organization   *string `json:"organization"`
}

// Step counts how far the request has come: 1 received, 2 approved, 3 ready.
func (s standing) Step() int {
	return map[string]int{"pending_approval": 1, "approved": 2, "active": 3}[s.Status]
}

// status shows where a request stands, by its signed link.
func (p *Pages) status(w http.ResponseWriter, r *http.Request) {
	v, err := p.view(r)
	if err != nil {
		fail(w, err)
		return
	}
	v.Title = v.T("Your request")
	var s standing
	err = p.call(r, http.MethodGet, "/api/tenants/register/status?token="+url.QueryEscape(r.URL.Query().Get("token")), nil, &s)
	var refused *refusal
	switch {
	case errors.As(err, &refused) && refused.Status < 500:
		text := v.said(refused.Detail)
		if refused.Status == http.StatusNotFound || refused.Status == http.StatusUnprocessableEntity {
			text = v.T("This link is not valid. Use the one from your mail, whole.")
		}
		v.Message = &message{Text: text, Link: "/signup", LinkText: v.T("Sign up")}
		p.write(w, refused.Status, v)
	case err != nil:
		pass(w, err)
	default:
		v.Standing = &s
		p.write(w, http.StatusOK, v)
	}
}

// stopped answers where the host is the custom domain of somebody on hold: 403,
// to a person as a page in the host's brand, to a program as a problem. It
// reports whether it did. Signing in stays open, for what a suspension leaves.
func (p *Pages) stopped(w http.ResponseWriter, r *http.Request) bool {
	page, err := p.current(r.Context(), r)
	if err != nil {
		fail(w, err)
		return true
	}
	if page.Stopped == branding.Nobody {
		return false
	}
	if !wantsPage(r) {
		code := "organization_suspended"
		if page.Stopped == branding.Admin {
			code = "admin_suspended"
		}
		problem(w, http.StatusForbidden, code, "This service is suspended at the moment.")
		return true
	}
	v, err := p.view(r)
	if err != nil {
		fail(w, err)
		return true
	}
	v.Title = v.T("Suspended")
	v.Message = &message{Text: v.T("This service is suspended at the moment."), Link: "/login", LinkText: v.T("Sign in")}
	p.write(w, http.StatusForbidden, v)
	return true
}

// language is what the visitor reads: chosen by ?lang, else the cookie, else
// what the browser asks for.
func language(r *http.Request) string {
	if q := r.URL.Query().Get("lang"); q == "de" || q == "en" {
		return q
	}
	if c, err := r.Cookie(languageCookie); err == nil && (c.Value == "de" || c.Value == "en") {
		return c.Value
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(part)), ";")
		tag, _, _ = strings.Cut(tag, "-")
		if tag == "de" || tag == "en" {
			return tag
		}
	}
	return "en"
}

const languageCookie = "tenantry_lang"

// remember keeps a language that was chosen, for the pages and the application.
func (p *Pages) remember(w http.ResponseWriter, r *http.Request) {
	if q := r.URL.Query().Get("lang"); q == "de" || q == "en" {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: q, Path: "/", MaxAge: 365 * 24 * 60 * 60, SameSite: http.SameSiteLaxMode, Secure: p.Secure(r)}) //nolint:gosec // the application reads it
	}
}
