package api_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// race is the whole API on PostgreSQL with several connections, and callers
// who all want the same at once.
func race(t *testing.T) superadmin {
	t.Helper()
	d := dbtest.Open(t, dbtest.PostgresURL(t), db.Options{Connections: 16})
	return superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
}

// together makes n calls at once and gives their answers.
func together(n int, call func(i int) *httptest.ResponseRecorder) []*httptest.ResponseRecorder {
	answers := make([]*httptest.ResponseRecorder, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			answers[i] = call(i)
		})
	}
	close(begin)
	all.Wait()
	return answers
}

// ends counts how the answers ended: "200", or "409 slug_taken".
func ends(answers []*httptest.ResponseRecorder) map[string]int {
	all := map[string]int{}
	for _, w := range answers {
		var p struct{ Code string }
		_ = json.Unmarshal(w.Body.Bytes(), &p) // only a problem has one
		all[strings.TrimSpace(fmt.Sprint(w.Code, " ", p.Code))]++
	}
	return all
}

// wantEnds compares them; an end that may have any number is -1.
func (s superadmin) wantEnds(what string, answers []*httptest.ResponseRecorder, want map[string]int) {
	s.Helper()
	got := ends(answers)
	same := len(got) == len(want)
	for end, n := range want {
		same = same && got[end] == n
	}
	if !same {
		s.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// total is that of a list.
func (s superadmin) total(path string) float64 {
	s.Helper()
	n, _ := object(s.want("GET", path, "", 200), "pagination")["total"].(float64)
	return n
}

func registerBody(i int, slug string) string {
	return fmt.Sprintf(`{"email":"founder%d@start%d.example","password":"a quite long passphrase","company_name":"Start %d","contact_name":"Jo Doe","desired_org_slug":%q}`, i, i, i, slug)
}

func TestRaceForASlug(t *testing.T) {
	s := race(t)
	answers := together(50, func(i int) *httptest.ResponseRecorder {
		return s.call("POST", "/api/tenants/register", registerBody(i, "wanted"))
	})
	s.wantEnds("50 claims of one slug", answers, map[string]int{"201": 1, "409 slug_taken": 49})
	if n := s.total("/api/tenants/requests"); n != 1 {
		t.Errorf("got %v requests, want 1", n)
	}
}

func TestRaceToProvision(t *testing.T) {
	s := race(t)
	s.want("POST", "/api/tenants/register", registerBody(1, "wanted"), 201)
	s.want("POST", "/api/tenants/requests/1/approve", `{}`, 200)
	answers := together(100, func(int) *httptest.ResponseRecorder {
		return s.call("POST", "/api/tenants/requests/1/provision", "")
	})
	s.wantEnds("100 provisionings", answers, map[string]int{"200": 100})
	for _, w := range answers {
		var p map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || object(p, "organization")["id"] != 1.0 || object(p, "request")["status"] != "active" {
			t.Fatalf("got %s (%v), want all the same organization", w.Body, err)
		}
	}
	for path, want := range map[string]float64{
		"/api/tenants/organizations": 1, "/api/tenants/organizations/1/members": 1,
		"/api/tenants/audit-logs?action=registration.provisioned": 1, "/api/tenants/audit-logs?action=organization.created": 1,
	} {
		if n := s.total(path); n != want {
			t.Errorf("%s: got %v, want %v", path, n, want)
		}
	}
}

func TestRaceToDecide(t *testing.T) {
	s := race(t)
	for round := range 10 {
		id := round + 1
		s.want("POST", "/api/tenants/register", registerBody(round, fmt.Sprintf("slug-%d", round)), 201)
		answers := together(8, func(i int) *httptest.ResponseRecorder {
			if i%2 == 0 {
				return s.call("POST", fmt.Sprintf("/api/tenants/requests/%d/approve", id), `{"provision":true}`)
			}
			return s.call("POST", fmt.Sprintf("/api/tenants/requests/%d/reject", id), `{"reason":"Changed our mind"}`)
		})
		s.wantEnds("approve against reject", answers, map[string]int{"200": 1, "409 invalid_transition": 7})
		status := s.want("GET", fmt.Sprintf("/api/tenants/requests/%d", id), "", 200)["status"]
		if status != "active" && status != "rejected" {
			t.Errorf("got status %v, want active or rejected", status)
		}
	}
}

func TestRaceForAPool(t *testing.T) {
	s := race(t)
	s.want("POST", "/api/tenants/admins", `{"name":"Agency","contact_email":"desk@agency.example"}`, 201)
	s.want("POST", "/api/tenants/admins/1/grant-credits", `{"amount":70,"reason":"begin"}`, 200)
	for i := range 3 {
		s.want("POST", "/api/tenants/register", registerBody(i, fmt.Sprintf("slug-%d", i)), 201)
		s.want("POST", fmt.Sprintf("/api/tenants/requests/%d/approve", i+1), `{"provision":true,"admin_id":1}`, 200)
	}
	answers := together(40, func(i int) *httptest.ResponseRecorder {
		return s.call("POST", fmt.Sprintf("/api/tenants/organizations/%d/credits/add", i%3+1), `{"amount":10,"source":"admin"}`)
	})
	s.wantEnds("40 draws on a pool that covers 7", answers, map[string]int{"200": 7, "402 insufficient_credits": 33})
	sum := 0.0
	for i := range 3 {
		sum += s.want("GET", fmt.Sprintf("/api/tenants/organizations/%d/detail", i+1), "", 200)["credit_balance"].(float64)
	}
	if left := s.want("GET", "/api/tenants/admins/1", "", 200)["credit_balance"]; sum != 70 || left != 0.0 {
		t.Errorf("got %v arrived and %v left, want 70 and 0", sum, left)
	}
}

func TestRaceToOwnAnAdmin(t *testing.T) {
	s := race(t)
	for i := range 6 {
		s.want("POST", "/api/tenants/register", registerBody(i, fmt.Sprintf("slug-%d", i)), 201)
		s.want("POST", fmt.Sprintf("/api/tenants/requests/%d/approve", i+1), `{"provision":true}`, 200)
		s.want("POST", "/api/tenants/admins", fmt.Sprintf(`{"name":"Agency %d","contact_email":"desk@agency.example"}`, i), 201)
	}
	// One user is wanted by six admins: users are 2 to 7, the superadmin is 1.
	answers := together(6, func(i int) *httptest.ResponseRecorder {
		return s.call("POST", fmt.Sprintf("/api/tenants/admins/%d/assign-owner", i+1), `{"user_id":2}`)
	})
	s.wantEnds("six admins, one user", answers, map[string]int{"200": 1, "409 already_owner": 5})
	// One admin is wanted by five users, none of whom owns another.
	answers = together(5, func(i int) *httptest.ResponseRecorder {
		return s.call("POST", "/api/tenants/admins/1/assign-owner", fmt.Sprintf(`{"user_id":%d}`, i+3))
	})
	s.wantEnds("five users, one admin", answers, map[string]int{"200": 5})
	owners := map[any]int{}
	for i := range 6 {
		if o := s.want("GET", fmt.Sprintf("/api/tenants/admins/%d", i+1), "", 200)["owner_user_id"]; o != nil {
			owners[o]++
		}
	}
	for user, n := range owners {
		if n > 1 {
			t.Errorf("user %v owns %d admins", user, n)
		}
	}
	if n := s.total("/api/tenants/admins/1/users"); n < 5 {
		t.Errorf("got %v users of the admin, want all five: former owners are staff", n)
	}
}

func TestRaceOfEdits(t *testing.T) {
	s := race(t)
	w := s.call("POST", "/api/tenants/partner-groups", `{"name":"Gold"}`)
	tag := w.Header().Get("ETag")
	answers := together(20, func(i int) *httptest.ResponseRecorder {
		return s.call("PUT", "/api/tenants/partner-groups/1", fmt.Sprintf(`{"description":"edit %d"}`, i), "If-Match", tag)
	})
	s.wantEnds("20 edits with one ETag", answers, map[string]int{"200": 1, "412 precondition_failed": 19})
	if n := s.total("/api/tenants/audit-logs?action=partner_group.updated"); n != 1 {
		t.Errorf("got %v edits in the audit log, want 1", n)
	}
}

func TestRaceOfOneKey(t *testing.T) {
	s := race(t)
	s.want("POST", "/api/tenants/admins", `{"name":"Agency","contact_email":"desk@agency.example"}`, 201)
	const body = `{"amount":5,"reason":"once"}`
	answers := together(200, func(int) *httptest.ResponseRecorder {
		return s.call("POST", "/api/tenants/admins/1/grant-credits", body, "Idempotency-Key", "one")
	})
	s.wantEnds("200 posts with one key", answers, map[string]int{"200": 200})
	replayed := 0
	for _, w := range answers {
		if w.Header().Get("Idempotent-Replayed") == "true" {
			replayed++
		}
		if w.Body.String() != answers[0].Body.String() {
			t.Fatalf("got two answers:\n%s\n%s", w.Body, answers[0].Body)
		}
	}
	if replayed != 199 {
		t.Errorf("%d were replays, want 199", replayed)
	}
	if b := s.want("GET", "/api/tenants/admins/1", "", 200)["credit_balance"]; b != 5.0 {
		t.Errorf("got balance %v, want 5", b)
	}
}

func TestRaceForTheLastSeat(t *testing.T) {
	s := race(t)
	s.want("POST", "/api/tenants/register", registerBody(1, "small"), 201)
	s.want("POST", "/api/tenants/requests/1/approve", `{"provision":true,"max_users":3}`, 200)
	answers := together(20, func(i int) *httptest.ResponseRecorder {
		return s.call("POST", "/api/tenants/organizations/1/invitations", fmt.Sprintf(`{"email":"new%d@member.example","role":"member"}`, i))
	})
	s.wantEnds("20 invitations for two seats", answers, map[string]int{"201": 2, "403 limit_exceeded": 18})
	if users := object(s.want("GET", "/api/tenants/organizations/1/usage", "", 200), "users"); users["used"] != 1.0 || users["invited"] != 2.0 || users["remaining"] != 0.0 {
		t.Errorf("got %v, want one used, two invited, none left", users)
	}
}

// An invitation link is good once, and two owners cannot both leave.
func TestRaceOfOneTokenAndOfLastOwners(t *testing.T) {
	s := race(t)
	s.want("POST", "/api/tenants/register", registerBody(1, "small"), 201)
	s.want("POST", "/api/tenants/requests/1/approve", `{"provision":true}`, 200)
	link, _ := s.want("POST", "/api/tenants/organizations/1/invitations", `{"email":"second@owner.example","role":"owner"}`, 201)["accept_url"].(string)
	_, token, _ := strings.Cut(link, "#token=")
	anybody := s
	anybody.token = ""
	answers := together(50, func(int) *httptest.ResponseRecorder {
		return anybody.call("POST", "/api/auth/invitations/accept", fmt.Sprintf(`{"token":%q,"password":%q,"name":"Second"}`, token, password))
	})
	s.wantEnds("50 uses of one link", answers, map[string]int{"200": 1, "422 invalid_token": 49})
	if n := s.total("/api/tenants/organizations/1/members?role=owner"); n != 2 {
		t.Fatalf("got %v owners, want 2", n)
	}
	answers = together(10, func(i int) *httptest.ResponseRecorder {
		return s.call("DELETE", fmt.Sprintf("/api/tenants/organizations/1/members/%d", i%2+2), "")
	})
	left := s.total("/api/tenants/organizations/1/members?role=owner")
	if got := ends(answers); left != 1 || got["204"] != 1 || got["409 last_owner"] == 0 {
		t.Errorf("got %v owners after %v, want one", left, got)
	}
}
