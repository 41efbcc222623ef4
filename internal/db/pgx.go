package db

import (
	"context"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// querier is what runs a statement on PostgreSQL: a pool, a connection or a
// transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
}

// shared runs the statements of Read, each on any connection of the pool.
type shared struct {
	pool  *pgxpool.Pool
	scope Scope
}

func (s shared) exec(context.Context, string, []any) (int64, error) { return 0, errReadOnly }

// query tries once more on another connection when the first was dead.
func (s shared) query(ctx context.Context, query string, args []any) (rows, error) {
	found, err := s.once(ctx, query, args)
	if err != nil && disconnected(err) && ctx.Err() == nil {
		found, err = s.once(ctx, query, args)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (s shared) once(ctx context.Context, query string, args []any) (*fetched, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.scope.ask(ctx, conn, query, args)
	if err != nil {
		conn.Release()
		return nil, err
	}
	found.from = conn
	return found, nil
}

// inTx runs the statements of Write.
type inTx struct{ tx pgx.Tx }

func (t inTx) exec(ctx context.Context, query string, args []any) (int64, error) {
	tag, err := t.tx.Exec(ctx, query, plain(args)...)
	return tag.RowsAffected(), err
}

func (t inTx) query(ctx context.Context, query string, args []any) (rows, error) {
	found, err := ask(ctx, t.tx, query, args)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// send runs statements in one round trip.
func (t inTx) send(ctx context.Context, all []change) pgx.BatchResults {
	var b pgx.Batch
	for _, c := range all {
		b.Queue(c.query, plain(c.args)...)
	}
	return t.tx.SendBatch(ctx, &b)
}

// onConn runs the statements of a leader's Read.
type onConn struct {
	conn  *pgxpool.Conn
	scope Scope
}

func (c onConn) exec(context.Context, string, []any) (int64, error) { return 0, errReadOnly }

func (c onConn) query(ctx context.Context, query string, args []any) (rows, error) {
	found, err := c.scope.ask(ctx, c.conn, query, args)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// fetched is the result of a query on PostgreSQL, of which the first row has
// come.
type fetched struct {
	pgx.Rows
	first, asked bool
	close        func() error  // of what travelled with the query; may be nil
	from         *pgxpool.Conn // given back at the end; may be nil
}

// ask runs a query and waits for its first row, so that an error of the
// statement is an error of ask.
func ask(ctx context.Context, on querier, query string, args []any) (*fetched, error) {
	return first(on.Query(ctx, query, plain(args)...))
}

func first(found pgx.Rows, err error) (*fetched, error) {
	if err != nil {
		return nil, err
	}
	a := &fetched{Rows: found, first: found.Next()}
	if !a.first {
		if err := found.Err(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *fetched) Next() bool {
	if !a.asked {
		a.asked = true
		return a.first
	}
	return a.Rows.Next()
}

func (a *fetched) Close() (err error) {
	a.Rows.Close()
	if a.close != nil {
		err = a.close()
	}
	if a.from != nil {
		a.from.Release()
	}
	return err
}

// plain gives arguments as the types that PostgreSQL knows, whatever names
// they go by here.
func plain(args []any) []any {
	all := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case nil, int64, string, bool, []byte, []int64, []string, []*int64, []*string, []*bool, [][]byte:
			all[i] = v
		case Time:
			all[i] = int64(v)
		default:
			all[i] = bare(reflect.ValueOf(a))
		}
	}
	return all
}

func bare(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return bare(v.Elem())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	}
	return v.Interface()
}
