package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Diff compares two states of a thing as the API shows them, field by field
// under their JSON names. Version and update time always move and are left
// out. Both must be structs of one type without secrets in their JSON.
func Diff[T any](before, after T) (Changes, error) {
	old, err := fields(before)
	if err != nil {
		return nil, err
	}
	now, err := fields(after)
	if err != nil {
		return nil, err
	}
	changes := Changes{}
	for name, v := range now {
		if name != "updated_at" && name != "version" && !bytes.Equal(v, old[name]) {
			changes[name] = Change{Old: old[name], New: v}
		}
	}
	for name, v := range old {
		if _, kept := now[name]; !kept {
			changes[name] = Change{Old: v, New: nil}
		}
	}
	return changes, nil
}

func fields(v any) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("compare for the audit log: %w", err)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("compare for the audit log: %w", err)
	}
	return m, nil
}
