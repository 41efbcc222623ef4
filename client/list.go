package client

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"
)

// Position says which page of a list is wanted; the zero value is the first
// page, at the server's size. Offset counts rows from the top and is ignored
// with a Cursor.
type Position struct {
	Limit  int // 1 to 200
	Offset int64
	Cursor string // a NextCursor
}

// Page is one page of a list, newest first.
type Page[T any] struct {
	Data       []T        `json:"data"`
	Pagination Pagination `json:"pagination"`
}

// Pagination describes a page.
type Pagination struct {
	Limit      int     `json:"limit"`
	Offset     int64   `json:"offset"`
	Total      int64   `json:"total"` // of the list, not of the page
	HasMore    bool    `json:"has_more"`
	NextCursor *string `json:"next_cursor"` // nil on the last page
}

// List is a list that was asked for and not read yet.
type List[T any] struct {
	c     *Client
	path  string
	query url.Values
}

func listOf[T any](c *Client, filter any, path string, args ...any) List[T] {
	return List[T]{c: c, path: fmt.Sprintf(path, args...), query: queryOf(filter)}
}

// Page reads one page.
func (l List[T]) Page(ctx context.Context, at Position, options ...CallOption) (Page[T], error) {
	q := cloned(l.query)
	if at.Limit != 0 {
		q.Set("limit", strconv.Itoa(at.Limit))
	}
	if at.Cursor != "" {
		q.Set("cursor", at.Cursor)
	} else if at.Offset != 0 {
		q.Set("offset", strconv.FormatInt(at.Offset, 10))
	}
	return ask[Page[T]](ctx, l.c, http.MethodGet, l.path, q, nil, options)
}

// All reads the whole list, a page at a time as far as it is wanted. It ends
// after the first error.
func (l List[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for at := (Position{Limit: 200}); ; {
			p, err := l.Page(ctx, at)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range p.Data {
				if !yield(row, nil) {
					return
				}
			}
			if !p.Pagination.HasMore || p.Pagination.NextCursor == nil {
				return
			}
			at.Cursor = *p.Pagination.NextCursor
		}
	}
}

// queryOf writes the fields of a filter that are set as query parameters.
func queryOf(filter any) url.Values {
	q := url.Values{}
	v := reflect.ValueOf(filter)
	if !v.IsValid() {
		return q
	}
	for i := range v.NumField() {
		if f := v.Field(i); !f.IsZero() {
			q.Set(v.Type().Field(i).Tag.Get("query"), parameter(f.Interface()))
		}
	}
	return q
}

func parameter(v any) string {
	if t, ok := v.(time.Time); ok {
		return t.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

func cloned(q url.Values) url.Values {
	if q == nil {
		return url.Values{}
	}
	return maps.Clone(q)
}
