package db

import (
	"strconv"
	"strings"
)

// Args are the arguments of a statement that is written piece by piece: its
// placeholders are numbered in the order in which they are added.
type Args []any

// Add keeps a value and gives its placeholder.
func (a *Args) Add(v any) string {
	*a = append(*a, v)
	return "$" + strconv.Itoa(len(*a))
}

// In is the condition that a column of ids holds one of these. None is no row,
// in a form that an index finds.
func In[T any](a *Args, column string, of []T) string {
	marks := make([]string, 1, len(of)+1)
	marks[0] = "0"
	for _, v := range of {
		marks = append(marks, a.Add(v))
	}
	return column + " IN (" + strings.Join(marks, ", ") + ")"
}
