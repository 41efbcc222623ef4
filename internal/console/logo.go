package console

import (
	"net/http"
	"strconv"

	"github.com/tenantry/tenantry/internal/fault"
)

// logoPolicy lets a picture do nothing but show itself, should somebody open it
// as a page.
const logoPolicy = "default-src 'none'; sandbox"

// logo serves a picture that was uploaded. Its address is the hash of what it is,
// so it never changes.
func (p *Pages) logo(w http.ResponseWriter, r *http.Request) {
	picture, err := p.Brand.Logo(r.Context(), r.URL.Path)
	switch {
	case fault.Is(err, fault.NotFound):
		p.absent(w, r)
		return
	case err != nil:
		fail(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", logoPolicy)
	h.Set("Content-Type", picture.Kind.Media())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	etag := `"` + r.URL.Path[len(r.URL.Path)-20:] + `"`
	h.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(picture.Body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(picture.Body)
	}
}
