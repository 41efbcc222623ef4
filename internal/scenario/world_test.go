package scenario

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/internal/db/dbtest"
)

//go:embed testdata/world.txt
var worldScript string

// engine makes databases of one kind.
type engine interface {
	// empty gives the address of a new database with nothing in it.
	empty(t testing.TB) string
	// copy gives the address of a copy of a database that nobody has open.
	copy(t testing.TB, of string) string
}

// world is the state that scripts begin in.
type world struct {
	database string
	vars     Vars
}

// worlds makes the world of an engine once.
type worlds struct {
	engine
	once sync.Once
	made *world
}

var engines = map[string]*worlds{
	"sqlite":   {engine: sqlite{}},
	"postgres": {engine: &postgres{}},
}

// begin gives a server on a copy of the world, and what is known of it.
func (w *worlds) begin(t *testing.T, s *Script) *Player {
	t.Helper()
	if s.Empty {
		return start(t, w.empty(t), s.Env...).player(Vars{})
	}
	w.once.Do(func() { w.made = w.make(t) })
	if w.made == nil {
		t.Fatal("there is no world: see the first test that failed")
	}
	return start(t, w.copy(t, w.made.database), s.Env...).player(maps.Clone(w.made.vars))
}

// make plays testdata/world.txt on an empty database, through the API alone.
func (w *worlds) make(t *testing.T) *world {
	t.Helper()
	script, err := Parse("world.txt", worldScript)
	if err != nil {
		t.Fatal(err)
	}
	database := w.empty(t)
	s := start(t, database, "TENANTRY_BOOTSTRAP_EMAIL="+rootEmail, "TENANTRY_BOOTSTRAP_PASSWORD="+rootPassword)
	vars := Vars{"root.email": rootEmail, "password": rootPassword}
	s.player(vars).Play(t.Context(), script, func(err error) { t.Error(err) })
	s.stop(t)
	if t.Failed() {
		return nil
	}
	return &world{database, vars}
}

var databases atomic.Int64

func name() string { return fmt.Sprintf("scenario_%d", databases.Add(1)) }

type sqlite struct{}

func (sqlite) empty(testing.TB) string {
	return "sqlite:" + filepath.Join(scratch, name()+".db")
}

func (e sqlite) copy(t testing.TB, of string) string {
	t.Helper()
	to := e.empty(t)
	b, err := os.ReadFile(strings.TrimPrefix(of, "sqlite:"))
	if err == nil {
		err = os.WriteFile(strings.TrimPrefix(to, "sqlite:"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

type postgres struct {
	once    sync.Once
	cluster *dbtest.Cluster
	err     error
	names   sync.Map // address to name
}

func (e *postgres) make(t testing.TB, options string) string {
	t.Helper()
	e.once.Do(func() { e.cluster, e.err = dbtest.Start() })
	if e.err != nil {
		t.Fatalf("PostgreSQL for tests: %v", e.err)
	}
	n := name()
	url, err := e.cluster.Database(n, options)
	if err != nil {
		t.Fatalf("make a database: %v", err)
	}
	e.names.Store(url, n)
	return url
}

func (e *postgres) empty(t testing.TB) string { return e.make(t, "") }

func (e *postgres) copy(t testing.TB, of string) string {
	n, _ := e.names.Load(of)
	return e.make(t, "TEMPLATE "+n.(string))
}
