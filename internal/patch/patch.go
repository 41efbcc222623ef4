// Package patch tells apart the three things a PUT that merges can say of a
// field: nothing (leave it), null (clear it, or restore what is inherited),
// and a value.
package patch

import (
	"bytes"
	"encoding/json"
)

// Field is one field of a merging PUT. The zero value says nothing.
type Field[T any] struct {
	Set   bool // the field was in the body
	Null  bool // and it was null
	Value T    // its value, when Set and not Null
}

// Of makes a field with a value.
func Of[T any](v T) Field[T] { return Field[T]{Set: true, Value: v} }

// Null makes a field that clears.
func Null[T any]() Field[T] { return Field[T]{Set: true, Null: true} }

// Given reports a value: present and not null.
func (f Field[T]) Given() bool { return f.Set && !f.Null }

// Or gives the value to keep: the new one where one was given, the zero value
// of T for null, old where the field was absent.
func (f Field[T]) Or(old T) T {
	if !f.Set {
		return old
	}
	return f.Value
}

// Pointer is Or for optional values: null becomes nil.
func (f Field[T]) Pointer(old *T) *T {
	switch {
	case !f.Set:
		return old
	case f.Null:
		return nil
	}
	v := f.Value
	return &v
}

// UnmarshalJSON is only called for fields that are present.
func (f *Field[T]) UnmarshalJSON(b []byte) error {
	*f = Field[T]{Set: true}
	if bytes.Equal(b, []byte("null")) {
		f.Null = true
		return nil
	}
	return json.Unmarshal(b, &f.Value)
}

// MarshalJSON writes null for a field that is absent or null; tag the field
// omitzero so that an absent one is left out.
func (f Field[T]) MarshalJSON() ([]byte, error) {
	if !f.Given() {
		return []byte("null"), nil
	}
	return json.Marshal(f.Value)
}
