package api_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// Whatever is answered is written as encoding/json writes it, byte for byte.
func TestAnswersAreWrittenAsTheStandardDoes(t *testing.T) {
	s := newServer(t, dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{}))
	s.Handler()
	types := s.AnswerTypes()
	if len(types) < 100 {
		t.Fatalf("found %d types, which cannot be all", len(types))
	}
	for name, typ := range types {
		t.Run(name, rapid.MakeCheck(func(r *rapid.T) {
			v := reflect.New(typ)
			draw(r, v.Elem(), 4)
			var want bytes.Buffer
			enc := json.NewEncoder(&want)
			enc.SetEscapeHTML(false)
			wantErr := enc.Encode(v.Elem().Interface())
			got, err := api.Marshal(v.Elem().Interface())
			if (err != nil) != (wantErr != nil) || wantErr == nil && !bytes.Equal(got, want.Bytes()) {
				r.Fatalf("got %s %v, want %s %v", got, err, want.Bytes(), wantErr)
			}
		}))
	}
}

var awkward = []string{"", "<a href=\"x\">&</a>", "\u2028\u2029", "\x00\x1f\x7f", "\xff\xc0", "\\ / ' \" \n\r\t\b", "Grüße 😀", "\ufffd"}

// draw gives v a value, down to some depth.
func draw(r *rapid.T, v reflect.Value, depth int) {
	raw := reflect.TypeFor[json.RawMessage]()
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.OneOf(rapid.SampledFrom(awkward), rapid.String()).Draw(r, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(r, "bool"))
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(rapid.OneOf(rapid.Int64Range(-1, 1000), rapid.Int64Range(-1<<31, 1<<31-1)).Draw(r, "number"))
		if v.Kind() == reflect.Int64 && v.Type().PkgPath() == "" {
			v.SetInt(rapid.Int64().Draw(r, "large"))
		}
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(r, "float"))
	case reflect.Pointer:
		if depth > 0 && rapid.Bool().Draw(r, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(r, v.Elem(), depth-1)
		}
	case reflect.Slice:
		if v.Type() == raw {
			v.SetBytes([]byte(rapid.SampledFrom([]string{"null", "{}", `[1,"<"]`, `{"a":1.50}`}).Draw(r, "raw")))
			return
		}
		if depth > 0 && rapid.Bool().Draw(r, "there") {
			v.Set(reflect.MakeSlice(v.Type(), rapid.IntRange(0, 2).Draw(r, "n"), 2))
			for i := range v.Len() {
				draw(r, v.Index(i), depth-1)
			}
		}
	case reflect.Map:
		if depth > 0 && rapid.Bool().Draw(r, "there") {
			v.Set(reflect.MakeMap(v.Type()))
			for range rapid.IntRange(0, 3).Draw(r, "n") {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				draw(r, key, depth-1)
				draw(r, value, depth-1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf(rapid.SampledFrom([]any{"<", 1.5, int64(1) << 60, true, map[string]any{"b": nil, "a": []any{}}}).Draw(r, "any")))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				draw(r, v.Field(i), depth)
			}
		}
	}
}
