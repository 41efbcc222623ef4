package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenantry/tenantry/internal/auth"
)

// form is a page with fields that becomes one call of the API.
type form struct {
	path, title, intro, button string
	fields                     []field
	links                      []link
	// signed is true for what only somebody who is signed in can send.
	signed bool
	// held is false for what makes no sense on the host of somebody suspended.
	held bool
	// send makes the call and says where to go, or what to show.
	send func(p *Pages, w http.ResponseWriter, r *http.Request, in map[string]string) (to string, shown *message, err error)
}

// field is one input; its name is the API's.
type field struct {
	Name, Label, Type, Complete, Hint string
	Optional                          bool
	Hidden                            bool // carried along from the address
	// Token marks the field that the script fills from the address's fragment;
	// without a script the whole link is pasted.
	Token bool
	// Given marks a token that stands in the query: with it there is no field.
	Given bool
}

type link struct{ To, Text string }

const tokenHint = "Paste the link here, as you got it."

var (
	emailField = field{Name: "email", Label: "E-mail", Type: "email", Complete: "username"}
	newField   = field{Name: "password", Label: "New password", Type: "password", Complete: "new-password", Hint: "A long one; a sentence is good."}
	tokenField = field{Name: "token", Label: "Link", Type: "text", Complete: "off", Hint: tokenHint, Token: true}
)

// forms are the pages for everybody.
var forms = []*form{
	{
		path: "/login", title: "Sign in", button: "Sign in", held: true,
		fields: []field{emailField, {Name: "password", Label: "Password", Type: "password", Complete: "current-password"}, {Name: "next", Hidden: true}},
		links:  []link{{"/forgot", "Forgot the password?"}, {"/signup", "Sign up"}},
		send: func(p *Pages, w http.ResponseWriter, r *http.Request, in map[string]string) (string, *message, error) {
			var t tokens
			if err := p.call(r, http.MethodPost, "/api/auth/login", pick(in, "email", "password"), &t); err != nil {
				return "", nil, err
			}
			p.keep(w, r, t.RefreshToken)
			return next(r), nil, nil
		},
	},
	{
		path: "/signup", title: "Sign up", intro: "Ask for an organization. We answer by mail.", button: "Send the request",
		fields: []field{
			{Name: "company_name", Label: "Company", Type: "text", Complete: "organization"},
			{Name: "contact_name", Label: "Your name", Type: "text", Complete: "name"},
			emailField,
			{Name: "password", Label: "Password", Type: "password", Complete: "new-password", Hint: "A long one; a sentence is good."},
			{Name: "phone", Label: "Phone", Type: "tel", Complete: "tel", Optional: true},
			{Name: "desired_org_slug", Label: "Short name in addresses", Type: "text", Complete: "off", Optional: true, Hint: "Lower-case letters, digits and hyphens. Without one we derive it from the company."},
			{Name: "referral_code", Label: "Referral code", Type: "text", Complete: "off", Optional: true},
			{Name: "utm_source", Hidden: true}, {Name: "utm_medium", Hidden: true}, {Name: "utm_campaign", Hidden: true},
		},
		links: []link{{"/login", "Sign in"}},
		send: func(p *Pages, _ http.ResponseWriter, r *http.Request, in map[string]string) (string, *message, error) {
			var out struct {
				StatusURL string `json:"status_url"`
			}
			err := p.call(r, http.MethodPost, "/api/tenants/register", in, &out)
			return local(out.StatusURL), nil, err
		},
	},
	{
		path: "/forgot", title: "Forgot the password", intro: "We mail you a link to set a new one.", button: "Send the link", held: true,
		fields: []field{emailField}, links: []link{{"/login", "Sign in"}},
		send: func(p *Pages, _ http.ResponseWriter, r *http.Request, in map[string]string) (string, *message, error) {
			err := p.call(r, http.MethodPost, "/api/auth/password/forgot", in, nil)
			return "", &message{Text: "If we know this address, a link is on its way. It works once, for an hour.", Link: "/login", LinkText: "Sign in"}, err
		},
	},
	{
		path: "/reset", title: "New password", button: "Set the password", held: true,
		fields: []field{tokenField, newField}, links: []link{{"/forgot", "Ask for another link"}},
		send: func(p *Pages, _ http.ResponseWriter, r *http.Request, in map[string]string) (string, *message, error) {
			return "/login?done=reset", nil, p.call(r, http.MethodPost, "/api/auth/password/reset", in, nil)
		},
	},
	{
		path: "/accept", title: "Accept the invitation", button: "Accept", held: true,
		fields: []field{
			tokenField,
			{Name: "name", Label: "Your name", Type: "text", Complete: "name", Optional: true, Hint: "If you are new here."},
			{Name: "password", Label: "Password", Type: "password", Complete: "new-password", Optional: true, Hint: "A new one, or the one of your account."},
		},
		send: func(p *Pages, _ http.ResponseWriter, r *http.Request, in map[string]string) (string, *message, error) {
			return "/login?done=accepted", nil, p.call(r, http.MethodPost, "/api/auth/invitations/accept", in, nil)
		},
	},
	{
		path: "/setup", title: "Set up Tenantry", intro: "This makes the first superadmin.", button: "Make the first superadmin", held: true,
		fields: []field{tokenField, {Name: "name", Label: "Your name", Type: "text", Complete: "name"}, emailField, newField},
		send: func(p *Pages, _ http.ResponseWriter, r *http.Request, in map[string]string) (string, *message, error) {
			return "/login?done=setup", nil, p.call(r, http.MethodPost, "/api/auth/setup", in, nil)
		},
	},
}

