package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/job"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/usage"
)

// worker is something that runs beside the server.
type worker struct {
	name string
	run  func(context.Context) error
}

// workers are all that runs beside the server.
func (p *parts) workers() ([]worker, error) {
	jobs, err := p.jobs()
	if err != nil {
		return nil, err
	}
	return []worker{
		{"notices", p.db.Run},
		{"audit", audit.Sequencer{DB: p.all}.Run},
		{"jobs", jobs.Run},
		{"credits", func(ctx context.Context) error {
			return credit.Tend(ctx, p.all, func(err error) { slog.Warn("what is due in the ledger waits", "error", err) })
		}},
		{"tokens", func(ctx context.Context) error {
			return p.auth.Run(ctx, func(err error) { slog.Warn("tokens are not tended", "error", err) })
		}},
	}, nil
}

// jobs runs queued work and what is due now and then.
func (p *parts) jobs() (*job.Runner, error) {
	sender, err := mail.NewSender(p.mail.Box, p.cfg.SMTP, p.cfg.MailFrom, filepath.Join(p.cfg.Data, "mail"), slog.Default())
	if err != nil {
		return nil, err
	}
	r := &job.Runner{DB: p.all, Handlers: map[string]job.Handler{mail.Kind: sender.Handle, auth.KindForgot: p.auth.SendReset}}
	r.Every("forget idempotency keys", time.Hour, func(ctx context.Context) error { return api.ForgetKeys(ctx, p.all) })
	r.Every("add up credits", time.Minute, func(ctx context.Context) error { return credit.FillDays(ctx, p.all) })
	r.Every("end reservations", time.Minute, func(ctx context.Context) error { return usage.ExpireReservations(ctx, p.all) })
	r.Every("forget usage", time.Hour, func(ctx context.Context) error { return usage.Forget(ctx, p.all) })
	r.Every("expire invitations", 10*time.Minute, func(ctx context.Context) error { return org.ExpireInvitations(ctx, p.all) })
	return r, nil
}
