package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server started by this command.
type process struct {
	cmd  *exec.Cmd
	addr string
	took time.Duration // from start to ready
}

// start runs a server and waits until it is ready.
func start(ctx context.Context, log io.Writer, addr string, environ []string, binary string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = environ, log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, addr: addr}
	for time.Since(begin) < 60*time.Second && ctx.Err() == nil {
		if ready(addr) {
			p.took = time.Since(begin)
			return p, nil
		}
		time.Sleep(time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%s did not get ready at %s", filepath.Base(binary), addr)
}

// ready asks once.
func ready(addr string) bool {
	c, err := dial(addr, 1)
	if err != nil {
		return false
	}
	defer c.close()
	k := c.conns[0]
	_ = k.SetDeadline(time.Now().Add(5 * time.Second))
	return k.ask(request("GET", "/readyz", "", "")) == nil && k.bad == 0
}

// stop ends the server and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// cpu is the processor time that the server has used.
func (p *process) cpu() time.Duration { return used(p.cmd.Process.Pid) }

// memory is how much of the server is in memory, in bytes.
func (p *process) memory() int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}

// tick is the unit of /proc/PID/stat; Linux has had the same one for decades.
const tick = 10 * time.Millisecond

// used reads a process's own time: utime and stime.
func used(pid int) time.Duration {
	f := stat(pid)
	if len(f) < 15 {
		return 0
	}
	return ticks(f[11]) + ticks(f[12])
}

func ticks(s string) time.Duration {
	n, _ := strconv.ParseInt(s, 10, 64)
	return time.Duration(n) * tick
}

// stat gives the fields of /proc/PID/stat from the third on.
func stat(pid int) []string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.Fields(rest)
}

// family is the time of a process, of its children that live and of those that
// ended: PostgreSQL is one process a connection.
func family(pid int) time.Duration {
	if pid == 0 {
		return 0
	}
	f := stat(pid)
	if len(f) < 15 {
		return 0
	}
	sum := ticks(f[11]) + ticks(f[12]) + ticks(f[13]) + ticks(f[14])
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(b)) {
		n, _ := strconv.Atoi(child)
		sum += used(n)
	}
	return sum
}

// self is the time that this process has used.
func self() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// address finds a free port on loopback.
func address() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// environment is ours without what would configure a server, and what is given.
func environment(given ...string) (all []string) {
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "TENANTRY_") {
			all = append(all, e)
		}
	}
	return append(all, given...)
}

var errNoFigure = errors.New("the processor time of the server cannot be read: this needs Linux's /proc")
