package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/auth"
)

// bench is one engine under measurement.
type bench struct {
	plan
	r      *report
	engine string
	// address is the database's.
	address string
	w       world
	server  *process
	floor   *process
	raw     *sql.DB // the same engine, without the product
	store   func() time.Duration
	token   string
	refill  func() // lets a case have more requests
}

// one is a case: what is asked, and what the least is that it could cost.
type one struct {
	name    string
	method  string
	goal    float64 // at most so often the floor; 0 is none
	counted bool    // a fixed number of requests, each of its own
	source  func(b *bench) (source, error)
	bare    func(b *bench) (func() error, error) // nil: the empty handler alone
	callers int                                  // of bare at most; 0 as many as connections
	units   int                                  // of work in a request, where they are to be told
	least   float64                              // units a second that are the goal
}

// cases is the whole list, in the order of the report.
var cases = []one{
	{name: "branding/current", method: "GET", goal: 1.5, source: get("/api/tenants/branding/current", false)},
	{name: "organization get", method: "GET", goal: 2.5, source: organizations("GET", "/detail", ""), bare: point},
	{name: "organization list 50 of 10,000", method: "GET", goal: 2.5, source: get("/api/tenants/organizations?limit=50", true), bare: rows(pageOfOrganizations)},
	{name: "audit list page 1", method: "GET", goal: 2.5, source: get("/api/tenants/audit-logs?limit=50", true), bare: rows(pageOfEvents)},
	{name: "audit list deep", method: "GET", goal: 2.5, source: deep(""), bare: rows(deepPageOfEvents)},
	{name: "audit list by action", method: "GET", goal: 2.5, source: get("/api/tenants/audit-logs?limit=50&action="+filtered, true), bare: rows(pageOfAction)},
	{name: "audit list by action deep", method: "GET", goal: 2.5, source: deep("&action=" + filtered), bare: rows(pageOfAction)},
	{name: "credits/add one account", method: "POST", source: oneAccount, bare: commit, callers: 1},
	{name: "credits/add many accounts", method: "POST", source: organizations("POST", "/credits/add", `{"amount":1,"reason":"bench"}`), bare: commit, callers: 1},
	{name: "create by provisioning", method: "POST", counted: true, source: provision, bare: commit, callers: 1},
	{name: "entitlement check", method: "POST", goal: 2, source: checks},
	{name: "usage events by the hundred", method: "POST", source: reports, bare: commit, callers: 1, units: perReport, least: 20_000},
	{name: "login", method: "POST", source: login, bare: hashAndCommit, callers: 1},
}

// names are what -only chooses from.
func names() (all []string) {
	for _, c := range cases {
		all = append(all, c.name)
	}
	return append(all, spending, "start", "usage answer", "group commit")
}

func get(path string, signedIn bool) func(*bench) (source, error) {
	return func(b *bench) (source, error) {
		token := ""
		if signedIn {
			token = b.token
		}
		return same(request("GET", path, token, "")), nil
	}
}

// organizations asks the same of many organizations in turn.
func organizations(method, path, body string) func(*bench) (source, error) {
	return func(b *bench) (source, error) {
		var all [][]byte
		for i := 0; i < len(b.w.organizations); i += max(1, len(b.w.organizations)/1000) {
			all = append(all, request(method, fmt.Sprintf("/api/tenants/organizations/%d%s", b.w.organizations[i], path), b.token, body))
		}
		return rotate(all), nil
	}
}

func oneAccount(b *bench) (source, error) {
	return same(request("POST", fmt.Sprintf("/api/tenants/organizations/%d/credits/add", b.w.organizations[0]), b.token, `{"amount":1,"reason":"bench"}`)), nil
}

// deep follows the cursor of a page in the middle.
func deep(filter string) func(*bench) (source, error) {
	return func(b *bench) (source, error) {
		offset := b.events / 2
		if filter != "" {
			offset /= 60
		}
		var page struct {
			Pagination struct {
				Next string `json:"next_cursor"`
			} `json:"pagination"`
		}
		if err := b.ask("GET", fmt.Sprintf("/api/tenants/audit-logs?limit=50&offset=%d%s", offset, filter), "", &page); err != nil {
			return nil, err
		}
		if page.Pagination.Next == "" {
			return nil, errors.New("the deep page has no next_cursor")
		}
		return same(request("GET", "/api/tenants/audit-logs?limit=50&cursor="+page.Pagination.Next+filter, b.token, "")), nil
	}
}

