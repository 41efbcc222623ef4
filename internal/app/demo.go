package app

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/demo"
)

// SeedDemo fills an empty database with the demo data and prints its logins.
// No server may run on the database meanwhile: the clock is set back.
func SeedDemo(ctx context.Context, cfg *Config) error {
	clock := demo.NewClock(time.Now())
	p, err := openAt(ctx, cfg, clock.Now)
	if err != nil {
		return err
	}
	err = demo.Seed(ctx, demo.Deps{DB: p.all, Clock: clock, Hasher: p.auth.Hasher, Mail: p.mail, Out: cfg.Out})
	return errors.Join(err, p.db.Close())
}
