package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// problem is a problem document, as far as it is compared.
type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	RequestID                 string `json:"request_id"`
	Errors                    []struct{ Field, Code, Message string }
}

func problemIn(body string) (problem, error) {
	var d problem
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		return d, fmt.Errorf("the refusal is no problem document: %w", err)
	}
	return d, nil
}

// sane reports what no answer may be, whatever was asked.
func sane(a *answer) (diffs []string) {
	want := func(ok bool, format string, args ...any) {
		if !ok {
			diffs = append(diffs, fmt.Sprintf(format, args...))
		}
	}
	has := func(name string) bool { return a.header.Get(name) != "" }
	want(has("X-Request-Id"), "no X-Request-Id")
	want(a.header.Get("X-Content-Type-Options") == "nosniff", "no X-Content-Type-Options")
	want(has("Cache-Control"), "no Cache-Control")
	want(a.status != http.StatusCreated || has("Location"), "201 without Location")
	want(a.status != http.StatusUnauthorized || strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer"), "401 without WWW-Authenticate")
	want(a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable || has("Retry-After"), "%d without Retry-After", a.status)
	if a.status < 400 {
		return diffs
	}
	want(a.header.Get("Content-Type") == "application/problem+json", "Content-Type of a refusal is %q", a.header.Get("Content-Type"))
	d, err := problemIn(a.body)
	if err != nil {
		return append(diffs, err.Error())
	}
	want(d.Status == a.status, "the problem says status %d", d.Status)
	want(d.RequestID == a.header.Get("X-Request-Id"), "the problem has another request_id")
	want(d.Type != "" && d.Title != "" && d.Detail != "" && d.Code != "" && d.Errors != nil, "the problem is not whole")
	for _, e := range d.Errors {
		want(e.Field != "" && e.Code != "" && e.Message != "", "a field error is not whole: %+v", e)
	}
	return diffs
}

// same reports how an answer differs from the one before it, save what is of
// the request: id and date.
func same(before, a *answer) []string {
	if before == nil {
		return []string{"there is no answer before this one"}
	}
	strip := func(a *answer) (string, http.Header) {
		h := a.header.Clone()
		h.Del("Date")
		h.Del("X-Request-Id")
		return fmt.Sprint(a.status, " ", strings.ReplaceAll(a.body, a.header.Get("X-Request-Id"), "")), h
	}
	wantBody, wantHeader := strip(before)
	body, header := strip(a)
	var diffs []string
	if body != wantBody {
		diffs = append(diffs, fmt.Sprintf("want the same as before: %s", wantBody))
	}
	if fmt.Sprint(header) != fmt.Sprint(wantHeader) {
		diffs = append(diffs, fmt.Sprintf("want the same headers as before: %v, got %v", wantHeader, header))
	}
	return diffs
}
