package client

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

const creditsPath = "/api/tenants/credits"

// Spend asks for credits to be consumed by a plugin.
type Spend struct {
	Amount    int64  `json:"amount"`
	Plugin    string `json:"plugin"`
	Reference string `json:"reference,omitempty"` // the service's own word for it
}

// NewHold asks for credits to be set aside for so many seconds.
type NewHold struct {
	Spend
	ExpiresIn int64 `json:"expires_in"`
}

// HeldCredits is credits set aside.
type HeldCredits struct {
	ID             int64      `json:"id"`
	OrganizationID int64      `json:"organization_id"`
	Plugin         string     `json:"plugin"`
	Reference      *string    `json:"reference"`
	Amount         int64      `json:"amount"`
	Captured       int64      `json:"captured"`
	State          string     `json:"state"` // open, captured, voided, expired
	ExpiresAt      time.Time  `json:"expires_at"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	EndedAt        *time.Time `json:"ended_at"`
}

// Capture posts a part of a hold; a final one ends it.
type Capture struct {
	Amount int64 `json:"amount"`
	Final  bool  `json:"final,omitempty"`
}

// Refund gives back what was consumed; without an amount all that is left.
type Refund struct {
	Amount *int64 `json:"amount,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// SpendBatch is up to 1,000 operations, each done on its own.
type SpendBatch struct {
	Operations []SpendOperation `json:"operations"`
}

// SpendOperation consumes credits of one organization, nil the one that the
// batch is sent to. Its key makes it harmless to repeat in any batch.
type SpendOperation struct {
	Spend
	OrganizationID *int64 `json:"organization_id,omitempty"`
	IdempotencyKey string `json:"idempotency_key,omitempty"`
}

// SpendResults has a result for each operation, in their order.
type SpendResults struct {
	Results   []SpendResult `json:"results"`
	Succeeded int64         `json:"succeeded"`
	Refused   int64         `json:"refused"`
}

// SpendResult is a transaction or a refusal.
type SpendResult struct {
	Status      int          `json:"status"`
	Replayed    bool         `json:"replayed"`
	Transaction *Transaction `json:"transaction"`
	Error       *SpendError  `json:"error"`
}

// SpendError is the refusal of one operation.
type SpendError struct {
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Available *int64 `json:"available"`
	Required  *int64 `json:"required"`
}

// CreditReturn takes unspent credits back into the admin's pool.
type CreditReturn struct {
	Amount int64  `json:"amount"`
	Reason string `json:"reason"`
}

// CreditAdjustment sets a balance right: direction in gives, out writes off.
type CreditAdjustment struct {
	Amount    int64  `json:"amount"`
	Direction string `json:"direction"`
	Reason    string `json:"reason"`
}

// Consume burns credits of an organization.
func (c *Client) Consume(ctx context.Context, org OrganizationRef, in Spend, o ...CallOption) (Transaction, error) {
	return do[Transaction](ctx, c, "POST", org.path()+"/credits/consume", in, o)
}

// ConsumeBatch burns credits many times at once.
func (c *Client) ConsumeBatch(ctx context.Context, org OrganizationRef, in SpendBatch, o ...CallOption) (SpendResults, error) {
	return do[SpendResults](ctx, c, "POST", org.path()+"/credits/consume-batch", in, o)
}

// HoldCredits sets credits aside for a while.
func (c *Client) HoldCredits(ctx context.Context, org OrganizationRef, in NewHold, o ...CallOption) (HeldCredits, error) {
	return do[HeldCredits](ctx, c, "POST", org.path()+"/credits/holds", in, o)
}

// CreditHold reads a hold.
func (c *Client) CreditHold(ctx context.Context, hold int64, o ...CallOption) (HeldCredits, error) {
	return do[HeldCredits](ctx, c, "GET", fmt.Sprintf("%s/holds/%d", creditsPath, hold), nil, o)
}

// CaptureHold posts a part of a hold, or all of it.
func (c *Client) CaptureHold(ctx context.Context, hold int64, in Capture, o ...CallOption) (Transaction, error) {
	return do[Transaction](ctx, c, "POST", fmt.Sprintf("%s/holds/%d/capture", creditsPath, hold), in, o)
}

// VoidHold gives back what is left of a hold.
func (c *Client) VoidHold(ctx context.Context, hold int64, o ...CallOption) (HeldCredits, error) {
	return do[HeldCredits](ctx, c, "POST", fmt.Sprintf("%s/holds/%d/void", creditsPath, hold), nil, o)
}

// RefundTransaction gives back what was consumed or captured.
func (c *Client) RefundTransaction(ctx context.Context, transaction int64, in Refund, o ...CallOption) (Transaction, error) {
	return do[Transaction](ctx, c, "POST", fmt.Sprintf("%s/transactions/%d/refund", creditsPath, transaction), in, o)
}

// CreditTransaction reads one transaction.
func (c *Client) CreditTransaction(ctx context.Context, transaction int64, o ...CallOption) (Transaction, error) {
	return do[Transaction](ctx, c, "GET", fmt.Sprintf("%s/transactions/%d", creditsPath, transaction), nil, o)
}

// DeallocateCredits takes unspent credits back into the admin's pool.
func (c *Client) DeallocateCredits(ctx context.Context, org OrganizationRef, in CreditReturn, o ...CallOption) (FundedOrganization, error) {
	return do[FundedOrganization](ctx, c, "POST", org.path()+"/credits/deallocate", in, o)
}

// AdjustCredits sets an organization's credits right.
func (c *Client) AdjustCredits(ctx context.Context, org OrganizationRef, in CreditAdjustment, o ...CallOption) (FundedOrganization, error) {
	return do[FundedOrganization](ctx, c, "POST", org.path()+"/credits/adjust", in, o)
}

// AdjustAdminCredits sets an admin's credits right.
func (c *Client) AdjustAdminCredits(ctx context.Context, admin int64, in CreditAdjustment, o ...CallOption) (GrantedAdmin, error) {
	return do[GrantedAdmin](ctx, c, "POST", adminPath(admin)+"/credits/adjust", in, o)
}

// AccountExplanation is how an account stood at a moment, and what made it so.
type AccountExplanation struct {
	AccountID      int64         `json:"account_id"`
	Kind           string        `json:"kind"`
	OrganizationID *int64        `json:"organization_id"`
	AdminID        *int64        `json:"admin_id"`
	At             time.Time     `json:"at"`
	Balance        int64         `json:"balance"`
	Held           int64         `json:"held"`
	Limit          int64         `json:"limit"`
	Available      int64         `json:"available"`
	Policy         CreditPolicy  `json:"policy"`
	Totals         []CreditTotal `json:"totals"`
	Lots           []Lot         `json:"lots"`
	Holds          []HoldThen    `json:"holds"`
	Entries        []LedgerEntry `json:"entries"`
	EntriesTotal   int64         `json:"entries_total"`
}

// CreditPolicy is what an account's number rests on.
type CreditPolicy struct {
	CreditLimit   int64      `json:"credit_limit"`
	LimitBackedBy *int64     `json:"limit_backed_by"`
	LimitSetAt    *time.Time `json:"limit_set_at"`
	LimitsBacked  int64      `json:"limits_backed"`
	Oversells     bool       `json:"oversells"`
}

// CreditTotal is what one kind of transaction did to an account.
type CreditTotal struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
	In    int64  `json:"in"`
	Out   int64  `json:"out"`
}

