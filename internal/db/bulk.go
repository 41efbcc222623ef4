package db

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// bulkRows bounds the rows of one statement on SQLite.
const bulkRows = 64

// change is a statement of InsertMany or UpdateMany.
type change struct {
	query string
	args  []any
	rows  int // that it must find
}

// Together runs what f inserts and updates by InsertMany and UpdateMany. On
// PostgreSQL all of it travels in one round trip after f has returned, so f
// cannot see it.
func (tx *Tx) Together(f func() error) error {
	if tx.db.engine != Postgres {
		return f()
	}
	tx.held = []change{}
	err := f()
	all := tx.held
	tx.held = nil
	if err != nil || len(all) == 0 {
		return err
	}
	if !tx.write {
		return errReadOnly
	}
	for _, c := range all {
		if err := tx.start(c.query, c.args); err != nil {
			return err
		}
	}
	return tx.send(all)
}

// send runs changes in one round trip.
func (tx *Tx) send(all []change) error {
	sent := tx.on.(inTx).send(tx.ctx, all)
	defer sent.Close()
	for _, c := range all {
		tag, err := sent.Exec()
		if err != nil {
			return tx.broken(c.query, err)
		}
		if err := c.found(tag.RowsAffected()); err != nil {
			return err
		}
	}
	if err := sent.Close(); err != nil {
		return tx.broken(all[len(all)-1].query, err)
	}
	return nil
}

// run is one change now, or by Together.
func (tx *Tx) run(c change) error {
	if tx.held != nil {
		tx.held = append(tx.held, c)
		return nil
	}
	n, err := tx.Exec(c.query, c.args...)
	if err != nil {
		return err
	}
	return c.found(n)
}

func (c change) found(n int64) error {
	if n != int64(c.rows) {
		return fmt.Errorf("db: %d of %d rows were there\nin %s", n, c.rows, c.query)
	}
	return nil
}

// InsertMany appends rows to a table, each with a value a column, in few round
// trips whatever their number. The values of a column are of one type in all
// rows; a pointer may be nil. Table and columns are the program's own words.
func (tx *Tx) InsertMany(table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	into := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") "
	if tx.db.engine == Postgres {
		from, args := unnest(columns, rows)
		return tx.run(change{into + "SELECT * FROM " + from, args, len(rows)})
	}
	for len(rows) > 0 {
		n := chunk(len(rows))
		if err := tx.run(change{into + "VALUES " + places(n, len(columns)), flat(rows[:n]), n}); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// UpdateMany sets columns of rows that are known by their id, the first value
// of each, in few round trips. That one is not there is an error.
func (tx *Tx) UpdateMany(table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	set := make([]string, len(columns))
	if tx.db.engine == Postgres {
		for i, c := range columns {
			set[i] = c + " = v." + c
		}
		from, args := unnest(append([]string{"id"}, columns...), rows)
		return tx.run(change{"UPDATE " + table + " SET " + strings.Join(set, ", ") + " FROM " + from + " WHERE " + table + ".id = v.id", args, len(rows)})
	}
	for i, c := range columns { // SQLite calls the columns of VALUES so
		set[i] = c + " = v.column" + strconv.Itoa(i+2)
	}
	query := "UPDATE " + table + " SET " + strings.Join(set, ", ") + " FROM (VALUES "
	for len(rows) > 0 {
		n := chunk(len(rows))
		err := tx.run(change{query + places(n, len(columns)+1) + ") AS v WHERE " + table + ".id = v.column1", flat(rows[:n]), n})
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// chunk is how many of n rows go into one statement on SQLite: a power of two,
// so that few texts exist.
func chunk(n int) int {
	c := bulkRows
	for c > n {
		c /= 2
	}
	return c
}

// places writes n lists of placeholders for so many columns. They have no
// names: SQLite looks a name up among all of them, for each value.
func places(n, columns int) string {
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	return row + strings.Repeat(", "+row, n-1)
}

func flat(rows [][]any) []any {
	all := make([]any, 0, len(rows)*len(rows[0]))
	for _, r := range rows {
		all = append(all, r...)
	}
	return all
}

// unnest turns rows into the arrays of their columns, and names them as a table
// v for PostgreSQL.
func unnest(columns []string, rows [][]any) (from string, args []any) {
	kinds := make([]string, len(columns))
	for j := range columns {
		array, kind := column(rows, j)
		args = append(args, array)
		kinds[j] = fmt.Sprintf("$%d::%s[]", j+1, kind)
	}
	return "unnest(" + strings.Join(kinds, ", ") + ") AS v(" + strings.Join(columns, ", ") + ")", args
}

// column gathers the values of a column as an array of PostgreSQL's type.
func column(rows [][]any, j int) (array any, kind string) {
	t := reflect.TypeOf(rows[0][j])
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return gather(rows, j, reflect.Value.String), "text"
	case reflect.Bool:
		return gather(rows, j, reflect.Value.Bool), "boolean"
	case reflect.Slice:
		all := make([][]byte, len(rows))
		for i, r := range rows {
			all[i], _ = r[j].([]byte)
		}
		return all, "bytea"
	}
	return gather(rows, j, reflect.Value.Int), "bigint"
}

// gather reads the values of a column; nil is a nil pointer.
func gather[T any](rows [][]any, j int, read func(reflect.Value) T) []*T {
	values, all := make([]T, len(rows)), make([]*T, len(rows))
	for i, r := range rows {
		v := reflect.ValueOf(r[j])
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				continue
			}
			v = v.Elem()
		}
		values[i] = read(v)
		all[i] = &values[i]
	}
	return all
}

// Want asks for the ids of so many rows of a table.
type Want struct {
	Table string
	N     int
}

// Reserve gives ids that the tables will not give to others, rising in each,
// for rows that must know theirs before they are inserted.
func (tx *Tx) Reserve(wants ...Want) ([][]int64, error) {
	all := make([][]int64, len(wants))
	if tx.db.engine == Postgres {
		tables, numbers := make([]string, len(wants)), make([]int64, len(wants))
		for i, w := range wants {
			tables[i], numbers[i] = w.Table, int64(w.N)
		}
		_, err := All(tx, func(r Row) (struct{}, error) {
			var i, n int64
			err := r.Scan(&i, &n)
			if err == nil {
				all[i-1] = append(all[i-1], n)
			}
			return struct{}{}, err
		}, `WITH w AS MATERIALIZED (SELECT pg_get_serial_sequence(u.name, 'id') AS name, u.n, u.i FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS u(name, n, i))
			SELECT w.i, nextval(w.name::regclass) FROM w CROSS JOIN LATERAL generate_series(1, w.n) AS g`, tables, numbers)
		return all, err
	}
	for i, w := range wants {
		last, err := All(tx, Int64, `SELECT seq FROM sqlite_sequence WHERE name = $1`, w.Table)
		if err != nil {
			return nil, err
		}
		first := int64(1)
		if len(last) > 0 {
			first = last[0] + 1
		}
		for n := range w.N {
			all[i] = append(all[i], first+int64(n))
		}
	}
	return all, nil
}

// Attach keeps a value as long as the database is open: Tx.Value finds it in
// every transaction of every handle.
func (s *store) Attach(key, value any) { s.attached.Store(key, value) }
