package registration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/registration"
)

func TestStatistics(t *testing.T) {
	each(t, func(w *world) {
		ids := []id.Request{}
		for i, source := range []string{"fair", "fair", "", "ads"} {
			r := w.registered(registration.Input{Email: fmt.Sprintf("p%d@stats.example", i), Password: "seven green bottles", CompanyName: fmt.Sprintf("Stats %d", i),
				ContactName: "Pat", UTMSource: source})
			ids = append(ids, r.ID)
		}
		if _, err := w.approve(ids[0], registration.Approval{Provision: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.approve(ids[1], registration.Approval{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.reject(ids[3], "no"); err != nil {
			t.Fatal(err)
		}
		// An old request counts no more than its days.
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE registration_requests SET created_at = $1 WHERE id = $2`, tx.Now.Add(-5*24*time.Hour), ids[2])
			return err
		})
		var s registration.Stats
		count := func(days int) {
			w.read(func(tx *db.Tx) (err error) {
				s, err = registration.Statistics(tx, days)
				return err
			})
		}
		count(3)
		if want := (registration.Reached{Submitted: 3, Approved: 2, Active: 1, Rejected: 1}); s.Reached != want || len(s.ByDay) != 3 {
			t.Errorf("three days: got %+v of %d days, want %+v", s.Reached, len(s.ByDay), want)
		}
		if len(s.ByCampaign) != 2 || *s.ByCampaign[0].UTMSource != "fair" || s.ByCampaign[0].Submitted != 2 || s.ByCampaign[0].Active != 1 {
			t.Errorf("by campaign: got %+v", s.ByCampaign)
		}
		count(30)
		if s.Submitted != 4 || s.ByCampaign[2].UTMSource != nil || s.ByCampaign[2].Submitted != 1 {
			t.Errorf("thirty days: got %+v", s)
		}
		for _, days := range []int{0, 366} {
			w.read(func(tx *db.Tx) error {
				if _, err := registration.Statistics(tx, days); err == nil {
					t.Errorf("%d days: it counted", days)
				}
				return nil
			})
		}
	})
}
