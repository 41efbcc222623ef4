package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"
)

// The built-in meters. A GB is 10⁹ bytes.
const (
	BandwidthBytes = "bandwidth_bytes" // a monthly counter
	StorageBytes   = "storage_bytes"   // a gauge
	SeatMeter      = "seats"           // counted by Tenantry itself
)

// Check asks whether an organization may do something.
type Check struct {
	Plugin   string  `json:"plugin"`
	Amount   *int64  `json:"amount,omitempty"`   // credits
	Meter    *string `json:"meter,omitempty"`    // what it would move
	Quantity *int64  `json:"quantity,omitempty"` // by how much; without it 1
}

// Decision is the answer to a check.
type Decision struct {
	Allowed   bool       `json:"allowed"`
	Code      string     `json:"code"` // ok, or why not; limit_exceeded beside Allowed: a soft limit is passed
	Plugin    string     `json:"plugin"`
	Meter     *string    `json:"meter"`
	Mode      *string    `json:"mode"`  // hard, soft
	Limit     *int64     `json:"limit"` // nil: unlimited, or nothing was asked for
	Used      *int64     `json:"used"`
	Remaining *int64     `json:"remaining"`
	ResetAt   *time.Time `json:"reset_at"`
	DecidedBy *string    `json:"decided_by"` // organization, admin, group, platform
}

// UsageEvent is something that was used. With Source, ID makes it one: it
// counts once in 32 days, so a report may be sent again.
type UsageEvent struct {
	ID      string
	Source  string    // key of the plugin
	Meter   string    // key of the meter
	Subject string    // id or slug of the organization
	Time    time.Time // when it happened; zero is now
	Value   *int64    // how much more, of a counter; what it stands at, of a gauge
	Delta   *int64    // of a gauge, instead: how much more or less
}

type cloudEvent struct {
	SpecVersion string     `json:"specversion"`
	ID          string     `json:"id"`
	Source      string     `json:"source"`
	Type        string     `json:"type"`
	Subject     string     `json:"subject"`
	Time        *time.Time `json:"time,omitempty"`
	Data        eventData  `json:"data"`
}

type eventData struct {
	Value *int64 `json:"value,omitempty"`
	Delta *int64 `json:"delta,omitempty"`
}

// MarshalJSON writes a CloudEvent.
func (e UsageEvent) MarshalJSON() ([]byte, error) {
	c := cloudEvent{SpecVersion: "1.0", ID: e.ID, Source: e.Source, Type: e.Meter, Subject: e.Subject, Data: eventData{e.Value, e.Delta}}
	if !e.Time.IsZero() {
		c.Time = new(e.Time.UTC())
	}
	return json.Marshal(c)
}

// UsageReceipt says what became of a report. It is durable.
type UsageReceipt struct {
	Accepted  int64          `json:"accepted"`
	Duplicate int64          `json:"duplicate"`
	Late      int64          `json:"late"`
	Refused   int64          `json:"refused"`
	Events    []EventOutcome `json:"events"` // in the order in which they were sent
}

// EventOutcome is what became of one event.
type EventOutcome struct {
	ID        string     `json:"id"`
	Source    string     `json:"source"`
	Status    string     `json:"status"` // accepted, duplicate, late, refused
	CountedAt *time.Time `json:"counted_at"`
	Code      string     `json:"code,omitempty"` // of a refused one
	Message   string     `json:"message,omitempty"`
}

// NewReservation asks for room.
type NewReservation struct {
	Plugin    string `json:"plugin"`
	Meter     string `json:"meter"`
	Quantity  int64  `json:"quantity"`
	ExpiresIn *int64 `json:"expires_in,omitempty"` // seconds; without it 900
}

// Reservation is room set aside before it is used.
type Reservation struct {
	ID             int64      `json:"id"`
	OrganizationID int64      `json:"organization_id"`
	Plugin         string     `json:"plugin"`
	Meter          string     `json:"meter"`
	Quantity       int64      `json:"quantity"`
	Committed      *int64     `json:"committed"`
	State          string     `json:"state"` // open, committed, released, expired
	CreatedAt      time.Time  `json:"created_at"`
	ExpiresAt      time.Time  `json:"expires_at"`
	EndedAt        *time.Time `json:"ended_at"`
}

// Reserved is a reservation just made.
type Reserved struct {
	Reservation
	Remaining *int64 `json:"remaining"` // nil: unlimited
	Exceeded  bool   `json:"exceeded"`  // a soft limit is passed
}

// Commitment says what was used of a reservation; nil is all of it.
type Commitment struct {
	Quantity *int64 `json:"quantity,omitempty"`
}

