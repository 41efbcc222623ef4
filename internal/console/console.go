// Package console serves what a browser opens: for now one plain page to sign
// in and look, embedded in the binary and a client of the public API alone.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed page
var files embed.FS

// policy is the Content-Security-Policy of the pages.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; " +
	"connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

var types = map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

// asset is one file, ready to be sent.
type asset struct {
	body []byte
	kind string
	etag string
}

// Handler serves the page. The browser's paths (/, /login, /setup, /reset,
// /accept, /status) all are the one page; anything else is 404.
func Handler() (http.Handler, error) {
	assets := map[string]asset{}
	err := fs.WalkDir(files, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		assets["/"+strings.TrimPrefix(name, "page/")] = asset{body: b, kind: types[path.Ext(name)], etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, view := range []string{"/", "/login", "/setup", "/reset", "/accept", "/status"} {
		assets[view] = assets["/index.html"]
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[r.URL.Path]
		switch {
		case ok:
			a.serve(w, r)
		case strings.Contains(r.Header.Get("Accept"), "text/html"):
			assets["/index.html"].absent(w)
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Content-Security-Policy", policy)
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprintf(w, nothing, w.Header().Get("X-Request-Id"))
		}
	}), nil
}

// nothing is what a program is told of a path that leads nowhere: the API's own
// problem, with the id that the request was given.
const nothing = `{"type":"/docs#problem-not_found","title":"Not Found","status":404,"detail":"There is nothing here that you can see.",` +
	`"code":"not_found","request_id":%q,"errors":[]}` + "\n"

// absent shows the page, which says to a person that there is no such.
func (a asset) absent(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(a.body)
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.etag)
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	_, _ = w.Write(a.body)
}
