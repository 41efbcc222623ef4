package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/db/dbtest"
)

var readFull = io.ReadFull

// engine seeds a database, starts the server on it and measures every case.
func (p plan) engine(ctx context.Context, r *report, engine, parent string, floor *process) error {
	if !p.needs() {
		return nil
	}
	b := &bench{plan: p, r: r, engine: engine, floor: floor, store: func() time.Duration { return 0 }}
	dir := filepath.Join(parent, engine)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	address, driver, data := "sqlite:"+filepath.Join(dir, "tenantry.db"), "sqlite", "file:"+filepath.Join(dir, "tenantry.db")+pragmas
	if engine == "postgres" {
		// On a disk, unlike the tests' cluster; autovacuum as in production.
		c, err := dbtest.StartIn(os.TempDir(), "autovacuum=on", "shared_buffers=256MB", "max_wal_size=1GB")
		if err != nil {
			return err
		}
		defer c.Close()
		if address, err = c.Database("bench", ""); err != nil {
			return err
		}
		driver, data, b.store = "pgx", dbtest.Superuser(address), func() time.Duration { return family(postmaster(address)) }
	}
	b.address = address
	var err error
	if b.w, err = p.seed(ctx, address, dir); err != nil {
		return err
	}
	if b.raw, err = sql.Open(driver, data); err != nil {
		return err
	}
	defer b.raw.Close()
	b.raw.SetMaxOpenConns(32)
	b.raw.SetMaxIdleConns(32)
	// The mails that seeding queued are nobody's business here.
	if _, err := b.raw.ExecContext(ctx, "DELETE FROM jobs"); err != nil {
		return err
	}
	if engine == "postgres" {
		if _, err := b.raw.ExecContext(ctx, "VACUUM ANALYZE"); err != nil {
			return err
		}
	}
	return b.measureAll(ctx, dir, address)
}

// mostMemory is what the server may hold after everything, in MB: what it keeps
// is bounded, whatever was asked of it and however much there is.
const mostMemory = 256

// needs reports whether any case of an engine is wanted.
func (p plan) needs() bool {
	return p.wants("start") || p.wants("usage answer") || p.wants(spending) || slices.ContainsFunc(cases, func(c one) bool { return p.wants(c.name) })
}

// postmaster finds the process of the cluster that address leads to.
func postmaster(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 0
	}
	b, _ := os.ReadFile(filepath.Join(u.Query().Get("host"), "data", "postmaster.pid"))
	first, _, _ := strings.Cut(string(b), "\n")
	n, _ := strconv.Atoi(first)
	return n
}

func (b *bench) measureAll(ctx context.Context, dir, address string) error {
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	if b.wants("start") {
		if err := b.starting(ctx, log, dir, address); err != nil {
			return err
		}
	}
	if b.server, err = b.serve(ctx, log, dir, address); err != nil {
		return errors.Join(err, tail(log.Name()))
	}
	defer b.server.stop()
	for _, c := range cases {
		if !b.wants(c.name) {
			continue
		}
		if err := b.signIn(); err != nil {
			return err
		}
		if err := b.take(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", c.name, errors.Join(err, tail(log.Name())))
		}
	}
	if b.wants("usage answer") {
		if err := b.flat(ctx); err != nil {
			return fmt.Errorf("usage answer: %w", errors.Join(err, tail(log.Name())))
		}
	}
	if b.wants(spending) {
		if err := b.spend(ctx); err != nil {
			return fmt.Errorf("%s: %w", spending, errors.Join(err, tail(log.Name())))
		}
	}
	held := mega(b.server.memory())
	b.r.note(b.engine, "memory after the load", fmt.Sprintf("%.1f MB", held), fmt.Sprintf("< %d MB", mostMemory), held < mostMemory)
	return nil
}

// tail is the end of a server's log, as an error.
func tail(name string) error {
	b, _ := os.ReadFile(name)
	return errors.New(string(b[max(0, len(b)-2000):]))
}

// serve starts the product on the database.
func (b *bench) serve(ctx context.Context, log io.Writer, dir, store string) (*process, error) {
	addr, err := address()
	if err != nil {
		return nil, err
	}
	return start(ctx, log, addr, environment("TENANTRY_ADDR="+addr, "TENANTRY_DB="+store, "TENANTRY_DATA="+dir, "TENANTRY_PUBLIC_RATE=0"), b.binary, "serve")
}

