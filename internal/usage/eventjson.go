package usage

import (
	"strings"
)

// parseShort reads the commonest form of an event: its plain attributes once
// each, as texts without escapes, and data with one whole number. Of anything
// else ok is false, and parse reads it.
func parseShort(b []byte) (e event, ok bool) {
	p, seen := scanner{b: b}, 0
	var version, when, kind string
	fields := [...]struct {
		name string
		into *string
		most int
	}{{"id", &e.id, 256}, {"source", &e.source, 64}, {"type", &e.meter, 64}, {"subject", &e.subject, 64},
		{"specversion", &version, 3}, {"time", &when, 40}, {"datacontenttype", &kind, 64}}
	const required, data = 1<<5 - 1, 1 << 7
	if !p.is('{') {
		return e, false
	}
	for first := true; !p.is('}'); first = false {
		if !first && !p.is(',') {
			return e, false
		}
		name, ok := p.text()
		if !ok || !p.is(':') {
			return e, false
		}
		bit := 0
		for i := range fields {
			if f := &fields[i]; f.name == name {
				bit = 1 << i
				if *f.into, ok = p.text(); !ok || *f.into == "" || len(*f.into) > f.most {
					return e, false
				}
			}
		}
		if name == "data" {
			bit = data
			if !p.data(&e) {
				return e, false
			}
		}
		if bit == 0 || seen&bit != 0 {
			return e, false
		}
		seen |= bit
	}
	p.skip()
	if p.at != len(b) || seen&(required|data) != required|data || version != "1.0" || kind != "" && !strings.HasPrefix(kind, "application/json") {
		return e, false
	}
	if when != "" && (e.at.UnmarshalText([]byte(when)) != nil || e.at <= 0) {
		return e, false
	}
	return e, e.amount <= MaxValue && e.amount >= -MaxValue
}

// data takes an object of one number, value or delta.
func (p *scanner) data(e *event) bool {
	if !p.is('{') {
		return false
	}
	name, ok := p.text()
	if !ok || name != "value" && name != "delta" || !p.is(':') {
		return false
	}
	e.delta = name == "delta"
	minus := p.is('-')
	if minus && (p.at == len(p.b) || p.b[p.at] < '0' || p.b[p.at] > '9') {
		return false
	}
	n, ok := p.number()
	if !ok || !p.is('}') {
		return false
	}
	if e.amount = *n; minus {
		e.amount = -e.amount
	}
	return true
}
