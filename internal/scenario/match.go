package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// kinds are what placeholders may stand for, as pieces of text. A number kind
// is a JSON number where it stands for a whole value.
var kinds = map[string]string{
	"id": `[1-9][0-9]*`, "int": `-?[0-9]+`, "number": `-?[0-9]+(?:\.[0-9]+)?`, "bool": `true|false`,
	"time":  `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z`,
	"date":  `[0-9]{4}-[0-9]{2}-[0-9]{2}`,
	"token": `[A-Za-z0-9_.~%-]+`, "etag": `"v[0-9]+-[A-Za-z0-9_-]+"`,
	"text": `(?s:.+)`, "any": `(?s:.*)`, "absent": ``,
}

var (
	placeholder = regexp.MustCompile(`<(id|int|number|bool|time|date|token|etag|text|any|absent)(?:=([a-z][a-z0-9_.-]*))?>`)
	variable    = regexp.MustCompile(`\{([a-z][a-z0-9_.-]*)\}`)
)

// mark begins the JSON string that stands for something outside of strings: a
// placeholder or an ellipsis. It is no character that anybody sends.
const mark = "\ufdd0"

// Vars are the values that a script knows by name.
type Vars map[string]string

// Fill puts variables in.
func (v Vars) Fill(text string) (string, error) {
	var unknown error
	filled := variable.ReplaceAllStringFunc(text, func(s string) string {
		value, ok := v[s[1:len(s)-1]]
		if !ok {
			unknown = errors.Join(unknown, fmt.Errorf("nothing is called %s", s))
		}
		return value
	})
	return filled, unknown
}

// CheckPattern reports a body that cannot be read, whatever its variables are.
func CheckPattern(body string) error {
	if !isJSON(body) {
		return nil
	}
	_, err := decode(quote(variable.ReplaceAllString(body, "0")))
	return err
}

