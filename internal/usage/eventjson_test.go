package usage

import "testing"

// What is read the short way is what is read the long way.
func FuzzParseEvent(f *testing.F) {
	for _, s := range []string{
		`{"specversion":"1.0","id":"a","source":"ecommerce","type":"t","subject":"s","data":{"value":1}}`,
		` {"specversion":"1.0", "id":"a","source":"e","type":"t","subject":"s","time":"2026-11-01T00:00:00Z","datacontenttype":"application/json","data":{ "delta" : -5 }} `,
		`{"specversion":"1.0","id":"a","source":"e","type":"t","subject":"s","data":{"value":-0}}`,
		`{"specversion":"1.0","id":"a","source":"e","type":"t","subject":"s","data":{"value":- 1}}`,
		`{"specversion":"1.0","id":"a","id":"b","source":"e","type":"t","subject":"s","data":{"value":1}}`,
		`{"specversion":"1.0","id":"","source":"e","type":"t","subject":"s","data":{"value":1}}`,
		`{"specversion":"1.0","id":"a","source":"e","type":"t","subject":"s","data":{"value":1,"delta":1}}`,
		`{"specversion":"1.0","id":"a","source":"e","type":"t","subject":"s","extension":"x","data":{"value":1}}`,
		`{"specversion":"1.0","id":"a","source":"e","type":"t","subject":"s","time":"x","data":{"value":1}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		short, ok := parseShort(b)
		if !ok {
			return
		}
		if long := parseLong(b); short != long {
			t.Errorf("%q: got %+v, want %+v", b, short, long)
		}
	})
}
