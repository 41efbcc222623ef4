package console

import (
	"encoding/json"
	"net/http"
	"strings"
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
	c := &http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: cookieLife, HttpOnly: true, Secure: p.Secure(r), SameSite: http.SameSiteLaxMode}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// renew trades the cookie for an access token, and the cookie for the next.
func (p *Pages) renew(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		problem(w, http.StatusUnauthorized, "unauthenticated", "Nobody is signed in here.")
		return
	}
	var t tokens
	if err := p.call(r, http.MethodPost, "/api/auth/refresh", map[string]string{"refresh_token": c.Value}, &t); err != nil {
		if e, ok := err.(*refusal); ok && e.Status == http.StatusUnauthorized {
			p.keep(w, r, "")
		}
		pass(w, err)
		return
	}
	p.keep(w, r, t.RefreshToken)
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
	if n == appPath || strings.HasPrefix(n, appPath+"/") && !strings.ContainsAny(n, "\\\r\n") {
		return n
	}
	return appPath
}
