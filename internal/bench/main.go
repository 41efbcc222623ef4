// Command bench measures the real binary over loopback, on SQLite and on a
// throw-away PostgreSQL, beside its physical floor in the same run: an empty
// JSON handler of the same answer size, and the bare statement on the same
// engine. The server, the floor and PostgreSQL are processes of their own.
//
// The steadiest figure is the processor time that the server spends on a
// request, because the load generator runs on the same machine. What a goal
// says is judged on that.
//
//	make bench
//	go run ./internal/bench -binary bin/tenantry -quick -only get
//
// Everything listens on 127.0.0.1, lives in temporary folders that are removed,
// and ends with the command.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// plan is what a run is asked to do.
type plan struct {
	binary  string
	engines []string
	only    string
	json    string
	levels  []int // connections

	organizations, events int
	many                  int           // usage events of one organization in the end
	rounds                int           // of each measurement
	provisions            int           // requests to provision a connection level
	span                  time.Duration // of one measurement
	rest                  time.Duration // from a start until its memory is read
}

func main() {
	p := plan{}
	quick := flag.Bool("quick", false, "fewer rows, shorter measurements, no minute of rest")
	floor := flag.Bool("floor", false, "be the floor's server (used by the command itself)")
	store := flag.String("store", "", "SQLite file of the floor's server")
	engines := flag.String("engines", "sqlite,postgres", "which engines to measure")
	levels := flag.String("levels", "1,16,64", "at how many connections")
	flag.StringVar(&p.binary, "binary", "bin/tenantry", "the server to measure")
	organizations := flag.Int("organizations", 10_000, "how many organizations to measure with; at least 1,000")
	flag.StringVar(&p.only, "only", "", "measure only what contains one of these, between commas: "+strings.Join(names(), ", "))
	flag.StringVar(&p.json, "json", "", "also write the figures to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *floor {
		check(serveFloor(ctx, *store))
		return
	}
	for _, level := range strings.Split(*levels, ",") {
		n, err := strconv.Atoi(level)
		check(err)
		p.levels = append(p.levels, n)
	}
	p.engines = strings.Split(*engines, ",")
	p.organizations, p.events, p.provisions, p.span, p.rest, p.rounds = 10_000, 1_000_000, 1000, time.Second, time.Minute, 3
	p.many, p.organizations = 10_000_000, *organizations
	if *quick {
		p.events, p.provisions, p.span, p.rest = 50_000, 300, 400*time.Millisecond, 5*time.Second
		p.many = 1_000_000
	}
	check(p.run(ctx))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures every engine and prints the report.
func (p plan) run(ctx context.Context) error {
	r := &report{Go: runtime.Version(), CPUs: runtime.NumCPU(), Began: time.Now().UTC().Format(time.RFC3339), out: os.Stdout}
	dir, err := os.MkdirTemp("", "tenantry-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	floor, err := startFloor(ctx, dir)
	if err != nil {
		return err
	}
	defer floor.stop()
	r.head()
	for _, engine := range p.engines {
		if err := p.engine(ctx, r, engine, dir, floor); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	if p.wants("group commit") {
		if err := p.groupCommit(ctx, r, dir, floor); err != nil {
			return fmt.Errorf("group commit: %w", err)
		}
	}
	r.foot()
	if p.json != "" {
		b, err := json.MarshalIndent(r, "", "  ")
		return errors.Join(err, os.WriteFile(p.json, append(b, '\n'), 0o644))
	}
	return nil
}

// wants reports whether -only leaves something in.
func (p plan) wants(name string) bool {
	for part := range strings.SplitSeq(p.only, ",") {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// progress tells whoever waits what is going on.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}
