package main

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// serveFloor is the least that a Go server can do: it answers a JSON body of
// the size that the path names, under the settings of the real one. With a
// store it also commits a row a request, alone or through db.Write.
func serveFloor(ctx context.Context, store string) error {
	addr := os.Getenv("BENCH_ADDR")
	bodies := sync.Map{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { reply(w, []byte("{}\n")) })
	sized := func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies.Load(r.PathValue("size"))
		if !ok {
			n, _ := strconv.Atoi(r.PathValue("size"))
			body, _ = bodies.LoadOrStore(r.PathValue("size"), filler(n))
		}
		reply(w, body.([]byte))
	}
	mux.HandleFunc("GET /size/{size}", sized)
	mux.HandleFunc("POST /size/{size}", sized)
	if store != "" {
		close, err := storing(ctx, mux, store)
		if err != nil {
			return err
		}
		defer close()
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func reply(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// filler is a JSON text of n bytes.
func filler(n int) []byte {
	b := make([]byte, max(2, n))
	for i := range b {
		b[i] = 'x'
	}
	b[0], b[len(b)-1] = '"', '"'
	return b
}

// storing adds the two ways to store a row.
func storing(ctx context.Context, mux *http.ServeMux, store string) (func(), error) {
	one, err := single(ctx, store)
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, "sqlite:"+store, db.Options{})
	if err != nil {
		return nil, err
	}
	answer := func(w http.ResponseWriter, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		reply(w, []byte("{\"stored\":true}\n"))
	}
	mux.HandleFunc("POST /single", func(w http.ResponseWriter, _ *http.Request) { answer(w, one.store(ctx)) })
	mux.HandleFunc("POST /group", func(w http.ResponseWriter, _ *http.Request) { answer(w, grouped(ctx, d)) })
	return func() { one.pool.Close(); d.Close() }, nil
}

// row is a write as small as a useful one gets.
const row = `INSERT INTO bench_rows (name, amount, at) VALUES ($1, $2, $3)`

func grouped(ctx context.Context, d *db.DB) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(row, "a name of usual length", 42, tx.Now)
		return err
	})
}

// singles commits one row after the other, each durable before the next.
type singles struct {
	pool  *sql.DB
	begin *sql.Stmt
	row   *sql.Stmt
	end   *sql.Stmt
	mu    sync.Mutex // guards the statements: one connection
}

const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=wal_autocheckpoint(4000)"

func single(ctx context.Context, file string) (*singles, error) {
	pool, err := sql.Open("sqlite", "file:"+file+pragmas)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	if _, err := pool.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS bench_rows (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount INTEGER NOT NULL, at INTEGER NOT NULL) STRICT`); err != nil {
		return nil, err
	}
	s := &singles{pool: pool}
	for text, to := range map[string]**sql.Stmt{"BEGIN IMMEDIATE": &s.begin, row: &s.row, "COMMIT": &s.end} {
		if *to, err = pool.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *singles) store(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.begin.ExecContext(ctx); err != nil {
		return err
	}
	if _, err := s.row.ExecContext(ctx, "a name of usual length", 42, time.Now().UnixMicro()); err != nil {
		return err
	}
	_, err := s.end.ExecContext(ctx)
	return err
}

// startFloor starts this program again as the floor's server.
func startFloor(ctx context.Context, dir string) (*process, error) {
	me, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := address()
	if err != nil {
		return nil, err
	}
	return start(ctx, os.Stderr, addr, environment("BENCH_ADDR="+addr), me, "-floor", "-store", filepath.Join(dir, "floor.db"))
}

// empty measures the empty handler: its processor time a request.
func (p plan) empty(ctx context.Context, floor *process, method string, size, conns int) (time.Duration, error) {
	body := ""
	if method != "GET" {
		body = `{"amount":1}`
	}
	_, cpu, err := p.measure(ctx, floor, nil, conns, same(request(method, "/size/"+strconv.Itoa(size), "tnt_at_"+string(filler(43)[1:42]), body)), p.span/2)
	return cpu, err
}

// bare runs f by several callers for half a measurement and gives the time
// that this process spent on one.
func (p plan) bare(callers int, f func() error) (time.Duration, error) {
	for range 20 {
		if err := f(); err != nil {
			return 0, err
		}
	}
	var done atomic.Int64
	var all sync.WaitGroup
	failures := make([]error, callers)
	begin, end := self(), time.Now().Add(p.span/2)
	for i := range callers {
		all.Go(func() {
			for failures[i] == nil && time.Now().Before(end) {
				failures[i] = f()
				done.Add(1)
			}
		})
	}
	all.Wait()
	return (self() - begin) / time.Duration(done.Load()), errors.Join(failures...)
}