// Lot is credits of one deposit.
type Lot struct {
	ID            int64      `json:"id"`
	TransactionID int64      `json:"transaction_id"`
	ParentLotID   *int64     `json:"parent_lot_id"`
	Category      string     `json:"category"` // plan, promo, refund, paid
	Priority      int64      `json:"priority"`
	Amount        int64      `json:"amount"`
	Repaid        int64      `json:"repaid"`
	Remaining     int64      `json:"remaining"`
	ExpiresAt     *time.Time `json:"expires_at"`
	CreatedAt     time.Time  `json:"created_at"`
}

// HoldThen is a hold that was open at a time.
type HoldThen struct {
	ID        int64     `json:"id"`
	Plugin    string    `json:"plugin"`
	Amount    int64     `json:"amount"`
	Left      int64     `json:"left"`
	ExpiresAt time.Time `json:"expires_at"`
	CreatedAt time.Time `json:"created_at"`
}

// LedgerEntry is an entry as one of its accounts sees it.
type LedgerEntry struct {
	ID            int64     `json:"id"`
	TransactionID int64     `json:"transaction_id"`
	Kind          string    `json:"kind"`
	Effect        string    `json:"effect"` // post, hold, capture, release
	In            int64     `json:"in"`
	Out           int64     `json:"out"`
	Amount        int64     `json:"amount"`
	BalanceAfter  int64     `json:"balance_after"`
	LotID         *int64    `json:"lot_id"`
	CreatedAt     time.Time `json:"created_at"`
}

