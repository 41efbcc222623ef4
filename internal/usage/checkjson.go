package usage

import (
	"encoding/json"
	"strconv"
)

// ParseCheck reads the commonest form of a check: a flat object whose fields
// have their plain names, texts without escapes and whole numbers, each once.
// Of anything else ok is false, and the strict reader says what it is.
func ParseCheck(b []byte) (c Check, ok bool) {
	p, named := scanner{b: b}, false
	if !p.is('{') {
		return c, false
	}
	for first := true; !p.is('}'); first = false {
		if !first && !p.is(',') {
			return c, false
		}
		name, ok := p.text()
		if !ok || !p.is(':') {
			return c, false
		}
		switch {
		case name == "plugin" && !named:
			named = true
			c.Plugin, ok = p.text()
		case name == "meter" && c.Meter == nil:
			var s string
			s, ok = p.text()
			c.Meter = &s
		case name == "amount" && c.Amount == nil:
			c.Amount, ok = p.number()
		case name == "quantity" && c.Quantity == nil:
			c.Quantity, ok = p.number()
		default:
			ok = false
		}
		if !ok {
			return c, false
		}
	}
	p.skip()
	return c, p.at == len(b)
}

// scanner goes through a body.
type scanner struct {
	b  []byte
	at int
}

func (p *scanner) skip() {
	for p.at < len(p.b) && (p.b[p.at] == ' ' || p.b[p.at] == '\n' || p.b[p.at] == '\t' || p.b[p.at] == '\r') {
		p.at++
	}
}

// is takes a character, if it is the next.
func (p *scanner) is(c byte) bool {
	p.skip()
	if p.at >= len(p.b) || p.b[p.at] != c {
		return false
	}
	p.at++
	return true
}

// text takes a string of printable ASCII without escapes.
func (p *scanner) text() (string, bool) {
	if !p.is('"') {
		return "", false
	}
	from := p.at
	for ; p.at < len(p.b) && p.b[p.at] != '"'; p.at++ {
		if c := p.b[p.at]; c < ' ' || c > '~' || c == '\\' {
			return "", false
		}
	}
	if p.at >= len(p.b) {
		return "", false
	}
	p.at++
	return string(p.b[from : p.at-1]), true
}

// number takes a whole number that is not negative.
func (p *scanner) number() (*int64, bool) {
	p.skip()
	from, n := p.at, int64(0)
	for ; p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9'; p.at++ {
		if p.at-from >= 18 {
			return nil, false
		}
		n = n*10 + int64(p.b[p.at]-'0')
	}
	if p.at == from || p.b[from] == '0' && p.at-from > 1 {
		return nil, false
	}
	return &n, true
}

// MarshalJSON writes a decision, field by field: it is answered by the
// thousand.
func (d Decision) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 256)
	b = strconv.AppendBool(append(b, `{"allowed":`...), d.Allowed)
	b = append(append(append(b, `,"code":"`...), d.Code...), `","plugin":`...)
	b = appendText(b, &d.Plugin)
	b = appendText(append(b, `,"meter":`...), d.Meter)
	b = appendText(append(b, `,"mode":`...), (*string)(d.Mode))
	b = appendNumber(append(b, `,"limit":`...), d.Limit)
	b = appendNumber(append(b, `,"used":`...), d.Used)
	b = appendNumber(append(b, `,"remaining":`...), d.Remaining)
	b = append(b, `,"reset_at":`...)
	if d.ResetAt == nil {
		b = append(b, "null"...)
	} else {
		b = append(append(append(b, '"'), d.ResetAt.String()...), '"')
	}
	b = appendText(append(b, `,"decided_by":`...), (*string)(d.DecidedBy))
	return append(b, '}'), nil
}

func appendNumber(b []byte, n *int64) []byte {
	if n == nil {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, *n, 10)
}

func appendText(b []byte, s *string) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	for _, c := range []byte(*s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(*s) // of a text it never fails
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), *s...), '"')
}
