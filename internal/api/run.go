package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
)

// errDryRun rolls a dry run back after everything has been done.
var errDryRun = errors.New("dry run")

// rehearsal is the answer of a dry run.
type rehearsal struct {
	DryRun  bool            `json:"dry_run" doc:"Always true."`
	Result  json.RawMessage `json:"result" doc:"What the operation would have answered, null for no body."`
	Effects effect.Effects  `json:"effects" doc:"Whom it would have hit besides."`
}

// change runs a mutation as one transaction: the caller is checked afresh, the
// idempotency key claimed, If-Match compared, f run, and its answer kept. A
// dry run is the same, rolled back.
func (s *Server) change(ctx context.Context, o *op, c *Call, f func(tx *db.Tx) (any, error)) (any, error) {
	var result any
	err := s.as(o, c).Write(ctx, func(tx *db.Tx) error {
		c.replay, c.location, c.event = nil, "", 0
		if err := s.recheck(tx, o, c); err != nil {
			return err
		}
		if c.keyed && !c.dryRun {
			if err := takeTurn(tx, c); err != nil {
				return err
			}
			old, err := s.claim(tx, o, c)
			if err != nil || old != nil {
				c.replay = old
				return err
			}
		}
		if err := o.match(tx, c); err != nil {
			return err
		}
		if c.dryRun {
			effect.Want(tx)
		}
		v, err := f(tx)
		if err = c.judged(err); err != nil {
			return err
		}
		if events := audit.Recorded(tx); len(events) > 0 {
			c.event = events[len(events)-1]
		}
		if c.dryRun {
			if v, err = rehearse(tx, v); err != nil {
				return err
			}
			result, c.event, c.location = v, 0, ""
			return errDryRun
		}
		result = v
		if c.keyed {
			return s.keep(tx, o, c, v)
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return result, err
}

// recheck decides again inside the transaction, from what is true there: no
// write passes on a role, session or state that ended a moment ago, nor in the
// tier of such a role where a lesser one still lets the caller in.
func (s *Server) recheck(tx *db.Tx, o *op, c *Call) error {
	if c.Principal.Kind == auth.Anonymous {
		return nil
	}
	p, target, err := s.Auth.RecheckAt(tx, c.Principal, o.place(c.r))
	if err != nil {
		return err
	}
	c.Admin = target.Admin
	c.Actor.Tier, err = auth.Decide(o.May, p, target)
	return err
}

// match compares If-Match with the version of the locked row.
func (o *op) match(tx *db.Tx, c *Call) error {
	want := strings.Join(c.r.Header.Values("If-Match"), ",")
	if want == "" || want == "*" {
		return nil
	}
	if o.Lock == nil {
		return fault.New(fault.Precondition, "precondition_failed", "This route has no version to compare.")
	}
	version, err := o.Lock(tx, c)
	if err != nil {
		return err
	}
	if !versionMatches(want, version) {
		return fault.New(fault.Precondition, "precondition_failed", "It has changed since you read it; read it again and repeat your change.")
	}
	return nil
}

// rehearse wraps the result of a dry run with whom the change would hit.
func rehearse(tx *db.Tx, v any) (any, error) {
	b, err := marshal(v, new(bytes.Buffer))
	if err != nil {
		return nil, err
	}
	if _, empty := v.(none); empty {
		b = []byte("null")
	}
	return rehearsal{DryRun: true, Result: bytes.TrimSpace(b), Effects: effect.Of(tx)}, nil
}

// takeTurn keeps services from spending credits under the request's key, which
// the ledger would store by itself, until tx ends. Whoever is no service has
// every key claimed.
func takeTurn(tx *db.Tx, c *Call) error {
	if c.Principal.Kind != auth.KeyHolder {
		return nil
	}
	return credit.TakeTurns(tx, nil, []credit.Reference{creditReference(c)})
}

// spent refuses a key under which the ledger, and nothing else, has something.
// Its turn is taken.
func (s *Server) spent(tx *db.Tx, c *Call) error {
	if c.Principal.Kind != auth.KeyHolder {
		return nil
	}
	ref := creditReference(c)
	used, err := credit.Used(tx, ref)
	if err != nil || !used {
		return err
	}
	kept, err := answersUnder(tx, []credit.Reference{ref})
	if err == nil && !kept[ref] {
		err = errKeyReused()
	}
	return err
}

func errKeyReused() error {
	return fault.InvalidField("Idempotency-Key", "idempotency_key_reused", "This key was used for another request; take a new one.")
}

// claim takes the idempotency key, waiting for another request that holds it.
// old is the answer to repeat, if there is one.
func (s *Server) claim(tx *db.Tx, o *op, c *Call) (old *kept, err error) {
	if err := s.spent(tx, c); err != nil {
		return nil, err
	}
	k := kept{Principal: c.Owner(), Key: c.IdempotencyKey(), Route: o.Method + " " + c.r.URL.Path, BodyHash: c.body}
	claimed, err := claimKey(tx, k)
	if err != nil || claimed {
		return nil, err
	}
	old, err = keptAnswer(tx, k.Principal, k.Key)
	if err != nil {
		return nil, fmt.Errorf("read a kept answer: %w", err)
	}
	if old.Route != k.Route || !bytes.Equal(old.BodyHash, k.BodyHash) {
		return nil, errKeyReused()
	}
	return old, nil
}

// keep stores the answer with the effect it belongs to.
func (s *Server) keep(tx *db.Tx, o *op, c *Call, v any) error {
	a, err := c.render(o, v, new(bytes.Buffer))
	if err != nil {
		return err
	}
	return storeAnswer(tx, c.Owner(), c.IdempotencyKey(), a)
}

// refuse answers a failed operation, and records it if it was a denial.
func (s *Server) refuse(ctx context.Context, o *op, c *Call, err error) {
	if fault.Is(err, fault.Forbidden) && !c.dryRun {
		s.deny(ctx, o, c, err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = fault.New(fault.Unavailable, "timeout", "This took too long; try again shortly.").Because(err)
	}
	writeProblem(c.w, c.r, err)
}
