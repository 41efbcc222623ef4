package partner

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Percent is a percentage in basis points: 20 % is 2,000. In JSON it is a plain
// number, exact to two decimals in both directions; no float touches it.
type Percent int64

// The bounds of a discount.
const (
	NoDiscount Percent = 0
	Everything Percent = 100_00
)

// inexact is what a number becomes that is no percentage of two decimals. It
// lies outside the bounds, so that validation reports it with its field.
const inexact Percent = -1

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]{0,3})(?:\.([0-9]{1,2})0*)?$`)

// Valid reports a percentage from 0 to 100 with at most two decimals.
func (p Percent) Valid() bool { return p >= NoDiscount && p <= Everything }

// String is the shortest decimal: 20, 12.5, 0.25.
func (p Percent) String() string {
	s := fmt.Sprintf("%d.%02d", p/100, p%100)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalJSON writes a number.
func (p Percent) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalJSON reads a number. One with more decimals, a sign or an exponent
// is kept as not Valid; anything but a number is an error.
func (p *Percent) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil || b[0] == '"' {
		return fmt.Errorf("a percentage must be a number")
	}
	*p = inexact
	m := decimal.FindStringSubmatch(string(n))
	if m == nil {
		return nil
	}
	v, err := strconv.ParseInt(m[1]+(m[2] + "00")[:2], 10, 64)
	if err != nil {
		return fmt.Errorf("read a percentage: %w", err)
	}
	*p = Percent(v)
	return nil
}
