package client

import "encoding/json"

// Optional is a field of an edit. The zero value says nothing: the field stays
// as it is.
type Optional[T any] struct {
	said  bool
	value *T // nil is null
}

// Set gives the field a value.
func Set[T any](v T) Optional[T] { return Optional[T]{said: true, value: &v} }

// Null clears the field, or restores what it inherits.
func Null[T any]() Optional[T] { return Optional[T]{said: true} }

// IsZero reports a field that says nothing; such a field is not sent.
func (o Optional[T]) IsZero() bool { return !o.said }

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.value) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	*o = Optional[T]{said: true}
	return json.Unmarshal(b, &o.value)
}
