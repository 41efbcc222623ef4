package db

import (
	"encoding/json"
	"reflect"
	"time"
)

// Time is a moment in microseconds since 1970 UTC: what both engines store in
// a BIGINT. It is written as RFC 3339 in UTC with milliseconds.
type Time int64

const layout = "2006-01-02T15:04:05.000Z"

// At converts a moment to the database's resolution.
func At(t time.Time) Time { return Time(t.UnixMicro()) }

// Std converts to the standard library's type, in UTC.
func (t Time) Std() time.Time { return time.UnixMicro(int64(t)).UTC() }

// Add gives the moment d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Microseconds()) }

// String is the RFC 3339 form.
func (t Time) String() string { return string(t.append(nil)) }

// MarshalText writes RFC 3339 with milliseconds.
func (t Time) MarshalText() ([]byte, error) { return t.append(make([]byte, 0, len(layout))), nil }

// append writes layout. The library is several times as fast with a form that
// it knows.
func (t Time) append(b []byte) []byte {
	s := t.Std()
	b = s.AppendFormat(b, time.RFC3339)
	ms := s.Nanosecond() / 1e6
	return append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// UnmarshalText reads any RFC 3339 moment that can be written again: an offset
// may put one into the year 0 or 10000 of UTC. The error is of the kind that
// encoding/json completes with the name of the field.
func (t *Time) UnmarshalText(b []byte) error {
	v, err := time.Parse(time.RFC3339Nano, string(b))
	if y := v.UTC().Year(); err != nil || y < 1 || y > 9999 {
		return &json.UnmarshalTypeError{Value: "string", Type: reflect.TypeFor[Time]()}
	}
	*t = At(v)
	return nil
}
