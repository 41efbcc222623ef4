package credit

import (
	"context"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/page"
)

// Part is what a part of a check found, and where the next one goes on.
type Part struct {
	Report
	Percent int     `json:"percent" doc:"How far the check is"`
	Next    *string `json:"next" doc:"Where the next part begins; null after the last"`
}

// The phases of a check, in their order, as cursors name them.
const (
	phaseTransactions = iota
	phaseWallets
	phaseStrays
	phasesEnd
)

// maxPart bounds a part, in rows; a wallet is never divided.
var maxPart int64 = 10_000 // tests take fewer

// VerifyPart is a part of Verify, of about maxPart rows: the zero position
// begins, and the parts together report what Verify does. What came into the
// ledger while earlier parts ran may be missed by them.
func VerifyPart(ctx context.Context, d *db.DB, from page.Position) (Part, error) {
	if from != (page.Position{}) {
		from.ID-- // no cursor has the id 0
	}
	if from.At < 0 || from.At >= phasesEnd {
		return Part{}, fault.InvalidField("after", "invalid_cursor", "Use what a part answered as next, exactly.")
	}
	v := &verifier{d: d, alive: ctx.Err, report: Report{Problems: []Problem{}, AsOf: d.Now()}, from: from, most: maxPart}
	var last [phasesEnd]int64 // ids
	err := v.read(ctx, func(tx *db.Tx) (err error) {
		if v.seal, err = newSealer(tx); err != nil {
			return err
		}
		last, err = lastIDs(tx)
		return err
	})
	if err != nil {
		return Part{}, err
	}
	checks := []func(context.Context) error{v.transactions, v.wallets, v.strays}
	for phase := from.At; phase < phasesEnd; phase++ {
		if err := checks[phase](ctx); err != nil {
			return Part{}, err
		}
		if v.full() {
			break // where it stands in this phase is v.from
		}
		v.from = page.Position{At: phase + 1}
	}
	v.report.OK = len(v.report.Problems) == 0
	p := Part{Report: v.report, Percent: 100}
	if v.from.At < phasesEnd {
		p.Percent = percent(v.from, last)
		p.Next = new(page.Position{At: v.from.At, ID: v.from.ID + 1}.Cursor())
	}
	return p, nil
}

// full reports that a part has as many rows as it may.
func (v *verifier) full() bool {
	return v.most > 0 && v.report.Transactions+v.report.Entries+v.report.Lots+v.report.Accounts+v.looked >= v.most
}

// percent tells how far a position is: two fifths for the transactions, two for
// the wallets, one for the strays.
func percent(at page.Position, last [phasesEnd]int64) int {
	begin, share := at.At*40, int64(40)
	if at.At == phaseStrays {
		share = 20
	}
	return int(begin + min(share-1, int64(float64(share)*float64(at.ID)/float64(max(last[at.At], 1)))))
}
