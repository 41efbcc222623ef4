// Package app puts the parts together: configuration, database, services,
// workers and the server. Serve runs until its context ends and leaves
// nothing running.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/config"
	"github.com/tenantry/tenantry/internal/console"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/registration"
	"github.com/tenantry/tenantry/internal/secret"
	"github.com/tenantry/tenantry/internal/settings"
	"github.com/tenantry/tenantry/internal/usage"
)

// Config is what a command runs with.
type Config struct {
	*config.Config
	Version string
	Out     io.Writer // what a person reads; logs go to standard error
}

// parts are the services of one process.
type parts struct {
	cfg  *Config
	db   *db.DB // without a scope
	all  *db.DB // the platform's own view, for what serves nobody in particular
	mail *mail.Outbox
	auth *auth.Service

	hasher *auth.Hasher
}

// open connects, migrates and makes the services.
func open(ctx context.Context, cfg *Config) (*parts, error) { return openAt(ctx, cfg, nil) }

// openAt is open with a clock other than the machine's.
func openAt(ctx context.Context, cfg *Config, clock func() time.Time) (*parts, error) {
	setLog(cfg.LogLevel)
	if err := makeFolder(cfg); err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, cfg.DB, db.Options{Connections: cfg.Connections, Unconfined: cfg.Unconfined, Clock: clock})
	if err != nil {
		return nil, err
	}
	p := &parts{cfg: cfg, db: d, all: d.In(db.Platform)}
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return p, nil
}

func (p *parts) prepare(ctx context.Context) error {
	if err := p.db.Migrate(ctx); err != nil {
		return err
	}
	if err := p.all.Write(ctx, plugin.Seed); err != nil {
		return fmt.Errorf("store the plugin catalogue: %w", err)
	}
	box, err := secret.Open(ctx, p.all, p.cfg.Key, p.cfg.KeyFile)
	if err != nil {
		return err
	}
	if err := credit.Seal(ctx, p.all); err != nil {
		return fmt.Errorf("seal the ledger: %w", err)
	}
	p.mail = &mail.Outbox{Box: box, BaseURL: p.cfg.BaseURL}
	p.hasher = auth.NewHasher()
	p.auth = auth.New(p.all, p.hasher, p.mail, func(tx *db.Tx) (int, error) {
		s, err := settings.Load(tx)
		return int(s.PasswordMinLength), err
	})
	return nil
}

func setLog(level string) {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // config knows the words
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l})))
}

func makeFolder(cfg *Config) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return errors.New("the data folder cannot be made")
	}
	if path, ok := strings.CutPrefix(cfg.DB, "sqlite:"); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return errors.New("the folder of the database cannot be made")
		}
	}
	return nil
}

// Serve runs the server and its workers until ctx ends.
func Serve(ctx context.Context, cfg *Config) error {
	defer runtime.KeepAlive(makeRoom())
	p, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	defer p.db.Close()
	if cfg.BootstrapEmail != "" {
		if err := p.auth.Bootstrap(ctx, cfg.BootstrapEmail, cfg.BootstrapPassword); err != nil {
			return fmt.Errorf("make the first superadmin: %w", err)
		}
	}
	handler, err := p.handler(ctx)
	if err != nil {
		return err
	}
	workers, err := p.workers()
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return err
	}
	if err := p.welcome(ctx); err != nil {
		return errors.Join(err, ln.Close())
	}
	tidy()
	return run(ctx, handler, ln, workers)
}

// handler is the API with the console beside it. Its live streams end with ctx.
func (p *parts) handler(ctx context.Context) (http.Handler, error) {
	pages, err := console.New()
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(p.cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	s := &api.Server{
		DB: p.db, Auth: p.auth, Branding: branding.New(p.all),
		Registration:  &registration.Service{DB: p.all, Hasher: p.hasher, Mail: p.mail},
		Usage:         usage.New(p.all),
		Organizations: &org.Service{DB: p.all, Auth: p.auth, Mail: p.mail},
		Hosts:         []string{base.Hostname()}, Resolver: &domain.Resolver{Address: p.cfg.Resolver},
		PublicRate: p.cfg.PublicRate, TrustedProxies: p.cfg.TrustedProxies,
		Console: pages, Version: p.cfg.Version, Stopping: ctx.Done(),
	}
	pages.Brand, pages.Host, pages.Secure = s.Branding, s.HostOf, s.SecureOf
	pages.API = s.Handler()
	return pages.API, nil
}

// welcome tells the operator where it runs and how to sign in.
func (p *parts) welcome(ctx context.Context) error {
	fmt.Fprintf(p.cfg.Out, "Tenantry %s serves %s (%s)\n", p.cfg.Version, p.cfg.BaseURL, p.db.Engine())
	token, err := p.auth.SetupToken(ctx)
	if err != nil {
		return err
	}
	if token != "" {
		fmt.Fprintf(p.cfg.Out, "There is no superadmin yet. Make the first one here, once, within a day:\n  %s/setup#token=%s\n", p.cfg.BaseURL, token)
	} else {
		fmt.Fprintf(p.cfg.Out, "Sign in at %s/\n", p.cfg.BaseURL)
	}
	return nil
}

// Limits against slow clients.
const (
	headerTime  = 5 * time.Second
	readTime    = 20 * time.Second
	writeTime   = 60 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 12 << 10         // net/http reads 4 KiB more
	goodbye     = 10 * time.Second // for requests under way when the server stops
)

// run serves and works until ctx ends or one of them fails. Requests under way
// are answered first: they do not end with ctx, and the workers, which carry
// what they publish, end after them.
func run(ctx context.Context, handler http.Handler, ln net.Listener, workers []worker) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	working, rest := context.WithCancel(context.WithoutCancel(ctx))
	defer rest()
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerBytes, BaseContext: func(net.Listener) context.Context { return working },
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() {
			if err := w.run(working); err != nil && working.Err() == nil {
				stop(fmt.Errorf("%s: %w", w.name, err))
			}
		})
	}
	all.Go(func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			stop(err)
		}
	})
	<-ctx.Done()
	last, cancel := context.WithTimeout(working, goodbye)
	defer cancel()
	err := server.Shutdown(last)
	rest()
	all.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}
