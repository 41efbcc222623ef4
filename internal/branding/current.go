package branding

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/logo"
)

// Current is the brand that holds for a request.
type Current struct {
	Branding brand.Fields      `json:"branding"`
	Sources  map[string]string `json:"sources" doc:"Where each field comes from: host, organization, admin, platform or default."`
	AdminID  *id.Admin         `json:"admin_id" doc:"The admin under whose brand the request stands; null is the platform."`
	Version  int64             `json:"version" doc:"Moves with every change of what was used."`
}

// Caller is what of the caller bears on the brand.
type Caller struct {
	OrganizationAdmin id.Admin // the admin of its active organization
	Admin             id.Admin // its own admin
}

// Page is a Current ready to be sent.
type Page struct {
	Current Current
	Body    []byte // JSON
	ETag    string
	// Stopped is who of those behind the host is on hold: Nobody where none is,
	// or the host is nobody's.
	Stopped Holder
}

// Holder says in which capacity somebody is behind a host.
type Holder int

// The capacities.
const (
	Nobody Holder = iota
	Organization
	Admin // the host's own, or that of its organization
)

// Service answers what holds, from memory: this is the first thing every
// visitor asks. An answer is at most lifetime old, and never older than a
// change that committed in this process.
type Service struct {
	db    *db.DB
	epoch atomic.Uint64

	mu    sync.RWMutex // guards pages
	pages map[key]cached
}

type key struct {
	host   string
	caller Caller
}

type cached struct {
	page  *Page
	epoch uint64
	at    db.Time
}

const (
	lifetime = time.Second
	maxPages = 10_000 // beyond it the cache starts afresh: hosts are the caller's to invent
	maxHost  = 253    // bytes of the longest host name
)

// New makes the service; it stays subscribed as long as d is open.
func New(d *db.DB) *Service {
	s := &Service{db: d, pages: map[key]cached{}}
	d.Subscribe(Topic, func(string) { s.epoch.Add(1) })
	return s
}

// Current gives the brand for a request to host by a caller: field by field
// from the verified host's owner, the caller's organization's admin, the
// caller's own admin, the platform, and what is built in.
func (s *Service) Current(ctx context.Context, host string, c Caller) (*Page, error) {
	if len(host) > maxHost || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		host = "" // no custom domain looks like this: not worth a question or the memory
	}
	epoch, now := s.epoch.Load(), s.db.Now()
	k := key{host, c}
	s.mu.RLock()
	hit, ok := s.pages[k]
	s.mu.RUnlock()
	if ok && hit.epoch == epoch && now >= hit.at && now < hit.at.Add(lifetime) {
		return hit.page, nil
	}
	var p *Page
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		p, err = resolve(tx, host, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pages) >= maxPages {
		s.pages = map[key]cached{}
	}
	s.pages[k] = cached{page: p, epoch: epoch, at: now}
	return p, nil
}

// builtIn is what holds where nobody set anything.
var builtIn = func() brand.Fields {
	text := func(s string) *string { return &s }
	no := false
	return brand.Fields{AppName: text("Tenantry"), PrimaryColor: text("#1F5FBF"), SecondaryColor: text("#3B4A5A"), HidePoweredBy: &no}
}()

// resolve makes the answer from the database.
func resolve(tx *db.Tx, host string, c Caller) (*Page, error) {
	at, stopped, err := behind(tx, host)
	if err != nil {
		return nil, err
	}
	cur := Current{Sources: map[string]string{}}
	for _, from := range []struct {
		admin id.Admin
		name  string
	}{{at, "host"}, {c.OrganizationAdmin, "organization"}, {c.Admin, "admin"}} {
		l, err := levelOf(tx, from.admin)
		if err != nil {
			return nil, err
		}
		if cur.AdminID == nil {
			cur.AdminID = id.Ref(from.admin)
		}
		cur.take(l.fields, from.name)
		cur.Version += l.version
	}
	platform, version, err := base(tx)
	if err != nil {
		return nil, err
	}
	cur.take(platform, "platform")
	cur.rest("platform")
	cur.Version += version
	p, err := render(cur)
	if err != nil {
		return nil, err
	}
	p.Stopped = stopped
	return p, nil
}

// base is the platform's brand over what is built in: what everybody inherits.
func base(tx *db.Tx) (brand.Fields, int64, error) {
	text, version, err := platform(tx)
	if err != nil {
		return brand.Fields{}, 0, err
	}
	var own brand.Fields
	if err := json.Unmarshal([]byte(text), &own); err != nil {
		return brand.Fields{}, 0, fmt.Errorf("read the platform's brand: %w", err)
	}
	all := Current{Sources: map[string]string{}}
	all.take(own, "platform")
	all.take(builtIn, "platform")
	return all.Branding, version, nil
}

// behind is the admin to whom a verified host belongs, itself or by its
// organization, zero for any other host; and who of the two is on hold.
func behind(tx *db.Tx, host string) (id.Admin, Holder, error) {
	o, ok, err := domain.Holder(tx, host)
	if err != nil || !ok {
		return 0, Nobody, err
	}
	admin, itself, above, err := standing(tx, o)
	switch {
	case err != nil:
		return 0, Nobody, err
	case itself:
		return admin, Organization, nil
	case above:
		return admin, Admin, nil
	}
	return admin, Nobody, nil
}

// take fills the fields that are still open from one level.
func (c *Current) take(f brand.Fields, from string) {
	mine, theirs := reflect.ValueOf(&c.Branding).Elem(), reflect.ValueOf(f)
	for i := range mine.NumField() {
		if mine.Field(i).IsNil() && !theirs.Field(i).IsNil() {
			mine.Field(i).Set(theirs.Field(i))
			name, _, _ := strings.Cut(mine.Type().Field(i).Tag.Get("json"), ",")
			c.Sources[name] = from
		}
	}
}

// rest names the level of the fields that none has set, which are null.
func (c *Current) rest(from string) {
	for f := range reflect.TypeFor[brand.Fields]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if c.Sources[name] == "" {
			c.Sources[name] = from
		}
	}
}

func render(c Current) (*Page, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return &Page{Current: c, Body: append(b, '\n'), ETag: fmt.Sprintf(`"v%d-%s"`, c.Version, base64.RawURLEncoding.EncodeToString(sum[:9]))}, nil
}

// Logo gives the picture that is served at a path; fault.Missing where there is
// none. Pictures are public: they stand on pages that anybody may see.
func (s *Service) Logo(ctx context.Context, path string) (p logo.Picture, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		p, err = logo.Find(tx, path)
		return err
	})
	return p, err
}
