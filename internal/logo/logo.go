// Package logo keeps the pictures that white labels are made of: uploaded,
// cleaned, and served for ever under the hash of what is stored.
//
// Nothing of what somebody sent is stored as it came. What it is, its bytes say,
// never its declared type. A PNG, JPEG, GIF or WebP is measured before it is
// decoded and written anew as a PNG; an SVG is written anew from the elements and
// attributes of an allow-list. So neither can carry a script, a reference to
// elsewhere, or a second file behind the first.
package logo

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Prefix is where pictures are served.
const Prefix = "/assets/logo/"

// MaxBytes bounds what is uploaded, and what is stored.
const MaxBytes = 1 << 20

// kept is how many pictures of one owner there are; the oldest make room.
const kept = 50

// Kind is what a picture is stored as.
type Kind string

// The kinds.
const (
	PNG Kind = "png"
	SVG Kind = "svg"
)

// Media is the content type that a kind is served with.
func (k Kind) Media() string {
	if k == SVG {
		return "image/svg+xml"
	}
	return "image/png"
}

// Picture is one that is clean.
type Picture struct {
	Kind          Kind
	Width, Height int // in pixels, or units of an SVG; 0 where an SVG says none
	Body          []byte
}

// Stored is a picture as it is answered when it was uploaded.
type Stored struct {
	URL    string `json:"url" example:"/assets/logo/8c1f….png" doc:"What logo_url or favicon_url takes: the path on the host that serves the console"`
	Kind   Kind   `json:"kind" enum:"png,svg" doc:"What it is stored as"`
	Width  int    `json:"width" doc:"In pixels, or in units of an SVG; 0 where that says none"`
	Height int    `json:"height"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256" doc:"Of what is served"`
}

// Store keeps a clean picture for an admin, zero for the platform. The same
// picture again is the same, and no second event.
func Store(tx *db.Tx, actor audit.Actor, admin id.Admin, p Picture) (Stored, error) {
	sum := sha256.Sum256(p.Body)
	name := hex.EncodeToString(sum[:])
	s := Stored{URL: Prefix + name + "." + string(p.Kind), Kind: p.Kind, Width: p.Width, Height: p.Height, Bytes: len(p.Body), SHA256: name}
	fresh, err := insert(tx, actor, admin, sum[:], p)
	if err != nil || !fresh {
		return s, err
	}
	if err := prune(tx, admin); err != nil {
		return s, err
	}
	_, err = audit.Record(tx, audit.Event{Actor: actor, Action: "logo.uploaded", Target: audit.Target{Type: "branding", ID: int64(admin), Name: s.URL}, Admin: admin,
		Changes: audit.Changes{"logo": {New: s.URL}}})
	return s, err
}

var paths = regexp.MustCompile(`^/assets/logo/([0-9a-f]{64})\.(png|svg)$`)

// IsPath reports an address that a picture may be served at.
func IsPath(address string) bool { return paths.MatchString(address) }

// CheckBrand refuses, as a reference to nothing, the path of a picture that the
// admin has not uploaded; zero is the platform. Any other address passes.
func CheckBrand(tx *db.Tx, admin id.Admin, f brand.Fields) error {
	var v fault.Validation
	for _, field := range []struct {
		name    string
		address *string
	}{{"branding.logo_url", f.LogoURL}, {"branding.favicon_url", f.FaviconURL}} {
		if field.address == nil || !IsPath(*field.address) {
			continue
		}
		sum, kind, _ := parse(*field.address)
		there, err := owned(tx, admin, sum, kind)
		if err != nil {
			return err
		}
		if !there {
			v.Add(field.name, "unknown_reference", "No such picture was uploaded here.")
		}
	}
	return v.Err()
}

func parse(path string) (sum []byte, kind Kind, ok bool) {
	m := paths.FindStringSubmatch(path)
	if m == nil {
		return nil, "", false
	}
	sum, err := hex.DecodeString(m[1])
	return sum, Kind(m[2]), err == nil
}

// Find gives the picture that is served at a path; fault.Missing where there is
// none.
func Find(tx *db.Tx, path string) (Picture, error) {
	sum, kind, ok := parse(path)
	if !ok {
		return Picture{}, fault.Missing()
	}
	return find(tx, sum, kind)
}
