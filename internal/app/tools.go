package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/fault"
)

// Migrate brings the database to the newest schema and says so.
func Migrate(ctx context.Context, cfg *Config) error {
	p, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintln(cfg.Out, "The schema is the newest.")
	return p.db.Close()
}

// CreateSuperadmin makes a superadmin, or raises the user with this address.
func CreateSuperadmin(ctx context.Context, cfg *Config, email, password string) error {
	p, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	u, err := p.auth.CreateSuperadmin(ctx, email, password)
	if err == nil {
		fmt.Fprintf(cfg.Out, "%s is a superadmin.\n", u.Email)
	}
	return errors.Join(err, p.db.Close())
}

// ResetPassword sets a user's password and ends all sessions.
func ResetPassword(ctx context.Context, cfg *Config, email, password string) error {
	p, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	err = p.auth.ResetPassword(ctx, email, password)
	switch {
	case err == nil:
		fmt.Fprintln(cfg.Out, "The password is set; all sessions of the user have ended.")
	case fault.Is(err, fault.NotFound):
		err = errors.New("no user has this e-mail address")
	}
	return errors.Join(err, p.db.Close())
}

// VerifyCredits checks the whole ledger and prints what is wrong. A server may
// run on it meanwhile.
func VerifyCredits(ctx context.Context, cfg *Config) error {
	p, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	r, err := credit.Verify(ctx, p.all, ctx.Err)
	if err == nil {
		for _, wrong := range r.Problems {
			fmt.Fprintf(cfg.Out, "%s: account %d, row %d: %s\n", wrong.Code, wrong.Account, wrong.ID, wrong.Message)
		}
		fmt.Fprintf(cfg.Out, "Checked %d accounts, %d transactions, %d entries, %d lots, %d holds.\n", r.Accounts, r.Transactions, r.Entries, r.Lots, r.Holds)
		if !r.OK {
			err = errors.New("the ledger is not whole")
		}
	}
	return errors.Join(err, p.db.Close())
}
