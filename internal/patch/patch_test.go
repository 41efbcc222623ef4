package patch_test

import (
	"encoding/json"
	"testing"

	"github.com/tenantry/tenantry/internal/patch"
)

type edit struct {
	Name  patch.Field[string]   `json:"name,omitzero"`
	Limit patch.Field[int64]    `json:"limit,omitzero"`
	Keys  patch.Field[[]string] `json:"keys,omitzero"`
}

func TestTheThreeThingsAFieldSays(t *testing.T) {
	old := int64(7)
	for body, want := range map[string]struct {
		set, null bool
		or        int64
		pointer   *int64
	}{
		`{}`:             {false, false, 7, &old},
		`{"limit":null}`: {true, true, 0, nil},
		`{"limit":0}`:    {true, false, 0, new(int64)},
		`{"limit":-1}`:   {true, false, -1, new(int64(-1))},
	} {
		var e edit
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Fatal(err)
		}
		f := e.Limit
		p := f.Pointer(&old)
		if f.Set != want.set || f.Null != want.null || f.Given() != (want.set && !want.null) || f.Or(old) != want.or ||
			(p == nil) != (want.pointer == nil) || p != nil && *p != *want.pointer {
			t.Errorf("%s: got %+v, or %d, pointer %v", body, f, f.Or(old), p)
		}
		back, err := json.Marshal(e)
		if err != nil || string(back) != body {
			t.Errorf("%s is written as %s, %v", body, back, err)
		}
	}
}

func TestOfAndNull(t *testing.T) {
	b, err := json.Marshal(edit{Name: patch.Of(""), Limit: patch.Null[int64](), Keys: patch.Of([]string{})})
	if want := `{"name":"","limit":null,"keys":[]}`; err != nil || string(b) != want {
		t.Errorf("got %s, %v, want %s", b, err, want)
	}
}

func TestOtherTypesAreRefused(t *testing.T) {
	for _, body := range []string{`{"name":1}`, `{"limit":"1"}`, `{"limit":1.5}`, `{"limit":9223372036854775808}`, `{"keys":"a"}`} {
		if err := json.Unmarshal([]byte(body), new(edit)); err == nil {
			t.Errorf("%s was read", body)
		}
	}
}

// A value read into a field that held another leaves nothing of it.
func TestAFieldIsReadAnew(t *testing.T) {
	e := edit{Limit: patch.Of(int64(5)), Keys: patch.Of([]string{"a", "b"})}
	if err := json.Unmarshal([]byte(`{"limit":null,"keys":["c"]}`), &e); err != nil {
		t.Fatal(err)
	}
	if !e.Limit.Null || e.Limit.Value != 0 || len(e.Keys.Value) != 1 {
		t.Errorf("got %+v", e)
	}
}
