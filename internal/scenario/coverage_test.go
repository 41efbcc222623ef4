package scenario

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// tried are refusals that every route gives alike; a test sends hostile input
// to all of them.
var tried = []string{"304", "400", "413", "415", "429", "500", "503"}

// operation is one of the served document.
type operation struct {
	ID        string `json:"operationId"`
	Responses map[string]any
	DryRun    bool     `json:"x-dry-run"`
	Keeps     bool     `json:"x-idempotency"`
	Roles     []string `json:"x-roles"`
	method    string
	path      []string
}

// operations reads /openapi.json from the binary.
func operations(t *testing.T) []operation {
	t.Helper()
	s := start(t, sqlite{}.empty(t))
	res, err := client.Get(s.base + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	var all []operation
	for path, methods := range doc.Paths {
		for method, o := range methods {
			o.method, o.path = strings.ToUpper(method), strings.Split(path, "/")
			all = append(all, o)
		}
	}
	return all
}

// is reports how well the operation fits a request: how many parts of its path
// are named by it, -1 for another operation.
func (o operation) is(s Step) int {
	path, _, _ := strings.Cut(s.Target, "?")
	parts := strings.Split(path, "/")
	if s.Kind != Request || s.Method != o.method || len(parts) != len(o.path) {
		return -1
	}
	named := 0
	for i, p := range o.path {
		switch {
		case p == parts[i]:
			named++
		case !strings.HasPrefix(p, "{"):
			return -1
		}
	}
	return named
}

// asked is the operation of a step, nil for none.
func asked(all []operation, s Step) *operation {
	var best *operation
	most := -1
	for i := range all {
		if n := all[i].is(s); n > most {
			best, most = &all[i], n
		}
	}
	return best
}

// shown gives the statuses with which a script shows each operation.
func shown(all []operation, s *Script) map[string]map[string]bool {
	found := map[string]map[string]bool{}
	status := 0
	for _, step := range s.Steps {
		if step.Kind == Request && !step.Want.Same {
			status = step.Want.Status
		}
		o := asked(all, step)
		// A dry run answers 200, which is no success where that is 200 too.
		if o != nil && (status >= 400 || !strings.Contains(step.Target, "dry_run=true") || o.Responses["201"] != nil || o.Responses["204"] != nil) {
			if found[o.ID] == nil {
				found[o.ID] = map[string]bool{}
			}
			found[o.ID][fmt.Sprint(status)] = true
		}
	}
	return found
}

// further are scripts of more than one operation.
var further = []string{"reference", "rate-limit"}

func TestEveryOperationHasAScript(t *testing.T) {
	all := operations(t)
	byName := map[string]*Script{}
	for _, s := range scripts(t) {
		byName[strings.TrimSuffix(s.Name, ".txt")] = s
	}
	for _, o := range all {
		// A PATCH is its PUT by another name: the script of the PUT shows it once.
		of, patch := strings.CutPrefix(o.ID, "patch-")
		s := byName[of]
		if s == nil {
			t.Errorf("no script shows %s %s: write %s/%s.txt", o.method, strings.Join(o.path, "/"), folder, of)
			continue
		}
		found := shown(all, s)[o.ID]
		if patch {
			if !found["200"] {
				t.Errorf("%s does not show PATCH", s.Name)
			}
			continue
		}
		for status := range o.Responses {
			if !slices.Contains(tried, status) && !found[status] {
				t.Errorf("%s does not show %s, which the document has", s.Name, status)
			}
		}
		for status := range found {
			if _, documented := o.Responses[status]; !documented && status != fmt.Sprint(http.StatusNotModified) {
				t.Errorf("%s shows %s, which the document has not", s.Name, status)
			}
		}
	}
	for name := range byName {
		if !slices.Contains(further, name) && !slices.ContainsFunc(all, func(o operation) bool { return o.ID == name }) {
			t.Errorf("%s.txt shows no operation", name)
		}
	}
}

// TestScriptsShowWhatHoldsForAll asks of each script what no status tells: the
// whole answer once, the dry run or that there is none, replay and reuse of an
// Idempotency-Key, what is foreign beside what is absent, and 304 where a thing
// has a tag.
func TestScriptsShowWhatHoldsForAll(t *testing.T) {
	all := operations(t)
	for _, s := range scripts(t) {
		i := slices.IndexFunc(all, func(o operation) bool { return o.ID+".txt" == s.Name })
		if i < 0 {
			continue
		}
		o := all[i]
		var own []Step
		for _, step := range s.Steps {
			if of := asked(all, step); of != nil && of.ID == o.ID {
				own = append(own, step)
			}
		}
		want := func(needed bool, what string, is func(Step) bool) {
			if needed && !slices.ContainsFunc(own, is) {
				t.Errorf("%s does not show %s", s.Name, what)
			}
		}
		changes := o.method != http.MethodGet
		want(o.Responses["204"] == nil && o.ID != "stream-notifications" && o.ID != "authorization-matrix", "a whole answer",
			func(s Step) bool { return s.Want.Whole })
		want(changes && o.DryRun, "a dry run", func(s Step) bool { return strings.Contains(s.Target, "dry_run=true") && s.Want.Status == http.StatusOK })
		want(changes && !o.DryRun, "that there is no dry run", func(s Step) bool { return s.Want.Code == "dry_run_unsupported" })
		want(o.Keeps, "a replay", func(s Step) bool { return slices.Contains(s.Want.Header, Header{"Idempotent-Replayed", "true"}) })
		want(slices.Contains(o.Roles, "admin") && o.Responses["404"] != nil, "that what is foreign is like what is absent",
			func(s Step) bool { return s.Want.Same })
		want(!changes && slices.ContainsFunc(own, tagged), "304", func(s Step) bool { return s.Want.Status == http.StatusNotModified })
		if o.Keeps && !slices.ContainsFunc(s.Steps, func(s Step) bool { return s.Want.Code == "idempotency_key_reused" }) {
			t.Errorf("%s does not show a key that is used for another request", s.Name)
		}
	}
}

// tagged reports a step that wants an ETag.
func tagged(s Step) bool {
	return slices.ContainsFunc(s.Want.Header, func(h Header) bool { return h.Name == "ETag" && h.Value != "<absent>" })
}
