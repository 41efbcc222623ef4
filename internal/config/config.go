// Package config is everything an operator can set: one list, from which come
// the flags, the environment variables, the configuration file and the table
// in the README. A flag wins over the environment, the environment over the
// file, the file over the default. Anything unknown or malformed refuses to
// start.
package config

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Config is the whole configuration of one process.
type Config struct {
	Addr           string         // host:port to listen on
	DB             string         // sqlite:PATH or postgres://…
	Data           string         // folder of what is not in the database
	BaseURL        string         // begins every link in mails and answers; no final slash
	KeyFile        string         // holds the installation's key
	Key            string         // the key itself, 32 bytes in base64; wins over KeyFile
	PublicRate     int            // requests a minute and address on public routes; 0 is off
	TrustedProxies []netip.Prefix // whose X-Forwarded headers count
	SMTP           string         // where mail goes; empty writes files
	MailFrom       string         // sender address of mail
	Resolver       string         // DNS server for domain proofs, host:port; empty is the system's
	Connections    int            // PostgreSQL connections
	Unconfined     bool           // PostgreSQL's role may be one that row-level security does not hold
	LogLevel       string         // debug, info, warn, error

	BootstrapEmail        string // the first superadmin
	BootstrapPassword     string
	BootstrapPasswordFile string
}

// Option is one setting.
type Option struct {
	Name    string // of the flag; the variable is TENANTRY_ and this in capitals
	Default string
	Doc     string
	Secret  bool // no flag: the command line is visible to others
	set     func(string) error
}

// Env is the name of the option's environment variable.
func (o Option) Env() string {
	return "TENANTRY_" + strings.ToUpper(strings.ReplaceAll(o.Name, "-", "_"))
}

// Options lists every setting of c, in the order of the documentation.
func (c *Config) Options() []Option {
	return []Option{
		{Name: "addr", Default: "127.0.0.1:8080", Doc: "Address to listen on.", set: address(&c.Addr)},
		{Name: "db", Doc: "`sqlite:PATH` or `postgres://…`. Default: `sqlite:DIR/tenantry.db`.", set: c.setDB},
		{Name: "data", Default: "data", Doc: "Folder for the key, mail files and the SQLite database.", set: text(&c.Data)},
		{Name: "base-url", Doc: "Begins every link in mails and answers. Default: `http://` and the address, or `localhost` when it listens on all.", set: c.setBaseURL},
		{Name: "key-file", Doc: "File with the key that encrypts secrets. Default: `DIR/tenantry.key`, made at the first start.", set: text(&c.KeyFile)},
		{Name: "key", Doc: "The key itself: 32 bytes in base64.", Secret: true, set: text(&c.Key)},
		{Name: "public-rate", Default: "30", Doc: "Requests a minute from one address to public routes; 0 is no limit.", set: number(&c.PublicRate, 0)},
		{Name: "trusted-proxies", Doc: "Networks whose `X-Forwarded-*` headers count, separated by commas.", set: c.setProxies},
		{Name: "smtp-url", Doc: "Mail server, `smtp://user:password@host:port` or `smtps://…`. Without it each mail is a file under `DIR/mail/`.", Secret: true, set: text(&c.SMTP)},
		{Name: "mail-from", Default: "tenantry@localhost", Doc: "Sender address of mail.", set: text(&c.MailFrom)},
		{Name: "resolver", Doc: "DNS server for domain proofs, `host:port`. Default: the system's.", set: address(&c.Resolver)},
		{Name: "connections", Default: "32", Doc: "Connections to PostgreSQL.", set: number(&c.Connections, 2)},
		{Name: "allow-bypass-rls", Default: "false", Doc: "`true` lets PostgreSQL's role be a superuser or have `BYPASSRLS`: the database then keeps no tenant from another's rows.", set: truth(&c.Unconfined)},
		{Name: "log-level", Default: "info", Doc: "`debug`, `info`, `warn` or `error`.", set: oneOf(&c.LogLevel, "debug", "info", "warn", "error")},
		{Name: "bootstrap-email", Doc: "E-mail of the first superadmin, made when there is none.", set: text(&c.BootstrapEmail)},
		{Name: "bootstrap-password", Doc: "Password of the first superadmin.", Secret: true, set: text(&c.BootstrapPassword)},
		{Name: "bootstrap-password-file", Doc: "File with that password.", set: text(&c.BootstrapPasswordFile)},
	}
}