// signedForms are the pages of whoever is signed in that need no application.
var signedForms = []*form{
	{
		path: auth.VerifyPath, title: "Confirm your e-mail address", intro: "With this you show that the address of your account is yours.", button: "Confirm", held: true, signed: true,
		fields: []field{{Name: "token", Label: "Link", Type: "text", Complete: "off", Hint: tokenHint, Token: true, Given: true}},
		links:  []link{{auth.VerifyPath + "/again", "Ask for another link"}},
		send: func(p *Pages, w http.ResponseWriter, r *http.Request, in map[string]string) (string, *message, error) {
			t, err := p.trade(w, r)
			if err == nil {
				err = p.callAs(r, t.AccessToken, http.MethodPost, "/api/auth/email/verify", in, nil)
			}
			return "", &message{Text: "Your e-mail address is confirmed.", Link: appPath, LinkText: "To the console"}, err
		},
	},
	{
		path: auth.VerifyPath + "/again", title: "Confirm your e-mail address", intro: "We mail you another link.", button: "Send the link", held: true, signed: true,
		send: func(p *Pages, w http.ResponseWriter, r *http.Request, _ map[string]string) (string, *message, error) {
			t, err := p.trade(w, r)
			if err == nil {
				err = p.callAs(r, t.AccessToken, http.MethodPost, "/api/auth/email/send", nil, nil)
			}
			return "", &message{Text: "A link is on its way. It works once, for seven days.", Link: appPath, LinkText: "To the console"}, err
		},
	},
}

// done are the notices that a page may be opened with.
var done = map[string]string{
	"reset": "Your password is set. Sign in with it.", "accepted": "You are a member now. Sign in.",
	"setup": "The first superadmin is there. Sign in.", "out": "You are signed out.",
	"ended": "Your session has ended. Sign in again.",
}

func pick(in map[string]string, names ...string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		out[n] = in[n]
	}
	return out
}

// showForm shows the empty form, filled in with what the address carries.
func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, f *form) {
	if !f.held && p.stopped(w, r) {
		return
	}
	if _, err := r.Cookie(cookieName); f.signed && err != nil {
		signIn(w, r, r.URL.RequestURI())
		return
	}
	v, err := p.view(r)
	if err != nil {
		fail(w, err)
		return
	}
	q := r.URL.Query()
	values := map[string]string{"referral_code": q.Get("ref")}
	for _, fd := range f.fields {
		if fd.Hidden || fd.Given {
			values[fd.Name] = q.Get(fd.Name)
		}
	}
	v.fill(f, values, nil)
	v.Notice = v.T(done[q.Get("done")])
	p.write(w, http.StatusOK, v)
}

const formBytes = 64 << 10 // more than all fields at their longest

// takeForm sends the form and shows it again with what is wrong, or only shows
// it again, with what was entered but for passwords.
func (p *Pages) takeForm(w http.ResponseWriter, r *http.Request, f *form) {
	r.Body = http.MaxBytesReader(w, r.Body, formBytes)
	if t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); t != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		problem(w, http.StatusUnsupportedMediaType, "unsupported_media_type", "This page takes its own form alone.")
		return
	}
	in := map[string]string{}
	for _, fd := range f.fields {
		s := r.PostForm.Get(fd.Name)
		if fd.Token {
			if _, token, ok := strings.Cut(s, "token="); ok {
				s = token
			}
			s = strings.TrimSpace(s)
		}
		if s != "" || !fd.Optional && !fd.Hidden {
			in[fd.Name] = s
		}
	}
	if r.PostForm.Has("show") { // in another language
		p.again(w, r, f, in, &refusal{Status: http.StatusOK})
		return
	}
	to, shown, err := f.send(p, w, r, in)
	var refused *refusal
	switch {
	case f.signed && unauthenticated(err):
		signIn(w, r, f.back(in))
	case errors.As(err, &refused):
		p.again(w, r, f, in, refused)
	case err != nil:
		fail(w, err)
	case shown != nil:
		p.tell(w, r, f.title, shown)
	default:
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

// back is the address of the page with what was filled in.
func (f *form) back(in map[string]string) string {
	q := url.Values{}
	for _, fd := range f.fields {
		if fd.Given && in[fd.Name] != "" {
			q.Set(fd.Name, in[fd.Name])
		}
	}
	return (&url.URL{Path: f.path, RawQuery: q.Encode()}).String()
}

func (p *Pages) again(w http.ResponseWriter, r *http.Request, f *form, in map[string]string, e *refusal) {
	v, err := p.view(r)
	if err != nil {
		fail(w, err)
		return
	}
	v.fill(f, in, e)
	if e.retry != "" {
		w.Header().Set("Retry-After", e.retry)
	}
	p.write(w, e.Status, v)
}

func (p *Pages) tell(w http.ResponseWriter, r *http.Request, title string, m *message) {
	v, err := p.view(r)
	if err != nil {
		fail(w, err)
		return
	}
	v.Title, v.Message = v.T(title), &message{Text: v.T(m.Text), Link: m.Link, LinkText: v.T(m.LinkText)}
	p.write(w, http.StatusOK, v)
}
