package credit

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/tenantry/tenantry/internal/notify"
)

// What is warned of, as bits: of each one once a month, in the commit that
// crosses it.
const (
	lowBalance int64 = 1 << iota // a tenth of what it was after the last deposit
	limitNear                    // 80 % of the credit limit is used or held; of none, anything
	limitReached
)

const nearLimit = 80 // percent

// warning is a crossing to tell of.
type warning struct {
	wallet         *wallet
	bit            int64
	balance, limit int64
	available      int64
}

// conditions are the warnings whose condition holds now.
func (w *wallet) conditions() (level int64) {
	if w.lowMark > 0 && w.balance() <= w.lowMark {
		level |= lowBalance
	}
	if used := w.held - w.balance(); used > 0 {
		if reaches(used, w.limit, nearLimit) {
			level |= limitNear
		}
		if used >= w.limit {
			level |= limitReached
		}
	}
	return level
}

// reaches compares used with percent of limit, exactly.
func reaches(used, limit, percent int64) bool {
	h1, l1 := bits.Mul64(uint64(used), 100)
	h2, l2 := bits.Mul64(uint64(limit), uint64(percent))
	return h1 > h2 || h1 == h2 && l1 >= l2
}

// watch notes what an operation crossed.
func (b *book) watch(w *wallet) {
	now := w.conditions()
	for _, bit := range []int64{lowBalance, limitNear, limitReached} {
		if now&^w.level&bit != 0 {
			b.warnings = append(b.warnings, warning{w, bit, w.balance(), w.limit, w.available()})
		}
	}
	w.level = now
}

// mark sets what is low from now on: after a deposit.
func (w *wallet) mark() { w.lowMark = max(0, w.balance()) / 10 }

// due drops the warnings that were given in this month already, and keeps that
// the others are given now. It runs before the accounts are stored.
func (b *book) dueWarnings() error {
	if len(b.warnings) == 0 {
		return nil
	}
	zone, err := timezone(b.tx)
	if err != nil {
		return err
	}
	at := b.tx.Now.Std().In(zone)
	month := int64(at.Year()*100 + int(at.Month()))
	b.warnings = slices.DeleteFunc(b.warnings, func(n warning) bool {
		if n.wallet.month != month {
			n.wallet.month, n.wallet.warned = month, 0
		}
		told := n.wallet.warned&n.bit != 0
		n.wallet.warned |= n.bit
		return told
	})
	return nil
}

// warn tells the people of the wallet and those above it, who can fill it: of an
// organization its admin's, of a pool and of the platform's own the superadmins.
func (b *book) warn() error {
	for _, n := range b.warnings {
		of := n.wallet.of
		name, err := nameOf(b.tx, of)
		if err != nil {
			return err
		}
		m := n.message(name)
		if of.Organization != 0 {
			users, err := notify.OrganizationOwners(b.tx, of.Organization)
			if err != nil {
				return err
			}
			m.Users = users
		}
		if admin := max(of.Admin, n.wallet.admin); admin != 0 {
			users, err := notify.AdminUsers(b.tx, admin)
			if err != nil {
				return err
			}
			m.Users = append(m.Users, users...)
		}
		if of.Admin != 0 || n.wallet.admin == 0 {
			users, err := notify.Superadmins(b.tx)
			if err != nil {
				return err
			}
			m.Users = append(m.Users, users...)
		}
		if err := b.lasts(n, &m); err != nil {
			return err
		}
		if err := notify.Send(b.tx, m); err != nil {
			return err
		}
	}
	return nil
}

// lasts adds to a warning how long what is left lasts.
func (b *book) lasts(n warning, m *notify.Message) error {
	o, err := ahead(b.tx, n.wallet.of, n.available)
	if say := o.Warning(); say != "" {
		m.Body += " " + say
	}
	return err
}

func (n warning) message(name string) notify.Message {
	of := n.wallet.of
	m := notify.Message{Organization: of.Organization, Admin: of.Admin, Target: notify.Target{Type: "organization", ID: int64(of.Organization)}}
	if of.Admin != 0 {
		m.Target = notify.Target{Type: "admin", ID: int64(of.Admin)}
	}
	switch n.bit {
	case lowBalance:
		m.Kind, m.Title = "credits.low", "Credits are low"
		m.Body = fmt.Sprintf("The balance of %s is %d: a tenth of what it was after the last deposit, or less.", name, n.balance)
	case limitNear:
		m.Kind, m.Title = "credit_limit.near", "Most of the credit limit is used"
		m.Body = fmt.Sprintf("The balance of %s is %d; %d %% of the credit limit of %d is used or held.", name, n.balance, nearLimit, n.limit)
	default:
		m.Kind, m.Title = "credit_limit.reached", "The credit limit is reached"
		m.Body = fmt.Sprintf("The balance of %s is %d; the credit limit of %d is used up or held.", name, n.balance, n.limit)
	}
	return m
}
