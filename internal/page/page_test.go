package page_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/page"
)

// A token is one that Cursor made, or it is refused: there are no two
// spellings of one position.
func FuzzParseCursor(f *testing.F) {
	for _, p := range []page.Position{{At: 1, ID: 1}, {At: -1, ID: math.MaxInt64}, {At: math.MaxInt64, ID: 7}, {At: math.MinInt64, ID: 1}} {
		f.Add(p.Cursor())
	}
	for _, s := range []string{"", "AQ", "AQIC=", "AQIC\n", "////", "AQIA", "AQKCAgI", "AoACAg"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := page.ParseCursor(s)
		switch {
		case err != nil && fault.Code(err) != "invalid_cursor":
			t.Errorf("%q: got %v, want invalid_cursor", s, err)
		case err == nil && (p.ID < 1 || p.Cursor() != s):
			t.Errorf("%q: got %+v, whose cursor is %q", s, p, p.Cursor())
		}
		if p, err := page.ParseKeyed(s); err == nil && (p.ID < 1 || p.Cursor() != s) {
			t.Errorf("%q: got %+v, whose cursor is %q", s, p, p.Cursor())
		}
	})
}

func TestCursorReturns(t *testing.T) {
	for _, p := range []page.Position{{At: 0, ID: 1}, {At: 1_800_000_000_000_000, ID: 42}, {At: math.MinInt64, ID: math.MaxInt64}} {
		keyed := page.Position{At: p.At, ID: p.ID, Key: "name\x00Ähre"}
		if got, err := page.ParseKeyed(keyed.Cursor()); err != nil || got != keyed {
			t.Errorf("%+v: got %+v, %v", keyed, got, err)
		}
		if _, err := page.ParseCursor(keyed.Cursor()); fault.Code(err) != "invalid_cursor" {
			t.Errorf("%+v where no key is: got %v", keyed, err)
		}
		if got, err := page.ParseCursor(p.Cursor()); err != nil || got != p {
			t.Errorf("%+v: got %+v, %v", p, got, err)
		}
	}
}

func TestOf(t *testing.T) {
	at := func(n int) page.Position { return page.Position{At: int64(n), ID: int64(n)} }
	full := page.Of(page.Request{Limit: 2, Offset: 4}, []int{9, 8, 7}, 20, at)
	if len(full.Data) != 2 || !full.Pagination.HasMore || full.Pagination.NextCursor != at(8).Cursor() || full.Pagination.Total != 20 || full.Pagination.Offset != 4 {
		t.Errorf("one row beyond the limit: got %+v", full)
	}
	last := page.Of(page.Request{Limit: 2}, []int{9, 8}, 2, at)
	if len(last.Data) != 2 || last.Pagination.HasMore || last.Pagination.NextCursor != "" {
		t.Errorf("the last page: got %+v", last)
	}
	b, err := json.Marshal(page.Of(page.Request{Limit: 2}, nil, 0, at))
	if want := `{"data":[],"pagination":{"limit":2,"offset":0,"total":0,"has_more":false,"next_cursor":null}}`; err != nil || string(b) != want {
		t.Errorf("no rows: got %s, %v, want %s", b, err, want)
	}
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		r    page.Request
		want string
	}{
		{page.Request{Limit: 50}, " LIMIT 51"},
		{page.Request{Limit: 1, Offset: math.MaxInt64}, " LIMIT 2 OFFSET 9223372036854775807"},
	} {
		if got := c.r.Rows(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.r, got, c.want)
		}
	}
}

func TestTotal(t *testing.T) {
	counted := func() (int64, error) { return 99, nil }
	for _, c := range []struct {
		r    page.Request
		rows int
		want int64
	}{
		{page.Request{Limit: 2}, 0, 0},
		{page.Request{Limit: 2}, 2, 2},
		{page.Request{Limit: 2}, 3, 99},
		{page.Request{Limit: 2, Offset: 1}, 1, 99},
		{page.Request{Limit: 2, After: page.Position{At: 1, ID: 1}}, 1, 99},
	} {
		if got, err := c.r.Total(c.rows, counted); got != c.want || err != nil {
			t.Errorf("%+v with %d rows: got %d, %v, want %d", c.r, c.rows, got, err, c.want)
		}
	}
}
