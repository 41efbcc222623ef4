package client

import (
	"context"
	"fmt"
	"time"
)

// Notification is what one person was told.
type Notification struct {
	ID             int64              `json:"id"`
	Kind           string             `json:"kind"` // credits.added
	Title          string             `json:"title"`
	Body           string             `json:"body"`
	Target         NotificationTarget `json:"target"`
	OrganizationID *int64             `json:"organization_id"`
	AdminID        *int64             `json:"admin_id"`
	Read           bool               `json:"read"`
	ReadAt         *time.Time         `json:"read_at"`
	CreatedAt      time.Time          `json:"created_at"`
}

// NotificationTarget is the thing it is about.
type NotificationTarget struct {
	Type string `json:"type"`
	ID   int64  `json:"id"`
}

// NotificationFilter narrows a list of notifications.
type NotificationFilter struct {
	UnreadOnly bool `query:"unread_only"`
}

type unreadCount struct {
	Unread int64 `json:"unread"`
}

type updatedCount struct {
	Updated int64 `json:"updated"`
}

// Notifications lists the caller's notifications.
func (c *Client) Notifications(f NotificationFilter) List[Notification] {
	return listOf[Notification](c, f, "/api/tenants/notifications")
}

// UnreadCount is how many of them are unread, exactly.
func (c *Client) UnreadCount(ctx context.Context, o ...CallOption) (int64, error) {
	n, err := do[unreadCount](ctx, c, "GET", "/api/tenants/notifications/unread-count", nil, o)
	return n.Unread, err
}

// ReadNotification marks one as read.
func (c *Client) ReadNotification(ctx context.Context, notification int64, o ...CallOption) (Notification, error) {
	return do[Notification](ctx, c, "POST", fmt.Sprintf("/api/tenants/notifications/%d/read", notification), nil, o)
}

// ReadAllNotifications marks all as read and gives how many were not.
func (c *Client) ReadAllNotifications(ctx context.Context, o ...CallOption) (int64, error) {
	n, err := do[updatedCount](ctx, c, "POST", "/api/tenants/notifications/read-all", nil, o)
	return n.Updated, err
}
