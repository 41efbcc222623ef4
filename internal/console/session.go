package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenantry/tenantry/internal/auth"
)

const (
	sessionPath = "/session"
	cookieName  = "tenantry_session"
	cookieLife  = 30 * 24 * 60 * 60 // seconds; the refresh token itself ends earlier
)

// tokens are what the API gives a session.
type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
}

// keep sets the cookie of a session; an empty token takes it away.
func (p *Pages) keep(w http.ResponseWriter, r *http.Request, token string) {
	c := &http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: cookieLife, HttpOnly: true, Secure: p.Secure(r), SameSite: http.SameSiteLaxMode} //nolint:gosec // Secure wherever the page came over TLS
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// renew trades the cookie for an access token, and the cookie for the next.
func (p *Pages) renew(w http.ResponseWriter, r *http.Request) {
	t, err := p.trade(w, r)
	if err != nil {
		pass(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": t.AccessToken, "expires_in": t.ExpiresIn})
}

// endSession forgets the cookie; the application has ended the session itself.
func (p *Pages) endSession(w http.ResponseWriter, r *http.Request) {
	p.keep(w, r, "")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// next is where somebody goes after signing in: a page of the application that
// was asked for, never another site.
func next(r *http.Request) string {
	n := r.FormValue("next")
	path, _, _ := strings.Cut(n, "?")
	if (path == appPath || strings.HasPrefix(path, appPath+"/") || path == auth.VerifyPath) && !strings.ContainsAny(n, "\\\r\n") {
		return n
	}
	return appPath
}

// signIn sends somebody to sign in and back to a page.
func signIn(w http.ResponseWriter, r *http.Request, back string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/login?"+url.Values{"next": {back}}.Encode(), http.StatusSeeOther)
}

// trade takes the cookie for an access token, and sets the next. Nobody signed
// in, or a session that has ended, is a *refusal with status 401.
func (p *Pages) trade(w http.ResponseWriter, r *http.Request) (tokens, error) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return tokens{}, &refusal{Status: http.StatusUnauthorized, Code: "unauthenticated", Detail: "Nobody is signed in here."}
	}
	var t tokens
	if err := p.call(r, http.MethodPost, "/api/auth/refresh", map[string]string{"refresh_token": c.Value}, &t); err != nil {
		if unauthenticated(err) {
			p.keep(w, r, "")
		}
		return tokens{}, err
	}
	p.keep(w, r, t.RefreshToken)
	return t, nil
}

func unauthenticated(err error) bool {
	var e *refusal
	return errors.As(err, &e) && e.Status == http.StatusUnauthorized
}