// ExplainAccount tells what made an account's number at a time such as
// 2026-11-01T00:00:00Z; "" is now.
func (c *Client) ExplainAccount(ctx context.Context, account int64, at string, o ...CallOption) (AccountExplanation, error) {
	var query url.Values
	if at != "" {
		query = url.Values{"at": {at}}
	}
	return ask[AccountExplanation](ctx, c, "GET", fmt.Sprintf("%s/accounts/%d/explain", creditsPath, account), query, nil, o)
}

// CreditTrail is where the credits of a transaction came from.
type CreditTrail struct {
	TransactionID int64         `json:"transaction_id"`
	Kind          string        `json:"kind"`
	Amount        int64         `json:"amount"`
	Pieces        []CreditPiece `json:"pieces"`
}

// CreditPiece is a part of a transaction with the lots it went through, the
// latest first.
type CreditPiece struct {
	Amount    int64        `json:"amount"`
	Overdrawn bool         `json:"overdrawn"`
	Lots      []CreditStep `json:"lots"`
}

// CreditStep is a lot on the way, and the transaction that made it.
type CreditStep struct {
	Lot
	OrganizationID *int64  `json:"organization_id"`
	AdminID        *int64  `json:"admin_id"`
	Kind           string  `json:"kind"`
	Reason         *string `json:"reason"`
}

// TraceTransaction follows a transaction's credits back to their grants.
func (c *Client) TraceTransaction(ctx context.Context, transaction int64, o ...CallOption) (CreditTrail, error) {
	return do[CreditTrail](ctx, c, "GET", fmt.Sprintf("%s/transactions/%d/trace", creditsPath, transaction), nil, o)
}

// LedgerReport is what a check of the whole ledger found.
type LedgerReport struct {
	OK           bool            `json:"ok"`
	Accounts     int64           `json:"accounts"`
	Transactions int64           `json:"transactions"`
	Entries      int64           `json:"entries"`
	Lots         int64           `json:"lots"`
	Holds        int64           `json:"holds"`
	Problems     []LedgerProblem `json:"problems"`
	AsOf         time.Time       `json:"as_of"`
}

// LedgerProblem is one thing that is wrong with the ledger.
type LedgerProblem struct {
	Code      string `json:"code"`
	AccountID int64  `json:"account_id"`
	ID        int64  `json:"id"`
	Message   string `json:"message"`
}

// CheckCredits checks the whole ledger.
func (c *Client) CheckCredits(ctx context.Context, o ...CallOption) (LedgerReport, error) {
	return do[LedgerReport](ctx, c, "GET", creditsPath+"/integrity", nil, o)
}
