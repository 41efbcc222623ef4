package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/usage"
)

const gigabyte = 1_000_000_000

// week is how busy its days are, from Sunday on.
var week = [...]float64{0.25, 1.05, 1.2, 1.15, 1.1, 0.95, 0.35}

// shares of their limits that tenants use in a month, and of the credits that
// they are given: most are within, some near, a few at the end.
var (
	usedShares  = []float64{0.12, 0.35, 0.55, 0.28, 0.71, 0.83, 0.04, 0.47, 0.93, 0.62, 0.19, 1.07}
	spentShares = []float64{0.55, 0.8, 0.35, 0.95, 0.6, 0.15, 1.05, 0.7, 0.45, 0.9, 0.25}
)

// busy is what a tenant does in a day.
type busy struct {
	tenant  *tenant
	level   float64 // of bandwidth: 1 is the average day
	stored  float64 // of the storage limit
	used    float64 // of the bandwidth limit, in a month
	spends  []credit.Spend
	reserve bool // sets credits aside and has not come back yet
}

// tellDays lets the services behind the plugins report and spend, each evening
// for all tenants whose quiet life it is.
func (s *seed) tellDays() {
	var key auth.APIKey
	s.change(s.ago(Days+2, 13), "the key of the services", func(tx *db.Tx) error {
		made, err := auth.CreateKey(tx, s.root(0), 0, 0, auth.NewAPIKey{Name: "Plugin services", Scopes: []auth.Scope{auth.ScopeUsageWrite, auth.ScopeCreditsSpend, auth.ScopeEntitlements}})
		key = made.APIKey
		return err
	})
	services := usage.New(s.DB)
	for day := Days; day >= 0; day-- {
		when := s.ago(day, 18.5)
		if when.After(s.end) {
			when = s.end.Add(-10 * time.Minute)
		}
		if day == 0 && when.Weekday() != s.end.Weekday() {
			break // it has hardly begun
		}
		var all []busy
		for i, t := range s.tenants {
			if when.Before(t.made.Add(2*time.Hour)) || !when.Before(t.until) {
				continue
			}
			all = append(all, s.busyDay(t, i, when))
		}
		s.act(when, "the work of a day", func(ctx context.Context) error {
			actor := audit.Actor{Type: audit.APIKey, ID: int64(key.ID), Name: key.Name, Tier: audit.Tenant}
			if err := s.spend(ctx, actor, when, all); err != nil {
				return err
			}
			return s.measure(ctx, services, when, all)
		})
	}
}

// busyDay makes up a day: busier in the week, and than the one before.
func (s *seed) busyDay(t *tenant, i int, when time.Time) busy {
	grown := 1 - float64(s.end.Sub(when))/float64(Days*24*time.Hour) // 0 to 1
	level := week[when.Weekday()] * (0.75 + 0.45*grown) * (0.75 + 0.5*s.rng.Float64())
	own := 0.9 + 0.17*math.Mod(float64(i)*math.Phi, 1) // no two are alike
	b := busy{
		tenant: t, level: level, used: own * usedShares[i%len(usedShares)],
		stored:  own * usedShares[(i+4)%len(usedShares)] * (0.45 + 0.55*grown),
		reserve: i%9 == 4 && when.After(s.end.Add(-24*time.Hour)),
	}
	daily := spentShares[i%len(spentShares)] * 2500 / 24
	if t.reseller != nil && (t.reseller.group == 2 || t.reseller.group < 0) {
		daily *= 0.3
	}
	first := 0.4 + 0.4*s.rng.Float64()
	for n, part := range []float64{first, 1 - first} {
		if amount := int64(daily * level * part); amount > 0 {
			b.spends = append(b.spends, credit.Spend{Amount: amount, Plugin: []string{"files", "calendar"}[(i+n)%2], Reference: []string{"Backup", "Reminders"}[(i+n)%2] + when.Format(" 2 January")})
		}
	}
	return b
}

// spend burns the credits of a day; who has none left, or whose admin is
// suspended for a while, is refused, as it would have been.
func (s *seed) spend(ctx context.Context, actor audit.Actor, when time.Time, all []busy) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		var requests []credit.Request
		for _, b := range all {
			for n := range b.spends {
				requests = append(requests, credit.Request{Actor: actor, Organization: b.tenant.id, Consume: &b.spends[n]})
			}
			if b.reserve {
				requests = append(requests, credit.Request{Actor: actor, Organization: b.tenant.id,
					Hold: &credit.NewHold{Spend: credit.Spend{Amount: 40, Plugin: "files", Reference: "Export" + when.Format(" 2 January")}, ExpiresIn: 30 * 86400}})
			}
		}
		results, err := credit.Do(tx, requests)
		for _, r := range results {
			if err == nil && r.Err != nil && fault.Code(r.Err) != "insufficient_credits" && !fault.Is(r.Err, fault.Forbidden) {
				err = r.Err
			}
		}
		return err
	})
}

// measure reports the bandwidth of a day and what is stored at its end.
func (s *seed) measure(ctx context.Context, services *usage.Service, when time.Time, all []busy) error {
	var limits map[id.Organization]volumes
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		limits, err = volumesOf(tx)
		return err
	})
	if err != nil {
		return err
	}
	var batch usage.Batch
	for _, b := range all {
		of := limits[b.tenant.id]
		for _, m := range []struct {
			meter string
			gb    float64
		}{{usage.BandwidthMeter, b.used * b.level * float64(of.bandwidth) / 24}, {usage.StorageMeter, b.stored * float64(of.storage)}} {
			event, err := json.Marshal(usage.CloudEvent{
				SpecVersion: "1.0", ID: m.meter + when.Format("-20060102"), Source: "files", Type: m.meter, Subject: fmt.Sprint(b.tenant.id),
				Data: usage.EventData{Value: at(int64(m.gb * gigabyte))},
			})
			if err != nil {
				return err
			}
			batch.Add(event)
		}
	}
	receipt, err := services.Report(ctx, usage.Reporter{Still: func(*db.Tx) error { return nil }}, batch)
	if err == nil && receipt.Refused > 0 {
		err = fmt.Errorf("%d of %d events were refused", receipt.Refused, batch.Len())
	}
	return err
}
