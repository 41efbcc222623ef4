package dbtest

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"
)

// Steps are SQLite's plan of a statement, a line a step.
func Steps(t *testing.T, raw *sql.DB, query string, args ...any) (steps []string) {
	t.Helper()
	rows, err := raw.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%v\nin %s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b, c int
		var step string
		if err := rows.Scan(&a, &b, &c, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

// Node is a node of PostgreSQL's plan after the statement has run.
type Node struct {
	Type      string  `json:"Node Type"`
	Table     string  `json:"Relation Name"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Removed   float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Plans     []Node
}

// Touched is how many rows the node itself looked at.
func (n Node) Touched() int { return int((n.Rows + n.Removed + n.Rechecked) * n.Loops) }

// Explain runs a statement on PostgreSQL, prepared as the product prepares it,
// and gives its plan. raw has one connection; arguments are texts, whole
// numbers and truth values.
func Explain(t *testing.T, raw *sql.DB, query string, args ...any) Node {
	t.Helper()
	if _, err := raw.Exec("PREPARE q AS " + query); err != nil {
		t.Fatalf("%v\nin %s", err, query)
	}
	run := "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE q"
	if len(args) > 0 {
		values := make([]string, len(args))
		for i, a := range args {
			values[i] = literal(a)
		}
		run += "(" + strings.Join(values, ", ") + ")"
	}
	var text string
	if err := raw.QueryRow(run).Scan(&text); err != nil {
		t.Fatalf("%v\nin %s", err, run)
	}
	if _, err := raw.Exec("DEALLOCATE q"); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan Node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}
