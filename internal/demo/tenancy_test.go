package demo_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/demo"
)

// wall is PostgreSQL with the demo's tenants, seen by a superuser, whom no
// policy holds, and by the product's own role.
type wall struct {
	*testing.T
	all, held *sql.DB
}

// party is a tenant: an organization and the admin that it belongs to, with a
// user of the organization and one of the admin.
type party struct{ organization, admin, member, staff int64 }

// as is the scope of the party's member, or of its admin's staff.
func (p party) asMember() string {
	return fmt.Sprintf("tenant %d {%d} {} {%d}", p.member, p.organization, p.admin)
}

func (p party) asStaff() string { return fmt.Sprintf("tenant %d {} {%d} {}", p.staff, p.admin) }

// rowsOf are the tables of tenants that do not name one by a column of their
// own, and how their rows are found.
var rowsOf = map[string]string{
	"organizations":  `id = {o} OR admin_id = {a}`,
	"admins":         `id = {a}`,
	"audit_heads":    `scope IN ('o{o}', 'a{a}')`,
	"credit_entries": `transaction_id IN (SELECT id FROM credit_transactions WHERE organization_id = {o} OR admin_id = {a})`,
}

// published may be read by all, though not changed.
var published = []string{"slugs", "custom_domains"}

func newWall(t *testing.T) (w wall, a, b party) {
	url := dbtest.PostgresURL(t)
	clock := demo.NewClock(afternoon)
	d := dbtest.Open(t, url, db.Options{Clock: clock.Now})
	if _, err := seed(t, d, clock); err != nil {
		t.Fatal(err)
	}
	for waiting := int64(1); waiting > 0; { // Settle gives up where the machine is busy
		if err := audit.Settle(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		err := d.In(db.Platform).Read(t.Context(), func(tx *db.Tx) (err error) {
			waiting, err = db.One(tx, db.Int64, `SELECT COUNT(*) FROM audit_pending`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w = wall{T: t}
	for _, c := range []struct {
		into **sql.DB
		url  string
	}{{&w.all, dbtest.Superuser(url)}, {&w.held, url}} {
		pool, err := sql.Open("pgx", c.url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pool.Close() })
		pool.SetMaxOpenConns(1)
		*c.into = pool
	}
	a, b = w.party("ASC"), w.party("DESC")
	if a.organization == b.organization || a.admin == b.admin || a.member == b.member || a.staff == b.staff {
		t.Fatalf("the demo has no two tenants: %+v and %+v", a, b)
	}
	// What the demo leaves empty.
	for _, p := range []party{a, b} {
		w.exec(w.all, fmt.Sprintf(`INSERT INTO audit_pending (organization_id, admin_id, occurred_at, action, target_type, outcome, actor_type, body)
			VALUES (%d, %d, 0, 'a.b', 'c', 'ok', 'user', '{}')`, p.organization, p.admin))
		w.exec(w.all, fmt.Sprintf(`INSERT INTO sessions (user_id, organization_id, ip, user_agent, created_at, last_used_at, expires_at)
			VALUES (%d, %d, '', '', 0, 0, 0)`, p.member, p.organization))
		w.exec(w.all, fmt.Sprintf(`INSERT INTO api_keys (organization_id, name, prefix, hash, scopes, created_at)
			VALUES (%[1]d, 'k', 'k', sha256('k%[1]d'), '[]', 0)`, p.organization))
		w.exec(w.all, fmt.Sprintf(`INSERT INTO invitations (organization_id, email, email_key, role, token_hash, mail_hash, state, created_at, expires_at)
			VALUES (%[1]d, 'x@x.example', 'x@x.example', 'member', sha256('a%[1]d'), sha256('b%[1]d'), 'revoked', 0, 0)`, p.organization))
		w.exec(w.all, fmt.Sprintf(`INSERT INTO custom_domains (organization_id, host, status, token, created_at)
			VALUES (%[1]d, 'h%[1]d.example', 'pending', 't', 0) ON CONFLICT DO NOTHING`, p.organization))
		w.exec(w.all, fmt.Sprintf(`INSERT INTO access_grants (organization_id, admin_id, user_id, operator_id, session_id, platform, hash, reason, created_at, expires_at)
			SELECT %[1]d, %[2]d, %[3]d, %[4]d, MAX(id), FALSE, sha256('g%[1]d'), 'r', 0, 0 FROM sessions`, p.organization, p.admin, p.member, p.staff))
		for _, row := range []string{
			`credit_holds (id, account_id, organization_id, plugin_key, amount, captured, state, expires_at, created_at)
				SELECT -%d, id, organization_id, 'p', 1, 0, 'voided', 0, 0 FROM credit_accounts WHERE kind = 'organization' AND organization_id = %[1]d`,
			`credit_limits (account_id, organization_id, credit_limit, set_at)
				SELECT id, organization_id, 0, 0 FROM credit_accounts WHERE kind = 'organization' AND organization_id = %d`,
			`usage_limits (organization_id, meter, updated_at) VALUES (%d, 'm', 0) ON CONFLICT DO NOTHING`,
			`usage_seen (organization_id, event_key, seen_at) VALUES (%d, sha256('x'), 0)`,
			`usage_hours (organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected) VALUES (%d, 'm', 0, 'p', 0, 0, 0, 0, 0, 0)`,
			`usage_days (organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected) VALUES (%d, 'm', 0, 'p', 0, 0, 0, 0, 0, 0)`,
			`usage_gauges (organization_id, meter, plugin_key, value, set_at) VALUES (%d, 'm', 'p', 0, 0)`,
			`usage_reservations (organization_id, meter, period, plugin_key, quantity, state, created_at, expires_at) VALUES (%d, 'm', 0, 'p', 1, 'released', 0, 0)`,
		} {
			w.exec(w.all, fmt.Sprintf("INSERT INTO "+row, p.organization))
		}
		w.exec(w.all, fmt.Sprintf(`INSERT INTO logos (admin_id, hash, kind, width, height, body, created_at) VALUES (%d, sha256('x'), 'png', 1, 1, '', 0)`, p.admin))
		w.exec(w.all, fmt.Sprintf(`INSERT INTO credit_days (admin_id, day, kind, count, amount) VALUES (%d, 0, 'grant', 1, 1)`, p.admin))
		w.exec(w.all, fmt.Sprintf(`INSERT INTO holds (admin_id, source, reason, placed_at) VALUES (%d, 'quota', 'r', 0)`, p.admin))
	}
	return w, a, b
}

// party is the first or last organization of a reseller with people in both.
func (w wall) party(order string) (p party) {
	w.Helper()
	err := w.all.QueryRow(`SELECT o.id, o.admin_id, m.user_id, u.user_id FROM organizations o
		JOIN memberships m ON m.organization_id = o.id JOIN admin_users u ON u.admin_id = o.admin_id
		ORDER BY o.admin_id `+order+`, o.id `+order+`, m.user_id, u.user_id LIMIT 1`).Scan(&p.organization, &p.admin, &p.member, &p.staff)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w wall) exec(on *sql.DB, query string, args ...any) int64 {
	w.Helper()
	r, err := on.Exec(query, args...)
	if err != nil {
		w.Fatalf("%v\nin %s", err, query)
	}
	n, _ := r.RowsAffected()
	return n
}

// texts reads one column.
func (w wall) texts(on *sql.DB, query string, args ...any) (all []string) {
	w.Helper()
	rows, err := on.Query(query, args...)
	if err != nil {
		w.Fatalf("%v\nin %s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			w.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		w.Fatal(err)
	}
	return all
}

// tables are all that belong to tenants, by the catalogue.
func (w wall) tables() []string {
	w.Helper()
	all := w.texts(w.all, `SELECT DISTINCT table_name FROM information_schema.columns
		WHERE table_schema = 'public' AND column_name IN ('organization_id', 'admin_id') ORDER BY 1`)
	for t := range rowsOf {
		all = append(all, t)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// of is the condition for the rows of a party in a table.
func (w wall) of(table string, p party) string {
	w.Helper()
	if c, ok := rowsOf[table]; ok {
		return strings.NewReplacer("{o}", fmt.Sprint(p.organization), "{a}", fmt.Sprint(p.admin)).Replace(c)
	}
	var parts []string
	for _, c := range w.texts(w.all, `SELECT column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name = $1 AND column_name IN ('organization_id', 'admin_id')`, table) {
		parts = append(parts, fmt.Sprintf("%s = %d", c, map[string]int64{"organization_id": p.organization, "admin_id": p.admin}[c]))
	}
	return strings.Join(parts, " OR ")
}

// TestTenancy holds PostgreSQL's policies against the demo's tenants, by plain
// SQL in the scope of one of them.
func TestTenancy(t *testing.T) {
	w, a, b := newWall(t)
	for name, test := range map[string]func(w wall, a, b party){
		"every tenant table has a policy": guarded, "tenants are apart": apart,
		"without a tenant there is nothing": nothing, "a tenant has its own": own,
	} {
		t.Run(name, func(t *testing.T) { w.T = t; test(w, a, b) })
	}
}

func guarded(w wall, _, _ party) {
	safe := w.texts(w.all, `SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relrowsecurity AND c.relforcerowsecurity
		AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)`)
	for _, table := range w.tables() {
		if !slices.Contains(safe, table) {
			w.Errorf("%s belongs to tenants, and no forced policy guards it", table)
		}
	}
}

// apart tries to read, change, delete and insert the rows of another tenant, in
// every table.
func apart(w wall, a, b party) {
	cells := 0
	for _, scope := range []string{a.asMember(), a.asStaff()} {
		for _, table := range w.tables() {
			foreign := w.texts(w.all, fmt.Sprintf(`SELECT ctid::text FROM %s WHERE (%s) AND NOT COALESCE(%s, FALSE)`, table, w.of(table, b), w.of(table, a)))
			if len(foreign) == 0 {
				w.Fatalf("the other tenant has nothing in %s", table)
			}
			w.exec(w.held, `SELECT set_config('tenantry.scope', $1, false)`, scope)
			w.tryAll(table, foreign)
			cells += len(foreign)
		}
	}
	w.Logf("%d foreign rows of %d tables tried in two scopes", cells, len(w.tables()))
}

func (w wall) tryAll(table string, foreign []string) {
	w.Helper()
	rows := "{" + strings.NewReplacer("(", `"(`, ")", `)"`).Replace(strings.Join(foreign, ",")) + "}"
	if seen := w.texts(w.held, `SELECT ctid::text FROM `+table+` WHERE ctid = ANY ($1::tid[])`, rows); len(seen) > 0 && !slices.Contains(published, table) {
		w.Errorf("%s: %d foreign rows are read", table, len(seen))
	}
	column := w.texts(w.all, `SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1
		AND column_name IN ('organization_id', 'admin_id', 'id', 'scope', 'transaction_id') ORDER BY column_name LIMIT 1`, table)[0]
	if n := w.exec(w.held, fmt.Sprintf(`UPDATE %s SET %s = %s WHERE ctid = ANY ($1::tid[])`, table, column, column), rows); n != 0 {
		w.Errorf("%s: %d foreign rows are changed", table, n)
	}
	if n := w.exec(w.held, `DELETE FROM `+table+` WHERE ctid = ANY ($1::tid[])`, rows); n != 0 {
		w.Errorf("%s: %d foreign rows are deleted", table, n)
	}
	row := w.texts(w.all, `SELECT to_jsonb(x)::text FROM `+table+` x WHERE ctid = $1::tid`, foreign[0])[0]
	_, err := w.held.Exec(fmt.Sprintf(`INSERT INTO %[1]s SELECT (jsonb_populate_record(NULL::%[1]s, $1)).*`, table), row)
	if err == nil || !strings.Contains(err.Error(), "42501") {
		w.Errorf("%s: a foreign row is inserted: got %v, want the policy's refusal", table, err)
	}
}

// nothing is what a connection finds that was told no scope, or one that means
// nothing.
func nothing(w wall, a, b party) {
	for _, scope := range []string{"", "nobody", "tenant 0 {} {} {}", "Platform", "platform "} {
		w.exec(w.held, `SELECT set_config('tenantry.scope', $1, false)`, scope)
		for _, table := range w.tables() {
			if slices.Contains(published, table) {
				continue
			}
			for _, p := range []party{a, b} {
				if seen := w.texts(w.held, `SELECT '' FROM `+table+` WHERE `+w.of(table, p)); len(seen) > 0 {
					w.Errorf("in the scope %q %d rows of %s are read", scope, len(seen), table)
				}
			}
		}
	}
}

// own is what the wall must not hide: all that is the tenant's.
func own(w wall, a, _ party) {
	for _, table := range w.tables() {
		switch table {
		case "registration_requests": // the platform's alone
			continue
		case "notifications", "sessions": // a user's alone
			w.exec(w.held, `SELECT set_config('tenantry.scope', $1, false)`, a.asMember())
			mine := fmt.Sprintf(`SELECT '' FROM %s WHERE user_id = %d`, table, a.member)
			if got, want := len(w.texts(w.held, mine)), len(w.texts(w.all, mine)); got != want {
				w.Errorf("%s: got %d of the user's %d rows", table, got, want)
			}
			continue
		}
		w.exec(w.held, `SELECT set_config('tenantry.scope', $1, false)`, a.asStaff())
		own := `SELECT '' FROM ` + table + ` WHERE ` + w.of(table, party{organization: -1, admin: a.admin})
		if table == "audit_heads" {
			own = fmt.Sprintf(`SELECT '' FROM audit_heads WHERE scope = 'a%d'`, a.admin)
		}
		if got, want := len(w.texts(w.held, own)), len(w.texts(w.all, own)); got != want {
			w.Errorf("%s: the staff has %d of its admin's %d rows", table, got, want)
		}
	}
}
