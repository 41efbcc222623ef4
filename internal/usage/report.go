package usage

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// Status is what became of an event.
type Status string

// The statuses.
const (
	Accepted  Status = "accepted"
	Duplicate Status = "duplicate" // counted before: within 32 days, by source and id
	Late      Status = "late"      // counted, though more than an hour old
	Refused   Status = "refused"   // not counted, and never will be as it is
)

// Outcome is what became of one event, in the order in which they were sent.
type Outcome struct {
	ID        string   `json:"id"`
	Source    string   `json:"source"`
	Status    Status   `json:"status" enum:"accepted,duplicate,late,refused"`
	CountedAt *db.Time `json:"counted_at" doc:"The moment for which it counts: its own, or now where it came more than 72 hours late; null: it was not counted this time"`
	Code      string   `json:"code,omitempty" doc:"Of a refused event: unknown_meter, unknown_plugin, wrong_plugin, unknown_reference, organization_archived, not_reported, not_a_gauge, out_of_range, in_the_future, invalid_event and invalid_ with the name of an attribute"`
	Message   string   `json:"message,omitempty"`
}

// Receipt says what became of a report. It is durable.
type Receipt struct {
	Accepted  int       `json:"accepted"`
	Duplicate int       `json:"duplicate"`
	Late      int       `json:"late"`
	Refused   int       `json:"refused"`
	Events    []Outcome `json:"events"`
}

// Join adds the receipt of the events that followed.
func (r *Receipt) Join(next Receipt) {
	r.Accepted, r.Duplicate, r.Late, r.Refused = r.Accepted+next.Accepted, r.Duplicate+next.Duplicate, r.Late+next.Late, r.Refused+next.Refused
	r.Events = append(r.Events, next.Events...)
}

// Reporter is who sends events.
type Reporter struct {
	Organization id.Organization // whose events it may send; zero: everybody's
	// Still says, inside the transaction, whether it may still report.
	Still func(tx *db.Tx) error
}

// Report counts events, each once, all in one transaction: what is answered is
// durable. An event that cannot count does not keep the others from counting.
func (s *Service) Report(ctx context.Context, from Reporter, b Batch) (Receipt, error) {
	known, err := s.catalogue(ctx)
	if err != nil {
		return Receipt{}, err
	}
	var r *report
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		r = &report{tally: newTally(tx, known), from: from, all: make([]counted, len(b.events))}
		for i := range b.events {
			r.all[i] = counted{event: &b.events[i], why: b.events[i].wrong}
		}
		return r.run()
	})
	if err != nil {
		return Receipt{}, err
	}
	return r.receipt(), nil
}

// report is one report inside its transaction, which may run twice.
type report struct {
	*tally
	from Reporter
	all  []counted
}

// counted is an event on its way.
type counted struct {
	*event
	why     refusal
	account *quota.Account
	meter   quota.Meter
	key     string
	again   bool
	late    bool
	at      db.Time // for which it counts
	own     db.Time // when it happened
}

func (r *report) run() error {
	if err := r.from.Still(r.tx); err != nil {
		return err
	}
	if err := r.keepLimits(); err != nil {
		return err
	}
	for i := range r.all {
		r.judge(&r.all[i])
	}
	if err := r.resolve(); err != nil {
		return err
	}
	if err := r.once(); err != nil {
		return err
	}
	for i := range r.all {
		if c := &r.all[i]; c.counts() {
			r.add(c)
		}
	}
	return r.store()
}

func (c *counted) counts() bool { return c.why.code == "" && !c.again }

func (c *counted) refuse(code, message string) {
	if c.why.code == "" {
		c.why = refusal{code, message}
	}
}

// judge decides what can be decided without the organization.
func (r *report) judge(c *counted) {
	if c.why.code != "" {
		return
	}
	var ok bool
	if c.meter, ok = r.known.meters[c.event.meter]; !ok {
		c.refuse("unknown_meter", "The type is no meter of the catalogue.")
		return
	}
	switch m := c.meter; {
	case !r.known.plugins[c.source]:
		c.refuse("unknown_plugin", "The source is no plugin of the catalogue.")
	case m.Plugin != "" && m.Plugin != c.source:
		c.refuse("wrong_plugin", "Another plugin reports this meter.")
	case m.Kind == quota.People:
		c.refuse("not_reported", "Seats are counted by Tenantry itself.")
	case m.Kind == quota.Counter && c.delta:
		c.refuse("not_a_gauge", "A counter takes a value, which is added.")
	case c.amount < 0 && !c.delta:
		c.refuse("out_of_range", "The value is not negative.")
	}
	r.place(c)
}

