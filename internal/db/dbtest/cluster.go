package dbtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"

	"database/sql"

	"github.com/tenantry/tenantry/internal/db"
)

// Cluster is a PostgreSQL server of the test process. It listens on a Unix
// socket in its own folder and ends with the process, however that ends.
type Cluster struct {
	dir   string
	guard io.WriteCloser // closed when the process ends: the supervising shell then stops the server
	admin *sql.DB
	mu    sync.Mutex // one CREATE DATABASE at a time from one template
}

var shared = sync.OnceValues(func() (*Cluster, error) {
	c, err := Start()
	if err != nil {
		return nil, err
	}
	return c, c.template()
})

// supervise runs the server until the guard pipe closes, then removes it all.
const supervise = `"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=400 -c shared_buffers=64MB -c synchronous_commit=on >"$2/log" 2>&1 </dev/null &
pid=$!
read -r _
kill -QUIT $pid 2>/dev/null
wait $pid
rm -rf "$2"`

// Start makes a new cluster and waits until it answers.
func Start() (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(fast(), "tenantry-pg-")
	if err != nil {
		return nil, err
	}
	who, err := owner(dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "tenantry", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	server := exec.Command("sh", "-c", supervise, "sh", bin, dir)
	server.SysProcAttr, server.Dir = who, dir
	guard, err := server.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c := &Cluster{dir: dir, guard: guard}
	return c, c.await()
}

// Stop ends the server and removes its files.
func (c *Cluster) Stop() error { return c.guard.Close() }

func (c *Cluster) url(database string) string {
	return "postgres://tenantry@/" + database + "?host=" + url.QueryEscape(c.dir)
}

// await connects until the server answers.
func (c *Cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	admin, err := sql.Open("pgx", c.url("postgres"))
	if err != nil {
		return err
	}
	c.admin = admin
	for {
		if err = admin.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// template migrates the database that all others are cloned from.
func (c *Cluster) template() error {
	if _, err := c.admin.Exec("CREATE DATABASE migrated"); err != nil {
		return err
	}
	ctx := context.Background()
	d, err := db.Open(ctx, c.url("migrated"), db.Options{})
	if err != nil {
		return err
	}
	return errors.Join(d.Migrate(ctx), d.Close())
}

func (c *Cluster) clone(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.admin.Exec("CREATE DATABASE " + name + " TEMPLATE migrated")
	return err
}

// binaries finds the newest installed PostgreSQL.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	sort.Slice(found, func(i, j int) bool { return version(found[i]) > version(found[j]) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server is installed (initdb not found); on Debian: apt-get install postgresql")
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

// fast is a folder in memory where there is one: fsync is on, as in production,
// but costs nothing there.
func fast() string {
	if s, err := os.Stat("/dev/shm"); err == nil && s.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// owner gives dir to an account that PostgreSQL agrees to run as: it refuses root.
func owner(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{Setpgid: true}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no other account: %w", err)
		}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}
