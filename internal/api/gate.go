package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// Limits of a body.
const (
	maxBody  = 1 << 20 // bytes
	maxDepth = 32      // arrays and objects within each other
)

// What the gate refuses, each with its stable code.
var (
	errSyntax = fault.New(fault.BadRequest, "malformed_json", "The body is not one JSON value.")
	errUTF8   = fault.New(fault.BadRequest, "invalid_utf8", "The body is not valid UTF-8.")
	errEscape = fault.New(fault.BadRequest, "invalid_escape", "The body has a lone surrogate escape.")
	errNUL    = fault.New(fault.BadRequest, "nul_character", "The body has a NUL character.")
	errTwice  = fault.New(fault.BadRequest, "duplicate_field", "The body names a field twice.")
	errDeep   = fault.New(fault.BadRequest, "too_deep", "The body is nested more than %d levels deep.", maxDepth)
)

// What begins the messages that tell fieldFault which field they are about.
const wrongType, wrongTime = "wrong type: ", "wrong time: "

// unmarshal is huma's JSON reader, of what the gate has let pass: see take.
func unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch) && mismatch.Type == reflect.TypeFor[db.Time]():
		return errors.New(wrongTime + mismatch.Field)
	case errors.As(err, &mismatch) && plain(mismatch.Field):
		return errors.New(wrongType + mismatch.Field)
	}
	return errors.New(wrongType + "body")
}

// strict refuses what encoding/json lets pass: invalid UTF-8, lone surrogates,
// NUL, duplicate names and excessive depth. That the text is one JSON value is
// encoding/json's to say.
func strict(data []byte) error {
	if !utf8.Valid(data) {
		return errUTF8
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return errNUL
	}
	var open []map[string]struct{} // names seen per open object; nil for an array
	key := false                   // the next string is a name
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if len(open) == maxDepth {
				return errDeep
			}
			key = data[i] == '{'
			if key {
				open = append(open, map[string]struct{}{})
			} else {
				open = append(open, nil)
			}
		case '}', ']':
			if len(open) == 0 {
				return errSyntax
			}
			open = open[:len(open)-1]
			key = false
		case ',':
			key = len(open) > 0 && open[len(open)-1] != nil
		case '"':
			text, err := stringAt(data[i:])
			if err != nil {
				return err
			}
			i += len(text) - 1
			if key {
				if err := seen(open[len(open)-1], text); err != nil {
					return err
				}
				key = false
			}
		}
	}
	return nil
}

// seen notes a name, in the form that all its spellings share.
func seen(names map[string]struct{}, quoted []byte) error {
	name := string(quoted[1 : len(quoted)-1])
	if strings.IndexByte(name, '\\') >= 0 {
		if err := json.Unmarshal(quoted, &name); err != nil {
			return errSyntax
		}
	}
	if _, twice := names[name]; twice {
		return errTwice
	}
	names[name] = struct{}{}
	return nil
}

// stringAt gives the quoted string at the start of data, its escapes checked.
func stringAt(data []byte) ([]byte, error) {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '"':
			return data[:i+1], nil
		case '\\':
			n, err := escapeAt(data[i:])
			if err != nil {
				return nil, err
			}
			i += n - 1
		}
	}
	return nil, errSyntax
}

// escapeAt checks the escape at the start of data and gives its length; a
// surrogate counts with its other half.
func escapeAt(data []byte) (int, error) {
	if len(data) < 2 {
		return 0, errSyntax
	}
	if data[1] != 'u' {
		return 2, nil
	}
	first, ok := hex4(data)
	switch {
	case !ok:
		return 0, errSyntax
	case first == 0:
		return 0, errNUL
	case first >= 0xDC00 && first <= 0xDFFF:
		return 0, errEscape
	case first < 0xD800 || first > 0xDBFF:
		return 6, nil
	}
	second, ok := hex4(data[6:])
	if !ok || second < 0xDC00 || second > 0xDFFF {
		return 0, errEscape
	}
	return 12, nil
}

// hex4 reads \uXXXX.
func hex4(data []byte) (v int, ok bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	for _, c := range data[2:6] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | int(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | int(c-'a'+10)
		case c >= 'A' && c <= 'F':
			v = v<<4 | int(c-'A'+10)
		default:
			return 0, false
		}
	}
	return v, true
}
