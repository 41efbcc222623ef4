package api_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// fewest is how many cells an engine must at least have.
const fewest = 4000

// TestMatrix asks every route as every principal for every object, and with
// every kind of token under every kind of hold: of each answer the code is what
// SPEC asks, and nothing in it is another tenant's.
func TestMatrix(t *testing.T) {
	for engine, url := range map[string]string{"sqlite": dbtest.SQLiteURL(t), "postgres": dbtest.PostgresURL(t)} {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, url)
			w.known()
			all := principalCells(t, w.server.Operations())
			w.try(all)
			w.totals()
			held := 0
			for _, h := range holdings {
				cells := tokenCells(t, w.server.Operations(), h)
				held += len(cells)
				lift := w.place(h)
				w.refresh()
				w.try(cells)
				lift()
			}
			t.Logf("%d cells of principals and objects, %d of tokens and holds, none skipped", len(all), held)
			if n := len(all) + held; n < fewest {
				t.Errorf("got %d cells, want at least %d", n, fewest)
			}
		})
	}
}

// known fails where a route is not known well enough to be asked, and says what
// to add.
func (w *world) known() {
	w.Helper()
	for _, o := range w.server.Operations() {
		if _, err := parameters(o); err != nil {
			w.Error(err)
		}
	}
	if w.Failed() {
		w.FailNow()
	}
}

// principalCells are every route as every principal for every object that the
// request can name.
func principalCells(t *testing.T, ops []api.Operation) (all []cell) {
	t.Helper()
	for _, o := range ops {
		for i := range principals {
			for _, object := range objectsOf(t, o) {
				all = append(all, cell{op: o, who: &principals[i], object: object})
			}
		}
	}
	return all
}

// tokenCells are every route with every kind of token, on what is its own.
func tokenCells(t *testing.T, ops []api.Operation, h holding) (all []cell) {
	t.Helper()
	for _, o := range ops {
		object := objectsOf(t, o)[0]
		for i := range tokens {
			all = append(all, cell{op: o, who: &tokens[i], object: object, hold: h})
		}
	}
	return all
}

// objectsOf are the objects that a request of the route can name.
func objectsOf(t *testing.T, o api.Operation) []string {
	t.Helper()
	kinds, err := parameters(o)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case len(kinds) > 1 && slices.Contains(shared, kinds[len(kinds)-1]):
		return append(slices.Clone(objects), missing)
	case len(kinds) > 1:
		return append(slices.Clone(objects), strayed, missing)
	case len(kinds) == 1 || sampleOf(o).varies:
		return objects
	}
	return []string{""}
}

// try asks all cells, many at once, then those that want to be alone.
func (w *world) try(cells []cell) {
	w.Helper()
	for _, f := range w.failures(cells) {
		w.Error(f)
	}
}

const askers = 8

// failures says of each cell that is not as expected what is wrong.
func (w *world) failures(cells []cell) (all []string) {
	var mu sync.Mutex // guards all
	note := func(c cell) {
		if why := w.ask(c); why != "" {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, c.String()+": "+why)
		}
	}
	queue := make(chan cell)
	var together sync.WaitGroup
	for range askers {
		together.Go(func() {
			for c := range queue {
				note(c)
			}
		})
	}
	for _, c := range cells {
		if !sampleOf(c.op).alone {
			queue <- c
		}
	}
	close(queue)
	together.Wait()
	for _, c := range cells {
		if sampleOf(c.op).alone {
			note(c)
			if w.email[c.who.name] != "" {
				w.anew(c.who.name)
			}
		}
	}
	slices.Sort(all)
	return all
}

// ask sends the request of a cell and says what is wrong with the answer.
func (w *world) ask(c cell) string {
	target, body, token, err := w.request(c)
	if err != nil {
		return err.Error()
	}
	by := w.by(token)
	var header []string
	if media := sampleOf(c.op).media; media != "" {
		header = []string{"Content-Type", media}
	}
	answer := by.call(c.op.Method, target, body, header...)
	if why := w.judge(c, answer); why != "" {
		return fmt.Sprintf("%s\n\t%s %s %s\n\t%d %.300s", why, c.op.Method, target, body, answer.Code, answer.Body)
	}
	if answer.Code < 300 && answer.Header().Get("Vary") == "Accept" {
		csv := by.call(c.op.Method, target, body, "Accept", "text/csv")
		if csv.Code != 200 || !strings.HasPrefix(csv.Header().Get("Content-Type"), "text/csv") {
			return fmt.Sprintf("as CSV: got %d %s", csv.Code, csv.Body)
		}
		return w.leaks(c, csv)
	}
	return ""
}

