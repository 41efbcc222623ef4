package org_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/page"
)

// many is how many organizations the lists are of; every tenth is the admin's.
const many = 100_000

// names are spread so that no order is that of the ids.
const plant = `INSERT INTO organizations (admin_id, name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
	WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
	SELECT CASE WHEN i % 10 = 0 THEN 1 END, 'Org ' || (i * 7919 % 100003), 'org ' || (i * 7919 % 100003), 'org-' || i, 'active', 1, 1, 1, i * 31 % 997, 0, 1, i, i FROM n`

type listed struct {
	sort   org.Sort
	q      string
	of     auth.Reach
	offset int64
	deep   bool // continued by a cursor from far inside
}

func (l listed) String() string {
	return fmt.Sprintf("sort %q q %q all %t offset %d deep %t", l.sort, l.q, l.of.All, l.offset, l.deep)
}

// ran is a statement that a list ran.
type ran struct {
	query string
	args  []any
}

func longLists(t *testing.T, url string) (d *db.DB, taken func() []ran) {
	var seen []ran
	d = dbtest.Open(t, url, db.Options{Trace: func(q string, args []any) { seen = append(seen, ran{q, args}) }})
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO admins (id, name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at)
			VALUES (1, 'A', 'a', 'a@b.co', '', 'r', 1, 1, 0, 0)`)
		if err == nil {
			_, err = tx.Exec(plant)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, func() []ran {
		s := seen
		seen = nil
		return s
	}
}

func lists() (all []listed) {
	for _, by := range []org.Sort{"", org.ByCreated, org.ByName, "-" + org.ByName, org.BySlug, "-" + org.BySlug, org.ByMembers, "-" + org.ByMembers} {
		for _, of := range []auth.Reach{{All: true}, {Admins: []id.Admin{1}}} {
			all = append(all, listed{sort: by, of: of}, listed{sort: by, of: of, offset: 500}, listed{sort: by, of: of, deep: true})
		}
	}
	return append(all, listed{q: "org 12", of: auth.Reach{All: true}}, listed{q: "nobody has it", sort: org.ByName, of: auth.Reach{All: true}})
}

// run asks for the list as it is asked for, and checks that it is in order.
func (l listed) run(t *testing.T, d *db.DB, taken func() []ran) []ran {
	t.Helper()
	r := page.Request{Limit: 50, Offset: l.offset}
	ask := func() (p page.List[org.Organization]) {
		err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
			p, err = org.List(tx, l.of, org.Filter{Sort: l.sort, Q: l.q}, r)
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		return p
	}
	if l.deep {
		r.Offset = 5000
		p := ask()
		last := p.Data[len(p.Data)-1]
		after, err := page.ParseKeyed(p.Pagination.NextCursor)
		if err != nil {
			t.Fatal(err)
		}
		r = page.Request{Limit: 50, After: after}
		taken()
		if next := ask(); !l.ordered(append([]org.Organization{last}, next.Data...)) || len(next.Data) != 50 {
			t.Errorf("%s: out of order after the cursor", l)
		}
		return taken()
	}
	taken()
	if p := ask(); !l.ordered(p.Data) {
		t.Errorf("%s: out of order", l)
	}
	return taken()
}

func (l listed) ordered(all []org.Organization) bool {
	by := strings.TrimPrefix(string(l.sort), "-")
	key := func(o org.Organization) string {
		switch org.Sort(by) {
		case org.ByName:
			return strings.ToLower(o.Name)
		case org.BySlug:
			return o.Slug
		case org.ByMembers:
			return fmt.Sprintf("%019d", o.MemberCount)
		}
		return fmt.Sprintf("%019d", int64(o.CreatedAt))
	}
	down := l.sort == "" || strings.HasPrefix(string(l.sort), "-")
	return slices.IsSortedFunc(all, func(a, b org.Organization) int {
		n := strings.Compare(key(a), key(b))
		if n == 0 {
			n = int(a.ID - b.ID)
		}
		if down {
			return -n
		}
		return n
	})
}

// On SQLite each page is read along an index, and sorted by none.
func TestLongListsSQLite(t *testing.T) {
	url := dbtest.SQLiteURL(t)
	d, taken := longLists(t, url)
	raw, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, l := range lists() {
		for _, s := range l.run(t, d, taken) {
			for _, step := range dbtest.Steps(t, raw, s.query, s.args...) {
				if strings.Contains(step, "TEMP B-TREE") || step == "SCAN o" && !strings.HasPrefix(s.query, "SELECT COUNT(*)") {
					t.Errorf("%s: %s\nin %s", l, step, s.query)
				}
			}
		}
	}
}

// On PostgreSQL the rows that a page touches are those of the page and of its
// offset; a search touches each organization once, and a count too.
func TestLongListsPostgres(t *testing.T) {
	url := dbtest.PostgresURL(t)
	d, taken := longLists(t, url)
	raw, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetMaxOpenConns(1)
	for _, setting := range []string{"SET random_page_cost = 1.1", "SET tenantry.scope = 'platform'", "ANALYZE"} {
		if _, err := raw.Exec(setting); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range lists() {
		for _, s := range l.run(t, d, taken) {
			bound := 51 + int(l.offset)
			switch counted := strings.Contains(s.query, "COUNT(*)"); {
			case strings.HasPrefix(s.query, "SELECT COUNT(*)"), l.q != "":
				bound = many
			case counted:
				bound += many
			}
			if n := organizations(dbtest.Explain(t, raw, s.query, s.args...)); n > bound {
				t.Errorf("%s: touched %d organizations, want at most %d\nin %s", l, n, bound, s.query)
			}
		}
	}
}

// organizations is how many rows of them a plan touched.
func organizations(n dbtest.Node) (rows int) {
	if n.Table == "organizations" {
		rows = n.Touched()
	}
	for _, below := range n.Plans {
		rows += organizations(below)
	}
	return rows
}
