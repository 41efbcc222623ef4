package scenario

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Player plays scripts against a server.
type Player struct {
	Base   string // http://host:port
	Client *http.Client
	Vars   Vars
	// Mail waits for the next mail to an address.
	Mail func(ctx context.Context, to string) (Letter, error)
	// Record sets a TXT record.
	Record func(name, value string)

	last *answer
}

// Letter is a mail as it arrived.
type Letter struct {
	To     string
	Header http.Header
	Text   string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// patience is how long a step may take.
const patience = 20 * time.Second

// Play runs the steps in order and reports each that went otherwise: file and
// line, what was asked, what was wanted and what came. A step whose variables
// are unknown, as the one that names them failed, ends the script.
func (p *Player) Play(ctx context.Context, s *Script, report func(error)) {
	for i := range s.Steps {
		err := p.step(ctx, &s.Steps[i])
		if err == nil {
			continue
		}
		report(fmt.Errorf("%s:%w", s.Name, err))
		var stop *stopError
		if errors.As(err, &stop) {
			return
		}
	}
}

// stopError is a step that could not be taken at all.
type stopError struct{ error }

func (p *Player) step(ctx context.Context, s *Step) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	filled := *s
	for _, text := range []*string{&filled.As, &filled.Target, &filled.Body} {
		var err error
		if *text, err = p.Vars.Fill(*text); err != nil {
			return fmt.Errorf("%d: %w", s.Line, &stopError{err})
		}
	}
	switch s.Kind {
	case DNS:
		p.Record(filled.Target, filled.Body)
		return nil
	case Mail:
		return p.mail(ctx, &filled)
	}
	return p.exchange(ctx, &filled)
}

func (p *Player) mail(ctx context.Context, s *Step) error {
	letter, err := p.Mail(ctx, s.Target)
	if err != nil {
		return fmt.Errorf("%d: mail to %s: %w", s.Line, s.Target, err)
	}
	diffs := p.headers(s.Want.Header, letter.Header)
	if s.Want.Body != "" {
		diffs = append(diffs, Text(s.Want.Body, letter.Text, p.Vars)...)
	}
	if len(diffs) == 0 {
		return nil
	}
	return fmt.Errorf("%d: mail to %s\n\t%s\nthe mail:\n%s", s.Line, s.Target, strings.Join(diffs, "\n\t"), letter.Text)
}

func (p *Player) exchange(ctx context.Context, s *Step) error {
	r, err := p.request(ctx, s)
	if err != nil {
		return fmt.Errorf("%d: %w", s.Line, &stopError{err})
	}
	res, err := p.Client.Do(r)
	if err != nil {
		return fmt.Errorf("%d: %s %s: %w", s.Line, s.Method, s.Target, &stopError{err})
	}
	defer res.Body.Close()
	a := &answer{status: res.StatusCode, header: res.Header}
	if a.body, err = p.read(res, s.Want.Body); err != nil {
		return fmt.Errorf("%d: %s %s: %w", s.Line, s.Method, s.Target, err)
	}
	before := p.last
	p.last = a
	diffs := sane(a)
	if s.Want.Same {
		diffs = append(diffs, same(before, a)...)
	} else {
		diffs = append(diffs, p.compare(&s.Want, a)...)
	}
	if len(diffs) == 0 {
		return nil
	}
	return fmt.Errorf("%d: %s %s as %s\n\t%s\nthe answer: %d %s", s.Want.Line, s.Method, s.Target, s.As, strings.Join(diffs, "\n\t"), a.status, a.body)
}

// request makes the request of a step.
func (p *Player) request(ctx context.Context, s *Step) (*http.Request, error) {
	var body io.Reader
	if s.Body != "" {
		body = strings.NewReader(s.Body)
	}
	r, err := http.NewRequestWithContext(ctx, s.Method, p.Base+s.Target, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("User-Agent", "scenario")
	switch token, ok := strings.CutPrefix(s.As, "bearer "); {
	case ok:
		r.Header.Set("Authorization", "Bearer "+token)
	case s.As != "nobody":
		if token = p.Vars[s.As+".token"]; token == "" {
			return nil, fmt.Errorf("nobody in this world is called %s", s.As)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, h := range s.Header {
		value, err := p.Vars.Fill(h.Value)
		if err != nil {
			return nil, err
		}
		if h.Name == "Host" {
			r.Host = value
		}
		r.Header.Set(h.Name, value)
	}
	return r, nil
}

// read reads the body; a stream until it has brought what is wanted.
func (p *Player) read(res *http.Response, want string) (string, error) {
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		b, err := io.ReadAll(res.Body)
		return string(b), err
	}
	var b strings.Builder
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		b.WriteString(lines.Text() + "\n")
		if len(Text(want, b.String(), p.Vars)) == 0 {
			break
		}
	}
	return b.String(), nil
}

func (p *Player) headers(want []Header, got http.Header) (diffs []string) {
	for _, h := range want {
		values := got.Values(h.Name)
		diffs = append(diffs, Value(h.Name, h.Value, strings.Join(values, ", "), len(values) > 0, p.Vars)...)
	}
	return diffs
}

// compare holds an answer against what a script wants. The body is compared
// first, so that headers may name what it has.
func (p *Player) compare(want *Want, a *answer) (diffs []string) {
	if a.status != want.Status {
		diffs = append(diffs, fmt.Sprintf("want status %d, got %d", want.Status, a.status))
	}
	if want.Code != "" {
		diffs = append(diffs, refusal(want, a)...)
	}
	switch {
	case want.Body == "" && (a.status == http.StatusNoContent || a.status == http.StatusNotModified) && a.body != "":
		diffs = append(diffs, "want no body")
	case want.Body == "":
	case isJSON(want.Body):
		diffs = append(diffs, JSON(want.Body, a.body, want.Whole, p.Vars)...)
	default:
		diffs = append(diffs, Text(want.Body, a.body, p.Vars)...)
	}
	return append(diffs, p.headers(want.Header, a.header)...)
}

// refusal compares code and field errors of a problem document.
func refusal(want *Want, a *answer) (diffs []string) {
	d, err := problemIn(a.body)
	if err != nil {
		return []string{err.Error()}
	}
	if d.Code != want.Code {
		diffs = append(diffs, fmt.Sprintf("want code %s, got %s", want.Code, d.Code))
	}
	var got []string
	for _, e := range d.Errors {
		got = append(got, e.Field+" "+e.Code)
	}
	fields := slices.Clone(want.Fields)
	slices.Sort(fields)
	slices.Sort(got)
	// A refusal of a single field has that field's code: naming it again is optional.
	if len(fields) == 0 && len(d.Errors) == 1 && d.Errors[0].Code == want.Code {
		return diffs
	}
	if !slices.Equal(fields, got) {
		diffs = append(diffs, fmt.Sprintf("want field errors %q, got %q", fields, got))
	}
	return diffs
}
