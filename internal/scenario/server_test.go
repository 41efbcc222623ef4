package scenario

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds the command once. It has no race detector: with it a start takes
// 1.5 s instead of 0.1, and there is one for every script and engine.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "tenantry")
	out, err := exec.Command("go", "build", "-o", path, "github.com/tenantry/tenantry/cmd/tenantry").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return path, nil
})

// scratch is the folder of this run.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "tenantry-scenario-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

const (
	rootEmail    = "root@platform.example"
	rootPassword = "a quite long passphrase"
	baseURL      = "https://tenantry.example"
)

// server is one process of the real binary.
type server struct {
	cmd   *exec.Cmd
	base  string // where it listens
	setup string // token of the set-up link that it printed
	post  *postOffice
	names *nameServer

	mu   sync.Mutex // guards log
	log  []string   // what it wrote to standard error
	read sync.WaitGroup
}

// start runs the binary on a database and waits until it listens.
func start(t testing.TB, database string, env ...string) *server {
	t.Helper()
	s := &server{post: openPost(t), names: openNames(t)}
	var err error
	for range 5 { // the port may be taken in between
		if err = s.run(t, database, env); err == nil {
			t.Cleanup(func() { s.stop(t) })
			return s
		}
	}
	t.Fatalf("start the server: %v\n%s", err, strings.Join(s.log, "\n"))
	return nil
}

func (s *server) run(t testing.TB, database string, env []string) error {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	addr, err := freePort()
	if err != nil {
		return err
	}
	s.base, s.log = "http://"+addr, nil
	s.cmd = exec.Command(path, "serve", "--addr", addr, "--db", database, "--data", t.TempDir())
	s.cmd.Env = append(os.Environ(),
		"TENANTRY_BASE_URL="+baseURL, "TENANTRY_KEY=c2NlbmFyaW9zY2VuYXJpb3NjZW5hcmlvc2NlbmFyaW8=",
		"TENANTRY_PUBLIC_RATE=0", "TENANTRY_CONNECTIONS=6", "TENANTRY_LOG_LEVEL=warn",
		"TENANTRY_SMTP_URL=smtp://"+s.post.addr, "TENANTRY_RESOLVER="+s.names.addr)
	s.cmd.Env = append(s.cmd.Env, env...)
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.read.Go(func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.mu.Lock()
			s.log = append(s.log, lines.Text())
			s.mu.Unlock()
		}
	})
	return s.listening(stdout)
}

// listening reads what the server prints, until it says how to sign in.
func (s *server) listening(stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		_, token, setup := strings.Cut(lines.Text(), "/setup#token=")
		if setup {
			s.setup = token
		}
		if setup || strings.HasPrefix(lines.Text(), "Sign in at") {
			s.read.Go(func() { _, _ = io.Copy(io.Discard, stdout) })
			return nil
		}
	}
	s.read.Wait()
	return fmt.Errorf("it ended: %w", s.cmd.Wait())
}

// stop ends the server in order, and fails the test if it did not end well or
// logged an error meanwhile.
func (s *server) stop(t testing.TB) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	overdue := time.AfterFunc(30*time.Second, func() { _ = s.cmd.Process.Kill() })
	s.read.Wait()
	err := s.cmd.Wait()
	overdue.Stop()
	s.cmd = nil
	if err != nil {
		t.Errorf("the server ended: %v\n%s", err, strings.Join(s.log, "\n"))
		return
	}
	for _, line := range s.log {
		if strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("the server logged: %s", line)
		}
	}
}

// player plays scripts against the server.
func (s *server) player(vars Vars) *Player {
	vars["setup.token"] = s.setup
	return &Player{Base: s.base, Client: client, Vars: vars, Mail: s.post.next, Record: s.names.set}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// errNoMail says what did arrive.
var errNoMail = errors.New("none came")

func (p *postOffice) next(ctx context.Context, to string) (Letter, error) {
	for {
		p.mu.Lock()
		for i, l := range p.letters {
			if strings.EqualFold(l.To, to) {
				p.letters = append(p.letters[:i], p.letters[i+1:]...)
				p.mu.Unlock()
				return l, nil
			}
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return Letter{}, errNoMail
		}
	}
}
