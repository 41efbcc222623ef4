package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/registration"
	"github.com/tenantry/tenantry/internal/secret"
)

// Logins of the data: a superadmin, and people who only sign in.
const (
	password = "a passphrase of the bench"
	staff    = "staff@bench.example"
	people   = 64
)

func person(n int) string { return fmt.Sprintf("person%d@bench.example", n) }

// world is the data that was made.
type world struct {
	organizations []id.Organization
	requests      []id.Request // approved, to be provisioned
	key           string       // of a service
}

// seed fills a new database through the product's own packages: organizations
// with all that belongs to them, requests that wait to be provisioned, and a
// long audit log.
func (p plan) seed(ctx context.Context, url, dir string) (w world, err error) {
	d, err := db.Open(ctx, url, db.Options{})
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Migrate(ctx); err != nil {
		return w, err
	}
	d = d.In(db.Platform)
	box, err := secret.Open(ctx, d, "", filepath.Join(dir, "tenantry.key"))
	if err != nil {
		return w, err
	}
	if err := d.Write(ctx, plugin.Seed); err != nil {
		return w, err
	}
	s := &seeder{plan: p, d: d, mail: &mail.Outbox{Box: box, BaseURL: "http://127.0.0.1"}, w: &w}
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{{"people", s.people}, {"organizations", s.organizations}, {"a service", s.service}, {"requests", s.requests}, {"their numbers", s.number}, {"audit events", s.events}} {
		begin := time.Now()
		if err := step.run(ctx); err != nil {
			return w, fmt.Errorf("seed %s: %w", step.what, err)
		}
		progress("%s: seeded %s in %.1f s", d.Engine(), step.what, time.Since(begin).Seconds())
	}
	return w, nil
}

type seeder struct {
	plan
	d    *db.DB
	mail *mail.Outbox
	w    *world
	root audit.Actor
}

// people makes the logins, with the hash that real ones have.
func (s *seeder) people(ctx context.Context) error {
	hash, err := auth.NewHasher().Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.d.Write(ctx, func(tx *db.Tx) error {
		u, err := auth.CreateUser(tx, auth.NewUser{Email: staff, Name: "Staff", Superadmin: true, EmailVerified: true, PasswordHash: hash})
		if err != nil {
			return err
		}
		s.root = audit.Actor{Type: audit.User, ID: int64(u.ID), Name: "Staff", Email: staff, Tier: audit.Platform}
		for n := range people {
			if _, err := auth.CreateUser(tx, auth.NewUser{Email: person(n), Name: "Person", EmailVerified: true, PasswordHash: hash}); err != nil {
				return err
			}
		}
		return nil
	})
}

// organizations are made one by one as the product makes them, many to a
// transaction.
func (s *seeder) organizations(ctx context.Context) error {
	const lot = 250
	for from := 0; from < s.plan.organizations; from += lot {
		made := make([]id.Organization, lot)
		err := s.d.Write(ctx, func(tx *db.Tx) error {
			for i := range made {
				n := from + i
				u, err := auth.CreateUser(tx, auth.NewUser{Email: fmt.Sprintf("owner%d@company%d.example", n, n), Name: fmt.Sprintf("Owner %d", n), EmailVerified: true})
				if err != nil {
					return err
				}
				o, err := org.Create(tx, s.root, org.New{Name: fmt.Sprintf("Company %d of the bench", n), Slug: fmt.Sprintf("company-%d", n), OwnerUser: u.ID})
				if err != nil {
					return err
				}
				made[i] = o.ID
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.w.organizations = append(s.w.organizations, made...)
	}
	return nil
}

// requests are registered and approved, several at a time so that they share
// commits.
func (s *seeder) requests(ctx context.Context) error {
	service := &registration.Service{DB: s.d, Hasher: auth.NewQuickHasher(), Mail: s.mail}
	need := s.provisions * len(s.levels)
	s.w.requests = make([]id.Request, need)
	failures := make([]error, 32)
	var all sync.WaitGroup
	for worker := range failures {
		all.Go(func() {
			for n := worker; n < need && failures[worker] == nil; n += len(failures) {
				s.w.requests[n], failures[worker] = s.request(ctx, service, n)
			}
		})
	}
	all.Wait()
	return errors.Join(failures...)
}

func (s *seeder) request(ctx context.Context, service *registration.Service, n int) (id.Request, error) {
	r, err := service.Register(ctx, audit.Actor{Type: audit.Nobody}, registration.Visit{}, registration.Input{
		Email: fmt.Sprintf("founder%d@startup%d.example", n, n), Password: password, CompanyName: fmt.Sprintf("Startup %d", n),
		ContactName: "Jane Doe", DesiredOrgSlug: fmt.Sprintf("startup-%d", n),
	})
	if err != nil {
		return 0, err
	}
	return r.ID, s.d.Write(ctx, func(tx *db.Tx) error {
		_, err := service.Approve(tx, s.root, r.ID, registration.Approval{})
		return err
	})
}

var actions = []string{"organization.edited", "organization.suspended", "member.invited", "credits.added", "admin.edited", "user.signed_in", "settings.changed"}

// filtered is the action that the filtered list asks for: one event in fifty.
const filtered = "organization.suspended"

// events writes three months of history, as audit.Import numbers it.
func (s *seeder) events(ctx context.Context) error {
	const lot = 2000
	now := s.d.Now()
	for from := 0; from < s.plan.events; from += lot {
		some := make([]audit.Past, lot)
		for i := range some {
			n := from + i
			action := actions[n%len(actions)]
			if action == filtered && n%7 != 0 {
				action = actions[0]
			}
			if n%50 == 0 {
				action = filtered
			}
			o := s.w.organizations[n%len(s.w.organizations)]
			some[i] = audit.Past{
				At: now.Add(-time.Duration(s.plan.events-n) * 90 * 24 * time.Hour / time.Duration(s.plan.events)),
				Event: audit.Event{
					Actor:  audit.Actor{Type: audit.User, ID: int64(1 + n%97), Name: "Jane Doe", Email: "jane@company.example", IP: "192.0.2.7", RequestID: "0123456789abcdef01234567"},
					Action: action, Target: audit.Target{Type: "organization", ID: int64(o), Name: "Company"}, Organization: o,
					Changes: audit.Changes{"name": {Old: "Company", New: "Company of the bench"}, "max_users": {Old: 10, New: 25}},
				},
			}
		}
		if err := s.d.Write(ctx, func(tx *db.Tx) error { return audit.Import(tx, some) }); err != nil {
			return err
		}
		if n := from + lot; n%200_000 == 0 {
			progress("%s: %d events", s.d.Engine(), n)
		}
	}
	return nil
}

// number waits until every event has its number, so that the server has no
// backlog to work off while it is measured.
func (s *seeder) number(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { _ = audit.Sequencer{DB: s.d}.Run(ctx) }) // ends with ctx; what it did not do is seen below
	defer working.Wait()
	defer cancel()
	for ctx.Err() == nil {
		var left int64
		err := s.d.Read(ctx, func(tx *db.Tx) (err error) {
			left, err = db.One(tx, db.Int64, `SELECT COUNT(*) FROM audit_pending`)
			return err
		})
		if err != nil || left == 0 {
			return err
		}
		pause(ctx, 50*time.Millisecond)
	}
	return ctx.Err()
}
