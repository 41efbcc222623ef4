package org_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
)

func check(s string) error {
	var v fault.Validation
	org.CheckSlug("slug", s, &v)
	return v.Err()
}

func TestCheckSlug(t *testing.T) {
	for _, s := range []string{"acme", "acme-corp", "a1b", "1a2", "abc", strings.Repeat("a", 48), "custom-slug"} {
		if err := check(s); err != nil {
			t.Errorf("%q: got %v, want it accepted", s, err)
		}
	}
	for _, s := range []string{"", "a", "ab", "-ab", "ab-", "a--b", "xn--abc", "Acme", "a_b", "a.b", "123", "1-2", "ä-b", "a b", "admin", "api", "www",
		strings.Repeat("a", 49), "abc\n", "аcme"} {
		if check(s) == nil {
			t.Errorf("%q: got it accepted, want it refused", s)
		}
	}
}

func TestDeriveSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Acme Corp": "acme-corp", "  Müller & Söhne GmbH ": "muller-and-sohne-gmbh", "Straße": "strasse", "Łódź Ørsted": "lodz-orsted",
		"Acme -- Corp": "acme-corp", "42": "org-42", "A": "org-a", "Admin": "org-admin", "日本": "organization-1", "": "organization-1",
		"O'Neil’s": "oneils", "ＦＵＬＬ": "full", strings.Repeat("x", 47) + " y": strings.Repeat("x", 47), "xn--abc": "xn-abc",
	} {
		if got := org.DeriveSlug(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func FuzzDeriveSlug(f *testing.F) {
	for _, s := range []string{"Acme Corp", "--", "xn--a", "Ünï cödé", "a\x00b", strings.Repeat("-a", 60), "管理"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s := org.DeriveSlug(name)
		if err := check(s); err != nil {
			t.Errorf("%q became %q: %v", name, s, err)
		}
		if again := org.DeriveSlug(s); again != s {
			t.Errorf("%q: derived again %q, want it unchanged", s, again)
		}
	})
}

func TestSlugsAreHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		tell := func(f func(tx *db.Tx) (bool, error)) bool {
			t.Helper()
			var ok bool
			if err := d.Write(ctx, func(tx *db.Tx) (err error) { ok, err = f(tx); return err }); err != nil {
				t.Fatal(err)
			}
			return ok
		}
		reserve := func(slug string, r id.Request) bool {
			return tell(func(tx *db.Tx) (bool, error) { return org.ReserveForRequest(tx, slug, r) })
		}
		free := func(slug string) bool {
			return tell(func(tx *db.Tx) (bool, error) { return org.SlugFree(tx, slug) })
		}
		if !free("acme") || !reserve("acme", 1) || reserve("acme", 2) || !reserve("acme", 1) || free("acme") {
			t.Error("a reservation is one request's alone, who may repeat it")
		}
		tell(func(tx *db.Tx) (bool, error) { return true, org.ReleaseRequest(tx, "acme", 2) })
		if free("acme") {
			t.Error("another request released a slug that is not its own")
		}
		tell(func(tx *db.Tx) (bool, error) { return true, org.ClaimForOrganization(tx, "acme", 7, 1) })
		tell(func(tx *db.Tx) (bool, error) { return true, org.ReleaseRequest(tx, "acme", 1) })
		if free("acme") || reserve("acme", 1) {
			t.Error("what an organization holds, a request frees or takes")
		}
		err := d.Write(ctx, func(tx *db.Tx) error { return org.ClaimForOrganization(tx, "acme", 8, 0) })
		if fault.Code(err) != "slug_taken" {
			t.Errorf("claim a held slug: got %v, want slug_taken", err)
		}
	})
}

func TestSuggestionsAndLookAlikes(t *testing.T) {
	each(t, func(w world) {
		w.organization("acme-corp", 0)
		w.organization("acme-corp-2", 0)
		got := do(w, func(tx *db.Tx) ([]string, error) { return org.Suggestions(tx, "acme-corp", 3) })
		if strings.Join(got, " ") != "acme-corp-3 acme-corp-4 acme-corp-5" {
			t.Errorf("suggestions: got %v", got)
		}
		long := do(w, func(tx *db.Tx) ([]string, error) { return org.Suggestions(tx, strings.Repeat("a", 48), 2) })
		for _, s := range long {
			if check(s) != nil {
				t.Errorf("suggestion %q is no slug", s)
			}
		}
		for slug, want := range map[string]string{"acmecorp": "acme-corp", "acme-c0rp": "acme-corp", "acrne-corp": "acme-corp", "adm1n": "admin", "acme-corp": "", "other": ""} {
			got := do(w, func(tx *db.Tx) (string, error) { return org.LooksLike(tx, slug) })
			if got != want {
				t.Errorf("%s looks like: got %q, want %q", slug, got, want)
			}
		}
	})
}

func TestSlugRace(t *testing.T) {
	racing(t, func(w world) {
		ends := together(50, func(int) error {
			_, _, err := write(w, func(tx *db.Tx) (org.Organization, error) {
				return org.Create(tx, boss, org.New{Name: "Acme", Slug: "acme"})
			})
			return err
		})
		if ends[""] != 1 || ends["slug_taken"] != 49 {
			t.Errorf("50 claims of one slug: got %v, want one success", ends)
		}
	})
}
