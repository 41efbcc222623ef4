package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/page"
)

// recorded writes one event and reads it back as the API answers it, with the
// exact text.
func recorded(t *testing.T, d *db.DB, e audit.Event) (map[string]any, string) {
	t.Helper()
	m := &model{t: t, d: d}
	m.write1(func(tx *db.Tx) error {
		n, err := audit.Record(tx, e)
		if got := audit.Recorded(tx); len(got) != 1 || got[0] != n {
			t.Errorf("Recorded: got %v, want %d", got, n)
		}
		return err
	})
	m.settle()
	l := m.list(audit.Visibility{All: true}, audit.Filter{}, page.Request{Limit: 1})
	b, err := l.Data[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := l.Data[0].Open()
	if err != nil || opened.ID != l.Data[0].ID || opened.Action != e.Action {
		t.Errorf("Open: got %+v, %v", opened, err)
	}
	return decode(t, l.Data[0]), string(b)
}

func TestBody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		type thing struct {
			Name  string         `json:"name"`
			Limit int64          `json:"limit"`
			Set   map[string]int `json:"set"`
		}
		changes, err := audit.Diff(thing{"a", 9007199254740993, map[string]int{"z": 1, "a": 2}}, thing{"b", -1, nil})
		if err != nil {
			t.Fatal(err)
		}
		got, text := recorded(t, d, audit.Event{
			Actor: audit.Actor{Type: audit.User, ID: 7, Name: "Ann", Email: "ann@example.com", IP: "192.0.2.1", UserAgent: "curl", RequestID: "r1",
				OnBehalfOf: &audit.Party{Type: audit.User, ID: 8, Name: "Bob"}},
			Action: "organization.edited", Target: audit.Target{Type: "organization", ID: 3, Name: "<A & B>\n\x1b[31m\u202e"},
			Organization: 3, Admin: 2, Changes: changes,
		})
		want := `{"action":"organization.edited","actor":{"email":"ann@example.com","id":7,"name":"Ann","type":"user"},"admin_id":2,` +
			`"changes":{"limit":{"new":-1,"old":9007199254740993},"name":{"new":"b","old":"a"},"set":{"new":null,"old":{"a":2,"z":1}}},` +
			`"id":1,"ip":"192.0.2.1","occurred_at":"` + got["occurred_at"].(string) + `","on_behalf_of":{"email":null,"id":8,"name":"Bob","type":"user"},` +
			`"organization_id":3,"outcome":"ok","reason":null,"request_id":"r1","target":{"id":3,"name":"<A & B>\n\u001b[31m` + "\u202e" + `","type":"organization"},"user_agent":"curl"}`
		if text != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
	})
}

func TestBodyIsBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		changes := audit.Changes{"long": {Old: "x", New: strings.Repeat("é", 30000)}, "list": {Old: nil, New: make([]int, 20000)}}
		for i := range 900 {
			changes["field"+strings.Repeat("x", i%50)+string(rune('a'+i%26))+strings.Repeat("y", i/50)] = audit.Change{Old: i, New: strings.Repeat("z", 500)}
		}
		got, text := recorded(t, d, audit.Event{
			Actor:  audit.Actor{Type: audit.User, Name: strings.Repeat("n", 100000), UserAgent: strings.Repeat("u", 100000), RequestID: "\xff\x00"},
			Action: "a", Target: audit.Target{Type: "user"}, Reason: strings.Repeat("r", 100000), Changes: changes,
		})
		if len(text) > 64<<10 {
			t.Errorf("got %d bytes, want at most 64 KiB", len(text))
		}
		if reason := got["reason"].(string); !strings.HasSuffix(reason, "… (cut, 100000 characters)") {
			t.Errorf("the reason was cut without a mark: …%s", reason[len(reason)-40:])
		}
		if c := got["changes"].(map[string]any); len(c) != 201 || c["…"] == nil {
			t.Errorf("got %d changes, want 200 and a mark", len(c))
		}

		got, _ = recorded(t, d, audit.Event{Action: "b", Target: audit.Target{Type: "user"}, Changes: audit.Changes{
			"long": {Old: "short", New: strings.Repeat("é", 30000)}, "list": {Old: []int{1}, New: make([]int, 20000)},
		}})
		c := got["changes"].(map[string]any)
		if s := c["long"].(map[string]any)["new"].(string); !strings.HasPrefix(s, "éé") || !strings.HasSuffix(s, "(cut, 30000 characters)") {
			t.Errorf("got a text of %d bytes", len(s))
		}
		if m := c["list"].(map[string]any)["new"].(map[string]any); m["cut"] != true || m["bytes"] != 40001.0 {
			t.Errorf("got %v", m)
		}
	})
}

func TestSecretsAreNotKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const canary = "swordfish"
		got, text := recorded(t, d, audit.Event{Action: "user.edited", Target: audit.Target{Type: "user"}, Changes: audit.Changes{
			"password":            {Old: nil, New: canary},
			"api_key":             {Old: canary, New: canary + "2"},
			"settings":            {Old: nil, New: map[string]any{"smtp": []any{map[string]any{"smtp_password": canary, "host": "h"}}}},
			"password_min_length": {Old: 8, New: 12},
		}})
		if strings.Contains(text, canary) {
			t.Errorf("a secret was kept: %s", text)
		}
		c := got["changes"].(map[string]any)
		if p := c["password"].(map[string]any); p["old"] != nil || p["new"] != "(secret)" {
			t.Errorf("got %v, want that it was set", p)
		}
		if p := c["password_min_length"].(map[string]any); p["new"] != 12.0 {
			t.Errorf("got %v, want 12", p)
		}
	})
}

