package domain_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"app.example.com": "app.example.com", " APP.Example.COM ": "app.example.com", "müller.de": "xn--mller-kva.de",
		"127.0.0.1": "", "::1": "", "localhost": "", "a..b": "", "example.com.": "example.com", "example.com..": "", "co.uk": "", "com": "", "a_b.example.com": "",
		"example.com:80": "", "https://example.com": "", "x@example.com": "", "*.example.com": "", "-a.example.com": "", "a-.example.com": "",
		"tenantry.test": "", "x.tenantry.test": "", "a.localhost": "", "аррӏе.com": "", "pаypal.com": "", "☃.net": "", "1.2.3": "", "127.0.0.0x1": "", "0x7f.0.0.0X1": "", "a.0x": "", "a.0xyz.com": "a.0xyz.com",
		strings.Repeat("a", 64) + ".com": "", strings.Repeat("a.", 130) + "com": "", "": "", "a b.com": "", "a\x00.com": "", "a%2eb.com": "",
	} {
		var v fault.Validation
		got := domain.Normalize("custom_domain", in, []string{"tenantry.test"}, &v)
		if got != want || (v.Err() == nil) != (want != "") {
			t.Errorf("Normalize(%q): got %q, %v; want %q", in, got, v.Err(), want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("app.example.com")
	f.Add("МÜLLER.de")
	f.Fuzz(func(t *testing.T, in string) {
		var v fault.Validation
		got := domain.Normalize("custom_domain", in, nil, &v)
		if got == "" {
			if v.Err() == nil {
				t.Fatalf("%q: refused without a reason", in)
			}
			return
		}
		var again fault.Validation
		if domain.Normalize("custom_domain", got, nil, &again) != got {
			t.Fatalf("%q: its form %q is not stable", in, got)
		}
		if strings.Trim(got, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || net.ParseIP(got) != nil {
			t.Fatalf("%q: got %q", in, got)
		}
	})
}

// owners makes n admins that can claim.
func owners(t *testing.T, d *db.DB, n int) (all []domain.Owner) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		all = nil
		for i := range n {
			a, err := tx.Insert(`INSERT INTO admins (name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at)
				VALUES ($1, $2, 'a@b.co', 'C', $3, 0, 1, $4, $5) RETURNING id`, "A", "a", fmt.Sprint("r", i), tx.Now, tx.Now)
			if err != nil {
				return err
			}
			all = append(all, domain.Owner{Admin: id.Admin(a)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestClaimsAndHolders(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		who := owners(t, d, 2)
		step := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(context.Background(), f); err != nil {
				t.Fatal(err)
			}
		}
		var first domain.Claim
		step(func(tx *db.Tx) (err error) { first, err = domain.Set(tx, who[0], "app.example.com"); return err })
		step(func(tx *db.Tx) error {
			second, err := domain.Set(tx, who[1], "app.example.com")
			if second.Status != domain.Pending || second.Record().Value == first.Record().Value {
				t.Errorf("a second claim: got %+v, want pending with a proof of its own", second)
			}
			return err
		})
		if !first.Proves([]string{"other", first.Record().Value}) || first.Proves([]string{"other"}) || first.Proves(nil) {
			t.Error("a claim is proved by its own record and no other")
		}
		step(func(tx *db.Tx) error {
			c, err := domain.Confirm(tx, who[0])
			if c.Status != domain.Verified || c.Record() != nil {
				t.Errorf("confirmed: got %+v", c)
			}
			return err
		})
		err := d.Write(context.Background(), func(tx *db.Tx) error { _, err := domain.Confirm(tx, who[1]); return err })
		if fault.Code(err) != "domain_taken" {
			t.Errorf("a second holder: got %v, want domain_taken", err)
		}
		step(func(tx *db.Tx) error {
			o, ok, err := domain.Holder(tx, "app.example.com")
			if !ok || o != who[0] {
				t.Errorf("holder: got %+v %t, want %+v", o, ok, who[0])
			}
			return err
		})
		step(func(tx *db.Tx) error {
			c, err := domain.Set(tx, who[0], "other.example.com")
			if c.Status != domain.Pending {
				t.Errorf("a changed host: got %s, want pending", c.Status)
			}
			return err
		})
		step(func(tx *db.Tx) error { _, err := domain.Confirm(tx, who[1]); return err })
	})
}

func TestOneOfManyProversWins(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		who := owners(t, d, 20)
		for _, o := range who {
			if err := d.Write(context.Background(), func(tx *db.Tx) error { _, err := domain.Set(tx, o, "app.example.com"); return err }); err != nil {
				t.Fatal(err)
			}
		}
		var won, lost atomic.Int64
		var all sync.WaitGroup
		for _, o := range who {
			all.Go(func() {
				err := d.Write(context.Background(), func(tx *db.Tx) error { _, err := domain.Confirm(tx, o); return err })
				switch {
				case err == nil:
					won.Add(1)
				case fault.Code(err) == "domain_taken":
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || lost.Load() != 19 {
			t.Errorf("got %d holders and %d refused, want 1 and 19", won.Load(), lost.Load())
		}
	})
}

// nameServer answers TXT questions on loopback.
func nameServer(t *testing.T, records map[string]string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	s := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(ready) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		name := q.Question[0].Name
		if v, ok := records[name]; ok {
			m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{v}}}
		} else {
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})}
	done := make(chan error, 1)
	go func() { done <- s.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() {
		_ = s.Shutdown()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return conn.LocalAddr().String()
}

func TestLookup(t *testing.T) {
	r := domain.Resolver{Address: nameServer(t, map[string]string{"_tenantry.app.example.com.": "proof"})}
	got, err := r.Lookup(context.Background(), "app.example.com")
	if err != nil || len(got) != 1 || got[0] != "proof" {
		t.Errorf("got %q, %v; want the record", got, err)
	}
	if got, err := r.Lookup(context.Background(), "absent.example.com"); err != nil || len(got) != 0 {
		t.Errorf("an absent record: got %q, %v; want none", got, err)
	}
}