// provision hands out each request once, over all levels.
func provision(b *bench) (source, error) {
	var all [][]byte
	for _, r := range b.w.requests {
		all = append(all, request("POST", fmt.Sprintf("/api/tenants/requests/%d/provision", r), b.token, ""))
	}
	var next atomic.Int64
	limit := int64(b.provisions)
	b.refill = func() { limit += int64(b.provisions) }
	return func(int, int) []byte {
		n := next.Add(1)
		if n > limit || n > int64(len(all)) {
			next.Add(-1)
			return nil
		}
		return all[n-1]
	}, nil
}

func login(*bench) (source, error) {
	var all [][]byte
	for n := range people {
		all = append(all, request("POST", "/api/auth/login", "", fmt.Sprintf(`{"email":%q,"password":%q}`, person(n), password)))
	}
	return func(c, _ int) []byte { return all[c%people] }, nil
}

// The bare statements: one for each case, which gives all that its answer
// holds, but for totals.
const (
	organizationColumns = `SELECT o.id, o.name, o.slug, o.admin_id, o.owner_user_id, o.status,
		o.storage_limit_gb, o.max_users, o.bandwidth_limit_gb, o.members, o.invited, o.created_at, o.updated_at, o.version,
		d.host, d.status, d.token, c.credit_limit, c.credits_posted - c.debits_posted, c.debits_pending,
		(SELECT string_agg(p.plugin_key, ',') FROM organization_plugins p WHERE p.organization_id = o.id),
		EXISTS (SELECT 1 FROM holds h WHERE h.organization_id = o.id AND h.lifted_at IS NULL)
			OR EXISTS (SELECT 1 FROM holds h WHERE h.admin_id = o.admin_id AND h.lifted_at IS NULL)
		FROM organizations o LEFT JOIN custom_domains d ON d.organization_id = o.id
		LEFT JOIN credit_accounts c ON c.organization_id = o.id AND c.kind = 'organization' `
	pageOfOrganizations = organizationColumns + `ORDER BY o.created_at DESC, o.id DESC LIMIT 51`
	pageOfEvents        = `SELECT seq, id, body FROM audit_events ORDER BY seq DESC LIMIT 51`
	deepPageOfEvents    = `SELECT seq, id, body FROM audit_events WHERE seq < 25000 ORDER BY seq DESC LIMIT 51`
	pageOfAction        = `SELECT seq, id, body FROM audit_events WHERE action = '` + filtered + `' ORDER BY seq DESC LIMIT 51`
)

// rows runs a query for its rows, prepared once.
func rows(query string) func(*bench) (func() error, error) {
	return func(b *bench) (func() error, error) {
		s, err := b.raw.Prepare(query)
		if err != nil {
			return nil, err
		}
		return func() error { return drain(s) }, nil
	}
}

// drain reads and scans all rows.
func drain(s *sql.Stmt, args ...any) error {
	rows, err := s.Query(args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// point reads one organization.
func point(b *bench) (func() error, error) {
	s, err := b.raw.Prepare(organizationColumns + `WHERE o.id = $1`)
	if err != nil {
		return nil, err
	}
	var n atomic.Int64
	return func() error { return drain(s, int64(b.w.organizations[int(n.Add(17))%len(b.w.organizations)])) }, nil
}

// commit stores a row.
func commit(b *bench) (func() error, error) {
	_, err := b.raw.Exec(`CREATE TABLE IF NOT EXISTS bench_rows (name TEXT NOT NULL, amount BIGINT NOT NULL, at BIGINT NOT NULL)`)
	if err != nil {
		return nil, err
	}
	s, err := b.raw.Prepare(row)
	return func() error {
		_, err := s.Exec("a name of usual length", 42, time.Now().UnixMicro())
		return err
	}, err
}

// hashAndCommit is a sign-in: an argon2id hash and a row.
func hashAndCommit(b *bench) (func() error, error) {
	store, err := commit(b)
	if err != nil {
		return nil, err
	}
	ctx, h := context.Background(), auth.NewHasher()
	hash, err := h.Hash(ctx, password)
	return func() error {
		_, err := h.Verify(ctx, password, hash)
		return errors.Join(err, store())
	}, err
}

// ask sends one request outside a measurement and reads its JSON.
func (b *bench) ask(method, path, body string, into any) error {
	c, err := dial(b.server.addr, 1)
	if err != nil {
		return err
	}
	defer c.close()
	k := c.conns[0]
	if _, err := k.Write(request(method, path, b.token, body)); err != nil {
		return err
	}
	status, length, err := k.header()
	if err != nil {
		return err
	}
	answer := make([]byte, length)
	if _, err := readFull(k.r, answer); err != nil {
		return err
	}
	if status >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, status, answer)
	}
	return json.Unmarshal(answer, into)
}
