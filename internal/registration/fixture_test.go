package registration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/registration"
	"github.com/tenantry/tenantry/internal/secret"
	"github.com/tenantry/tenantry/internal/settings"
)

// world is a platform with one superadmin.
type world struct {
	*testing.T
	db    *db.DB
	s     *registration.Service
	root  audit.Actor
	staff id.User
}

var hasher = auth.NewQuickHasher()

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	box, err := secret.NewBox(bytes.Repeat([]byte{7}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, db: d, s: &registration.Service{DB: d, Hasher: hasher, Mail: &mail.Outbox{Box: box, BaseURL: "https://tenantry.example"}}}
	w.write(func(tx *db.Tx) error {
		if err := plugin.Seed(tx); err != nil {
			return err
		}
		u, err := auth.CreateUser(tx, auth.NewUser{Email: "root@tenantry.example", Name: "Root", Superadmin: true, EmailVerified: true})
		w.staff = u.ID
		return err
	})
	w.root = audit.Actor{Type: audit.User, ID: int64(w.staff), Name: "Root", Tier: audit.Platform}
	return w
}

func (w *world) try(f func(tx *db.Tx) error) error { return w.db.Write(context.Background(), f) }

func (w *world) write(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.try(f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) read(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.db.Read(context.Background(), f); err != nil {
		w.Fatal(err)
	}
}

// events are all audit events, numbered or not yet.
const events = `(SELECT action, outcome FROM audit_events UNION ALL SELECT action, outcome FROM audit_pending) AS e`

// count counts the rows that a query finds.
func (w *world) count(from string, args ...any) (n int64) {
	w.Helper()
	w.read(func(tx *db.Tx) (err error) {
		n, err = db.One(tx, db.Int64, "SELECT COUNT(*) FROM "+from, args...)
		return err
	})
	return n
}

func (w *world) register(in registration.Input) (registration.Receipt, error) {
	return w.s.Register(context.Background(), audit.Actor{Type: audit.Nobody, RequestID: "req-1"}, registration.Visit{}, in)
}

func (w *world) registered(in registration.Input) registration.Receipt {
	w.Helper()
	r, err := w.register(in)
	if err != nil {
		w.Fatalf("register %s: %v", in.Email, err)
	}
	return r
}

func (w *world) request(n id.Request) (r registration.Request) {
	w.Helper()
	w.read(func(tx *db.Tx) (err error) {
		r, err = registration.Find(tx, n)
		return err
	})
	return r
}

func (w *world) approve(n id.Request, in registration.Approval) (r registration.Request, err error) {
	err = w.try(func(tx *db.Tx) (err error) {
		r, err = w.s.Approve(tx, w.root, n, in)
		return err
	})
	return r, err
}

func (w *world) reject(n id.Request, reason string) (r registration.Request, err error) {
	err = w.try(func(tx *db.Tx) (err error) {
		r, err = w.s.Reject(tx, w.root, n, registration.Rejection{Reason: reason})
		return err
	})
	return r, err
}

func (w *world) provision(n id.Request) (p registration.Provisioned, err error) {
	err = w.try(func(tx *db.Tx) (err error) {
		p, err = w.s.Provision(tx, w.root, n)
		return err
	})
	return p, err
}

func (w *world) autoApprove() {
	w.Helper()
	w.write(func(tx *db.Tx) error {
		_, err := settings.Update(tx, w.root, settings.Patch{AutoApproveRegistrations: patch.Of(true)})
		return err
	})
}

// mails opens all that is queued for an address.
func (w *world) mails(to string) (all []mail.Message) {
	w.Helper()
	w.read(func(tx *db.Tx) error {
		payloads, err := db.All(tx, func(r db.Row) (b []byte, err error) { return b, r.Scan(&b) },
			`SELECT payload FROM jobs WHERE kind = $1 ORDER BY id LIMIT 1000`, mail.Kind)
		if err != nil {
			return err
		}
		for _, p := range payloads {
			var sealed []byte
			if err := json.Unmarshal(p, &sealed); err != nil {
				return err
			}
			b, err := w.s.Mail.Box.Open(mail.Kind, sealed)
			if err != nil {
				return err
			}
			var m mail.Message
			if err := json.Unmarshal(b, &m); err != nil {
				return err
			}
			if m.To == to {
				all = append(all, m)
			}
		}
		return nil
	})
	return all
}

// applicant is an input that nobody else has.
func applicant(n int) registration.Input {
	return registration.Input{
		Email: fmt.Sprintf("owner%d@company%d.example", n, n), Password: "correct horse battery",
		CompanyName: fmt.Sprintf("Company %c%d", 'A'+n%26, n), ContactName: "Jane Doe", Phone: fmt.Sprintf("+4930%06d", n),
	}
}

// strictly reads a body as the API does: unknown fields are refused.
func strictly(t *testing.T, body string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
}

func wantCode(t *testing.T, err error, code string) *fault.Error {
	t.Helper()
	if fault.Code(err) != code {
		t.Fatalf("got %v, want code %s", err, code)
	}
	return faultOf(err)
}
