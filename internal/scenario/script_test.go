package scenario

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const text = `# What it shows.
with TENANTRY_PUBLIC_RATE=2

as root
POST /groups?dry_run=true
Idempotency-Key: one
{
"name": "Gold"
}
-> 201 whole
Location: /groups/{g}
{"id": <id=g>,
 "all": [...]}

as nobody
GET /groups
-> 401 unauthenticated
GET /groups/7
-> same
POST /groups
{}
-> 422 validation_failed
! name required
! size out_of_range

mail to ann@anchor.example
Subject: Hello
...
code <token=c>

dns TXT _tenantry.shop.example {c}
`
	got, err := Parse("a.txt", text)
	if err != nil {
		t.Fatal(err)
	}
	want := &Script{Name: "a.txt", Env: []string{"TENANTRY_PUBLIC_RATE=2"}, Steps: []Step{
		{Line: 5, As: "root", Method: "POST", Target: "/groups?dry_run=true", Header: []Header{{"Idempotency-Key", "one"}}, Body: "{\n\"name\": \"Gold\"\n}",
			Want: Want{Line: 10, Status: 201, Whole: true, Header: []Header{{"Location", "/groups/{g}"}}, Body: "{\"id\": <id=g>,\n \"all\": [...]}"}},
		{Line: 16, As: "nobody", Method: "GET", Target: "/groups", Want: Want{Line: 17, Status: 401, Code: "unauthenticated"}},
		{Line: 18, As: "nobody", Method: "GET", Target: "/groups/7", Want: Want{Line: 19, Same: true}},
		{Line: 20, As: "nobody", Method: "POST", Target: "/groups", Body: "{}",
			Want: Want{Line: 22, Status: 422, Code: "validation_failed", Fields: []string{"name required", "size out_of_range"}}},
		{Kind: Mail, Line: 26, As: "nobody", Target: "ann@anchor.example",
			Want: Want{Line: 26, Header: []Header{{"Subject", "Hello"}}, Body: "...\ncode <token=c>"}},
		{Kind: DNS, Line: 31, As: "nobody", Target: "_tenantry.shop.example", Body: "{c}"},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "the script does nothing",
		"GET /x\n-> 200":                       "bad.txt:1: say who asks",
		"as root\nFETCH /x":                    "bad.txt:2: \"FETCH /x\" is no step",
		"as root\nGET /x\n\n":                  "bad.txt:3: the request has no answer",
		"as root\nGET /x":                      "bad.txt:2: the request has no answer",
		"-> 200":                               "bad.txt:1: an answer without a request",
		"as root\nGET /x\n-> maybe":            "bad.txt:3: \"-> maybe\" is no answer",
		"as root\nGET /x\n-> 404":              "bad.txt:3: a refusal needs its code",
		"as root\nGET /x\n-> 404 a b":          "bad.txt:3: a refusal has one code",
		"as root\nGET /x\n-> 200 fine":         "bad.txt:3: a refusal has one code, another answer none",
		"as root\nGET /x\n-> 200\n{\"a\": }\n": "bad.txt:5: the answer that ends here: not JSON",
		"as root\nGET /x\n-> 200\n\nwith A=b":  "bad.txt:5: settings of the server stand at the head",
	} {
		_, err := Parse("bad.txt", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): got %v, want %s", text, err, want)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		pattern, got string
		whole        bool
		want         string // the first difference; "" is none
	}{
		{`{"a": 1}`, `{"a": 1, "b": 2}`, false, ""},
		{`{"a": 1}`, `{"a": 1, "b": 2}`, true, ".b: not named"},
		{`{"a": {"b": 1}}`, `{"a": {"b": 1, "c": 2}}`, true, ".a.c: not named"},
		{`{"a": 1}`, `{"b": 1}`, false, ".a: want 1, got no such field"},
		{`{"a": null}`, `{"a": 0}`, false, ".a: want null, got 0"},
		{`{"a": 1}`, `{"a": "1"}`, false, ".a: want 1"},
		{`{"a": <absent>}`, `{"b": 1}`, false, ""},
		{`{"a": <absent>}`, `{"a": null}`, false, ".a: want no such field"},
		{`[1, 2]`, `[1, 2, 3]`, false, "want 2 elements, got 3"},
		{`[1, ...]`, `[1, 2, 3]`, false, ""},
		{`[..., {"id": 3}, ...]`, `[{"id": 1}, {"id": 3}, {"id": 4}]`, false, ""},
		{`[..., 9, ...]`, `[1, 2]`, false, "[1]: nothing there is like 9"},
		{`[..., 1]`, `[1, 2]`, false, "1 elements too many"},
		{`[...]`, `[]`, false, ""},
		{`{"t": <time>}`, `{"t": "2026-11-23T16:00:00.000Z"}`, false, ""},
		{`{"t": <time>}`, `{"t": "2026-11-23T16:00:00Z"}`, false, ".t: want <time>"},
		{`{"n": <id>}`, `{"n": 0}`, false, ".n: want <id>, got 0"},
		{`{"n": <int>}`, `{"n": 1.5}`, false, ".n: want <int>"},
		{`{"n": <any>}`, `{"n": null}`, false, ""},
		{`{"n": <text>}`, `{"n": ""}`, false, ".n: want <text>"},
		{`{"n": <bool>}`, `{"n": false}`, false, ""},
		{`{"u": "https://x/<token>?a=<int>"}`, `{"u": "https://x/abc?a=7"}`, false, ""},
		{`{"u": "https://x/<token>"}`, `{"u": "https://x/a b"}`, false, ".u: want"},
		{`{"id": {group}}`, `{"id": 7}`, false, ""},
		{`{"id": {nobody}}`, `{"id": 7}`, false, "nothing is called {nobody}"},
	} {
		diffs := JSON(c.pattern, c.got, c.whole, Vars{"group": "7"})
		got := strings.Join(diffs, "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("JSON(%s, %s, %v): got %q, want %q", c.pattern, c.got, c.whole, got, c.want)
		}
	}
}

func TestNamesAreKept(t *testing.T) {
	vars := Vars{}
	diffs := JSON(`{"id": <id=g>, "url": "https://x/<token=t>#<int=n>", "s": <text=s>}`, `{"id": 7, "url": "https://x/abc#-4", "s": "a b"}`, false, vars)
	diffs = append(diffs, Value("ETag", "<etag=e>", `"v1-abc"`, true, vars)...)
	diffs = append(diffs, Text("...\nlast <token=w>", "one\ntwo\nlast one\n", vars)...)
	want := Vars{"g": "7", "t": "abc", "n": "-4", "s": "a b", "e": `"v1-abc"`, "w": "one"}
	if len(diffs) > 0 || !reflect.DeepEqual(vars, want) {
		t.Errorf("got %v, differences %q, want %v", vars, diffs, want)
	}
}

func TestHeaders(t *testing.T) {
	for _, c := range []struct {
		pattern, got string
		there        bool
		want         int // differences
	}{
		{"true", "true", true, 0},
		{"true", "", false, 1},
		{"<absent>", "", false, 0},
		{"<absent>", "x", true, 1},
		{"/groups/<id>", "/groups/x", true, 1},
	} {
		if diffs := Value("X", c.pattern, c.got, c.there, Vars{}); len(diffs) != c.want {
			t.Errorf("Value(%q, %q, %v): %q, want %d differences", c.pattern, c.got, c.there, diffs, c.want)
		}
	}
}