// HistoryFilter asks for a history; the meter is required.
type HistoryFilter struct {
	Meter  string    `query:"meter"`
	From   time.Time `query:"from"`
	To     time.Time `query:"to"`
	Step   string    `query:"step"` // hour, day
	Plugin string    `query:"plugin"`
}

// UsageHistory is what a meter showed, step by step.
type UsageHistory struct {
	OrganizationID int64         `json:"organization_id"`
	Meter          string        `json:"meter"`
	Kind           string        `json:"kind"`
	Unit           string        `json:"unit"`
	Plugin         *string       `json:"plugin"`
	Step           string        `json:"step"`
	Timezone       string        `json:"timezone"`
	From           time.Time     `json:"from"`
	To             time.Time     `json:"to"`
	Data           []UsagePoint  `json:"data"`
	Total          int64         `json:"total"`
	Previous       UsagePrevious `json:"previous"`
}

// UsagePoint is one hour or day.
type UsagePoint struct {
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Value     int64     `json:"value"`
	Peak      *int64    `json:"peak"`
	Events    int64     `json:"events"`
	Late      int64     `json:"late"`
	Corrected int64     `json:"corrected"`
}

// UsagePrevious is the same span just before.
type UsagePrevious struct {
	From          time.Time `json:"from"`
	To            time.Time `json:"to"`
	Total         int64     `json:"total"`
	ChangePercent *float64  `json:"change_percent"`
}

// Forecast says of credits and of every limited meter when they run out at this
// pace.
type Forecast struct {
	OrganizationID int64     `json:"organization_id"`
	AsOf           time.Time `json:"as_of"`
	Credits        Outlook   `json:"credits"`
	Data           []RunOut  `json:"data"`
}

// RunOut is when a limit is reached if things go on as in the last seven days.
type RunOut struct {
	Meter string `json:"meter"`
	Unit  string `json:"unit"`
	Used  int64  `json:"used"`
	Limit int64  `json:"limit"`
	Outlook
	ResetAt *time.Time `json:"reset_at"`
}

// PluginUsage is what each plugin used of an organization's credits and meters.
type PluginUsage struct {
	OrganizationID int64 `json:"organization_id"`
	PluginTotals
}

// PluginTotals is what each plugin used in a period of whole days.
type PluginTotals struct {
	Period  Period       `json:"period"`
	Credits int64        `json:"credits"` // of all plugins together
	Data    []PluginPart `json:"data"`
}

// PluginPart is one plugin's part: credits consumed less what came back.
type PluginPart struct {
	Plugin  string        `json:"plugin"`
	Credits int64         `json:"credits"`
	Meters  []PluginMeter `json:"meters"`
}

// PluginMeter is one plugin's part of one meter: of a counter in the period, of
// a gauge at its end.
type PluginMeter struct {
	Meter  string `json:"meter"`
	Kind   string `json:"kind"`
	Unit   string `json:"unit"`
	Used   int64  `json:"used"`
	Events int64  `json:"events"`
}

// PluginPeriod picks the days that are summed; zero is the current month.
type PluginPeriod struct {
	From time.Time `query:"from"`
	To   time.Time `query:"to"`
}

// PluginTotalsFilter picks the days that are summed, and where Admin is not
// zero, the organizations of that admin alone.
type PluginTotalsFilter struct {
	From  time.Time `query:"from"`
	To    time.Time `query:"to"`
	Admin int64     `query:"admin_id"`
}

// MeterLimits is every meter of the catalogue, for one organization.
type MeterLimits struct {
	Data []MeterLimit `json:"data"`
}