// starting measures how long a start takes and what memory is held later.
func (b *bench) starting(ctx context.Context, log io.Writer, dir, store string) error {
	var took []time.Duration
	for last := 4; last >= 0; last-- {
		p, err := b.serve(ctx, log, dir, store)
		if err != nil {
			return err
		}
		took = append(took, p.took)
		if last == 0 {
			progress("%s: started; looking at its memory in %v", b.engine, b.rest)
			pause(ctx, b.rest)
			held := mega(p.memory())
			b.r.note(b.engine, fmt.Sprintf("memory %v after start", b.rest), fmt.Sprintf("%.1f MB", held), "< 40 MB", held < 40)
		}
		p.stop()
	}
	slices.Sort(took)
	b.r.note(b.engine, "start to ready (median of 5)", fmt.Sprintf("%.0f ms", took[2].Seconds()*1000), "< 150 ms", took[2] < 150*time.Millisecond)
	return ctx.Err()
}

func mega(n int64) float64 { return float64(n) / (1 << 20) }

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// signIn gets a token; one lasts longer than a case.
func (b *bench) signIn() error {
	var t struct {
		Token string `json:"access_token"`
	}
	err := b.ask("POST", "/api/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, staff, password), &t)
	b.token = t.Token
	return err
}

// take measures a case at every level, and its floor beside it.
func (b *bench) take(ctx context.Context, c one) error {
	next, err := c.source(b)
	if err != nil {
		return err
	}
	var bare func() error
	if c.bare != nil {
		if bare, err = c.bare(b); err != nil {
			return err
		}
	}
	most := 0.0
	for _, n := range b.levels {
		l, err := b.level(ctx, c, next, bare, n)
		if err != nil {
			return err
		}
		b.r.add(l)
		most = max(most, l.PerSecond*float64(c.units))
		if b.refill != nil {
			b.refill()
		}
	}
	b.refill = nil
	if c.units > 0 {
		b.r.note(b.engine, c.name+", each", fmt.Sprintf("%.0f/s", most), fmt.Sprintf("≥ %.0f/s", c.least), most >= c.least)
	}
	return nil
}

// level measures a case at a number of connections, in turn with its floor.
// Whatever else the machine does only adds to a processor time, so of each the
// least of the rounds is kept, with the fastest round's other figures.
func (b *bench) level(ctx context.Context, c one, next source, bare func() error, n int) (line, error) {
	best := line{Engine: b.engine, Case: c.name, Connections: n, Goal: c.goal}
	callers := n
	if c.callers > 0 {
		callers = c.callers
	}
	for round := range b.rounds {
		if c.counted && round > 0 {
			break
		}
		s, cpu, store, err := b.sampled(ctx, c, next, n)
		if err != nil {
			return best, err
		}
		handler, err := b.empty(ctx, b.floor, c.method, s.size, n)
		if err != nil {
			return best, err
		}
		statement := time.Duration(0)
		if bare != nil {
			if statement, err = b.bare(callers, bare); err != nil {
				return best, err
			}
		}
		best.keep(s, cpu, store, handler, statement)
	}
	return best, nil
}

// sampled measures the product at one level.
func (b *bench) sampled(ctx context.Context, c one, next source, n int) (sample, time.Duration, time.Duration, error) {
	before := b.store()
	if c.counted {
		s, cpu, err := b.counted(ctx, next, n)
		return s, cpu, (b.store() - before) / time.Duration(max(1, s.requests)), err
	}
	var store time.Duration
	s, cpu, err := b.measure(ctx, b.server, func(begin bool, requests int) {
		if begin {
			before = b.store()
		} else {
			store = (b.store() - before) / time.Duration(max(1, requests))
		}
	}, n, next, b.span)
	return s, cpu, store, err
}

// counted sends what there is, once.
func (b *bench) counted(ctx context.Context, next source, n int) (sample, time.Duration, error) {
	c, err := dial(b.server.addr, n)
	if err != nil {
		return sample{}, 0, err
	}
	defer c.close()
	begin := b.server.cpu()
	s, err := c.run(ctx, next, time.Hour)
	return s, (b.server.cpu() - begin) / time.Duration(max(1, s.requests)), err
}

// measure warms up, then runs for the span and gives the server's time a
// request. edge is told of both ends.
func (p plan) measure(ctx context.Context, server *process, edge func(begin bool, requests int), conns int, next source, span time.Duration) (sample, time.Duration, error) {
	c, err := dial(server.addr, conns)
	if err != nil {
		return sample{}, 0, err
	}
	defer c.close()
	if _, err := c.run(ctx, next, span/5); err != nil {
		return sample{}, 0, err
	}
	if edge != nil {
		edge(true, 0)
	}
	begin := server.cpu()
	s, err := c.run(ctx, next, span)
	if err != nil {
		return s, 0, err
	}
	used := server.cpu() - begin
	if used <= 0 {
		return s, 0, errNoFigure
	}
	if edge != nil {
		edge(false, s.requests)
	}
	return s, used / time.Duration(max(1, s.requests)), nil
}