func isJSON(body string) bool { return strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") }

// quote makes JSON of a pattern: what stands outside of strings and is no JSON
// becomes a marked string.
func quote(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); {
		rest := pattern[i:]
		switch {
		case rest[0] == '"':
			n := stringEnd(rest)
			b.WriteString(rest[:n])
			i += n
		case strings.HasPrefix(rest, "..."):
			b.WriteString(`"` + mark + `..."`)
			i += 3
		case rest[0] == '<' && placeholder.FindStringIndex(rest) != nil && placeholder.FindStringIndex(rest)[0] == 0:
			n := placeholder.FindStringIndex(rest)[1]
			b.WriteString(`"` + mark + rest[:n] + `"`)
			i += n
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return b.String()
}

// stringEnd is the length of the JSON string at the start of s.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

func decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// matcher compares, and keeps what placeholders name.
type matcher struct {
	vars  Vars
	whole bool
	diffs []string
}

func (m *matcher) differ(path, format string, args ...any) {
	m.diffs = append(m.diffs, strings.TrimPrefix(path+": "+fmt.Sprintf(format, args...), ": "))
}

// JSON compares an answer with a pattern and gives the differences, each with
// its path; what placeholders name is kept in vars. whole forbids fields that
// the pattern does not name.
func JSON(pattern, got string, whole bool, vars Vars) []string {
	pattern, err := vars.Fill(pattern)
	if err != nil {
		return []string{err.Error()}
	}
	want, err := decode(quote(pattern))
	if err != nil {
		return []string{"the pattern is " + err.Error()}
	}
	have, err := decode(got)
	if err != nil {
		return []string{"the answer is " + err.Error()}
	}
	m := &matcher{vars: vars, whole: whole}
	m.value("", want, have)
	return m.diffs
}

func (m *matcher) value(path string, want, have any) {
	switch want := want.(type) {
	case map[string]any:
		object, ok := have.(map[string]any)
		if !ok {
			m.differ(path, "want an object, got %s", short(have))
			return
		}
		m.object(path, want, object)
	case []any:
		array, ok := have.([]any)
		if !ok {
			m.differ(path, "want an array, got %s", short(have))
			return
		}
		m.array(path, want, array)
	case string:
		m.text(path, want, have)
	default:
		if want != have {
			m.differ(path, "want %s, got %s", short(want), short(have))
		}
	}
}

func (m *matcher) object(path string, want, have map[string]any) {
	for _, name := range sorted(want) {
		got, there := have[name]
		switch {
		case want[name] == mark+"<absent>":
			if there {
				m.differ(path+"."+name, "want no such field, got %s", short(got))
			}
		case !there:
			m.differ(path+"."+name, "want %s, got no such field", short(want[name]))
		default:
			m.value(path+"."+name, want[name], got)
		}
	}
	if !m.whole {
		return
	}
	for _, name := range sorted(have) {
		if _, named := want[name]; !named {
			m.differ(path+"."+name, "not named, but the answer has it: %s", short(have[name]))
		}
	}
}

func sorted(object map[string]any) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// array compares in order; an ellipsis takes as many elements as needed.
func (m *matcher) array(path string, want, have []any) {
	gap := slices.Contains(want, any(mark+"..."))
	if !gap && len(want) != len(have) {
		m.differ(path, "want %d elements, got %d: %s", len(want), len(have), short(have))
		return
	}
	next, skip := 0, false
	for i, w := range want {
		if w == mark+"..." {
			skip = true
			continue
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		for skip && next < len(have) && !m.fits(w, have[next]) {
			next++
		}
		if next == len(have) {
			m.differ(at, "nothing there is like %s", short(w))
			return
		}
		m.value(at, w, have[next])
		next, skip = next+1, false
	}
	if !skip && next < len(have) {
		m.differ(path, "%d elements too many", len(have)-next)
	}
}

// fits tries without keeping anything.
func (m *matcher) fits(want, have any) bool {
	try := &matcher{vars: Vars{}, whole: m.whole}
	try.value("", want, have)
	return len(try.diffs) == 0
}

// text compares a string of the pattern: a marked one is a whole value, another
// a string with placeholders in it.
func (m *matcher) text(path, want string, have any) {
	if p, ok := strings.CutPrefix(want, mark); ok {
		m.whole1(path, p, have)
		return
	}
	s, ok := have.(string)
	if !ok {
		m.differ(path, "want %s, got %s", short(want), short(have))
		return
	}
	m.pieces(path, want, s)
}

// whole1 compares a value with the placeholder that stands for all of it.
func (m *matcher) whole1(path, p string, have any) {
	parts := placeholder.FindStringSubmatch(p)
	kind, name := parts[1], parts[2]
	value, ok := have.(string)
	switch kind {
	case "any":
		if !ok {
			value = short(have)
		}
		ok = true
	case "id", "int", "number":
		n, isNumber := have.(json.Number)
		value, ok = n.String(), isNumber && like(kind, n.String())
	case "bool":
		_, ok = have.(bool)
		value = short(have)
	default:
		ok = ok && like(kind, value)
	}
	if !ok {
		m.differ(path, "want %s, got %s", p, short(have))
	} else if name != "" {
		m.vars[name] = value
	}
}

func like(kind, value string) bool {
	return regexp.MustCompile(`^(?:` + kinds[kind] + `)$`).MatchString(value)
}

// pieces compares text with text that has placeholders in it.
func (m *matcher) pieces(path, want, have string) {
	if want == have {
		return
	}
	var names []string
	var b strings.Builder
	rest := want
	for loc := placeholder.FindStringSubmatchIndex(rest); loc != nil; loc = placeholder.FindStringSubmatchIndex(rest) {
		b.WriteString(regexp.QuoteMeta(rest[:loc[0]]) + "(" + kinds[rest[loc[2]:loc[3]]] + ")")
		name := ""
		if loc[4] >= 0 {
			name = rest[loc[4]:loc[5]]
		}
		names = append(names, name)
		rest = rest[loc[1]:]
	}
	found := regexp.MustCompile("^" + b.String() + regexp.QuoteMeta(rest) + "$").FindStringSubmatch(have)
	if found == nil {
		m.differ(path, "want %s, got %s", short(want), short(have))
		return
	}
	for i, name := range names {
		if name != "" {
			m.vars[name] = found[i+1]
		}
	}
}

// Text compares an answer that is no JSON, line by line; "..." stands for any
// number of lines. It gives the differences.
func Text(pattern, got string, vars Vars) []string {
	pattern, err := vars.Fill(pattern)
	if err != nil {
		return []string{err.Error()}
	}
	m := &matcher{vars: vars}
	lines := func(s string) (all []any) {
		for line := range strings.SplitSeq(strings.TrimRight(s, "\r\n"), "\n") {
			line = strings.TrimRight(line, "\r")
			if line == "..." {
				line = mark + "..."
			}
			all = append(all, line)
		}
		return all
	}
	m.array("line", lines(pattern), lines(got))
	return m.diffs
}

// Value compares the value of a header.
func Value(name, pattern, got string, there bool, vars Vars) []string {
	pattern, err := vars.Fill(pattern)
	if err != nil {
		return []string{err.Error()}
	}
	m := &matcher{vars: vars}
	switch {
	case pattern == "<absent>" && there:
		m.differ(name, "want none, got %q", got)
	case pattern == "<absent>":
	case !there:
		m.differ(name, "want %s, got none", pattern)
	default:
		m.pieces(name, pattern, got)
	}
	return m.diffs
}

// short writes a value for a person.
func short(v any) string {
	if s, ok := v.(string); ok && strings.HasPrefix(s, mark) {
		return strings.TrimPrefix(s, mark)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	s := strings.ReplaceAll(string(b), mark, "")
	s = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(s)
	if len(s) > 400 {
		s = strings.ToValidUTF8(s[:400], "") + "…"
	}
	return s
}
