package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Figures are an organization's credits at a moment. Available is balance plus
// limit less what is held.
type Figures struct {
	Balance   int64 `json:"balance"`
	Limit     int64 `json:"limit"`
	Held      int64 `json:"held"`
	Available int64 `json:"available"`
	Used      int64 `json:"used"` // consumed this month
	// ExpiringSoon is what of the balance expires within 30 days.
	ExpiringSoon int64 `json:"expiring_soon"`
	AccountID    int64 `json:"account_id"`
	// Forecast says when what is available runs out, as it was consumed.
	Forecast Outlook `json:"forecast"`
}

// Outlook says when something runs out at the pace of the last seven days: 0 days
// when it has, nil when it does not.
type Outlook struct {
	PerDay    float64    `json:"per_day"`
	DaysLeft  *float64   `json:"days_left"`
	RunsOutAt *time.Time `json:"runs_out_at"`
	Sentence  string     `json:"sentence"`
}

// Pool is an admin's credits at a moment. Available is what can be passed on.
type Pool struct {
	Balance      int64 `json:"balance"`
	LimitsBacked int64 `json:"limits_backed"`
	Available    int64 `json:"available"`
	Held         int64 `json:"held"`
	ExpiringSoon int64 `json:"expiring_soon"`
	AccountID    int64 `json:"account_id"`
	// Forecast says when what is available runs out, as it was passed on.
	Forecast Outlook `json:"forecast"`
}

// Transaction is one movement of credits as one of its two accounts sees it.
type Transaction struct {
	ID              int64            `json:"id"`
	Kind            string           `json:"kind"` // grant, allocate, add, deallocate, consume, hold, capture, void, hold_expire, refund, expire, adjust
	Amount          int64            `json:"amount"`
	AdminID         *int64           `json:"admin_id"`
	OrganizationID  *int64           `json:"organization_id"`
	Reason          *string          `json:"reason"`
	Source          string           `json:"source"` // platform, admin, organization, consumed
	PartnerGroupID  *int64           `json:"partner_group_id"`
	DiscountPercent *float64         `json:"discount_percent"` // of a grant
	NetCost         *int64           `json:"net_cost"`         // of a grant
	BalanceAfter    int64            `json:"balance_after"`
	Actor           TransactionActor `json:"actor"`
	CreatedAt       time.Time        `json:"created_at"`
	UpdatedAt       time.Time        `json:"updated_at"`
	ExpiresAt       *time.Time       `json:"expires_at"`
	Plugin          *string          `json:"plugin"`
	Reference       *string          `json:"reference"`   // the service's own word
	HoldID          *int64           `json:"hold_id"`     // the hold that this captures or ends
	ReversesID      *int64           `json:"reverses_id"` // of a refund
}

// TransactionActor is who made a transaction: a user, an api_key or the system,
// which has no id.
type TransactionActor struct {
	Type string `json:"type"`
	ID   *int64 `json:"id"`
}

// TransactionFilter narrows a list of transactions. To is not included.
type TransactionFilter struct {
	Kind string    `query:"kind"` // as of a Transaction
	From time.Time `query:"from"`
	To   time.Time `query:"to"`
}

// Statement sums up a month: opening + in − out of all lines = closing.
type Statement struct {
	Month   string          `json:"month"` // 2026-11
	From    time.Time       `json:"from"`
	To      time.Time       `json:"to"`
	Opening int64           `json:"opening"`
	Closing int64           `json:"closing"`
	Entries []StatementLine `json:"entries"`
	// Consumption is by organization and plugin; of an admin, that of all its
	// organizations.
	Consumption []Consumption `json:"consumption"`
}

// Consumption is what an organization's use of a plugin cost in a month.
type Consumption struct {
	OrganizationID int64  `json:"organization_id"`
	Organization   string `json:"organization"`
	Plugin         string `json:"plugin"`
	Amount         int64  `json:"amount"`
}

// StatementLine is what one kind of transaction did in a month.
type StatementLine struct {
	Kind    string `json:"kind"`
	Count   int64  `json:"count"`
	In      int64  `json:"in"`
	Out     int64  `json:"out"`
	NetCost int64  `json:"net_cost"`
}

// AdminCredits reads an admin's pool.
func (c *Client) AdminCredits(ctx context.Context, admin int64, o ...CallOption) (Pool, error) {
	return do[Pool](ctx, c, "GET", adminPath(admin)+"/credits", nil, o)
}

// AdminTransactions lists what moved an admin's pool.
func (c *Client) AdminTransactions(admin int64, f TransactionFilter) List[Transaction] {
	return listOf[Transaction](c, f, "%s/credits/transactions", adminPath(admin))
}

// AdminStatement reads the statement of a month such as 2026-11; "" is the
// current one.
func (c *Client) AdminStatement(ctx context.Context, admin int64, month string, o ...CallOption) (Statement, error) {
	return ask[Statement](ctx, c, "GET", adminPath(admin)+"/credits/statement", monthOf(month), nil, o)
}

// Credits reads an organization's figures.
func (c *Client) Credits(ctx context.Context, org OrganizationRef, o ...CallOption) (Figures, error) {
	return do[Figures](ctx, c, "GET", org.path()+"/credits", nil, o)
}

// Transactions lists what moved an organization's wallet.
func (c *Client) Transactions(org OrganizationRef, f TransactionFilter) List[Transaction] {
	return listOf[Transaction](c, f, "%s/credits/transactions", org.path())
}

// Statement reads the statement of a month such as 2026-11; "" is the current
// one.
func (c *Client) Statement(ctx context.Context, org OrganizationRef, month string, o ...CallOption) (Statement, error) {
	return ask[Statement](ctx, c, "GET", org.path()+"/credits/statement", monthOf(month), nil, o)
}

func monthOf(month string) url.Values {
	if month == "" {
		return nil
	}
	return url.Values{"month": {month}}
}

// ExportCSV writes a list of transactions to w as the server's CSV, whose first
// line names the columns.
func ExportCSV(ctx context.Context, l List[Transaction], w io.Writer) error {
	return export(ctx, l.c, l.path, l.query, w)
}

// export writes an answer to w as CSV.
func export(ctx context.Context, c *Client, path string, query url.Values, w io.Writer) error {
	res, _, err := c.send(ctx, &request{method: http.MethodGet, path: path, query: query, header: http.Header{"Accept": {"text/csv"}}})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(res.Body, MaxBody))
		return refusal(res.StatusCode, res.Header, b)
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("client: export: %w", err)
	}
	return nil
}