// MeterLimit is a meter as it stands for one organization, beside its limit.
type MeterLimit struct {
	Meter     string     `json:"meter"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Unit      string     `json:"unit"`
	Limit     *int64     `json:"limit"`      // the effective one; nil: unlimited
	DecidedBy *string    `json:"decided_by"` // organization, group, platform
	Mode      string     `json:"mode"`
	Own       *int64     `json:"own_limit"`
	OwnMode   *string    `json:"own_mode"`
	Used      int64      `json:"used"`
	Reserved  int64      `json:"reserved"`
	Remaining *int64     `json:"remaining"`
	Percent   *float64   `json:"percent"`
	State     string     `json:"state"` // ok, warning, exceeded
	ResetAt   *time.Time `json:"reset_at"`
}

// MeterLimitEdit changes what holds for one organization; null restores the
// meter's.
type MeterLimitEdit struct {
	Limit Optional[int64]  `json:"limit,omitzero"`
	Mode  Optional[string] `json:"mode,omitzero"`
}

// TopFilter asks who uses most of a meter.
type TopFilter struct {
	Meter string `query:"meter"`
}

// TopUsage is an organization among those that use most.
type TopUsage struct {
	OrganizationID int64  `json:"organization_id"`
	Name           string `json:"name"`
	Slug           string `json:"slug"`
	AdminID        *int64 `json:"admin_id"`
	Meter          string `json:"meter"`
	Used           int64  `json:"used"`
}

// harmless marks a POST that may be sent again as it is.
func harmless(r *request) { r.harmless = true }

// Check asks whether an organization may do something. See Entitlements for
// asking often.
func (c *Client) Check(ctx context.Context, org OrganizationRef, in Check, o ...CallOption) (Decision, error) {
	return do[Decision](ctx, c, "POST", org.path()+"/check", in, append(o, harmless))
}

// ReportUsage reports at most 1,000 events. Each counts once, so after a
// failure send all of them again.
func (c *Client) ReportUsage(ctx context.Context, events []UsageEvent, o ...CallOption) (UsageReceipt, error) {
	o = append(o, harmless, func(r *request) { r.header.Set("Content-Type", "application/cloudevents-batch+json") })
	return do[UsageReceipt](ctx, c, "POST", "/api/tenants/usage/events", events, o)
}

func reservationPath(org OrganizationRef, reservation int64) string {
	return fmt.Sprintf("%s/usage/reservations/%d", org.path(), reservation)
}

// Reserve sets room aside before it is used.
func (c *Client) Reserve(ctx context.Context, org OrganizationRef, in NewReservation, o ...CallOption) (Reserved, error) {
	return do[Reserved](ctx, c, "POST", org.path()+"/usage/reservations", in, o)
}

// Reservation reads one.
func (c *Client) Reservation(ctx context.Context, org OrganizationRef, reservation int64, o ...CallOption) (Reservation, error) {
	return do[Reservation](ctx, c, "GET", reservationPath(org, reservation), nil, o)
}

// CommitReservation turns a reservation into use.
func (c *Client) CommitReservation(ctx context.Context, org OrganizationRef, reservation int64, in Commitment, o ...CallOption) (Reservation, error) {
	return do[Reservation](ctx, c, "POST", reservationPath(org, reservation)+"/commit", in, o)
}

// ReleaseReservation gives the room of a reservation back.
func (c *Client) ReleaseReservation(ctx context.Context, org OrganizationRef, reservation int64, o ...CallOption) (Reservation, error) {
	return do[Reservation](ctx, c, "POST", reservationPath(org, reservation)+"/release", nil, o)
}

// UsageHistory reads what a meter showed, step by step.
func (c *Client) UsageHistory(ctx context.Context, org OrganizationRef, f HistoryFilter, o ...CallOption) (UsageHistory, error) {
	return ask[UsageHistory](ctx, c, "GET", org.path()+"/usage/history", queryOf(f), nil, o)
}

// ExportUsage writes a history to w as the server's CSV.
func ExportUsage(ctx context.Context, c *Client, org OrganizationRef, f HistoryFilter, w io.Writer) error {
	return export(ctx, c, org.path()+"/usage/history", queryOf(f), w)
}

// UsageForecast tells when limits run out at this pace.
func (c *Client) UsageForecast(ctx context.Context, org OrganizationRef, o ...CallOption) (Forecast, error) {
	return do[Forecast](ctx, c, "GET", org.path()+"/usage/forecast", nil, o)
}

// PluginUsage reads what each plugin uses of an organization.
func (c *Client) PluginUsage(ctx context.Context, org OrganizationRef, f PluginPeriod, o ...CallOption) (PluginUsage, error) {
	return ask[PluginUsage](ctx, c, "GET", org.path()+"/usage/plugins", queryOf(f), nil, o)
}

// TotalPluginUsage reads what each plugin uses of all organizations together: of
// all for a superadmin, of its own for an admin.
func (c *Client) TotalPluginUsage(ctx context.Context, f PluginTotalsFilter, o ...CallOption) (PluginTotals, error) {
	return ask[PluginTotals](ctx, c, "GET", "/api/tenants/usage/plugins", queryOf(f), nil, o)
}

// UsageLimits reads the limits of every meter, and what is used.
func (c *Client) UsageLimits(ctx context.Context, org OrganizationRef, o ...CallOption) (MeterLimits, error) {
	return do[MeterLimits](ctx, c, "GET", org.path()+"/usage/limits", nil, o)
}

// SetUsageLimit sets the limit or mode of a meter for an organization.
func (c *Client) SetUsageLimit(ctx context.Context, org OrganizationRef, meter string, in MeterLimitEdit, o ...CallOption) (MeterLimit, error) {
	return do[MeterLimit](ctx, c, "PUT", org.path()+"/usage/limits/"+url.PathEscape(meter), in, o)
}

// TopUsage lists the organizations that use most of a meter.
func (c *Client) TopUsage(f TopFilter) List[TopUsage] {
	return listOf[TopUsage](c, f, "/api/tenants/usage/top")
}
