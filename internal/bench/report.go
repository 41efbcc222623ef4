package main

import (
	"fmt"
	"io"
	"time"
)

// report is what a run found.
type report struct {
	Began string
	Go    string
	CPUs  int
	Lines []line
	Notes []note

	out io.Writer
}

// line is a case at a number of connections. Times of the processor are what
// one request cost.
type line struct {
	Engine      string
	Case        string
	Connections int
	Requests    int
	Errors      int
	First       string `json:",omitempty"` // error
	PerSecond   float64
	P50, P99    time.Duration
	Size        int           // of an answer's body
	Server      time.Duration // processor
	Store       time.Duration // PostgreSQL's processor
	Handler     time.Duration // of the floor: the empty handler
	Bare        time.Duration // of the floor: the bare statement
	Goal        float64       // at most so often the floor; 0 is none
}

// keep takes what a round did better than those before.
func (l *line) keep(s sample, cpu, store, handler, bare time.Duration) {
	first := l.Requests == 0
	least := func(have *time.Duration, d time.Duration) {
		if first || d < *have {
			*have = d
		}
	}
	least(&l.Server, cpu)
	least(&l.Store, store)
	least(&l.Handler, handler)
	least(&l.Bare, bare)
	if rate := float64(s.requests) / s.span.Seconds(); rate > l.PerSecond {
		l.PerSecond, l.P50, l.P99 = rate, s.quantile(.5), s.quantile(.99)
	}
	l.Requests, l.Errors, l.Size = l.Requests+s.requests, l.Errors+s.errors, s.size
	if l.First == "" {
		l.First = s.first
	}
}

func (l *line) times() float64 { return float64(l.Server) / float64(max(1, l.Handler+l.Bare)) }

// note is a figure that is no request.
type note struct {
	Engine, What, Value, Goal string
	Met                       bool
}

// head begins the report.
func (r *report) head() {
	fmt.Fprintf(r.out, "%s, %d cores, %s. Processor times are µs a request; the floor is the empty handler + the bare statement.\n\n", r.Go, r.CPUs, r.Began)
	fmt.Fprintln(r.out, "| engine | case | conns | req/s | p50 ms | p99 ms | server | store | floor | × floor | goal | |")
	fmt.Fprintln(r.out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|")
}

// add prints a line as soon as it is known.
func (r *report) add(l line) {
	r.Lines = append(r.Lines, l)
	goal, verdict := "", ""
	if l.Goal > 0 {
		goal, verdict = fmt.Sprintf("≤ %.1f", l.Goal), met(l.times() <= l.Goal)
	}
	if l.Errors > 0 {
		verdict = fmt.Sprintf("%d ERRORS: %s", l.Errors, l.First)
	}
	fmt.Fprintf(r.out, "| %s | %s | %d | %.0f | %s | %s | %s | %s | %s + %s | %.1f | %s | %s |\n", l.Engine, l.Case, l.Connections, l.PerSecond,
		milli(l.P50), milli(l.P99), micro(l.Server), micro(l.Store), micro(l.Handler), micro(l.Bare), l.times(), goal, verdict)
}

// note keeps a figure for the second table.
func (r *report) note(engine, what, value, goal string, ok bool) {
	r.Notes = append(r.Notes, note{engine, what, value, goal, ok})
	progress("%s: %s: %s", engine, what, value)
}

// foot prints the second table and the verdict.
func (r *report) foot() {
	fmt.Fprint(r.out, "\n| engine | what | figure | goal | |\n|---|---|--:|--:|---|\n")
	for _, n := range r.Notes {
		verdict := ""
		if n.Goal != "" {
			verdict = met(n.Met)
		}
		fmt.Fprintf(r.out, "| %s | %s | %s | %s | %s |\n", n.Engine, n.What, n.Value, n.Goal, verdict)
	}
	goals, reached, failed := 0, 0, 0
	for _, l := range r.Lines {
		failed += l.Errors
		if l.Goal > 0 {
			goals++
			if l.times() <= l.Goal {
				reached++
			}
		}
	}
	for _, n := range r.Notes {
		if n.Goal != "" {
			goals++
			if n.Met {
				reached++
			}
		}
	}
	fmt.Fprintf(r.out, "\n%d of %d goals met, %d requests failed.\n", reached, goals, failed)
}

func met(ok bool) string {
	if ok {
		return "met"
	}
	return "MISSED"
}

func milli(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1000) }

func micro(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", float64(d.Nanoseconds())/1000)
}