// place decides for which moment the event counts.
func (r *report) place(c *counted) {
	now := r.tx.Now
	if c.own = c.event.at; c.own == 0 {
		c.own = now
	}
	if c.own > now.Add(ahead) {
		c.refuse("in_the_future", "The time lies ahead.")
	}
	c.own = min(c.own, now)
	c.at, c.late = c.own, c.own < now.Add(-onTime)
	if c.own < now.Add(-grace) {
		c.at = now
	}
}

// resolve finds the organizations that the events are about.
func (r *report) resolve() error {
	ids, slugs := map[id.Organization]bool{}, map[string]bool{}
	for i := range r.all {
		if c := &r.all[i]; c.why.code == "" {
			if n, ok := organizationID(c.subject); ok {
				ids[n] = true
			} else {
				slugs[c.subject] = true
			}
		}
	}
	accounts, err := quota.Accounts(r.tx, keys(ids), keys(slugs))
	if err != nil {
		return err
	}
	bySubject := map[string]*quota.Account{}
	for i := range accounts {
		a := &accounts[i]
		bySubject[a.Slug], bySubject[strconv.FormatInt(int64(a.ID), 10)] = a, a
	}
	for i := range r.all {
		c := &r.all[i]
		if c.why.code != "" {
			continue
		}
		a := bySubject[c.subject]
		if a == nil || r.from.Organization != 0 && a.ID != r.from.Organization {
			c.refuse("unknown_reference", "The subject names no organization that this key can see.")
			continue
		}
		// A suspension stops what an organization may do, not the record of what
		// it did: a service must not lose what it has not reported yet. Its own
		// keys are stopped before they come here.
		if a.Archived {
			c.refuse("organization_archived", "Nothing is counted for an organization that is archived.")
		}
		c.account, c.key = a, c.event.key()
	}
	return nil
}

// organizationID reads a subject that is an id: a value of digits alone.
func organizationID(s string) (id.Organization, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		return 0, false
	}
	return id.Organization(n), true
}

// keys gives a set in order: in one order all take their locks.
func keys[K cmp.Ordered](set map[K]bool) []K {
	all := make([]K, 0, len(set))
	for k := range set {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// once takes out what was counted before, here or in an earlier report.
func (r *report) once() error {
	type mark struct {
		organization id.Organization
		key          string
	}
	first := map[mark]*counted{}
	var order []*counted
	for i := range r.all {
		c := &r.all[i]
		if c.why.code != "" {
			continue
		}
		k := mark{c.account.ID, c.key}
		if c.again = first[k] != nil; !c.again {
			first[k] = c
			order = append(order, c)
		}
	}
	slices.SortFunc(order, func(a, b *counted) int {
		return cmp.Or(cmp.Compare(a.account.ID, b.account.ID), cmp.Compare(a.key, b.key))
	})
	for _, c := range order {
		c.again = true
	}
	return inChunks(len(order), func(from, to int) error {
		return insertSeen(r.tx, order[from:to], func(o id.Organization, key string) { first[mark{o, key}].again = false })
	})
}

func (r *report) receipt() Receipt {
	out := Receipt{Events: make([]Outcome, len(r.all))}
	for i := range r.all {
		c := &r.all[i]
		o := Outcome{ID: c.id, Source: c.source, Status: Accepted}
		switch {
		case c.why.code != "":
			o.Status, o.Code, o.Message = Refused, c.why.code, c.why.message
			out.Refused++
		case c.again:
			o.Status = Duplicate
			out.Duplicate++
		case c.late:
			o.Status, o.CountedAt = Late, &c.at
			out.Late++
		default:
			o.CountedAt = &c.at
			out.Accepted++
		}
		out.Events[i] = o
	}
	return out
}