// Load reads the configuration. flags are those that were given; environ is
// os.Environ; file may be empty.
func Load(flags map[string]string, environ []string, file string) (*Config, error) {
	c := &Config{}
	values := map[string]string{}
	if file != "" {
		if err := readFile(file, values); err != nil {
			return nil, err
		}
	}
	if err := readEnviron(environ, values); err != nil {
		return nil, err
	}
	for name, v := range flags {
		values[name] = v
	}
	for _, o := range c.Options() {
		v, given := values[o.Name]
		if !given {
			v = o.Default
		}
		if v == "" {
			continue
		}
		if err := o.set(v); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	return c, c.finish()
}

// finish derives what follows from the rest.
func (c *Config) finish() error {
	if c.DB == "" {
		c.DB = "sqlite:" + filepath.Join(c.Data, "tenantry.db")
	}
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(c.Data, "tenantry.key")
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://" + reachable(c.Addr)
	}
	if c.BootstrapPasswordFile != "" {
		b, err := os.ReadFile(c.BootstrapPasswordFile)
		if err != nil {
			return errors.New("bootstrap-password-file: the file cannot be read")
		}
		c.BootstrapPassword = strings.TrimRight(string(b), "\r\n")
	}
	if (c.BootstrapEmail == "") != (c.BootstrapPassword == "") {
		return errors.New("bootstrap-email and bootstrap-password go together")
	}
	return nil
}

// reachable is addr as a browser on this machine can open it: an address that
// means all of them is none to go to.
func reachable(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

// known finds the option of a name.
func known(name string) bool {
	for _, o := range (&Config{}).Options() {
		if o.Name == name {
			return true
		}
	}
	return false
}

// readFile reads lines of name = value; # begins a comment.
func readFile(path string, into map[string]string) error {
	f, err := os.Open(path)
	if err != nil {
		return errors.New("the configuration file cannot be read")
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || !known(name) {
			return fmt.Errorf("configuration file, line %d: not a known name = value", n)
		}
		into[name] = strings.TrimSpace(value)
	}
	return lines.Err()
}

// elsewhere are the TENANTRY_ variables that are no options of a server.
var elsewhere = map[string]bool{"TENANTRY_CONFIG": true}

func readEnviron(environ []string, into map[string]string) error {
	for _, e := range environ {
		key, value, _ := strings.Cut(e, "=")
		rest, ours := strings.CutPrefix(key, "TENANTRY_")
		if !ours || elsewhere[key] || strings.HasPrefix(rest, "TEST_") {
			continue
		}
		name := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
		if !known(name) && serviceLink(rest, value) {
			continue
		}
		if !known(name) {
			return fmt.Errorf("the environment variable %s is unknown", key)
		}
		into[name] = value
	}
	return nil
}

// serviceLink reports a variable that Kubernetes sets for a service by the name
// of tenantry: TENANTRY_PORT=tcp://10.0.0.7:8080 and others.
func serviceLink(rest, value string) bool {
	return rest == "PORT" && strings.Contains(value, "://") || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
}

func text(p *string) func(string) error {
	return func(s string) error {
		*p = s
		return nil
	}
}

func number(p *int, least int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > 1_000_000 {
			return fmt.Errorf("must be a whole number from %d to 1000000", least)
		}
		*p = n
		return nil
	}
}

func truth(p *bool) func(string) error {
	return func(s string) error {
		if s != "true" && s != "false" {
			return errors.New("must be true or false")
		}
		*p = s == "true"
		return nil
	}
}

func oneOf(p *string, words ...string) func(string) error {
	return func(s string) error {
		for _, w := range words {
			if s == w {
				*p = s
				return nil
			}
		}
		return fmt.Errorf("must be one of %s", strings.Join(words, ", "))
	}
}

func address(p *string) func(string) error {
	return func(s string) error {
		_, port, err := net.SplitHostPort(s)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return errors.New("must be host:port, such as 127.0.0.1:8080")
		}
		*p = s
		return nil
	}
}

func (c *Config) setDB(s string) error {
	path, sqlite := strings.CutPrefix(s, "sqlite:")
	if !strings.HasPrefix(s, "postgres://") && !strings.HasPrefix(s, "postgresql://") && (!sqlite || path == "") {
		return errors.New("must be sqlite:PATH or postgres://…")
	}
	c.DB = s
	return nil
}

func (c *Config) setBaseURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("must be http:// or https:// and a host")
	}
	c.BaseURL = strings.TrimRight(s, "/")
	return nil
}

func (c *Config) setProxies(s string) error {
	c.TrustedProxies = nil
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		n, err := netip.ParsePrefix(part)
		if a, e := netip.ParseAddr(part); e == nil {
			n, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return errors.New("must be networks such as 10.0.0.0/8, separated by commas")
		}
		c.TrustedProxies = append(c.TrustedProxies, n)
	}
	return nil
}
