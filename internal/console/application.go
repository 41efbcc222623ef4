package console

import (
	"net/http"

	"github.com/tenantry/tenantry/internal/brand"
)

// island is what the application knows before its first call.
type island struct {
	Branding brand.Fields `json:"branding"`
	Lang     string       `json:"lang"`
}

// application is the page that loads the application, under the brand of the
// host. Whoever has no session signs in first.
func (p *Pages) application(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie(cookieName); err != nil {
		signIn(w, r, r.URL.RequestURI())
		return
	}
	v, err := p.view(r)
	if err != nil {
		fail(w, err)
		return
	}
	if p.entry.Script == "" {
		v.Title = v.T("The console is not built")
		v.Message = &message{Text: v.T("This binary was made without the console. With Node.js 20 or later, run `make build` in the source tree; everything else works, the API's reference included."), Link: "/docs", LinkText: v.T("API reference")}
		p.write(w, http.StatusOK, v)
		return
	}
	page, err := p.current(r.Context(), r)
	if err != nil {
		fail(w, err)
		return
	}
	v.Title, v.Entry, v.Island = v.Brand.Name, p.entry, island{Branding: page.Current.Branding, Lang: v.Lang}
	b, err := p.render(w, "app.html", v)
	if err != nil {
		fail(w, err)
		return
	}
	h := w.Header()
	h.Set("Vary", "Host, Accept-Language, Cookie, Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	etag := `"` + version(b) + `"`
	h.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, r, http.StatusOK, func() []byte { return b }, func() []byte { return pack(b) })
}