// judge compares an answer with what is expected.
func (w *world) judge(c cell, answer *httptest.ResponseRecorder) string {
	if why := w.leaks(c, answer); why != "" {
		return why
	}
	var body map[string]any
	_ = json.Unmarshal(answer.Body.Bytes(), &body) // CSV, events and 204 have none
	got := fmt.Sprint(answer.Code)
	if code, ok := body["code"].(string); ok && answer.Code >= 400 {
		got += " " + code
	}
	if want := w.wanted(c); got != want {
		if answer.Code == 400 || answer.Code == 422 {
			got += " (if it is the request that is wrong, mend its sample in matrix_samples_test.go)"
		}
		return fmt.Sprintf("got %s, want %s", got, want)
	}
	if answer.Code == 404 && c.op.May.Name != "public" {
		delete(body, "request_id")
		if text, _ := json.Marshal(body); string(text) != absence {
			return "what is out of reach is not answered as what is absent"
		}
	}
	if pages, ok := body["pagination"].(map[string]any); ok && w.quiet {
		if total := pages["total"].(float64); total <= 200 && int(total) != len(body["data"].([]any)) {
			return fmt.Sprintf("the total counts %v, and %d are shown", total, len(body["data"].([]any)))
		}
	}
	if check := sampleOf(c.op).check; check != nil && answer.Code < 300 {
		if err := check(c, body); err != nil {
			return err.Error()
		}
	}
	return ""
}

// absence is every 404, but for the request id.
const absence = `{"code":"not_found","detail":"There is nothing here that you can see.","errors":[],"status":404,"title":"Not Found","type":"/docs#problem-not_found"}`

// wanted is status and code of the cell.
func (w *world) wanted(c cell) string {
	want := c.expected()
	if want != success {
		return want
	}
	kinds, _ := parameters(c.op) // known since the cell was made
	last := ""
	if len(kinds) > 0 {
		last = kinds[len(kinds)-1]
	}
	end := c.ending()
	switch global := last != "" && objectOf(c.op) == auth.Nothing; {
	case c.op.ID == "accept-invitation" && c.hold.on != "":
		return c.hold.refusal()
	case slices.Contains(personal, last) && c.object != own, global && end == success && (c.object == absent || c.object == deleted && sampleOf(c.op).ends[deleted] == ""):
		return "404 not_found"
	case end != success:
		return end
	case c.dry():
		return "200"
	}
	return fmt.Sprint(c.op.Success)
}

// dry reports whether the request is a dry run, which leaves no trace.
func (c cell) dry() bool { return c.op.DryRuns && c.who.as != "key" }

// leaks names a canary in the answer that the caller may not see.
func (w *world) leaks(c cell, answer *httptest.ResponseRecorder) string {
	if c.who.everything {
		return ""
	}
	var b strings.Builder
	_ = answer.Header().Write(&b) // to memory
	b.Write(answer.Body.Bytes())
	text := strings.ToLower(b.String())
	for _, tenant := range tenants {
		if !slices.Contains(c.who.sees, tenant) && strings.Contains(text, kanarie(tenant)) {
			return "shows what is " + tenant + "'s"
		}
	}
	return ""
}

// request makes what a cell sends.
func (w *world) request(c cell) (target, body, token string, err error) {
	sample := sampleOf(c.op)
	kinds, _ := parameters(c.op) // known since the cell was made
	token = w.token[c.who.name]
	more := map[string]string{"{n}": fmt.Sprint(w.n.Add(1)), "{password}": password, "{who.email}": w.email[c.who.name]}
	if c.who.as != "person" {
		more["{who.email}"] = "nobody@neutral.example"
	}
	if c.op.ID == "refresh" {
		more["{who.refresh}"] = w.login(more["{who.email}"])["refresh_token"].(string)
	}
	if c.op.ID == "accept-invitation" {
		more["{invitation-token}"] = "tnt_in_junk"
		if c.hold.on != "" {
			more["{invitation-token}"] = w.at("invitation-token", "a1")
		}
	}
	session := ""
	if sample.fresh && c.who.as == "person" {
		token = w.login(w.email[c.who.name])["access_token"].(string)
		if slices.Contains(kinds, "session") {
			session = w.current(token)
		}
	}
	path := ""
	for part := range strings.SplitSeq(strings.TrimPrefix(c.op.Path, "/"), "/") {
		if strings.HasPrefix(part, "{") {
			part, kinds = w.named(c, kinds[0], session, len(kinds) == 1), kinds[1:]
			if part == "" {
				return "", "", "", fmt.Errorf("there is no such thing for %s: plant one in world.plant", c)
			}
		}
		path += "/" + part
	}
	query := sample.query
	add := func(s string) { query = strings.TrimPrefix(query+"&"+s, "&") }
	if slices.Contains(c.op.Query, "limit") {
		add("limit=200")
	}
	if c.dry() {
		add("dry_run=true")
	}
	if query != "" {
		query = "?" + query
	}
	return path + w.filled(c, query, more), w.filled(c, sample.body, more), token, nil
}

// named is what stands in the path for a thing of a kind; last is the thing
// itself, and not what it lies in.
func (w *world) named(c cell, kind, session string, last bool) string {
	object := c.object
	switch object {
	case "":
		object = own
	case strayed, missing:
		object = own
		if last {
			object = strings.TrimPrefix(c.object, own+"/")
		}
	}
	switch {
	case object == absent && kind == "plugin":
		return "no-such-plugin"
	case object == absent || slices.Contains(personal, kind) && object == deleted:
		return "999999"
	case last && once[c.op.ID] != "":
		return w.spare(c, sites[c.who.home][object])
	case kind == "session" && (object == own && session != ""):
		return session
	case kind == "session":
		return w.at("session", "any")
	case kind == "notification" && object == own && c.who.as == "person":
		return w.at(kind, c.who.name)
	}
	return w.thingAt(kind, sites[c.who.home][object])
}

