package credit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/secret"
)

// sealer makes the hashes that show whether somebody changed the ledger behind
// the product's back: HMAC-SHA256, under a key that follows from the
// installation's, over all columns of a row that never change. The hash of an
// entry covers those of its transaction and of the lot that it fills. The head
// of a wallet covers its entries in order; heads are kept for the last entry
// alone, so whoever lacks the key can neither change, add, drop nor swap one.
type sealer struct {
	mac  hash.Hash
	text []byte
}

const sealPurpose = "credits ledger v1"

func newSealer(tx *db.Tx) (*sealer, error) {
	key, err := secret.Derived(tx, sealPurpose)
	if err != nil {
		return nil, err
	}
	return &sealer{mac: hmac.New(sha256.New, key)}, nil
}

func (s *sealer) begin(what byte) { s.text = append(s.text[:0], what) }

func (s *sealer) number(n int64) { s.text = binary.BigEndian.AppendUint64(s.text, uint64(n)) }

func (s *sealer) bytes(b []byte) {
	s.number(int64(len(b)))
	s.text = append(s.text, b...)
}

func (s *sealer) word(w string) {
	s.number(int64(len(w)))
	s.text = append(s.text, w...)
}

func (s *sealer) moment(t *db.Time) {
	if t == nil {
		s.text = append(s.text, 0)
		return
	}
	s.text = append(s.text, 1)
	s.number(int64(*t))
}

func (s *sealer) sum() []byte {
	s.mac.Reset()
	s.mac.Write(s.text)
	return s.mac.Sum(nil)
}

func (s *sealer) transaction(t *record) []byte {
	s.begin('t')
	s.number(int64(t.id))
	s.word(string(t.kind))
	s.word(string(t.source))
	for _, n := range []int64{t.amount, int64(t.admin), int64(t.organization), t.actor.ID, int64(t.group), t.discount, t.cost, int64(t.hold), int64(t.reverses), int64(t.at)} {
		s.number(n)
	}
	for _, w := range []string{string(t.actor.Type), t.reason, t.ref.Principal, t.ref.Key, t.plugin, t.reference} {
		s.word(w)
	}
	s.bytes(t.request)
	s.moment(t.expires)
	return s.sum()
}

func (s *sealer) lot(l *lot) []byte {
	s.begin('l')
	transaction, parent := l.transaction, id.Lot(0)
	if l.of != nil {
		transaction = l.of.id
	}
	if l.parent != nil {
		parent = l.parent.id
	}
	w := l.wallet
	for _, n := range []int64{int64(l.id), int64(w.id), int64(w.of.Admin), int64(w.of.Organization), int64(transaction), int64(parent), l.priority, l.amount, l.repaid, int64(l.at)} {
		s.number(n)
	}
	s.word(string(l.category))
	s.moment(l.expires)
	return s.sum()
}

// entry covers the lot that it makes, which is one of its own transaction.
func (s *sealer) entry(e *entry) []byte {
	s.begin('e')
	for _, n := range []int64{e.id, int64(e.of.id), int64(e.debit.id), int64(e.credit.id), e.amount, e.debitAfter, e.creditAfter,
		e.debitLot.number(), e.creditLot.number(), e.debitSeq, e.creditSeq, int64(e.of.organization), int64(e.of.admin), int64(e.of.at)} {
		s.number(n)
	}
	s.word(e.effect)
	s.bytes(e.of.hash)
	if e.creditLot != nil && e.creditLot.made(e.of) {
		s.bytes(e.creditLot.hash)
	}
	return s.sum()
}

// made reports whether the lot came with the transaction.
func (l *lot) made(t *record) bool {
	if l.of != nil {
		return l.of == t
	}
	return l.transaction == t.id
}

func (l *lot) number() int64 {
	if l == nil {
		return 0
	}
	return int64(l.id)
}

// limit covers the limit that the organization had before, so that none can be
// taken out.
func (s *sealer) limit(l limitSet, before []byte) []byte {
	s.begin('m')
	for _, n := range []int64{l.id, int64(l.account), int64(l.organization), l.limit, int64(l.by), int64(l.at)} {
		s.number(n)
	}
	s.bytes(before)
	return s.sum()
}

// done says that from then on everything has its hash.
func (s *sealer) done(at db.Time) sealed {
	s.begin('d')
	s.number(int64(at))
	return sealed{at, s.sum()}
}

// link is the head of a wallet after one more entry.
func (s *sealer) link(of id.Account, head, entry []byte) []byte {
	s.begin('c')
	s.number(int64(of))
	s.bytes(head)
	s.bytes(entry)
	return s.sum()
}
