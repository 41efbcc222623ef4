package usage_test

import (
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/usage"
)

// Near a limit is whoever is at 80 % now, by the limits that hold now, within
// the caller's reach.
func TestPressure(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		low, high, full := w.organization(10, 10, "ecommerce"), w.organization(10, 10, "ecommerce"), w.organization(10, 10, "ecommerce")
		write(w.T, w.d, func(tx *db.Tx) error {
			for _, q := range []string{
				`INSERT INTO admins (id, name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at) VALUES (1, 'A', 'a', 'a@b.co', '', 'r', 1, 1, 0, 0)`,
				fmt.Sprintf(`UPDATE organizations SET admin_id = 1 WHERE id = %d`, full),
			} {
				if _, err := tx.Exec(q); err != nil {
					return err
				}
			}
			return nil
		})
		w.counted(low, "storage_bytes", 7_900_000_000)
		w.counted(high, "storage_bytes", 8_000_000_000)
		w.counted(high, "bandwidth_bytes", 9_000_000_000)
		w.counted(full, "storage_bytes", 10_000_000_000)
		near := func(of auth.Reach, most int) string {
			var p usage.Pressure
			if err := w.d.Read(ctx, func(tx *db.Tx) (err error) { p, err = usage.PressureOf(tx, of, most); return err }); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprint(p.Total)
			for _, x := range p.Data {
				text += fmt.Sprintf(" %d:%s=%g/%s", x.OrganizationID, x.Meter, x.Percent, x.State)
			}
			return text
		}
		wants := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
		all := auth.Reach{All: true}
		wants("all", near(all, 10), fmt.Sprintf("3 %d:storage_bytes=100/warning %d:bandwidth_bytes=90/warning %d:storage_bytes=80/warning", full, high, high))
		wants("the first", near(all, 1), fmt.Sprintf("3 %d:storage_bytes=100/warning", full))
		wants("an admin's", near(auth.Reach{Admins: []id.Admin{1}}, 10), fmt.Sprintf("1 %d:storage_bytes=100/warning", full))
		wants("nobody's", near(auth.Reach{}, 10), "0")
		w.set(at("2026-12-01T12:00:00Z"))
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organizations SET storage_limit_gb = 5 WHERE id = $1`, high)
			return err
		})
		wants("in the next month, with another limit", near(all, 10), fmt.Sprintf("2 %d:storage_bytes=160/exceeded %d:storage_bytes=100/warning", high, full))
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organizations SET status = 'archived' WHERE id = $1`, high)
			return err
		})
		wants("of those that are not archived", near(all, 10), fmt.Sprintf("1 %d:storage_bytes=100/warning", full))
	})
}
