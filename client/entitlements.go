package client

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Entitlements answers checks of one plugin from memory, so that a service can
// ask before everything it does. It is safe for concurrent use and starts no
// goroutine: of those who ask, one at a time renews what has become old.
//
// Staleness: an answer rests on what the server said at most MaxAge ago, and
// the server itself is at most a second behind what another of its processes
// committed. So what is disabled, suspended or lowered is denied within MaxAge
// and a second. What the service uses meanwhile it takes off at once by Note.
//
// When the server does not answer in time and what is known is older than
// MaxAge, FailOpen allows and FailClosed denies, with the code unavailable. What
// the server refuses to answer (401, 403, 404, 422) is an error, and denied.
type Entitlements struct {
	c      *Client
	plugin string
	EntitlementOptions

	mu         sync.Mutex // guards what follows
	young, old map[entitlementKey]*answered
}

// EntitlementOptions are how Entitlements work; zero values are the defaults.
type EntitlementOptions struct {
	// MaxAge is how old an answer may be; 5 s.
	MaxAge time.Duration
	// Timeout bounds a question to the server; 1 s.
	Timeout time.Duration
	// FailOpen allows while the server does not answer; otherwise it denies.
	FailOpen bool
	// Size bounds how many answers are kept, roughly; 10,000.
	Size int
	// Clock tells the time; time.Now.
	Clock func() time.Time
}

// Unavailable is the code of a decision that was made without the server.
const Unavailable = "unavailable"

type entitlementKey struct {
	org   OrganizationRef
	meter string // "" is none
	money bool   // credits
}

// answered is what the server said, and what was used since.
type answered struct {
	asking sync.Mutex // held by who asks

	mu       sync.Mutex // guards what follows
	decision Decision
	at       time.Time // when it was asked for; zero is never
	used     int64
}

// NewEntitlements answers checks of a plugin through c, whose key needs the
// scope entitlements:read.
func NewEntitlements(c *Client, plugin string, o EntitlementOptions) *Entitlements {
	if o.MaxAge <= 0 {
		o.MaxAge = 5 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Second
	}
	if o.Size <= 0 {
		o.Size = 10_000
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Entitlements{c: c, plugin: plugin, EntitlementOptions: o}
}

// Allowed asks whether the organization may use the plugin at all.
func (e *Entitlements) Allowed(ctx context.Context, org OrganizationRef) (Decision, error) {
	return e.ask(ctx, entitlementKey{org: org}, 0)
}

// Meter asks whether there is room for so much more of a meter.
func (e *Entitlements) Meter(ctx context.Context, org OrganizationRef, meter string, quantity int64) (Decision, error) {
	return e.ask(ctx, entitlementKey{org: org, meter: meter}, quantity)
}

// Credits asks whether so many credits can be spent.
func (e *Entitlements) Credits(ctx context.Context, org OrganizationRef, amount int64) (Decision, error) {
	return e.ask(ctx, entitlementKey{org: org, money: true}, amount)
}

// Note takes off what was used of a meter since the server was asked, until it
// is asked again: it should be reported by then.
func (e *Entitlements) Note(org OrganizationRef, meter string, quantity int64) {
	a := e.of(entitlementKey{org: org, meter: meter})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used += quantity
}

// of finds an answer, or makes a place for it. What was not asked for through a
// whole generation is forgotten.
func (e *Entitlements) of(k entitlementKey) *answered {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.young[k]; a != nil {
		return a
	}
	a := e.old[k]
	if a == nil {
		a = &answered{}
	}
	if e.young == nil || len(e.young) >= e.Size/2 {
		e.young, e.old = map[entitlementKey]*answered{}, e.young
	}
	e.young[k] = a
	return a
}

// ask decides by what is known, and renews it when it is half as old as it may
// be: then one waits for the server and the others do not.
func (e *Entitlements) ask(ctx context.Context, k entitlementKey, quantity int64) (Decision, error) {
	a := e.of(k)
	switch age := a.age(e.Clock()); {
	case age <= e.MaxAge/2:
		return a.decide(k, quantity), nil
	case age <= e.MaxAge:
		if a.asking.TryLock() {
			err := e.renew(ctx, k, a)
			a.asking.Unlock()
			if err != nil && !outage(err) {
				return denied(e.plugin, k, ""), err
			}
		}
		return a.decide(k, quantity), nil
	}
	a.asking.Lock()
	defer a.asking.Unlock()
	if a.age(e.Clock()) > e.MaxAge {
		if err := e.renew(ctx, k, a); err != nil {
			if !outage(err) {
				return denied(e.plugin, k, ""), err
			}
			d := denied(e.plugin, k, Unavailable)
			d.Allowed = e.FailOpen
			return d, nil
		}
	}
	return a.decide(k, quantity), nil
}

// outage reports an error that is the server's absence, not its answer.
func outage(err error) bool {
	var refused *Error
	return !errors.As(err, &refused) || refused.Status >= 500 || refused.Status == http.StatusTooManyRequests
}

func denied(plugin string, k entitlementKey, code string) Decision {
	d := Decision{Plugin: plugin, Code: code}
	if k.meter != "" {
		d.Meter = &k.meter
	}
	return d
}

// renew asks the server. What is said of nothing at all tells the figures, from
// which every quantity is decided.
func (e *Entitlements) renew(ctx context.Context, k entitlementKey, a *answered) error {
	ctx, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	in := Check{Plugin: e.plugin}
	if k.meter != "" {
		in.Meter, in.Quantity = &k.meter, new(int64)
	}
	if k.money {
		in.Amount = new(int64)
	}
	asked := e.Clock()
	a.mu.Lock()
	before := a.used
	a.mu.Unlock()
	d, err := e.c.Check(ctx, k.org, in)
	if err != nil {
		if !outage(err) {
			a.mu.Lock()
			a.at = time.Time{}
			a.mu.Unlock()
		}
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.decision, a.at, a.used = d, asked, a.used-before
	return nil
}

// age is how old the answer is; without one it is older than any.
func (a *answered) age(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at.IsZero() || now.Before(a.at) {
		return 1<<63 - 1
	}
	return now.Sub(a.at)
}

// decide works a quantity out from the figures.
func (a *answered) decide(k entitlementKey, quantity int64) Decision {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.decision
	if d.Limit == nil || d.Remaining == nil || !d.Allowed && d.Code != "limit_exceeded" {
		return d
	}
	left := max(*d.Remaining-a.used, 0)
	used := *d.Used + a.used
	d.Remaining, d.Used = &left, &used
	if quantity > left {
		d.Code = "limit_exceeded"
		d.Allowed = d.Mode != nil && *d.Mode == "soft"
		if k.money {
			d.Code, d.Allowed = "insufficient_credits", false
		}
	}
	return d
}
