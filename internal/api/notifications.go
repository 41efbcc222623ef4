package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/quota"
)

// notificationRoutes are what a user is told.
func (s *Server) notificationRoutes() []route {
	at := func(method, path, oid, summary string, may auth.Permission) op {
		return op{Method: method, Path: "/api/tenants/notifications" + path, ID: oid, Tag: "Notifications", Summary: summary, May: may}
	}
	live := at("GET", "/stream", "stream-notifications", "Follow the own notifications live, as Server-Sent Events", auth.Notifications)
	live.Description = "Each event carries the unread count. An event `changed` says that something which the caller's lists show has changed: of many changes in a row, one every two seconds. Last-Event-ID resumes without a gap, and begins with a `changed`."
	return []route{
		read(at("GET", "", "list-notifications", "List notifications", auth.Notifications),
			func(tx *db.Tx, c *Call, in *struct {
				ListInput
				UnreadOnly bool `query:"unread_only" doc:"Leave out what was read."`
			}) (page.List[notify.Notification], error) {
				r, err := in.page()
				if err != nil {
					return page.List[notify.Notification]{}, err
				}
				return notify.List(tx, c.Principal.User.ID, in.UnreadOnly, r)
			}),
		read(at("GET", "/unread-count", "unread-count", "Get unread count", auth.Notifications),
			func(tx *db.Tx, c *Call, _ *struct{}) (unreadCount, error) {
				n, err := notify.Unread(tx, c.Principal.User.ID)
				return unreadCount{n}, err
			}),
		stream(live, s.streamNotifications),
		change(at("POST", "/{id}/read", "read-notification", "Mark as read", auth.Notified),
			func(tx *db.Tx, c *Call, _ *struct{}) (notify.Notification, error) {
				return notify.MarkRead(tx, c.Principal.User.ID, id.Notification(c.ID("id")))
			}),
		change(at("POST", "/read-all", "read-all-notifications", "Mark all as read", auth.Notified),
			func(tx *db.Tx, c *Call, _ *struct{}) (updatedCount, error) {
				n, err := notify.MarkAllRead(tx, c.Principal.User.ID)
				return updatedCount{n}, err
			}),
	}
}

type unreadCount struct {
	Unread int64 `json:"unread"`
}

type updatedCount struct {
	Updated int64 `json:"updated"`
}

// streamNotifications writes events until the client leaves, the server stops
// or the session ends.
func (s *Server) streamNotifications(w http.ResponseWriter, r *http.Request, c *Call) error {
	after, err := s.resumeAt(r, c)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return nil
	}
	out := events{w, http.NewResponseController(w)}
	if err := out.send("retry: 2000\n\n"); err != nil {
		return nil //nolint:nilerr // the client has left
	}
	_ = notify.Follow(r.Context(), s.DB.In(c.Principal.Scope()), c.Principal.User.ID, after, notify.Feed{
		Emit: func(e notify.Event) error {
			if _, err := s.Auth.Authenticate(r.Context(), c.token); err != nil {
				return err
			}
			return out.event(e)
		},
		Idle: func() error {
			if _, err := s.Auth.Authenticate(r.Context(), c.token); err != nil {
				return err
			}
			return out.send(": still here\n\n")
		},
		Doubt: func() error { return s.Auth.Confirm(r.Context(), c.Principal) },
		Watch: auth.Topic, Stop: s.Stopping,
		Changes: changes(c.Principal), Resumed: r.Header.Get("Last-Event-ID") != "",
	})
	return nil
}

// changes are the notices of what p's lists show: what was done in the tenants
// that it has a role in, and what they spent and used, of which no event is kept.
func changes(p *auth.Principal) map[string]func(string) bool {
	seen := auth.Visible(auth.OrganizationUsage, p)
	all := audit.Visibility{All: seen.All, Admins: seen.Admins, Organizations: seen.Organizations}
	return map[string]func(string) bool{
		audit.Done:  all.Concerns,
		quota.Topic: func(organization string) bool { return organization == "" || all.Concerns(organization+":") },
	}
}

// events is a stream of Server-Sent Events.
type events struct {
	w    http.ResponseWriter
	conn *http.ResponseController
}

func (s events) event(e notify.Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	kind := "unread"
	switch {
	case e.Changed:
		kind = "changed"
	case e.Notification != nil:
		kind = "notification"
	}
	return s.send("id: %d\nevent: %s\ndata: %s\n\n", e.At, kind, b)
}

func (s events) send(format string, args ...any) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.w, format, args...); err != nil {
		return err
	}
	return s.conn.Flush()
}

// streamPatience is how long a client may take to read an event.
const streamPatience = 20 * time.Second

// resumeAt is where a stream begins: after Last-Event-ID, else from now on. An
// id that nobody was given yet would be waited for in silence: it means now.
func (s *Server) resumeAt(r *http.Request, c *Call) (after id.Notification, err error) {
	err = s.DB.In(c.Principal.Scope()).Read(r.Context(), func(tx *db.Tx) (err error) {
		after, err = notify.Newest(tx, c.Principal.User.ID)
		return err
	})
	if n, e := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); e == nil && n >= 0 {
		after = min(after, id.Notification(n))
	}
	return after, err
}
