package dbtest

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// Cluster is a PostgreSQL server of the test process. It listens on a Unix
// socket in its own folder and ends with the process, however that ends: a
// shell holds it, and stops it and removes its files once the pipe from this
// process closes.
type Cluster struct {
	dir   string
	order io.WriteCloser // to the shell: one line, one command
	log   *serverLog
	done  chan error // the shell's end
	admin *sql.DB

	mu sync.Mutex // guards cloning: one CREATE DATABASE at a time from one template
}

var shared = sync.OnceValues(func() (*Cluster, error) {
	c, err := Start()
	if err != nil {
		return nil, err
	}
	return c, c.template()
})

// supervise runs the server, obeys orders, and cleans up at the end of them.
// $1 is the server's folder of programs, $2 the cluster's, the rest options.
const supervise = `bin=$1 dir=$2; shift 2
begin() {
	"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=200 -c shared_buffers=64MB \
		-c max_wal_size=256MB -c autovacuum=off -c log_min_messages=log "$@" </dev/null &
	pid=$!
}
finish() { kill -$1 $pid 2>/dev/null; wait $pid; echo "supervisor: stopped" >&2; }
begin "$@"
while read -r order; do
	case $order in
	start) begin "$@" ;;
	stop) finish INT ;;
	crash) finish QUIT ;;
	esac
done
exec 2>/dev/null
finish QUIT
rm -rf "$dir"`

// Start makes a new cluster and waits until it answers. settings are further
// options of the server, "fsync=off". Tests that stop or damage a server use
// their own; all others share one.
func Start(settings ...string) (*Cluster, error) { return StartIn(fast(), settings...) }

// StartIn is Start with the files under a folder of the caller's choice, which
// everybody may pass through: the system's for temporary files where it is "".
func StartIn(parent string, settings ...string) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "tenantry-pg-")
	if err != nil {
		return nil, err
	}
	c, err := start(bin, dir, settings)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

func start(bin, dir string, settings []string) (*Cluster, error) {
	who, err := owner(dir)
	if err != nil {
		return nil, err
	}
	// Its language is not C: text that a program wants in byte order has to say so.
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-N", "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--wal-segsize=4")
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	args := []string{"-c", supervise, "sh", bin, dir}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	shell := exec.Command("sh", args...)
	shell.SysProcAttr, shell.Dir = who, dir
	order, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := shell.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c := &Cluster{dir: dir, order: order, log: &serverLog{events: make(chan string, 16)}, done: make(chan error, 1)}
	go func() { // ends with the shell, for which Close waits
		c.log.read(out)
		c.done <- shell.Wait()
	}()
	if err := c.log.await("database system is ready to accept connections"); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if c.admin, err = sql.Open("pgx", c.address("postgres", "postgres")); err == nil {
		_, err = c.admin.ExecContext(context.Background(), "CREATE ROLE "+plainRole+" LOGIN")
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Stop ends the server as an operator does: connections are cut. It returns
// when the server has ended. The data stays; Restart brings it back.
func (c *Cluster) Stop() error { return c.tell("stop", "supervisor: stopped") }

// Crash kills the server without a checkpoint. Restart brings it back, through
// recovery.
func (c *Cluster) Crash() error { return c.tell("crash", "supervisor: stopped") }

// Restart starts a stopped server and returns when it takes connections.
func (c *Cluster) Restart() error {
	return c.tell("start", "database system is ready to accept connections")
}

// Close ends the server and returns when its files are removed.
func (c *Cluster) Close() error {
	if c.admin != nil {
		_ = c.admin.Close()
	}
	_ = c.order.Close()
	<-c.done
	return nil
}

// plainRole owns the databases and is nothing more, as in production.
const plainRole = "tenantry"

// URL is the address of a database in the cluster, as the role that owns the
// databases and is nothing more.
func (c *Cluster) URL(database string) string { return c.address(plainRole, database) }

func (c *Cluster) address(role, database string) string {
	return "postgres://" + role + "@/" + database + "?host=" + url.QueryEscape(c.dir)
}

// Database makes an empty database and gives its address. options follow the
// name: `TEMPLATE template0 ENCODING 'LATIN1'`.
func (c *Cluster) Database(name, options string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.admin.ExecContext(context.Background(), "CREATE DATABASE "+name+" OWNER "+plainRole+" "+options)
	return c.URL(name), err
}

func (c *Cluster) tell(order, answer string) error {
	c.log.forget()
	if _, err := io.WriteString(c.order, order+"\n"); err != nil {
		return err
	}
	return c.log.await(answer)
}

// serverLog reads what the server says: signals to wait for, and the reason
// when it does not start.
type serverLog struct {
	events chan string
	mu     sync.Mutex // guards last
	last   []string
}

func (l *serverLog) read(r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := lines.Text()
		l.mu.Lock()
		l.last = append(l.last[max(0, len(l.last)-40):], line)
		l.mu.Unlock()
		if strings.Contains(line, "ready to accept connections") || strings.HasPrefix(line, "supervisor:") {
			l.events <- line
		}
	}
	close(l.events)
}

// forget drops what was said before the next order.
func (l *serverLog) forget() {
	for len(l.events) > 0 {
		<-l.events
	}
}

func (l *serverLog) await(what string) error {
	limit := time.After(60 * time.Second)
	for {
		select {
		case line, open := <-l.events:
			if strings.Contains(line, what) {
				return nil
			}
			if open {
				continue
			}
		case <-limit:
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		return fmt.Errorf("PostgreSQL did not say %q:\n%s", what, strings.Join(l.last, "\n"))
	}
}

// template migrates the database that all others are cloned from.
func (c *Cluster) template() error {
	address, err := c.Database("migrated", "")
	if err != nil {
		return err
	}
	ctx := context.Background()
	d, err := db.Open(ctx, address, db.Options{Connections: 2})
	if err != nil {
		return err
	}
	return errors.Join(d.Migrate(ctx), d.Close())
}

// binaries finds the newest installed PostgreSQL, or the one that
// TENANTRY_TEST_POSTGRES_BIN names.
func binaries() (string, error) {
	if dir := os.Getenv("TENANTRY_TEST_POSTGRES_BIN"); dir != "" {
		return dir, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server is installed (initdb not found): on Debian apt-get install postgresql, or set TENANTRY_TEST_POSTGRES_BIN")
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
