package usage_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/admin"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/usage"
)

// news gives what a user was told of usage since the last time: kind and title.
func (w *world) news(u id.User, seen *int) (all []string) {
	w.Helper()
	err := w.d.Read(ctx, func(tx *db.Tx) error {
		l, err := notify.List(tx, u, false, page.Request{Limit: 200})
		for _, n := range l.Data[:len(l.Data)-*seen] {
			if kind, ok := strings.CutPrefix(n.Kind, "usage."); ok {
				all = append(all, kind+" "+strings.SplitN(n.Title, ":", 2)[0])
			}
		}
		*seen = len(l.Data)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func given[T any](v T) patch.Field[T] { return patch.Field[T]{Set: true, Value: v} }

// A threshold that a limit crosses, not use, is told in the commit that moves
// the limit, whichever limit it is: the organization's of any meter, the
// meter's, the group's, or that of another group.
func TestLimitsThatMove(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		boss := boss
		one, two := w.organization(100, 100, "ecommerce"), w.organization(100, 100, "ecommerce")
		w.admin(1, one, two)
		var root id.User
		var gold, silver id.Group
		write(w.T, w.d, func(tx *db.Tx) error {
			u, err := auth.CreateUser(tx, auth.NewUser{Email: "r@b.co", Name: "R", Superadmin: true, EmailVerified: true})
			if err != nil {
				return err
			}
			root, boss.ID = u.ID, int64(u.ID)
			for _, g := range []struct {
				name string
				id   *id.Group
			}{{"Gold", &gold}, {"Silver", &silver}} {
				made, err := partner.Create(tx, boss, partner.New{Name: g.name})
				if err != nil {
					return err
				}
				*g.id = made.ID
			}
			_, err = usage.CreateMeter(tx, boss, usage.NewMeter{Key: "orders", Name: "Orders", Kind: "counter"})
			return err
		})
		for _, o := range []id.Organization{one, two} {
			w.counted(o, "orders", 80)
			w.counted(o, usage.StorageMeter, 40_000_000_000)
			w.counted(o, usage.BandwidthMeter, 50_000_000_000)
		}
		seen := 0
		step := func(what string, f func(tx *db.Tx) error, want ...string) {
			w.Helper()
			write(w.T, w.d, f)
			if got := w.news(root, &seen); !slices.Equal(got, want) {
				w.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
		own := func(o id.Organization, f patch.Field[int64]) func(*db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := usage.SetLimit(tx, boss, o, 1, "orders", usage.LimitPatch{Limit: f})
				return err
			}
		}
		meter := func(key string, limit int64) func(*db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := usage.UpdateMeter(tx, boss, key, usage.MeterPatch{Limit: given(limit)})
				return err
			}
		}
		group := func(g id.Group, p partner.Patch) func(*db.Tx) error {
			return func(tx *db.Tx) error { _, err := partner.Update(tx, boss, g, p); return err }
		}
		join := func(g patch.Field[id.Group]) func(*db.Tx) error {
			return func(tx *db.Tx) error { _, err := admin.Update(tx, boss, 1, admin.Patch{PartnerGroupID: g}); return err }
		}
		step("an own limit far away", own(one, given(int64(101))))
		step("an own limit nearer", own(one, given(int64(100))), "warning Orders")
		step("the same again", own(one, given(int64(99))))
		step("reached", own(one, given(int64(80))), "exceeded Orders")
		step("raised a little", own(one, given(int64(106))))
		step("raised", own(one, given(int64(107))), "back Orders")
		step("each once a month", own(one, given(int64(1))))
		step("no own limit", own(one, patch.Field[int64]{Set: true, Null: true}))

		step("the meter's limit, two is told alone", meter("orders", 100), "warning Orders")
		step("lifted", meter("orders", -1), "back Orders")
		step("seats of all", meter("seats", 1), "exceeded Seats", "exceeded Seats")
		step("storage of all", meter(usage.StorageMeter, 50_000_000_000), "warning Storage", "warning Storage")
		step("storage of all, lifted", meter(usage.StorageMeter, -1), "back Storage", "back Storage")

		step("a group without bounds", join(given(gold)))
		step("a bound", group(gold, partner.Patch{MaxBandwidthGB: given(int64(60))}), "warning Bandwidth", "warning Bandwidth")
		step("a name", group(gold, partner.Patch{Name: given("Golden")}))
		step("one that oversells binds nothing", group(gold, partner.Patch{Oversell: given(true)}), "back Bandwidth", "back Bandwidth")
		w.set(at("2026-12-01T00:00:00Z"))
		for _, o := range []id.Organization{one, two} {
			w.counted(o, usage.BandwidthMeter, 50_000_000_000)
		}
		step("the next month", group(gold, partner.Patch{Oversell: given(false)}), "exceeded Seats", "exceeded Seats", "warning Bandwidth", "warning Bandwidth")
		step("another group", join(given(silver)), "back Bandwidth", "back Bandwidth")
		step("its bound", group(silver, partner.Patch{MaxStorageGB: given(int64(40))}), "exceeded Storage", "exceeded Storage")
		step("deleted, its admins move", func(tx *db.Tx) error { return partner.Delete(tx, boss, silver, gold) }, "back Storage", "back Storage")
		step("no group", join(patch.Field[id.Group]{Set: true, Null: true}))
	})
}

// Many organizations are looked at by a few statements, each once.
func TestLimitOfManyMoves(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		const n = 600
		var root id.User
		boss := boss
		write(w.T, w.d, func(tx *db.Tx) error {
			u, err := auth.CreateUser(tx, auth.NewUser{Email: "r@b.co", Name: "R", Superadmin: true, EmailVerified: true})
			root, boss.ID = u.ID, int64(u.ID)
			for i := range n {
				if err == nil {
					_, err = tx.Exec(`INSERT INTO organizations (name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
						VALUES ('M', 'm', $1, 'active', -1, -1, -1, 1, 0, 1, 0, 0)`, fmt.Sprintf("many-%d", i))
				}
			}
			if err == nil {
				_, err = tx.Exec(`INSERT INTO usage_current (organization_id, meter, period, used, updated_at) SELECT id, 'storage_bytes', 0, id, 0 FROM organizations`)
			}
			return err
		})
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := usage.UpdateMeter(tx, boss, usage.StorageMeter, usage.MeterPatch{Limit: given(int64(500))})
			return err
		})
		var told, unread int64
		err := w.d.Read(ctx, func(tx *db.Tx) (err error) {
			if told, err = db.One(tx, db.Int64, `SELECT COUNT(DISTINCT target_id) FROM notifications WHERE user_id = $1 AND kind LIKE 'usage.%'`, root); err != nil {
				return err
			}
			unread, err = db.One(tx, db.Int64, `SELECT COUNT(*) FROM organizations WHERE id >= 400`)
			return err
		})
		if err != nil || told != unread || told == 0 {
			w.Errorf("got %d organizations told of, %v, want %d", told, err, unread)
		}
	})
}

