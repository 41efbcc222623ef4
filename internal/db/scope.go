package db

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tenantry/tenantry/internal/id"
)

// Scope says whose rows the statements of a handle may touch. PostgreSQL holds
// every statement to it by row-level security, behind whatever the program
// itself checks: the policies stand in migration 0009. The zero value reaches
// no tenant's row. SQLite, a file of one process, has no such wall.
type Scope struct{ setting string }

// Platform reaches every row: what signs people in, works in the background,
// or acts for the platform's own staff. Which code may say so is a closed list,
// see internal/arch.
var Platform = Scope{"platform"}

// setting is the PostgreSQL parameter that the policies read.
const setting = "tenantry.scope"

// Reach is what a tenant's scope is made of.
type Reach struct {
	// User is the person who acts; zero for a service.
	User id.User
	// Organizations are those reached by belonging to them.
	Organizations []id.Organization
	// Admins are reached with all their organizations.
	Admins []id.Admin
	// Parents are the admins of Organizations: only what is said of an admin
	// itself is reached, none of its other organizations and not its credits.
	Parents []id.Admin
}

// Tenant is the scope of one caller.
func Tenant(r Reach) Scope {
	b := append(make([]byte, 0, 96), "tenant "...)
	b = strconv.AppendInt(b, int64(r.User), 10)
	b = appendIDs(b, r.Organizations)
	b = appendIDs(b, r.Admins)
	b = appendIDs(b, r.Parents)
	return Scope{string(b)}
}

// appendIDs writes the ids as PostgreSQL reads an array.
func appendIDs[T id.Any](b []byte, ids []T) []byte {
	b = append(b, " {"...)
	for i, v := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(v), 10)
	}
	return append(b, '}')
}

// In gives a handle on the same database whose statements are held to s.
func (d *DB) In(s Scope) *DB { return &DB{store: d.store, scope: s} }

// Scope is what the statements of this handle are held to.
func (d *DB) Scope() Scope { return d.scope }

// begin opens a transaction in the scope, in one round trip.
func (s Scope) begin(ctx context.Context, c *pgxpool.Conn) (pgx.Tx, error) {
	if spoken(c) == s.setting {
		return c.Begin(ctx)
	}
	return c.BeginTx(ctx, pgx.TxOptions{BeginQuery: "begin; set local " + setting + " = '" + s.setting + "'"})
}

// unsure is said of a connection whose scope is not known; no scope is like it.
const unsure = "?"

// spoken is the scope that a connection was last set to.
func spoken(c *pgxpool.Conn) string {
	s, _ := c.Conn().PgConn().CustomData()[setting].(string)
	return s
}

func speak(c *pgxpool.Conn, s string) { c.Conn().PgConn().CustomData()[setting] = s }

// ask runs a query on c in the scope: where c was last set to another, the
// setting travels with the query, so it costs no round trip. The answer gives
// no connection back.
func (s Scope) ask(ctx context.Context, c *pgxpool.Conn, query string, args []any) (*fetched, error) {
	if spoken(c) == s.setting {
		return ask(ctx, c, query, args)
	}
	var both pgx.Batch
	both.Queue("SELECT set_config('"+setting+"', $1, false)", s.setting)
	both.Queue(query, plain(args)...)
	speak(c, unsure) // until both have run: a failure undoes the setting
	sent := c.SendBatch(ctx, &both)
	if _, err := sent.Exec(); err != nil {
		_ = sent.Close()
		return nil, err
	}
	found, err := sent.Query()
	a, err := first(found, err)
	if err != nil {
		_ = sent.Close()
		return nil, err
	}
	a.close = func() error {
		err := sent.Close()
		if err == nil {
			speak(c, s.setting)
		}
		return err
	}
	return a, nil
}
