package admin

import (
	"fmt"
	"math"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

const userColumns = `u.id, u.email, u.name, au.role, u.status, au.created_at`

const fromUsers = ` FROM admin_users au JOIN users u ON u.id = au.user_id WHERE au.admin_id = $1 `

func scanUser(r db.Row) (u User, err error) {
	return u, r.Scan(&u.UserID, &u.Email, &u.Name, &u.Role, &u.Status, &u.CreatedAt)
}

func users(tx *db.Tx, admin id.Admin, q string, r page.Request) (page.List[User], error) {
	after := r.After
	if after == (page.Position{}) {
		after = page.Position{At: math.MaxInt64, ID: math.MaxInt64}
	}
	const found = `AND (u.name_key LIKE $2 ESCAPE '\' OR u.email_key LIKE $3 ESCAPE '\') `
	like := text.Like(q)
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*)`+fromUsers+found, admin, like, like)
	if err != nil {
		return page.List[User]{}, fmt.Errorf("count an admin's users: %w", err)
	}
	rows, err := db.All(tx, scanUser, `SELECT `+userColumns+fromUsers+found+`AND (au.created_at, au.user_id) < ($4, $5)
		ORDER BY au.created_at DESC, au.user_id DESC`+r.Rows(), admin, like, like, after.At, after.ID)
	if err != nil {
		return page.List[User]{}, fmt.Errorf("list an admin's users: %w", err)
	}
	return page.Of(r, rows, total, func(u User) page.Position {
		return page.Position{At: int64(u.CreatedAt), ID: int64(u.UserID)}
	}), nil
}

func user(tx *db.Tx, admin id.Admin, one id.User) (User, error) {
	u, err := db.One(tx, scanUser, `SELECT `+userColumns+fromUsers+`AND au.user_id = $2`, admin, one)
	return u, missing(err, "read an admin's user")
}

// userIDs gives the people to tell; an admin with more than a thousand tells
// the owner and those who joined first.
func userIDs(tx *db.Tx, admin id.Admin) ([]id.User, error) {
	all, err := db.All(tx, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) },
		`SELECT user_id FROM admin_users WHERE admin_id = $1 ORDER BY role, created_at, user_id LIMIT 1000`, admin)
	if err != nil {
		return nil, fmt.Errorf("read an admin's users: %w", err)
	}
	return all, nil
}

// concerned gives whom a suspension of the admin concerns: its users, and the
// owners of its organizations, of which at most 10,000 are told.
func concerned(tx *db.Tx, admin id.Admin) ([]id.User, error) {
	own, err := userIDs(tx, admin)
	if err != nil {
		return nil, err
	}
	owners, err := db.All(tx, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) },
		`SELECT DISTINCT owner_user_id FROM organizations WHERE admin_id = $1 AND owner_user_id IS NOT NULL AND status <> 'archived'
		ORDER BY owner_user_id LIMIT 10000`, admin)
	if err != nil {
		return nil, fmt.Errorf("read the owners of an admin's organizations: %w", err)
	}
	return append(own, owners...), nil
}

// lockUser keeps an active user from being given to another admin meanwhile;
// db.ErrNoRows where there is none.
func lockUser(tx *db.Tx, user id.User) error {
	_, err := db.One(tx, db.Int64, `UPDATE users SET version = version WHERE id = $1 AND status = 'active' RETURNING id`, user)
	return err
}

func owns(tx *db.Tx, user id.User) (bool, error) {
	n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM admin_users WHERE user_id = $1 AND role = 'owner'`, user)
	if err != nil {
		return false, fmt.Errorf("look for an owner's admin: %w", err)
	}
	return n > 0, nil
}

// setOwner runs under the locks of the admin and the user, so that neither
// unique index of owners can be violated.
func setOwner(tx *db.Tx, admin id.Admin, user id.User) error {
	_, err := tx.Exec(`UPDATE admin_users SET role = 'staff' WHERE admin_id = $1 AND role = 'owner'`, admin)
	if err == nil {
		_, err = tx.Exec(`INSERT INTO admin_users (admin_id, user_id, role, created_at) VALUES ($1, $2, 'owner', $3)
			ON CONFLICT (admin_id, user_id) DO UPDATE SET role = 'owner'`, admin, user, tx.Now)
	}
	if err == nil {
		_, err = tx.Exec(`UPDATE admins SET version = version + 1, updated_at = $1 WHERE id = $2`, tx.Now, admin)
	}
	if err != nil {
		return fmt.Errorf("assign an owner: %w", err)
	}
	return nil
}

func insertStaff(tx *db.Tx, admin id.Admin, user id.User) (added bool, err error) {
	n, err := tx.Exec(`INSERT INTO admin_users (admin_id, user_id, role, created_at) VALUES ($1, $2, 'staff', $3)
		ON CONFLICT (admin_id, user_id) DO NOTHING`, admin, user, tx.Now)
	if err != nil {
		return false, fmt.Errorf("add staff: %w", err)
	}
	return n == 1, nil
}

func deleteStaff(tx *db.Tx, admin id.Admin, user id.User) error {
	if _, err := tx.Exec(`DELETE FROM admin_users WHERE admin_id = $1 AND user_id = $2`, admin, user); err != nil {
		return fmt.Errorf("remove staff: %w", err)
	}
	return nil
}
