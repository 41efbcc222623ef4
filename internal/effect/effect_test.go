package effect_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/effect"
)

var errRehearsed = errors.New("rolled back")

func TestEffectsAddUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			if effect.Wanted(tx) {
				t.Error("wanted before it was")
			}
			effect.Want(tx)
			for i := range int64(effect.Most + 5) {
				effect.Add(tx, effect.Users, i)
				who := effect.Party{Type: "admin", ID: i, Name: "A"}
				effect.Name(tx, who)
				effect.Exceed(tx, effect.Beyond(who, "max_users", 2, 2+i))
			}
			effect.Add(tx, effect.APIKeys, 0)
			e, sum := effect.Of(tx), effect.Sum(tx)
			if !effect.Wanted(tx) || e.Users != 104*105/2 || len(e.Hit) != effect.Most || len(e.Over) != effect.Most || e.Over[7].Over != 7 {
				t.Errorf("got %+v", e)
			}
			if len(sum) != 4 || sum[effect.Users] != e.Users {
				t.Errorf("the counts: got %v, want four", sum)
			}
			return errRehearsed
		})
		if !errors.Is(err, errRehearsed) {
			t.Error(err)
		}
		err = d.Write(context.Background(), func(tx *db.Tx) error {
			if e := effect.Of(tx); effect.Wanted(tx) || e.Users != 0 || e.Hit != nil {
				t.Errorf("left from another transaction: %+v", e)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