// Use and a limit that cross each other at the same time are told of, whoever
// commits first: also by the first event of a month.
func TestLimitAndUseCross(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		var root id.User
		write(w.T, w.d, func(tx *db.Tx) error {
			u, err := auth.CreateUser(tx, auth.NewUser{Email: "r@b.co", Name: "R", Superadmin: true, EmailVerified: true})
			root = u.ID
			return err
		})
		seen := 0
		for round := range 40 {
			o := w.organization(-1, -1, "ecommerce")
			value := int64(50_000_000_000)
			var both sync.WaitGroup
			both.Go(func() {
				w.report(sent{ID: fmt.Sprint("cross", round), Source: "ecommerce", Type: usage.BandwidthMeter, Subject: fmt.Sprint(o), Value: &value})
			})
			both.Go(func() {
				write(w.T, w.d, func(tx *db.Tx) error {
					_, err := tx.Exec(`UPDATE organizations SET bandwidth_limit_gb = 40 WHERE id = $1`, o)
					if err == nil {
						err = quota.LimitsChanged(tx, o)
					}
					return err
				})
			})
			both.Wait()
			if got := w.news(root, &seen); !slices.Equal(got, []string{"exceeded Bandwidth"}) {
				w.Fatalf("round %d: got %q, want to hear of it once", round, got)
			}
		}
	})
}
