package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"crypto/sha256"
)

// revised is what has a version, and so an ETag.
type revised interface{ Revision() int64 }

// raw is an answer that is not marshalled here: cached bytes, or CSV.
type raw struct {
	Body        []byte
	ContentType string // application/json where empty
	ETag        string
	Vary        string
	Filename    string // offered for saving
	CacheOK     bool   // may be kept by the client, to be revalidated
}

// rendered is an answer ready to be written or kept.
type rendered struct {
	Status  int
	Headers map[string]string
	Body    []byte
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// marshal writes v as JSON without escaping HTML.
func marshal(v any) ([]byte, error) {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.Clone(buf.Bytes()), nil
}

// render makes the answer of a finished operation.
func (c *Call) render(o *op, v any) (rendered, error) {
	a := rendered{Status: o.Status, Headers: map[string]string{}}
	if a.Status == 0 || c.dryRun {
		a.Status = http.StatusOK
	}
	if c.location != "" {
		a.Headers["Location"] = c.location
	}
	if c.event != 0 {
		a.Headers["Audit-Event"] = strconv.FormatInt(int64(c.event), 10)
	}
	switch v := v.(type) {
	case none:
		a.Status = http.StatusNoContent
		return a, nil
	case raw:
		v.headers(a.Headers)
		a.Body = v.Body
		return a, nil
	}
	b, err := marshal(v)
	if err != nil {
		return a, err
	}
	a.Body = b
	a.Headers["Content-Type"] = "application/json"
	if r, ok := v.(revised); ok {
		a.Headers["ETag"] = etag(r.Revision(), b)
	}
	return a, nil
}

func (v raw) headers(h map[string]string) {
	h["Content-Type"] = "application/json"
	for name, value := range map[string]string{"Content-Type": v.ContentType, "ETag": v.ETag, "Vary": v.Vary} {
		if value != "" {
			h[name] = value
		}
	}
	if v.Filename != "" {
		h["Content-Disposition"] = `attachment; filename="` + v.Filename + `"`
	}
	if v.CacheOK {
		h["Cache-Control"] = "no-cache"
	}
}

// answer writes what an operation gave.
func (s *Server) answer(o *op, c *Call, v any) {
	if c.replay != nil {
		c.replay.write(c.w)
		return
	}
	a, err := c.render(o, v)
	if err != nil {
		writeProblem(c.w, c.r, err)
		return
	}
	a.write(c.w, c.r)
}

func (a rendered) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, value := range a.Headers {
		h.Set(name, value)
	}
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	if tag := a.Headers["ETag"]; tag != "" && r.Method == http.MethodGet && noneMatch(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if len(a.Body) > 0 {
		h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// etag is "v<version>-<hash of the whole>".
func etag(version int64, body []byte) string {
	sum := sha256.Sum256(body)
	return `"v` + strconv.FormatInt(version, 10) + "-" + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
}

// versionMatches compares the versions of an If-Match list with the row's.
func versionMatches(header string, version int64) bool {
	want := "v" + strconv.FormatInt(version, 10)
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.Trim(strings.TrimSpace(tag), `"`)
		if v, _, ok := strings.Cut(tag, "-"); ok && v == want {
			return true
		}
	}
	return false
}

// noneMatch compares the whole of an ETag with an If-None-Match list.
func noneMatch(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
		if t == tag || t == "*" {
			return true
		}
	}
	return false
}
