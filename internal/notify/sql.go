package notify

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

func insert(tx *db.Tx, u id.User, m Message) error {
	_, err := tx.Exec(`INSERT INTO notifications (user_id, organization_id, admin_id, kind, title, body, target_type, target_id, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		u, id.Ref(m.Organization), id.Ref(m.Admin), m.Kind, m.Title, m.Body, m.Target.Type, m.Target.ID, tx.Now)
	return err
}

// count moves a user's counters and holds their lock until tx ends.
func count(tx *db.Tx, u id.User, total, unread int64) error {
	_, err := tx.Exec(`INSERT INTO notification_counts (user_id, total, unread) VALUES ($1, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET total = notification_counts.total + excluded.total, unread = notification_counts.unread + excluded.unread`,
		u, total, unread)
	return err
}

func counts(tx *db.Tx, u id.User) (total, unread int64, err error) {
	_, err = db.One(tx, func(r db.Row) (n int64, err error) { return 0, r.Scan(&total, &unread) },
		`SELECT total, unread FROM notification_counts WHERE user_id = $1`, u)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return total, unread, err
}

const columns = `id, kind, title, body, target_type, target_id, organization_id, admin_id, read_at, created_at`

func scan(r db.Row) (n Notification, err error) {
	var target *int64
	err = r.Scan(&n.ID, &n.Kind, &n.Title, &n.Body, &n.Target.Type, &target, &n.OrganizationID, &n.AdminID, &n.ReadAt, &n.CreatedAt)
	n.Target.ID, n.Read = id.Val(target), n.ReadAt != nil
	return n, err
}

func list(tx *db.Tx, u id.User, unreadOnly bool, r page.Request) ([]Notification, error) {
	after := r.After
	if after == (page.Position{}) {
		after.At = 1 << 62
	}
	query := `SELECT ` + columns + ` FROM notifications WHERE user_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC`
	if unreadOnly {
		query = `SELECT ` + columns + ` FROM notifications WHERE user_id = $1 AND read_at IS NULL AND (created_at, id) < ($2, $3)
			ORDER BY created_at DESC, id DESC`
	}
	return db.All(tx, scan, query+r.Rows(), u, after.At, after.ID)
}

func one(tx *db.Tx, u id.User, n id.Notification) (Notification, error) {
	return db.One(tx, scan, `SELECT `+columns+` FROM notifications WHERE id = $1 AND user_id = $2`, n, u)
}

// since gives what a user was told after a notification, oldest first.
func since(tx *db.Tx, u id.User, after id.Notification, limit int) ([]Notification, error) {
	return db.All(tx, scan, `SELECT `+columns+` FROM notifications WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3`, u, after, limit)
}

func newest(tx *db.Tx, u id.User) (id.Notification, error) {
	n, err := db.One(tx, db.Int64, `SELECT id FROM notifications WHERE user_id = $1 ORDER BY id DESC LIMIT 1`, u)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return id.Notification(n), err
}

func markRead(tx *db.Tx, u id.User, n id.Notification) error {
	_, err := tx.Exec(`UPDATE notifications SET read_at = $1 WHERE id = $2 AND user_id = $3 AND read_at IS NULL`, tx.Now, n, u)
	return err
}

func markAllRead(tx *db.Tx, u id.User) (int64, error) {
	return tx.Exec(`UPDATE notifications SET read_at = $1 WHERE user_id = $2 AND read_at IS NULL`, tx.Now, u)
}

// most bounds an audience.
const most = ` ORDER BY u.id LIMIT 1000`

func scanUser(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }

func superadmins(tx *db.Tx) ([]id.User, error) {
	return db.All(tx, scanUser, `SELECT u.id FROM users u WHERE u.superadmin AND u.status = 'active'`+most)
}

func adminUsers(tx *db.Tx, a id.Admin) ([]id.User, error) {
	return db.All(tx, scanUser, `SELECT u.id FROM users u JOIN admin_users x ON x.user_id = u.id WHERE x.admin_id = $1 AND u.status = 'active'`+most, a)
}

func organizationOwners(tx *db.Tx, o id.Organization) ([]id.User, error) {
	return db.All(tx, scanUser, `SELECT u.id FROM users u JOIN memberships m ON m.user_id = u.id
		WHERE m.organization_id = $1 AND m.role = 'owner' AND u.status = 'active'`+most, o)
}