func TestDeny(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m := &model{t: t, d: d}
		m.write1(func(tx *db.Tx) error {
			return audit.Deny(tx, audit.Actor{Type: audit.User, ID: 1, Organization: 5, Admin: 4}, "organization.edit", audit.Target{Type: "organization", ID: 9, Name: "Foreign"}, "not_found")
		})
		m.settle()
		for name, v := range map[string]audit.Visibility{"all": {All: true}, "admin": {Admins: adminIDs(4)}, "organization": {Organizations: organizationIDs(5)}} {
			l := m.list(v, audit.Filter{Outcome: audit.Denied}, page.Request{Limit: 5})
			if len(l.Data) != 1 {
				t.Fatalf("%s: got %d events, want 1", name, len(l.Data))
			}
			e := decode(t, l.Data[0])
			if target := e["target"].(map[string]any); target["name"] != nil || target["id"] != 9.0 || e["reason"] != "not_found" {
				t.Errorf("%s: got %v", name, e)
			}
		}
		if l := m.list(audit.Visibility{Organizations: organizationIDs(9)}, audit.Filter{}, page.Request{Limit: 5}); len(l.Data) != 0 {
			t.Errorf("the target's tenant sees %v", decode(t, l.Data[0]))
		}
	})
}

// TestRolledBack leaves no trace of what did not happen, and no hole.
func TestRolledBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		errNo := errors.New("no")
		for i := range 6 {
			err := d.Write(context.Background(), func(tx *db.Tx) error {
				if _, err := audit.Record(tx, audit.Event{Action: "a", Target: audit.Target{Type: "user"}, Organization: 1, Admin: 1}); err != nil {
					return err
				}
				if i%2 == 0 {
					return errNo
				}
				return nil
			})
			if i%2 == 0 && !errors.Is(err, errNo) || i%2 == 1 && err != nil {
				t.Fatal(err)
			}
		}
		if err := audit.Settle(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		verify(t, d, 3)
	})
}

func TestFilterIsChecked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, f := range []audit.Filter{
			{Action: "*"}, {Action: "a*"}, {Action: "a.*.b"}, {Action: "A"}, {Action: strings.Repeat("a", 101)}, {TargetType: "house"},
			{Outcome: "fine"}, {Actor: -1}, {From: 2, To: 2},
		} {
			err := d.Read(context.Background(), func(tx *db.Tx) error {
				_, err := audit.List(tx, audit.Visibility{All: true}, f, page.Request{Limit: 1})
				return err
			})
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: got %v, want a validation error", f, err)
			}
		}
	})
}

func TestEmptyListIsAList(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m := &model{t: t, d: d}
		for _, v := range []audit.Visibility{{}, {All: true}, {Admins: adminIDs(1)}} {
			b, err := json.Marshal(m.list(v, audit.Filter{}, page.Request{Limit: 1}))
			if want := `{"data":[],"pagination":{"limit":1,"offset":0,"total":0,"has_more":false,"next_cursor":null}}`; err != nil || string(b) != want {
				t.Errorf("got %s %v, want %s", b, err, want)
			}
		}
	})
}

// A notice of what was done concerns who may read its event, and nobody else.
func TestConcerns(t *testing.T) {
	views := map[string]audit.Visibility{
		"platform": {All: true}, "admin": {Admins: adminIDs(4)}, "organization": {Organizations: organizationIDs(5, 7)}, "nobody": {},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var told []string
		defer d.Subscribe(audit.Done, func(notice string) {
			for name, v := range views {
				if v.Concerns(notice) {
					told = append(told, name)
				}
			}
		})()
		for _, c := range []struct {
			name  string
			event audit.Event
			want  []string
		}{
			{"of an organization", audit.Event{Organization: 5, Admin: 4}, []string{"admin", "organization", "platform"}},
			{"of another's organization", audit.Event{Organization: 6, Admin: 3}, []string{"platform"}},
			{"of an organization alone", audit.Event{Organization: 7}, []string{"organization", "platform"}},
			{"of an admin", audit.Event{Admin: 4}, []string{"admin", "platform"}},
			{"of what has the admin's number", audit.Event{Organization: 4}, []string{"platform"}},
			{"of the platform", audit.Event{}, []string{"platform"}},
			{"denied", audit.Event{Organization: 5, Admin: 4, Outcome: audit.Denied}, nil},
		} {
			told = nil
			c.event.Target.Type = "organization"
			(&model{t: t, d: d}).write1(func(tx *db.Tx) error {
				_, err := audit.Record(tx, c.event)
				return err
			})
			if slices.Sort(told); !slices.Equal(told, c.want) {
				t.Errorf("%s: told %v, want %v", c.name, told, c.want)
			}
		}
	})
}
