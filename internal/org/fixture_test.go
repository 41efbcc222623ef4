package org_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/secret"
)

// world is a platform with a catalogue and the shortcuts of these tests.
type world struct {
	*testing.T
	db   *db.DB
	s    *org.Service
	auth *auth.Service
	box  *secret.Box
}

var (
	boss   = audit.Actor{Type: audit.User, ID: 9001, Name: "Root", Tier: audit.Platform}
	seller = audit.Actor{Type: audit.User, ID: 9002, Name: "Agency", Tier: audit.Reseller}
)

func each(t *testing.T, f func(w world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(newWorld(t, d)) })
}

func racing(t *testing.T, f func(w world)) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) { f(newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) world {
	t.Helper()
	box, err := secret.NewBox(bytes.Repeat([]byte{7}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	out := &mail.Outbox{Box: box, BaseURL: "https://tenantry.example"}
	a := auth.New(d, auth.NewQuickHasher(), out, func(*db.Tx) (int, error) { return 12, nil })
	w := world{T: t, db: d, auth: a, box: box, s: &org.Service{DB: d, Auth: a, Mail: out}}
	do(w, func(tx *db.Tx) (int, error) { return 0, plugin.Seed(tx) })
	return w
}

// write runs f and tells how many events it recorded.
func write[T any](w world, f func(*db.Tx) (T, error)) (out T, events int, err error) {
	err = w.db.Write(context.Background(), func(tx *db.Tx) (err error) {
		out, err = f(tx)
		events = len(audit.Recorded(tx))
		return err
	})
	return out, events, err
}

// do is write for what must succeed.
func do[T any](w world, f func(*db.Tx) (T, error)) T {
	w.Helper()
	out, _, err := write(w, f)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func parse[T any](w world, body string) (out T) {
	w.Helper()
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		w.Fatalf("read %s: %v", body, err)
	}
	return out
}

func (w world) wantCode(what string, err error, code string) {
	w.Helper()
	if fault.Code(err) != code {
		w.Errorf("%s: got %v, want %s", what, err, code)
	}
}

// count counts rows.
func (w world) count(from string, args ...any) int64 {
	w.Helper()
	return do(w, func(tx *db.Tx) (int64, error) { return db.One(tx, db.Int64, "SELECT COUNT(*) FROM "+from, args...) })
}

func (w world) user(email string, verified bool) auth.User {
	w.Helper()
	hash, err := w.auth.Hasher.Hash(context.Background(), "correct horse battery")
	if err != nil {
		w.Fatal(err)
	}
	return do(w, func(tx *db.Tx) (auth.User, error) {
		return auth.CreateUser(tx, auth.NewUser{Email: email, Name: "User " + email, PasswordHash: hash, EmailVerified: verified})
	})
}

// reseller makes an admin with a pool, in a group where policy is given.
func (w world) reseller(pool int64, policy *partner.New) id.Admin {
	w.Helper()
	return do(w, func(tx *db.Tx) (id.Admin, error) {
		var group id.Group
		if policy != nil {
			g, err := partner.Create(tx, boss, *policy)
			if err != nil {
				return 0, err
			}
			group = g.ID
		}
		code := fmt.Sprintf("code-%d-%d", pool, tx.Now)
		n, err := tx.Insert(`INSERT INTO admins (name, name_key, contact_email, company_name, partner_group_id, referral_code, organization_count, version, created_at, updated_at)
			VALUES ('Agency', 'agency', 'a@agency.example', 'Agency', $1, $2, 0, 1, $3, $4) RETURNING id`, id.Ref(group), code, tx.Now, tx.Now)
		if err != nil {
			return 0, err
		}
		a := id.Admin(n)
		if err := credit.Open(tx, credit.Owner{Admin: a}); err != nil || pool == 0 {
			return a, err
		}
		_, err = credit.Grant(tx, boss, a, pool, "start", credit.Policy{}, credit.Reference{})
		return a, err
	})
}

// organization makes one of an admin, zero for the platform, with an owner.
func (w world) organization(slug string, admin id.Admin) (org.Organization, audit.Actor) {
	w.Helper()
	owner := w.user(slug+"-owner@example.com", true)
	o := do(w, func(tx *db.Tx) (org.Organization, error) {
		return org.Create(tx, boss, org.New{Name: "The " + slug, Slug: slug, Admin: admin, OwnerUser: owner.ID})
	})
	return o, person(owner)
}

// person is a user as an actor of its organization.
func person(u auth.User) audit.Actor {
	return audit.Actor{Type: audit.User, ID: int64(u.ID), Name: u.Name, Email: u.Email, Tier: audit.Tenant}
}

func (w world) edit(actor audit.Actor, o org.Organization, body string) (org.Changed, int, error) {
	w.Helper()
	p := parse[org.Patch](w, body)
	return write(w, func(tx *db.Tx) (org.Changed, error) { return org.Edit(tx, actor, o.ID, p, "tenantry.example") })
}

func (w world) edited(actor audit.Actor, o org.Organization, body string) org.Changed {
	w.Helper()
	c, _, err := w.edit(actor, o, body)
	if err != nil {
		w.Fatalf("edit %s: %v", body, err)
	}
	return c
}

func (w world) status(actor audit.Actor, o org.Organization, body string) (org.Organization, int, error) {
	w.Helper()
	in := parse[org.StatusChange](w, body)
	return write(w, func(tx *db.Tx) (org.Organization, error) { return org.SetStatus(tx, actor, o.ID, in) })
}

func (w world) fund(actor audit.Actor, o org.Organization, body string) (org.Funded, error) {
	w.Helper()
	in := parse[org.CreditsIn](w, body)
	f, _, err := write(w, func(tx *db.Tx) (org.Funded, error) { return org.AddCredits(tx, actor, o.ID, in, credit.Reference{}) })
	return f, err
}

// defaults are the plugins that an organization starts with.
func (w world) defaults() []string {
	w.Helper()
	return do(w, func(tx *db.Tx) ([]string, error) { return plugin.Defaults(tx, nil) })
}

func (w world) detail(o org.Organization) org.Organization {
	w.Helper()
	return do(w, func(tx *db.Tx) (org.Organization, error) { return org.Detail(tx, o.ID) })
}

// together runs n of f at once and gives how many ended with each code; "" is
// success.
func together(n int, f func(i int) error) map[string]int {
	var mu sync.Mutex // guards ends
	ends := map[string]int{}
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			err := f(i)
			code := fault.Code(err)
			if err != nil && code == "" {
				code = err.Error()
			}
			mu.Lock()
			ends[code]++
			mu.Unlock()
		})
	}
	close(start)
	all.Wait()
	return ends
}
