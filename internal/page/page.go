// Package page is how every list is asked for and answered: newest first, by
// limit and offset or by an opaque cursor that costs the same at any depth.
package page

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/fault"
)

// Limits of a page, in rows.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Request says which part of a list is wanted.
type Request struct {
	Limit  int // 1 to MaxLimit
	Offset int64
	After  Position // where the page before ended; the zero value starts at the top
}

// Rows says in SQL which rows of an ordered list r wants, after its position:
// one more than Limit, as Of takes them. The figures are written out, not
// passed as parameters: of a limit that it does not know PostgreSQL expects a
// tenth of the table and plans the statement anew each time it runs.
func (r Request) Rows() string {
	b := strconv.AppendInt([]byte(" LIMIT "), int64(r.Limit)+1, 10)
	if r.Offset > 0 {
		b = strconv.AppendInt(append(b, " OFFSET "...), r.Offset, 10)
	}
	return string(b)
}

// Total is how long the whole list is of which rows were found: counted by
// count only where the page does not show it.
func (r Request) Total(rows int, count func() (int64, error)) (int64, error) {
	if first := r.Offset == 0 && r.After == (Position{}); first && rows <= r.Limit {
		return int64(rows), nil
	}
	return count()
}

// Position is the sort key of the last row of a page: the time (or another
// number) and the id that breaks ties. Of a list with a choice of orders, Key
// is the order and, where it is one of texts, the text after a NUL.
type Position struct {
	At  int64
	ID  int64
	Key string
}

// List is one page of a list as it is answered.
type List[T any] struct {
	Data       []T        `json:"data"`
	Pagination Pagination `json:"pagination"`
}

// Pagination describes the page.
type Pagination struct {
	Limit      int    `json:"limit"`
	Offset     int64  `json:"offset"`
	Total      int64  `json:"total"`
	HasMore    bool   `json:"has_more"`
	NextCursor string `json:"next_cursor" nullable:"true" doc:"Where the next page begins; null on the last"`
}

// MarshalJSON writes no cursor as null.
func (p Pagination) MarshalJSON() ([]byte, error) {
	type plain Pagination
	var next *string
	if p.NextCursor != "" {
		next = &p.NextCursor
	}
	return json.Marshal(struct {
		plain
		NextCursor *string `json:"next_cursor"`
	}{plain(p), next})
}

// Of makes the answer from up to Limit+1 rows: the row too many is how a list
// knows that there is more. at gives a row's position.
func Of[T any](r Request, rows []T, total int64, at func(T) Position) List[T] {
	l := List[T]{Data: rows, Pagination: Pagination{Limit: r.Limit, Offset: r.Offset, Total: total}}
	if len(rows) > r.Limit {
		l.Data = rows[:r.Limit]
		l.Pagination.HasMore = true
		l.Pagination.NextCursor = at(l.Data[r.Limit-1]).Cursor()
	}
	if l.Data == nil {
		l.Data = []T{}
	}
	return l
}

// Cursor writes the position as an opaque token.
func (p Position) Cursor() string {
	b := []byte{1}
	if p.Key != "" {
		b[0] = 2
	}
	b = binary.AppendVarint(b, p.At)
	b = binary.AppendVarint(b, p.ID)
	b = append(b, p.Key...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// BadCursor refuses what no list answered, or another one did.
func BadCursor() error {
	return fault.InvalidField("cursor", "invalid_cursor", "Use a next_cursor exactly as a list answered it.")
}

// ParseCursor reads a token made by Cursor of a position without a key;
// anything else is a validation error on the field cursor.
func ParseCursor(s string) (Position, error) {
	p, err := ParseKeyed(s)
	if err == nil && p.Key != "" {
		return Position{}, BadCursor()
	}
	return p, err
}

// ParseKeyed is ParseCursor for a list with a choice of orders: the position
// may have a key.
func ParseKeyed(s string) (Position, error) {
	bad := BadCursor()
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 3 || b[0] != 1 && b[0] != 2 {
		return Position{}, bad
	}
	at, n := binary.Varint(b[1:])
	if n <= 0 {
		return Position{}, bad
	}
	id, m := binary.Varint(b[1+n:])
	p := Position{At: at, ID: id}
	if m > 0 {
		p.Key = string(b[1+n+m:])
	}
	if !utf8.ValidString(p.Key) {
		return Position{}, bad
	}
	if m <= 0 || id <= 0 || p.Cursor() != s {
		return Position{}, bad
	}
	return p, nil
}
