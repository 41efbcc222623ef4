package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
)

// spending is the section of what services do with credits, durable and with
// everything on: authentication, lots, hashes, thresholds, an Idempotency-Key
// on each single request.
const spending = "credits/spend"

// Goals of the section, on two quiet cores.
const (
	spenders     = 300 // organizations
	crowd        = 128 // connections at which singles are judged
	singleGoal   = 5000
	batchGoal    = 20_000
	slowestGoal  = 50 * time.Millisecond
	nearlyAsFast = 0.8
)

// till is an organization with a key of its own.
type till struct {
	id  int64
	key string
}

// spend measures the whole section on the server that runs.
func (b *bench) spend(ctx context.Context) error {
	if err := b.signIn(); err != nil {
		return err
	}
	tills, platform, err := b.tills()
	if err != nil {
		return err
	}
	hot, err := b.singles(ctx, "one organization", tills[:1])
	if err != nil {
		return err
	}
	many, err := b.singles(ctx, fmt.Sprintf("%d organizations", len(tills)), tills)
	if err != nil {
		return err
	}
	b.r.note(b.engine, spending+": one organization against many", fmt.Sprintf("%.2f ×", hot/many), "≥ 0.8 ×", hot >= nearlyAsFast*many)
	for _, n := range []int{100, 1000} {
		for _, of := range [][]till{tills[:1], tills} {
			if err := b.batches(ctx, n, of, platform); err != nil {
				return err
			}
		}
	}
	return b.pairs(ctx, tills)
}

// tills gives the organizations credits, in several lots, and keys.
func (b *bench) tills() (all []till, platform string, err error) {
	var k struct {
		Key string `json:"key"`
	}
	if err := b.ask("POST", "/api/tenants/api-keys", `{"name":"All","scopes":["credits:spend"]}`, &k); err != nil {
		return nil, "", err
	}
	platform = k.Key
	for _, o := range b.w.organizations[:spenders] {
		path := fmt.Sprintf("/api/tenants/organizations/%d", o)
		for range 3 {
			if err := b.ask("POST", path+"/credits/add", `{"amount":1000000000,"reason":"bench","expires_at":"2999-01-01T00:00:00Z"}`, new(struct{})); err != nil {
				return nil, "", err
			}
		}
		if err := b.ask("POST", path+"/api-keys", `{"name":"Till","scopes":["credits:spend"]}`, &k); err != nil {
			return nil, "", err
		}
		all = append(all, till{int64(o), k.Key})
	}
	return all, platform, nil
}

// runs makes the keys of each measurement its own.
var runs atomic.Int64

// singles measures single consumes at every level and gives the rate at the
// highest.
func (b *bench) singles(ctx context.Context, what string, of []till) (rate float64, err error) {
	body := `{"amount":1,"plugin":"crm","reference":"bench"}`
	heads := make([]string, len(of))
	for i, t := range of {
		heads[i] = fmt.Sprintf("POST /api/tenants/organizations/%d/credits/consume HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nIdempotency-Key: ", t.id, t.key, len(body))
	}
	for _, n := range []int{1, 16, 64, crowd} {
		run := runs.Add(1)
		next := func(c, i int) []byte {
			return fmt.Appendf(nil, "%s%d-%d-%d\r\n\r\n%s", heads[(c*7919+i)%len(heads)], run, c, i, body)
		}
		s, cpu, err := b.best(ctx, n, next)
		if err != nil {
			return 0, err
		}
		rate = float64(s.requests) / s.span.Seconds()
		goal, met := "", true
		if n == crowd {
			goal, met = fmt.Sprintf("≥ %d/s, p99 < %v", singleGoal, slowestGoal), rate >= singleGoal && s.quantile(.99) < slowestGoal
		}
		b.r.note(b.engine, fmt.Sprintf("%s: %s, %d connections", spending, what, n), figure(rate, s, cpu), goal, met)
	}
	return rate, nil
}

func figure(rate float64, s sample, cpu time.Duration) string {
	return fmt.Sprintf("%.0f/s, p50 %s ms, p99 %s ms, server %s µs", rate, milli(s.quantile(.5)), milli(s.quantile(.99)), micro(cpu))
}

// best is the fastest of the rounds.
func (b *bench) best(ctx context.Context, n int, next source) (best sample, cpu time.Duration, err error) {
	for range b.rounds {
		s, used, err := b.measure(ctx, b.server, nil, n, next, b.span)
		if err != nil {
			return s, 0, err
		}
		if s.errors > 0 {
			return s, 0, errors.New(s.first)
		}
		if best.span == 0 || float64(s.requests)/s.span.Seconds() > float64(best.requests)/best.span.Seconds() {
			best, cpu = s, used
		}
	}
	return best, cpu, nil
}

// batches measures consume-batch with n operations over organizations.
func (b *bench) batches(ctx context.Context, n int, of []till, platform string) error {
	var all [][]byte
	for first := range min(len(of), 50) {
		var body strings.Builder
		for i := range n {
			fmt.Fprintf(&body, `,{"amount":1,"plugin":"crm","organization_id":%d}`, of[(first*7+i)%len(of)].id)
		}
		all = append(all, request("POST", fmt.Sprintf("/api/tenants/organizations/%d/credits/consume-batch", of[0].id), platform, `{"operations":[`+body.String()[1:]+`]}`))
	}
	const conns = 8
	s, cpu, err := b.best(ctx, conns, rotate(all))
	if err != nil {
		return err
	}
	rate := float64(s.requests*n) / s.span.Seconds()
	goal, met := "", true
	if n == 100 {
		goal, met = fmt.Sprintf("≥ %d/s", batchGoal), rate >= batchGoal
	}
	b.r.note(b.engine, fmt.Sprintf("%s: batches of %d over %d organizations, %d connections", spending, n, len(of), conns), figure(rate, s, cpu/time.Duration(n)), goal, met)
	return nil
}

// pairs measures a hold with its capture.
func (b *bench) pairs(ctx context.Context, of []till) error {
	const conns = 64
	clients := make([]*tenantry.Client, len(of))
	for i, t := range of {
		var err error
		if clients[i], err = tenantry.New("http://"+b.server.addr, tenantry.WithToken(t.key), tenantry.WithRetries(0)); err != nil {
			return err
		}
	}
	var turn atomic.Int64
	rate, err := b.rate(ctx, conns, func() error {
		n := int(turn.Add(1)) % len(of)
		h, err := clients[n].HoldCredits(ctx, tenantry.ID(of[n].id), tenantry.NewHold{Spend: tenantry.Spend{Amount: 2, Plugin: "crm"}, ExpiresIn: 600})
		if err == nil {
			_, err = clients[n].CaptureHold(ctx, h.ID, tenantry.Capture{Amount: 1, Final: true})
		}
		return err
	})
	if err != nil {
		return err
	}
	b.r.note(b.engine, fmt.Sprintf("%s: hold and capture, %d callers", spending, conns), fmt.Sprintf("%.0f pairs/s", rate), "", true)
	return nil
}