// spare is a thing for a request that would end it: one of its own where it is
// let in ("" where none is left), else one that nobody ends.
func (w *world) spare(c cell, site string) string {
	kind := once[c.op.ID]
	if c.expected() != success {
		return w.at(kind, site)
	}
	select {
	case thing := <-w.spares[kind+" "+site]:
		return thing
	default:
		return ""
	}
}

func (w *world) thingAt(kind, site string) string {
	if v := w.at(kind, site); v != "" {
		return v
	}
	return w.at(kind, "any")
}

// filled puts things and more into a text.
func (w *world) filled(c cell, text string, more map[string]string) string {
	for name, value := range more {
		text = strings.ReplaceAll(text, name, value)
	}
	object := c.tenant()
	if object == "" {
		object = own
	}
	for kind := range w.thing {
		value := w.thingAt(kind, sites[c.who.home][object])
		switch {
		case object == absent && kind == "owner-token":
			value = "junk"
		case object == absent && kind != "owner" && kind != "idle" && kind != "staff":
			value = "999999"
		case object == absent:
			value = w.thingAt(kind, "a1")
		}
		text = strings.ReplaceAll(text, "{"+kind+"}", value)
	}
	return text
}

func (w *world) login(email string) map[string]any {
	return w.by("").want("POST", "/api/auth/login", `{"email":"`+email+`","password":"`+password+`"}`, 200)
}

// current is the id of a token's session.
func (w *world) current(token string) string {
	for _, s := range w.by(token).want("GET", "/api/auth/sessions?limit=200", "", 200)["data"].([]any) {
		if s := s.(map[string]any); s["current"] == true {
			return fmt.Sprint(int64(s["id"].(float64)))
		}
	}
	return ""
}

// anew signs somebody in again.
func (w *world) anew(who string) {
	for name, email := range w.email {
		if email == w.email[who] && w.token[name] != "" {
			w.token[name] = w.login(email)["access_token"].(string)
		}
	}
	w.superadmin.token = w.token["superadmin"]
}

// refresh makes the refreshed token, under whatever holds are in force.
func (w *world) refresh() {
	tokens := w.login(w.email["refreshed token of an owner"])
	tokens = w.by("").want("POST", "/api/auth/refresh", fmt.Sprintf(`{"refresh_token":%q}`, tokens["refresh_token"]), 200)
	w.token["refreshed token of an owner"] = tokens["access_token"].(string)
}

// totals holds counts against what was planted: a count tells of a tenant, too.
func (w *world) totals() {
	w.Helper()
	w.quiet = true
	defer func() { w.quiet = false }()
	for _, c := range principalCells(w.T, w.server.Operations()) {
		if slices.Contains(c.op.Query, "limit") && c.expected() == success {
			if why := w.ask(c); why != "" {
				w.Errorf("%s: %s", c, why)
			}
		}
	}
	for who, want := range map[string]float64{"admin A": 3, "admin B": 2, "user of a suspended admin": 2, "superadmin": 7} {
		if n := w.by(w.token[who]).total("/api/tenants/organizations"); n != want {
			w.Errorf("%s counts %v organizations, want %v", who, n, want)
		}
	}
	for _, who := range []string{"owner", "admin A", "admin B", "superadmin", "organization key"} {
		by := w.by(w.token[who])
		all, counted := by.total("/api/tenants/audit-logs"), by.want("GET", "/api/tenants/audit-logs/stats?days=365", "", 200)["total"]
		if all != counted {
			w.Errorf("%s sees %v audit events, and stats of %v", who, all, counted)
		}
	}
}

// A route has a row of the table, and none that it changed for itself.
func TestRoutesKeepToTheTable(t *testing.T) {
	s := &api.Server{DB: new(db.DB)}
	s.Handler()
	for _, o := range s.Operations() {
		if o.May != row(o) {
			t.Errorf("%s has a permission that is no row of auth.Table: %+v", o.ID, o.May)
		}
	}
}

// A route that forgets the object, or a hold, is found by the matrix.
func TestMatrixFindsHoles(t *testing.T) {
	w := newWorld(t, dbtest.SQLiteURL(t))
	for broken := range api.Breaks {
		t.Run(broken, func(t *testing.T) {
			w := *w
			server := newServer(t, w.db)
			w.T, w.h = t, server.Broken(broken)
			ops := slices.DeleteFunc(server.Operations(), func(o api.Operation) bool { return o.ID != broken })
			found := w.failures(principalCells(t, ops))
			for _, h := range holdings {
				lift := w.place(h)
				w.refresh()
				found = append(found, w.failures(tokenCells(t, ops, h))...)
				lift()
			}
			t.Logf("%d cells are wrong, among them\n%s", len(found), strings.Join(found[:min(len(found), 2)], "\n"))
			if len(found) == 0 {
				t.Error("nothing was found")
			}
		})
	}
}
