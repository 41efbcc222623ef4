// Package id holds the defined types of all identifiers, so that one kind
// cannot be passed where another is expected. Every id is a positive int64
// given at insert and never reused; zero is none.
package id

// The identifiers.
type (
	User         int64
	Session      int64
	Key          int64 // an API key
	Group        int64 // a partner group
	Admin        int64 // a reseller account
	Organization int64
	Invitation   int64
	Request      int64 // a registration request
	Plugin       int64
	Account      int64 // of the credit ledger
	Transaction  int64 // of the credit ledger
	Lot          int64 // of the credit ledger
	Event        int64 // of the audit log
	Notification int64
	Domain       int64
	Hold         int64
	Grant        int64 // leave to act inside an organization
	Meter        int64
	Reservation  int64
)

// Any is every identifier type, for the few functions that take all of them.
type Any interface {
	~int64
}

// Ref is an optional id as it is stored and answered: nil for zero.
func Ref[T Any](v T) *T {
	if v == 0 {
		return nil
	}
	return &v
}

// Val is the reverse of Ref.
func Val[T Any](p *T) T {
	if p == nil {
		return 0
	}
	return *p
}
