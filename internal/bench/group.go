package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// callers is at how many the group commit is judged.
const callers = 64

// groupCommit compares single commits with db.Write's shared ones on SQLite
// with synchronous=FULL: called directly, and behind an HTTP handler.
func (p plan) groupCommit(ctx context.Context, r *report, dir string, floor *process) error {
	file := filepath.Join(dir, "group.db")
	one, err := single(ctx, file)
	if err != nil {
		return err
	}
	defer one.pool.Close()
	alone, err := p.rate(ctx, callers, func() error { return one.store(ctx) })
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, "sqlite:"+file, db.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	together, err := p.rate(ctx, callers, func() error { return grouped(ctx, d) })
	if err != nil {
		return err
	}
	times := together / alone
	r.note("sqlite", fmt.Sprintf("db.Write against single commits, %d callers", callers),
		fmt.Sprintf("%.0f/s against %.0f/s: %.1f ×", together, alone, times), "≥ 5 ×", times >= 5)
	return p.groupOverHTTP(ctx, r, floor)
}

func (p plan) groupOverHTTP(ctx context.Context, r *report, floor *process) error {
	var persecond [2]float64
	for i, path := range []string{"/single", "/group"} {
		s, _, err := p.measure(ctx, floor, nil, callers, same(request("POST", path, "", `{"amount":1}`)), p.span)
		if err != nil {
			return err
		}
		if s.errors > 0 {
			return errors.New(s.first)
		}
		persecond[i] = float64(s.requests) / s.span.Seconds()
	}
	times := persecond[1] / persecond[0]
	r.note("sqlite", fmt.Sprintf("the same over HTTP, %d connections", callers),
		fmt.Sprintf("%.0f/s against %.0f/s: %.1f ×", persecond[1], persecond[0], times), "≥ 2 ×", times >= 2)
	return nil
}

// rate is how often a second n callers get f done.
func (p plan) rate(ctx context.Context, n int, f func() error) (float64, error) {
	var done atomic.Int64
	var all sync.WaitGroup
	failures := make([]error, n)
	begin := time.Now()
	for i := range n {
		all.Go(func() {
			for failures[i] == nil && time.Since(begin) < p.span && ctx.Err() == nil {
				failures[i] = f()
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds(), errors.Join(failures...)
}
