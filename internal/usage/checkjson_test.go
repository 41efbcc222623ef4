package usage_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/usage"
)

// What is read the short way is what encoding/json reads.
func FuzzParseCheck(f *testing.F) {
	for _, s := range []string{`{}`, `{"plugin":"a"}`, ` { "plugin" : "ecommerce", "meter":"storage_bytes","quantity":10,"amount":0 } `, `{"plugin":"a","plugin":"b"}`, `{"plugin":"a",}`,
		`{"Plugin":"a"}`, `{"plugin":null}`, `{"quantity":01}`, `{"quantity":-1}`, `{"quantity":1.5}`, `{"quantity":9999999999999999999}`, `{"plugin":"\u0061"}`, `[]`, `{"plugin":"a"}x`, `{"plugin":"a"`, `{"quantity":1e3}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := usage.ParseCheck(b)
		if !ok {
			return
		}
		var want usage.Check
		if err := json.Unmarshal(b, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v, %v", b, got, want, err)
		}
	})
}

func TestDecisionsAreWritten(t *testing.T) {
	type plain usage.Decision
	hard, by, reset := quota.Hard, quota.ByGroup, db.Time(1e15)
	for _, d := range []usage.Decision{{}, {Allowed: true, Code: "ok", Plugin: "ecommerce"}, {Plugin: "a\"b<é", Meter: new("x\\y")},
		{Code: "limit_exceeded", Mode: &hard, DecidedBy: &by, Limit: new(int64(7)), Used: new(int64(-1)), Remaining: new(int64(0)), ResetAt: &reset}} {
		got, err := d.MarshalJSON()
		var back, want plain
		b, _ := json.Marshal(plain(d))
		if err != nil || json.Unmarshal(got, &back) != nil || json.Unmarshal(b, &want) != nil || !reflect.DeepEqual(back, want) {
			t.Errorf("got %s, want %s", got, b)
		}
	}
}
