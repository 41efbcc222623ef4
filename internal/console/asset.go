package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed page
var pageFiles embed.FS

// dist is what `make build` built from web/; without it, it holds nothing that
// counts.
//
//go:embed all:dist
var distFiles embed.FS

var types = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
}

// asset is one file, read when it is sent: most starts send few.
type asset struct {
	read      func() []byte
	kind      string
	etag      string
	immutable bool // its name changes with its content
	packed    func() []byte
}

// newAsset makes one of a file of fixed content. Who names it after its content
// gives no version of it.
func newAsset(name, version string, read func() []byte) *asset {
	immutable := version == ""
	if immutable {
		version = strings.TrimSuffix(path.Base(name), path.Ext(name))
	}
	return &asset{
		read: read, kind: types[path.Ext(name)], etag: `"` + version + `"`, immutable: immutable,
		packed: sync.OnceValue(func() []byte { return pack(read()) }),
	}
}

// version tells one content from another.
func version(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// pack compresses once what is sent many times.
func pack(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	_, _ = z.Write(body)                                  // a bytes.Buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", a.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if a.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, r, http.StatusOK, a.read, a.packed)
}

// send writes the body, packed for whoever takes that.
func send(w http.ResponseWriter, r *http.Request, status int, read, packed func() []byte) {
	var body []byte
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body = packed()
		w.Header().Set("Content-Encoding", "gzip")
	} else {
		body = read()
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// entry is what the application's page loads.
type entry struct {
	Script string
	Styles []string
	Early  []string // scripts that the first one imports
}

// load reads the files: those of the light pages, named after their content,
// and what was built.
func (p *Pages) load() error {
	for _, name := range []string{"public.css", "public.js"} {
		b, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			return err
		}
		ext := path.Ext(name)
		at := "/assets/" + strings.TrimSuffix(name, ext) + "-" + version(b)[:8] + ext
		p.assets[at] = newAsset(at, "", func() []byte { return b })
		p.light = append(p.light, at)
	}
	icon, err := pageFiles.ReadFile("page/icon.svg")
	if err != nil {
		return err
	}
	p.assets["/icon.svg"] = newAsset("/icon.svg", version(icon), func() []byte { return icon })
	return p.loadBuilt()
}

func (p *Pages) loadBuilt() error {
	manifest, err := distFiles.ReadFile("dist/.vite/manifest.json")
	if err != nil {
		return nil //nolint:nilerr // not built: the application's page says how to
	}
	err = fs.WalkDir(distFiles, "dist/assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		p.assets[strings.TrimPrefix(name, "dist")] = newAsset(name, "", func() []byte {
			b, _ := distFiles.ReadFile(name) // it is there
			return b
		})
		return nil
	})
	if err != nil {
		return err
	}
	var chunks map[string]struct {
		File    string   `json:"file"`
		IsEntry bool     `json:"isEntry"`
		CSS     []string `json:"css"`
		Imports []string `json:"imports"`
	}
	if err := json.Unmarshal(manifest, &chunks); err != nil {
		return fmt.Errorf("read the manifest of the console: %w", err)
	}
	for _, c := range chunks {
		if !c.IsEntry {
			continue
		}
		p.entry.Script = "/" + c.File
		for _, s := range c.CSS {
			p.entry.Styles = append(p.entry.Styles, "/"+s)
		}
		for _, s := range c.Imports {
			p.entry.Early = append(p.entry.Early, "/"+chunks[s].File)
		}
	}
	return nil
}
