package scenario

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Script is a parsed script.
type Script struct {
	Name  string
	Env   []string // NAME=value, settings of the server
	Empty bool     // begins on an empty database instead of the world
	Steps []Step
}

// Kind says what a step does.
type Kind int

// The kinds of steps.
const (
	Request Kind = iota // asks, and compares the answer
	Mail                // waits for a mail
	DNS                 // sets what the resolver answers
)

// Step is one thing that a script does.
type Step struct {
	Kind   Kind
	Line   int
	As     string   // who asks
	Method string   // of a request
	Target string   // path with query, address of a mail, name of a record
	Header []Header // of the request
	Body   string   // of the request; the value of a record
	Want   Want
}

// Header is a header line.
type Header struct{ Name, Value string }

// Want is what has to come back.
type Want struct {
	Line   int
	Same   bool // as the answer before
	Whole  bool // no field beyond those named
	Status int
	Code   string   // of a refusal
	Fields []string // "field code", of a refusal
	Header []Header
	Body   string
}

var (
	requestLine = regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE) (/\S*)$`)
	headerLine  = regexp.MustCompile(`^([A-Z][A-Za-z]*(?:-[A-Za-z]+)*): ?(.*)$`)
	wantLine    = regexp.MustCompile(`^-> ([1-5][0-9][0-9])((?: [a-z_0-9]+)*)$`)
	fieldLine   = regexp.MustCompile(`^! (\S+ [a-z_0-9]+)$`)
	settingLine = regexp.MustCompile(`^with ([A-Z_]+=\S*)$`)
	dnsLine     = regexp.MustCompile(`^dns TXT (\S+) (\S+)$`)
)

// place is where in a step the parser is.
type place int

const (
	between place = iota // before a step
	asking               // headers of a request
	sending              // body of a request
	wanting              // headers and field errors of an answer
	reading              // body of an answer
)

type parser struct {
	script *Script
	who    string
	at     place
	step   *Step
	line   int
}

// Parse reads a script. Its errors name file and line.
func Parse(name, text string) (*Script, error) {
	p := &parser{script: &Script{Name: name}}
	for line := range strings.SplitSeq(text, "\n") {
		p.line++
		if err := p.take(strings.TrimRight(line, " \t\r")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
		}
	}
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
	}
	if len(p.script.Steps) == 0 {
		return nil, fmt.Errorf("%s: the script does nothing", name)
	}
	return p.script, nil
}

// take reads one line.
func (p *parser) take(line string) error {
	switch {
	case strings.HasPrefix(line, "#"):
		return nil
	case line == "":
		return p.end()
	case strings.HasPrefix(line, "->"):
		return p.arrow(line)
	}
	if p.at == between || p.at == wanting || p.at == reading {
		if begun, err := p.begin(line); begun || err != nil {
			return err
		}
	}
	switch p.at {
	case asking:
		if h := headerLine.FindStringSubmatch(line); h != nil {
			p.step.Header = append(p.step.Header, Header{h[1], h[2]})
			return nil
		}
		p.at = sending
		fallthrough
	case sending:
		p.step.Body = joined(p.step.Body, line)
	case wanting:
		if f := fieldLine.FindStringSubmatch(line); f != nil {
			p.step.Want.Fields = append(p.step.Want.Fields, f[1])
			return nil
		}
		if h := headerLine.FindStringSubmatch(line); h != nil {
			p.step.Want.Header = append(p.step.Want.Header, Header{h[1], h[2]})
			return nil
		}
		p.at = reading
		fallthrough
	case reading:
		p.step.Want.Body = joined(p.step.Want.Body, line)
	case between:
		return fmt.Errorf("%q is no step", line)
	}
	return nil
}

// begin starts a step, if the line is one.
func (p *parser) begin(line string) (begun bool, err error) {
	if who, ok := strings.CutPrefix(line, "as "); ok {
		err, p.who = p.end(), who
		return true, err
	}
	s := Step{Line: p.line, As: p.who}
	next := asking
	if m := requestLine.FindStringSubmatch(line); m != nil {
		s.Method, s.Target = m[1], m[2]
		if p.who == "" {
			return false, fmt.Errorf("say who asks, with a line such as: as nobody")
		}
	} else if to, ok := strings.CutPrefix(line, "mail to "); ok {
		s.Kind, s.Target, s.Want.Line = Mail, to, p.line
		next = wanting
	} else if m := dnsLine.FindStringSubmatch(line); m != nil {
		s.Kind, s.Target, s.Body = DNS, m[1], m[2]
		next = between
	} else {
		return p.setting(line)
	}
	if err := p.end(); err != nil {
		return false, err
	}
	p.script.Steps = append(p.script.Steps, s)
	p.step, p.at = &p.script.Steps[len(p.script.Steps)-1], next
	return true, nil
}

// setting reads a line about the server.
func (p *parser) setting(line string) (bool, error) {
	m := settingLine.FindStringSubmatch(line)
	switch {
	case m == nil && line != "with an empty database":
		return false, nil
	case len(p.script.Steps) > 0:
		return false, fmt.Errorf("settings of the server stand at the head of a script")
	case m == nil:
		p.script.Empty = true
	default:
		p.script.Env = append(p.script.Env, m[1])
	}
	return true, nil
}

// arrow reads the line of the status.
func (p *parser) arrow(line string) error {
	if p.at != asking && p.at != sending {
		return fmt.Errorf("an answer without a request")
	}
	p.at = wanting
	w := &p.step.Want
	w.Line = p.line
	if line == "-> same" {
		w.Same = true
		return nil
	}
	m := wantLine.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("%q is no answer: write -> STATUS, -> STATUS code, or -> same", line)
	}
	w.Status, _ = strconv.Atoi(m[1])
	for word := range strings.FieldsSeq(m[2]) {
		switch {
		case word == "whole":
			w.Whole = true
		case w.Code != "" || w.Status < 400:
			return fmt.Errorf("a refusal has one code, another answer none")
		default:
			w.Code = word
		}
	}
	if w.Status >= 400 && w.Code == "" {
		return fmt.Errorf("a refusal needs its code: -> %d code", w.Status)
	}
	return nil
}

// end closes the step under way.
func (p *parser) end() error {
	if p.at == asking || p.at == sending {
		return fmt.Errorf("the request has no answer; an empty line ends a step")
	}
	p.at = between
	if p.step == nil || p.step.Want.Body == "" {
		return nil
	}
	if err := CheckPattern(p.step.Want.Body); err != nil {
		return fmt.Errorf("the answer that ends here: %w", err)
	}
	return nil
}

func joined(text, line string) string {
	if text == "" {
		return line
	}
	return text + "\n" + line
}
