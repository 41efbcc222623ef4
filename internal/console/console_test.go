package console_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/console"
)

func get(t *testing.T, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := console.Handler()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// pages are where mails and the set-up link lead.
var pages = []string{"/", "/login", "/setup", "/reset", "/accept", "/status"}

func TestPages(t *testing.T) {
	for _, path := range pages {
		w := get(t, "GET", path)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "<!doctype html>") {
			t.Errorf("%s: got %d %.40s", path, w.Code, w.Body)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; connect-src 'self'; " +
				"font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s, %s: got %q, want %q", path, name, got, want)
			}
		}
		etag := w.Header().Get("ETag")
		if w := get(t, "GET", path, "If-None-Match", etag); etag == "" || w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("%s again: got %d with %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

var asset = regexp.MustCompile(`(?:href|src)="(/[^"]+\.(?:js|css|svg))"`)

// The page brings no script and no address of others: the policy would stop both.
func TestThePageIsWhole(t *testing.T) {
	html := get(t, "GET", "/").Body.String()
	for _, bad := range []*regexp.Regexp{regexp.MustCompile(`<script[^>]*>[^<]`), regexp.MustCompile(`\son\w+=`), regexp.MustCompile(`https?://`), regexp.MustCompile(`<style|style=`)} {
		if found := bad.FindString(html); found != "" {
			t.Errorf("the page holds %q", found)
		}
	}
	found := asset.FindAllStringSubmatch(html, -1)
	if len(found) < 3 {
		t.Errorf("got %v, want a script, a style and an icon", found)
	}
	kinds := map[string]string{"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
	for _, f := range found {
		w := get(t, "GET", f[1])
		want := kinds[f[1][strings.LastIndex(f[1], ".")+1:]]
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want || w.Body.Len() == 0 {
			t.Errorf("%s: got %d %s", f[1], w.Code, w.Header().Get("Content-Type"))
		}
	}
	script := get(t, "GET", "/app.js").Body.String()
	for _, bad := range []string{"innerHTML", "eval(", "document.write", "localStorage"} {
		if strings.Contains(script, bad) {
			t.Errorf("the script uses %s", bad)
		}
	}
	for _, path := range pages[2:] {
		if !strings.Contains(script, `"`+path+`"`) {
			t.Errorf("the script knows no page %s", path)
		}
	}
}

// A person is shown a page, a program a problem; neither is kept.
func TestUnknownPage(t *testing.T) {
	for _, path := range []string{"/nope", "/page/index.html", "/../console.go", "/app.js/", "/Setup"} {
		for accept, kind := range map[string]string{"text/html,*/*;q=0.8": "text/html; charset=utf-8", "": "application/problem+json"} {
			w := get(t, "GET", path, "Accept", accept)
			h := w.Header()
			if w.Code != http.StatusNotFound || h.Get("Content-Type") != kind || h.Get("Cache-Control") != "no-store" || h.Get("ETag") != "" || h.Get("Content-Security-Policy") == "" {
				t.Errorf("%s for %q: got %d %v", path, accept, w.Code, h)
			}
			if whole := `"type":"/docs#problem-not_found"`; accept == "" && (!strings.Contains(w.Body.String(), whole) || !strings.Contains(w.Body.String(), `"request_id":`) || !strings.Contains(w.Body.String(), `"errors":[]`)) {
				t.Errorf("%s: got %s, want the problem of the API", path, w.Body)
			}
			if strings.Contains(w.Body.String(), "nope") {
				t.Errorf("%s: the answer repeats the path", path)
			}
		}
	}
}
