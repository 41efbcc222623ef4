// Package demo fills an empty installation with believable data: partner
// groups, resellers with their brands, some sixty organizations in every
// state, requests, members, credits, usage, and the audit log and
// notifications that three months of work leave behind.
//
// Everything is done through the domain packages, in the order in which it
// would have happened, on a database handle whose clock is set back and moves
// with the story: whatever holds of real data holds of this. The same
// moment gives the same data.
package demo

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/registration"
)

// Password signs in every demo account. It is public: Seed refuses a database
// that holds anybody's organizations.
const Password = "tenantry-demo-login"

// Days is how far back the history reaches.
const Days = 90

// ErrNotEmpty is the refusal to seed where there are organizations, admins or
// requests already.
var ErrNotEmpty = errors.New("this database holds organizations, admins or requests already; the demo data goes into an empty one")

// Deps are what seeding works with. DB was opened with Clock.Now as its clock
// and is migrated; nobody else writes to it meanwhile.
type Deps struct {
	DB     *db.DB
	Clock  *Clock
	Hasher *auth.Hasher
	Mail   *mail.Outbox
	// Out is told what was made and how to sign in.
	Out io.Writer
}

// Seed writes the demo data and prints the logins. A database that was seeded
// before is left as it is; any other that is not empty is ErrNotEmpty. It is not
// one transaction: what is interrupted half-way stays, and is refused then.
func Seed(ctx context.Context, deps Deps) error {
	s := newSeed(deps)
	s.tell()
	if done, err := s.refuse(ctx); done || err != nil {
		return err
	}
	var err error
	if s.hash, err = deps.Hasher.Hash(ctx, Password); err != nil {
		return err
	}
	if err := deps.DB.Write(ctx, plugin.Seed); err != nil {
		return fmt.Errorf("store the plugin catalogue: %w", err)
	}
	if err := s.play(ctx); err != nil {
		return err
	}
	if err := deps.DB.Write(ctx, dropMails); err != nil {
		return fmt.Errorf("finish the demo data: %w", err)
	}
	if err := s.report(ctx); err != nil {
		return err
	}
	return s.printLogins()
}

func newSeed(deps Deps) *seed {
	return &seed{
		Deps: deps, end: deps.Clock.Now(), rng: rand.New(rand.NewPCG(2026, Days)),
		requests: &registration.Service{DB: deps.DB, Hasher: deps.Hasher, Mail: deps.Mail},
		members:  &org.Service{DB: deps.DB, Mail: deps.Mail}, addresses: map[string]bool{},
	}
}

// refuse keeps everything as it is where there is something already; done says
// that it is this demo.
func (s *seed) refuse(ctx context.Context) (done bool, err error) {
	found, err := s.look(ctx)
	switch {
	case err != nil:
		return false, err
	case found == half:
		return false, errors.New("the demo data was interrupted half-way; take a new database")
	case found == foreign:
		return false, ErrNotEmpty
	case found == seeded:
		fmt.Fprintln(s.Out, "The demo data is there already; nothing was changed.")
		return true, s.printLogins()
	}
	return false, nil
}

// seed is one run.
type seed struct {
	Deps
	end      time.Time
	rng      *rand.Rand // every choice is made while telling, none while playing
	hash     string     // of Password
	requests *registration.Service
	members  *org.Service

	addresses map[string]bool // given out

	story   story
	staff   []*person
	groups  []*group
	admins  []*reseller
	tenants []*tenant
}

// moment is one thing that happens.
type moment struct {
	at    time.Time
	order int // of telling, for moments at one time
	what  string
	do    func(ctx context.Context) error
}

// story is a heap of moments, the earliest first.
type story []moment

func (h story) Len() int      { return len(h) }
func (h story) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h story) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].order < h[j].order
}
func (h *story) Push(m any) { *h = append(*h, m.(moment)) }
func (h *story) Pop() any {
	m := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return m
}

// ago is a moment before the end; hours after that day began.
func (s *seed) ago(days int, hours float64) time.Time {
	return s.end.AddDate(0, 0, -days).Truncate(24 * time.Hour).Add(time.Duration(hours * float64(time.Hour)))
}

// act tells of something that needs more than one transaction.
func (s *seed) act(at time.Time, what string, do func(ctx context.Context) error) {
	if at.After(s.end) {
		at = s.end
	}
	s.story = append(s.story, moment{at: at, order: len(s.story), what: what, do: do})
}

// change tells of something that happens in one transaction.
func (s *seed) change(at time.Time, what string, do func(tx *db.Tx) error) {
	s.act(at, what, func(ctx context.Context) error { return s.DB.Write(ctx, do) })
}

// play does all that was told, in the order of time.
func (s *seed) play(ctx context.Context) error {
	defer s.Clock.set(s.end)
	heap.Init(&s.story)
	for len(s.story) > 0 {
		m := heap.Pop(&s.story).(moment)
		s.Clock.set(m.at)
		if err := m.do(ctx); err != nil {
			return fmt.Errorf("demo: %s at %s: %w", m.what, m.at.Format(time.DateTime), err)
		}
	}
	return nil
}

// between picks a whole number from low to high.
func (s *seed) between(low, high int) int { return low + s.rng.IntN(high-low+1) }

// working is when people are next at work after t: on a weekday, from eight to
// six. Nights and weekends end in the two hours after eight.
func working(t time.Time) time.Time {
	day := t.Truncate(24 * time.Hour)
	night := t.Sub(day.Add(-6 * time.Hour)) // since six in the evening before
	switch {
	case t.Hour() >= 18:
		day, night = day.AddDate(0, 0, 1), t.Sub(day.Add(18*time.Hour))
	case t.Hour() >= 8 && day.Weekday() != time.Saturday && day.Weekday() != time.Sunday:
		return t
	}
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, 1)
	}
	return day.Add(8*time.Hour + night/7).Truncate(time.Second)
}

// asking is when the visitor at this share of all comes: more of them come as
// time goes on, few at weekends.
func (s *seed) asking(share float64) time.Time {
	const first, last = Days - 4, 5
	weights, sum := make([]float64, first+1), 0.0
	for ago := first; ago >= last; ago-- {
		grown := 1 - float64(ago)/Days
		weights[ago] = week[s.ago(ago, 0).Weekday()] * (0.6 + grown)
		sum += weights[ago]
	}
	ago := first
	for left := share * sum; ago > last && left > weights[ago]; ago-- {
		left -= weights[ago]
	}
	return s.ago(ago, 7+s.rng.Float64()*13)
}

// later is some hours after t, within working hours more often than not.
func (s *seed) later(t time.Time, low, high float64) time.Time {
	return t.Add(time.Duration((low + s.rng.Float64()*(high-low)) * float64(time.Hour))).Truncate(time.Second)
}
