package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// result is what one run of the command left.
type result struct {
	code      int
	out, errs string
}

// machine is where the command runs: a data folder and a database.
type machine struct {
	*testing.T
	environ []string
}

func each(t *testing.T, f func(m machine)) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.EmptySQLiteURL, "postgres": dbtest.EmptyPostgresURL} {
		t.Run(engine, func(t *testing.T) {
			f(machine{t, []string{"HOME=" + t.TempDir(), "TENANTRY_DATA=" + filepath.Join(t.TempDir(), "data"), "TENANTRY_DB=" + url(t)}})
		})
	}
}

// run gives the command its arguments, standard input and further variables.
func (m machine) run(args, in string, environ ...string) result {
	m.Helper()
	var out, errs bytes.Buffer
	code := cli.Main("1.2.3", strings.Fields(args), append(m.environ, environ...), strings.NewReader(in), &out, &errs)
	return result{code, out.String(), errs.String()}
}

// want runs it and looks at the exit code, and at both outputs for words.
func (m machine) want(code int, words, args, in string, environ ...string) result {
	m.Helper()
	r := m.run(args, in, environ...)
	if r.code != code || !strings.Contains(r.out+r.errs, words) {
		m.Errorf("%s: got %d, want %d with %q\n%s%s", args, r.code, code, words, r.out, r.errs)
	}
	if strings.Contains(r.errs, "goroutine ") || strings.Contains(r.out+r.errs, strings.TrimSpace(in)) && in != "" {
		m.Errorf("%s: a stack, or the password\n%s%s", args, r.out, r.errs)
	}
	return r
}

func alone(t *testing.T) machine { return machine{t, []string{"TENANTRY_DATA=" + t.TempDir()}} }

func TestNotUnderstoodIs2(t *testing.T) {
	m := alone(t)
	for _, args := range []string{"nope", "serve extra", "serve --nope", "serve --addr", "admin nope", "admin create", "demo nope", "version x",
		"migrate --public-rate x", "migrate --config /absent", "--db x nope"} {
		r := m.want(2, "tenantry: ", args, "")
		if r.out != "" {
			t.Errorf("%s: wrote %q", args, r.out)
		}
	}
	m.want(2, "TENANTRY_NOPE", "migrate", "", "TENANTRY_NOPE=1")
}

func TestWhatExplainsItself(t *testing.T) {
	m := alone(t)
	m.want(0, "tenantry 1.2.3\n", "version", "")
	for _, args := range []string{"", "--help", "help serve", "serve --help", "admin", "demo", "admin create --help", "credits"} {
		m.want(0, "Usage:", args, "")
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		m.want(0, "tenantry", "completion "+shell, "")
	}
	m.want(0, "reset-password", "__complete admin r", "")
	help := m.run("serve --help", "").out
	for _, secret := range []string{"--key ", "--smtp-url", "--bootstrap-password "} {
		if strings.Contains(help, secret) {
			t.Errorf("%s is a flag: the command line is visible to others", secret)
		}
	}
}

func TestFailedIs1(t *testing.T) {
	m := alone(t)
	m.want(2, "sqlite:", "migrate --db mysql://x", "")
	m.want(1, "", "migrate --db sqlite:/dev/null/x", "")
	if r := m.want(1, "PostgreSQL", "migrate --db postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1", ""); strings.Contains(r.errs, "hunter2") {
		t.Errorf("the error names the password: %s", r.errs)
	}
}

func TestMigrateAndAdmin(t *testing.T) {
	each(t, func(m machine) {
		const password = "a quite long passphrase"
		m.want(0, "newest", "migrate", "")
		m.want(0, "newest", "migrate", "")
		m.want(0, "Checked 0 accounts", "credits verify", "")
		m.want(1, "12 characters", "admin create --email root@platform.example", "sh0rt\n")
		m.want(1, "no password", "admin create --email root@platform.example", "")
		m.want(1, "e-mail", "admin create --email nobody", password+"\n")
		m.want(0, "root@platform.example is a superadmin", "admin create --email root@platform.example", password+"\n")
		file := filepath.Join(m.TempDir(), "password")
		if err := os.WriteFile(file, []byte("another long passphrase\r\n"), 0o600); err != nil {
			m.Fatal(err)
		}
		m.want(0, "sessions", "admin reset-password --email root@platform.example --password-file "+file, "")
		m.want(1, "no user has this e-mail", "admin reset-password --email nobody@platform.example", password+"\n")
		m.want(1, "cannot be read", "admin reset-password --email root@platform.example --password-file /absent", "")
		// The environment may hold the password of a first start; it is not needed here.
		m.want(2, "together", "migrate", "", "TENANTRY_BOOTSTRAP_EMAIL=root@platform.example")
	})
}

// What it fills is the business of package demo, on both engines.
func TestDemo(t *testing.T) {
	m := alone(t)
	first := m.want(0, "@", "demo seed", "")
	again := m.want(0, "there already", "demo seed", "")
	if !strings.HasSuffix(again.out, first.out[strings.LastIndex(strings.TrimSpace(first.out), "\n"):]) {
		t.Errorf("the logins: first\n%sthen\n%s", first.out, again.out)
	}
}

// The key is made once, for its owner alone, and only while the database knows
// none: another one would open nothing.
func TestKey(t *testing.T) {
	each(t, func(m machine) {
		m.want(0, "newest", "migrate", "")
		file := filepath.Join(strings.TrimPrefix(m.environ[1], "TENANTRY_DATA="), "tenantry.key")
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			m.Fatalf("got %v %v, want a file of mode 0600", info, err)
		}
		key, err := os.ReadFile(file)
		if err != nil {
			m.Fatal(err)
		}
		const other = "TENANTRY_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		r := m.want(1, "key", "serve --addr 127.0.0.1:0", "", other)
		if strings.Contains(r.errs, "AAAA") {
			m.Errorf("the error names the key: %s", r.errs)
		}
		m.want(1, "key", "migrate", "", "TENANTRY_KEY=short")
		if err := os.Remove(file); err != nil {
			m.Fatal(err)
		}
		m.want(1, "missing", "migrate", "")
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			m.Error("a new key was made beside a database that knows one")
		}
		m.want(0, "newest", "migrate", "", "TENANTRY_KEY="+strings.TrimSpace(string(key)))
	})
}
