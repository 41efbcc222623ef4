package client

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// AuditEntry is one event of the audit log.
type AuditEntry struct {
	ID             int64                  `json:"id"`
	OccurredAt     time.Time              `json:"occurred_at"`
	Actor          AuditActor             `json:"actor"`
	OnBehalfOf     *AuditActor            `json:"on_behalf_of"`
	Action         string                 `json:"action"` // organization.suspended
	Target         AuditTarget            `json:"target"`
	OrganizationID *int64                 `json:"organization_id"`
	AdminID        *int64                 `json:"admin_id"`
	Outcome        string                 `json:"outcome"` // ok, denied, error
	Reason         *string                `json:"reason"`
	Changes        map[string]AuditChange `json:"changes"`
	IP             *string                `json:"ip"`
	UserAgent      *string                `json:"user_agent"`
	RequestID      *string                `json:"request_id"`
}

// AuditActor is who did it: user, api_key, system or anonymous.
type AuditActor struct {
	Type  string  `json:"type"`
	ID    *int64  `json:"id"`
	Name  *string `json:"name"`
	Email *string `json:"email"`
}

// AuditTarget is what it was done to.
type AuditTarget struct {
	Type string  `json:"type"`
	ID   *int64  `json:"id"`
	Name *string `json:"name"`
}

// AuditChange is one field before and after.
type AuditChange struct {
	Old json.RawMessage `json:"old"`
	New json.RawMessage `json:"new"`
}

// AuditFilter narrows the log. Action may end in .* for all that begin alike;
// To is not included.
type AuditFilter struct {
	Action         string    `query:"action"`
	TargetType     string    `query:"target_type"`
	ActorID        int64     `query:"actor_id"`
	OrganizationID int64     `query:"organization_id"`
	AdminID        int64     `query:"admin_id"`
	Outcome        string    `query:"outcome"` // ok, denied, error
	From           time.Time `query:"from"`
	To             time.Time `query:"to"`
}

// AuditStats counts the events of some days.
type AuditStats struct {
	Days         int               `json:"days"`
	Total        int64             `json:"total"`
	ByAction     []ActionCount     `json:"by_action"`
	ByTargetType []TargetTypeCount `json:"by_target_type"`
	ByDay        []DayCount        `json:"by_day"`
	TopActors    []ActorCount      `json:"top_actors"`
}

// ActionCount counts one action.
type ActionCount struct {
	Action string `json:"action"`
	Count  int64  `json:"count"`
}

// TargetTypeCount counts one kind of target.
type TargetTypeCount struct {
	TargetType string `json:"target_type"`
	Count      int64  `json:"count"`
}

// DayCount counts one day, such as 2026-11-23.
type DayCount struct {
	Date  string `json:"date"`
	Count int64  `json:"count"`
}

// ActorCount counts one actor.
type ActorCount struct {
	AuditActor
	Count int64 `json:"count"`
}

// AuditLogs lists the events that the caller may see.
func (c *Client) AuditLogs(f AuditFilter) List[AuditEntry] {
	return listOf[AuditEntry](c, f, "/api/tenants/audit-logs")
}

// AuditStats counts the events of the last days, today included; 0 is the
// server's 30.
func (c *Client) AuditStats(ctx context.Context, days int, o ...CallOption) (AuditStats, error) {
	q := url.Values{}
	if days != 0 {
		q.Set("days", strconv.Itoa(days))
	}
	return ask[AuditStats](ctx, c, "GET", "/api/tenants/audit-logs/stats", q, nil, o)
}
