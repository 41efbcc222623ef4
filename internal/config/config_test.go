package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/config"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tenantry.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrecedence(t *testing.T) {
	path := file(t, "# comment\naddr = 127.0.0.1:1\npublic-rate = 1\nconnections = 9\n")
	c, err := config.Load(map[string]string{"addr": "127.0.0.1:3"}, []string{"TENANTRY_ADDR=127.0.0.1:2", "TENANTRY_PUBLIC_RATE=2", "HOME=/x"}, path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:3" || c.PublicRate != 2 || c.Connections != 9 || c.LogLevel != "info" {
		t.Errorf("got addr %s, rate %d, connections %d, level %s", c.Addr, c.PublicRate, c.Connections, c.LogLevel)
	}
	if c.DB != "sqlite:data/tenantry.db" || c.BaseURL != "http://127.0.0.1:3" || c.KeyFile != "data/tenantry.key" {
		t.Errorf("derived: got %s, %s, %s", c.DB, c.BaseURL, c.KeyFile)
	}
}

// A link to every address leads nowhere.
func TestBaseURLCanBeOpened(t *testing.T) {
	for addr, want := range map[string]string{
		":8080": "http://localhost:8080", "0.0.0.0:80": "http://localhost:80", "[::]:80": "http://localhost:80",
		"10.0.0.7:80": "http://10.0.0.7:80", "[::1]:80": "http://[::1]:80", "box:80": "http://box:80",
	} {
		c, err := config.Load(map[string]string{"addr": addr}, nil, "")
		if err != nil || c.BaseURL != want || c.Addr != addr {
			t.Errorf("%s: got %v, %v, want %s", addr, c, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, run := range map[string]func() error{
		"unknown variable": func() error { _, err := config.Load(nil, []string{"TENANTRY_ADR=x"}, ""); return err },
		"unknown in file":  func() error { _, err := config.Load(nil, nil, file(t, "adr = x")); return err },
		"bad number":       func() error { _, err := config.Load(map[string]string{"public-rate": "-1"}, nil, ""); return err },
		"bad network": func() error {
			_, err := config.Load(map[string]string{"trusted-proxies": "10.0.0.0/99"}, nil, "")
			return err
		},
		"no port":          func() error { _, err := config.Load(map[string]string{"addr": "localhost"}, nil, ""); return err },
		"no such port":     func() error { _, err := config.Load(map[string]string{"addr": "127.0.0.1:99999"}, nil, ""); return err },
		"no resolver":      func() error { _, err := config.Load(map[string]string{"resolver": "nonsense"}, nil, ""); return err },
		"another engine":   func() error { _, err := config.Load(map[string]string{"db": "mysql://x"}, nil, ""); return err },
		"no path":          func() error { _, err := config.Load(map[string]string{"db": "sqlite:"}, nil, ""); return err },
		"bad url":          func() error { _, err := config.Load(map[string]string{"base-url": "ftp://x"}, nil, ""); return err },
		"half a bootstrap": func() error { _, err := config.Load(nil, []string{"TENANTRY_BOOTSTRAP_EMAIL=a@b.co"}, ""); return err },
		"no such file":     func() error { _, err := config.Load(nil, nil, "/does/not/exist"); return err },
	} {
		if err := run(); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestPasswordFile(t *testing.T) {
	path := file(t, "correct horse battery\n")
	c, err := config.Load(nil, []string{"TENANTRY_BOOTSTRAP_EMAIL=a@b.co", "TENANTRY_BOOTSTRAP_PASSWORD_FILE=" + path}, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.BootstrapPassword != "correct horse battery" {
		t.Error("the password was not read from its file")
	}
}

// The README's table is made of the same list.
func TestReadmeNamesEveryOption(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range (&config.Config{}).Options() {
		if !strings.Contains(string(b), "`"+o.Env()+"`") {
			t.Errorf("README.md does not name %s", o.Env())
		}
		if o.Doc != "" && !strings.Contains(string(b), o.Doc) {
			t.Errorf("README.md does not say of %s: %s", o.Name, o.Doc)
		}
	}
}

// Kubernetes tells every container of a service by the name of tenantry.
func TestServiceLinksAreNoOptions(t *testing.T) {
	env := []string{"TENANTRY_SERVICE_HOST=10.0.0.7", "TENANTRY_SERVICE_PORT=8080", "TENANTRY_SERVICE_PORT_HTTP=8080", "TENANTRY_PORT=tcp://10.0.0.7:8080",
		"TENANTRY_PORT_8080_TCP=tcp://10.0.0.7:8080", "TENANTRY_PORT_8080_TCP_ADDR=10.0.0.7"}
	if _, err := config.Load(nil, env, ""); err != nil {
		t.Errorf("got %v", err)
	}
	if _, err := config.Load(nil, []string{"TENANTRY_PORT=8080"}, ""); err == nil {
		t.Error("TENANTRY_PORT=8080 is a mistake that nobody was told of")
	}
}
