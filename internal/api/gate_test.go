package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/api"
)

// The gate is held against encoding/json's own reading of the same bytes: of
// what is JSON, it lets pass exactly what has nothing that it is there to
// refuse.
func FuzzStrict(f *testing.F) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, s := range []string{
		`{}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"a":1},"b":[{"a":1},{"a":1}]}`, `"\ud800"`, `"\ud83d\ude00"`, `"\udc00\ud800"`, "\"\x00\"", `"\u0000"`,
		"\xff", `"\\ud800"`, `{"a\"":1,"a\"":2}`, `{} {}`, deep(32), deep(33), `{"a":"}{","b":"\"[","c":[[],{}]}`, `"\u12"`, `"\ud800\u0041"`, ` `, `{"":1,"":2}`, `"�"`, `"\ufffd"`, `"\`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := api.Strict(data)
		if !json.Valid(data) {
			return // the reader after the gate refuses it
		}
		if want := offence(t, data); (err == nil) != (want == "") {
			t.Errorf("%q: got %v, want %q", data, err, want)
		}
	})
}

// offence is what the gate must refuse in valid JSON, or "".
func offence(t *testing.T, data []byte) string {
	if !utf8.Valid(data) {
		return "invalid UTF-8"
	}
	type level struct {
		names map[string]bool // nil for an array
		name  bool            // the next token is a name
	}
	var open []*level
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err == io.EOF {
			return ""
		}
		if err != nil {
			t.Fatalf("%q is valid and cannot be read: %v", data, err)
		}
		var top *level
		if len(open) > 0 {
			top = open[len(open)-1]
		}
		if s, ok := token.(string); ok {
			if strings.ContainsRune(s, 0) {
				return "NUL"
			}
			if strings.ContainsRune(s, utf8.RuneError) && !bytes.ContainsRune(data, utf8.RuneError) && !bytes.Contains(bytes.ToLower(data), []byte(`\ufffd`)) {
				return "lone surrogate"
			}
			if top != nil && top.name {
				if top.names[s] {
					return "duplicate name"
				}
				top.names[s], top.name = true, false
				continue
			}
		}
		if d, ok := token.(json.Delim); ok && (d == '}' || d == ']') {
			open = open[:len(open)-1]
			continue
		}
		if top != nil && top.names != nil {
			top.name = true // after this value, or after what it opens
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &level{names: map[string]bool{}, name: true})
		case json.Delim('['):
			open = append(open, &level{})
		}
		if len(open) > 32 {
			return "too deep"
		}
	}
}
