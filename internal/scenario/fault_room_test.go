package scenario

import (
	"fmt"
	"sync"
	"testing"

	tenantry "github.com/tenantry/tenantry/client"
)

// processes are as many of the product as the engine takes, on one database, and
// root's client of each.
func processes(t *testing.T, engine string) []*tenantry.Client {
	t.Helper()
	database := engines[engine].empty(t)
	all := []*tenantry.Client{bootstrapped(t, database).as(t, rootEmail)}
	if engine == "postgres" {
		all = append(all, bootstrapped(t, database).as(t, rootEmail))
	}
	return all
}

// atOnce does n things side by side and counts their codes.
func atOnce(n int, f func(n int) error) map[string]int {
	var mu sync.Mutex // guards got
	got := map[string]int{}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			err := f(i)
			mu.Lock()
			defer mu.Unlock()
			got[tenantry.Code(err)]++
		})
	}
	all.Wait()
	return got
}

// Two hundred invitations at once for one free seat, on all processes: one
// succeeds.
func TestOneSeatForTwoHundred(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			roots := processes(t, engine)
			root := roots[0]
			org := founded(t, root, "acme")
			if _, err := root.SetLimits(t.Context(), org, tenantry.Limits{MaxUsers: tenantry.Set(int64(2))}); err != nil {
				t.Fatal(err)
			}
			got := atOnce(200, func(n int) error {
				_, err := roots[n%len(roots)].Invite(t.Context(), org, tenantry.NewInvitation{Email: fmt.Sprintf("p%d@acme.example", n), Role: "member"})
				return err
			})
			if got[""] != 1 || got["limit_exceeded"] != 199 {
				t.Errorf("got %v, want one, and 199 limit_exceeded", got)
			}
			u, err := root.Usage(t.Context(), org)
			if err != nil || u.Users.Used+u.Users.Invited != 2 || *u.Users.Remaining != 0 {
				t.Errorf("got %+v, %v", u.Users, err)
			}
		})
	}
}

// A hundred reservations of storage at once where there is room for ten, on all
// processes: ten succeed.
func TestRoomForTen(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			database := engines[engine].empty(t)
			servers := []*server{bootstrapped(t, database)}
			if engine == "postgres" {
				servers = append(servers, bootstrapped(t, database))
			}
			root := servers[0].as(t, rootEmail)
			org := founded(t, root, "acme")
			if _, err := root.EditOrganization(t.Context(), org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{"ecommerce"}), StorageLimitGB: tenantry.Set(int64(1))}); err != nil {
				t.Fatal(err)
			}
			var shops []*tenantry.Client
			key := service(t, root, "usage:write")
			for _, s := range servers {
				shops = append(shops, s.api(t, tenantry.WithToken(key)))
			}
			got := atOnce(100, func(n int) error {
				_, err := shops[n%len(shops)].Reserve(t.Context(), org, tenantry.NewReservation{Plugin: "ecommerce", Meter: tenantry.StorageBytes, Quantity: 100_000_000})
				return err
			})
			if got[""] != 10 || got["limit_exceeded"] != 90 {
				t.Errorf("got %v, want ten, and 90 limit_exceeded", got)
			}
			l, err := root.UsageLimits(t.Context(), org)
			for _, m := range l.Data {
				if m.Meter == tenantry.StorageBytes && (m.Reserved != 1_000_000_000 || *m.Remaining != 0) {
					t.Errorf("got %+v", m)
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}
