package client

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// CreditLot is credits of one deposit that have some left.
type CreditLot struct {
	ID            int64      `json:"id"`
	TransactionID int64      `json:"transaction_id"`
	ParentLotID   *int64     `json:"parent_lot_id"`
	Category      string     `json:"category"` // plan, promo, refund, paid
	Priority      int64      `json:"priority"`
	Amount        int64      `json:"amount"`
	Repaid        int64      `json:"repaid"` // what of it covered what was overdrawn
	Remaining     int64      `json:"remaining"`
	Held          int64      `json:"held"`
	ExpiresAt     *time.Time `json:"expires_at"`
	CreatedAt     time.Time  `json:"created_at"`
}

// BalanceHistory is what a wallet held at the end of each day, oldest first.
type BalanceHistory struct {
	Timezone string       `json:"timezone"`
	Data     []DayBalance `json:"data"`
	AsOf     time.Time    `json:"as_of"`
}

// DayBalance is the balance at the end of a day, such as 2026-11-26.
type DayBalance struct {
	Date    string `json:"date"`
	Balance int64  `json:"balance"`
}

// CreditFlow is how credits moved day by day, oldest first.
type CreditFlow struct {
	Days     int             `json:"days"`
	Timezone string          `json:"timezone"`
	Data     []CreditFlowDay `json:"data"`
	AsOf     time.Time       `json:"as_of"`
}

// CreditFlowDay is what moved on a day.
type CreditFlowDay struct {
	Date        string `json:"date"`
	Granted     int64  `json:"granted"`
	Added       int64  `json:"added"`
	Allocated   int64  `json:"allocated"`
	Deallocated int64  `json:"deallocated"`
	Consumed    int64  `json:"consumed"`
	Refunded    int64  `json:"refunded"`
	Expired     int64  `json:"expired"`
}

// HoldFilter narrows a list of holds; without a state the open ones.
type HoldFilter struct {
	State string `query:"state"` // open, captured, voided, expired
}

// NearLimits is who has used most of a limit, the highest percentage first.
type NearLimits struct {
	Threshold int         `json:"threshold"` // percent
	Total     int         `json:"total"`
	Data      []NearLimit `json:"data"`
	AsOf      time.Time   `json:"as_of"`
}

// NearLimit is one organization and meter.
type NearLimit struct {
	OrganizationID int64   `json:"organization_id"`
	Name           string  `json:"name"`
	Slug           string  `json:"slug"`
	AdminID        *int64  `json:"admin_id"`
	Meter          string  `json:"meter"`
	Unit           string  `json:"unit"`
	Used           int64   `json:"used"`
	Limit          int64   `json:"limit"`
	Percent        float64 `json:"percent"`
	State          string  `json:"state"` // warning, exceeded
}

// System is how an installation is.
type System struct {
	Version   string     `json:"version"`
	StartedAt time.Time  `json:"started_at"`
	Engine    string     `json:"engine"` // sqlite, postgres
	Schema    int64      `json:"schema"`
	Ready     bool       `json:"ready"`
	WriteMS   float64    `json:"write_ms"`
	Jobs      SystemJobs `json:"jobs"`
	AsOf      time.Time  `json:"as_of"`
}

// SystemJobs is the work that waits.
type SystemJobs struct {
	Ready        int64   `json:"ready"`
	Running      int64   `json:"running"`
	Dead         int64   `json:"dead"`
	DelaySeconds float64 `json:"delay_seconds"`
}

// CreditCheck is a part of a check of the ledger; Next begins the next one
// and is nil after the last.
type CreditCheck struct {
	LedgerReport
	Percent int     `json:"percent"`
	Next    *string `json:"next"`
}

// CreditLots lists what lies in an organization's wallet, by when it expires.
func (c *Client) CreditLots(org OrganizationRef) List[CreditLot] {
	return listOf[CreditLot](c, nil, "%s/credits/lots", org.path())
}

// AdminCreditLots lists what lies in an admin's pool, by when it expires.
func (c *Client) AdminCreditLots(admin int64) List[CreditLot] {
	return listOf[CreditLot](c, nil, "/api/tenants/admins/%d/credits/lots", admin)
}

// CreditHolds lists the holds on an organization's credits.
func (c *Client) CreditHolds(org OrganizationRef, f HoldFilter) List[HeldCredits] {
	return listOf[HeldCredits](c, f, "%s/credits/holds", org.path())
}

// CreditBalances reads an organization's balance at the end of each of the last
// days.
func (c *Client) CreditBalances(ctx context.Context, org OrganizationRef, days int, o ...CallOption) (BalanceHistory, error) {
	return do[BalanceHistory](ctx, c, "GET", fmt.Sprintf("%s/credits/balances?days=%d", org.path(), days), nil, o)
}

// AdminCreditBalances reads an admin's balance at the end of each of the last
// days.
func (c *Client) AdminCreditBalances(ctx context.Context, admin int64, days int, o ...CallOption) (BalanceHistory, error) {
	return do[BalanceHistory](ctx, c, "GET", fmt.Sprintf("/api/tenants/admins/%d/credits/balances?days=%d", admin, days), nil, o)
}

// CreditFlow reads how credits moved on each of the last days.
func (c *Client) CreditFlow(ctx context.Context, days int, o ...CallOption) (CreditFlow, error) {
	return do[CreditFlow](ctx, c, "GET", fmt.Sprintf("%s/flow?days=%d", creditsPath, days), nil, o)
}

// CheckCreditsInParts checks the part of the ledger that begins where the one
// before says; "" is the first.
func (c *Client) CheckCreditsInParts(ctx context.Context, after string, o ...CallOption) (CreditCheck, error) {
	path := creditsPath + "/integrity/part"
	if after != "" {
		path += "?" + url.Values{"after": {after}}.Encode()
	}
	return do[CreditCheck](ctx, c, "GET", path, nil, o)
}

// NearLimits reads which organizations have used most of a limit, at most so
// many.
func (c *Client) NearLimits(ctx context.Context, most int, o ...CallOption) (NearLimits, error) {
	return do[NearLimits](ctx, c, "GET", fmt.Sprintf("/api/tenants/usage/near-limits?limit=%d", most), nil, o)
}

// System reads how the installation is.
func (c *Client) System(ctx context.Context, o ...CallOption) (System, error) {
	return do[System](ctx, c, "GET", "/api/tenants/system", nil, o)
}

// UserFilter narrows a list of users.
type UserFilter struct {
	Q string `query:"q"` // in name or e-mail
}

// Users lists everybody who can sign in, newest first.
func (c *Client) Users(f UserFilter) List[User] { return listOf[User](c, f, "/api/tenants/users") }

// User reads somebody who can sign in.
func (c *Client) User(ctx context.Context, user int64, o ...CallOption) (User, error) {
	return do[User](ctx, c, "GET", fmt.Sprintf("/api/tenants/users/%d", user), nil, o)
}
