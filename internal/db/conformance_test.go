package db_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// What follows are the places where the two engines would silently answer one
// text of SQL differently. Each test shows what makes them agree: the
// connection, the schema, db itself, or the spelling that the code keeps to.

func TestLikeTellsCasesApart(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, word) VALUES (1, 'Ada'), (2, 'ada'), (3, 'a%a'), (4, 'a_a')`)
		for pattern, want := range map[string][]int64{`%A%`: {1}, `ada`: {2}, `a\%a`: {3}, `a\_a`: {4}, `a_a`: {2, 3, 4}} {
			if got := s.numbers(`SELECT id FROM t WHERE word LIKE $1 ESCAPE '\' ORDER BY id`, pattern); !slices.Equal(got, want) {
				s.Errorf("LIKE %s: got %v, want %v", pattern, got, want)
			}
		}
	})
}

func TestNullsSortWhereTheQuerySays(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, n) VALUES (1, 5), (2, NULL), (3, 7)`)
		for order, want := range map[string][]int64{
			"n NULLS LAST": {1, 3, 2}, "n NULLS FIRST": {2, 1, 3}, "n DESC NULLS LAST": {3, 1, 2}, "n DESC NULLS FIRST": {2, 3, 1},
		} {
			if got := s.numbers(`SELECT id FROM t ORDER BY ` + order); !slices.Equal(got, want) {
				s.Errorf("ORDER BY %s: got %v, want %v", order, got, want)
			}
		}
	})
}

// Beyond ASCII the engines' lower differs, which is why keys are lowered by
// text.Key and stored, never by SQL.
func TestLowerAgreesOnASCIIAlone(t *testing.T) {
	each(t, func(s scratch) {
		if got := s.words(`SELECT lower('ADA')`)[0]; got != "ada" {
			s.Errorf("lower('ADA'): got %q", got)
		}
		want := map[db.Engine]string{db.SQLite: "Ä", db.Postgres: "ä"}[s.Engine()]
		if got := s.words(`SELECT lower('Ä')`)[0]; got != want {
			s.Errorf("lower('Ä') on %s: got %q, want %q", s.Engine(), got, want)
		}
	})
}

// 1/0 is an error on one and NULL on the other; NULLIF makes it NULL on both.
func TestDivisionSaysWhatOfZero(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, n) VALUES (1, 0), (2, 2), (3, -2)`)
		got := s.numbers(`SELECT COALESCE(7 / NULLIF(n, 0), -1) FROM t ORDER BY id`)
		if want := []int64{-1, 3, -3}; !slices.Equal(got, want) {
			s.Errorf("got %v, want %v", got, want)
		}
		_, err := read(s, db.Int64, `SELECT 1 / n FROM t WHERE id = 1`)
		if err == nil {
			s.Error("1/0 gave a number")
		}
	})
}

func TestIntegerOverflowIsRefused(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, n) VALUES (1, $1), (2, 1)`, int64(math.MaxInt64))
		for _, statement := range []string{
			`UPDATE t SET n = n + 1 WHERE id = 1`, `UPDATE t SET n = n * 2 WHERE id = 1`, `UPDATE t SET n = -n - 2 WHERE id = 1`,
			`UPDATE t SET n = (SELECT SUM(n) FROM t) WHERE id = 2`,
		} {
			if err := s.try(statement); err == nil {
				s.Errorf("%s was taken", statement)
			}
		}
		for _, query := range []string{`SELECT n + 1 FROM t WHERE id = 1`, `SELECT SUM(n) FROM t`} {
			if got, err := read(s, db.Int64, query); err == nil {
				s.Errorf("%s: got %v", query, got)
			}
		}
		if got := s.numbers(`SELECT n FROM t ORDER BY id`); !slices.Equal(got, []int64{math.MaxInt64, 1}) {
			s.Errorf("got %v", got)
		}
		if got := s.numbers(`SELECT SUM(n) FROM t WHERE id = 2`); got[0] != 1 {
			s.Errorf("a small sum: got %v", got)
		}
	})
}

func TestTextIsUTF8WithoutNUL(t *testing.T) {
	type word string
	each(t, func(s scratch) {
		for _, bad := range []any{"a\x00b", "a\xffb", "\xed\xa0\x80", word("a\x00"), new("\xc3"), new(word("\x00"))} {
			for name, err := range map[string]error{
				"Exec": s.try(`INSERT INTO t (id, word) VALUES (9, $1)`, bad),
				"One": s.Read(context.Background(), func(tx *db.Tx) error {
					_, err := db.One(tx, db.Int64, `SELECT id FROM t WHERE word = $1`, bad)
					return err
				}),
				"All": s.Read(context.Background(), func(tx *db.Tx) error {
					_, err := db.All(tx, db.Int64, `SELECT id FROM t WHERE word = $1`, bad)
					return err
				}),
			} {
				if fault.Code(err) != "invalid_text" || !fault.Is(err, fault.BadRequest) {
					s.Errorf("%s of %T %q: got %v, want invalid_text", name, bad, bad, err)
				}
			}
		}
		s.exec(`INSERT INTO t (id, word) VALUES (1, $1)`, "ünïcode \u00a0 \U0001F600")
		if got := s.words(`SELECT word FROM t`)[0]; got != "ünïcode \u00a0 \U0001F600" {
			s.Errorf("got %q", got)
		}
	})
}

// PostgreSQL refuses a bare column beside an aggregate, SQLite answers any row:
// what is grouped is named, or aggregated.
func TestColumnsOfAGroupAreNamed(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, word, n) VALUES (1, 'a', 5), (2, 'a', 7), (3, 'b', 1)`)
		got := s.words(`SELECT word || ':' || CAST(MAX(n) AS TEXT) FROM t GROUP BY word ORDER BY word`)
		if want := []string{"a:7", "b:1"}; !slices.Equal(got, want) {
			s.Errorf("got %v, want %v", got, want)
		}
		_, err := read(s, db.Int64, `SELECT n FROM t GROUP BY word`)
		if refused := err != nil; refused != (s.Engine() == db.Postgres) {
			s.Errorf("a bare column: got %v", err)
		}
	})
}

// PostgreSQL's transaction is dead after a constraint error; so is SQLite's.
func TestTransactionIsDeadAfterAFailedStatement(t *testing.T) {
	each(t, func(s scratch) {
		s.insert(1)
		err := s.Write(context.Background(), func(tx *db.Tx) error {
			if _, err := tx.Exec(`INSERT INTO t (id) VALUES (2)`); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO t (id) VALUES (1)`); err == nil {
				s.Error("a duplicate key was taken")
			}
			if _, err := tx.Exec(`INSERT INTO t (id) VALUES (3)`); err == nil {
				s.Error("a statement ran after one that failed")
			}
			if _, err := db.One(tx, db.Int64, `SELECT 1`); err == nil {
				s.Error("a query ran after a statement that failed")
			}
			return nil // the failure is swallowed
		})
		if err == nil {
			s.Error("a transaction with a failed statement was committed")
		}
		if got := s.ids(); !slices.Equal(got, []int64{1}) {
			s.Errorf("got rows %v, want 1 alone", got)
		}
	})
}

func TestConflictIsNoFailure(t *testing.T) {
	each(t, func(s scratch) {
		s.insert(1)
		err := s.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Insert(`INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING RETURNING id`)
			if !errors.Is(err, db.ErrNoRows) {
				s.Errorf("got %v, want no row", err)
			}
			n, err := tx.Exec(`INSERT INTO t (id, n) VALUES (1, 9) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n + t.n`)
			if n != 1 {
				s.Errorf("got %d rows, want 1", n)
			}
			return err
		})
		if err != nil {
			s.Fatal(err)
		}
		if got := s.numbers(`SELECT n FROM t`); got[0] != 10 {
			s.Errorf("got %d, want 10", got[0])
		}
	})
}

func TestBooleans(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, flag) VALUES (1, TRUE), (2, FALSE), (3, $1), (4, NULL)`, true)
		if got := s.numbers(`SELECT id FROM t WHERE flag ORDER BY id`); !slices.Equal(got, []int64{1, 3}) {
			s.Errorf("flag: got %v", got)
		}
		if got := s.numbers(`SELECT id FROM t WHERE NOT flag`); !slices.Equal(got, []int64{2}) {
			s.Errorf("NOT flag: got %v", got)
		}
		got, err := read(s, func(r db.Row) (b bool, err error) { return b, r.Scan(&b) }, `SELECT flag IS TRUE FROM t ORDER BY id`)
		if want := []bool{true, false, true, false}; err != nil || !slices.Equal(got, want) {
			s.Errorf("got %v %v, want %v", got, err, want)
		}
		got, err = read(s, func(r db.Row) (b bool, err error) { return b, r.Scan(&b) }, `SELECT EXISTS (SELECT 1 FROM t WHERE id = $1)`, 5)
		if err != nil || got[0] {
			s.Errorf("EXISTS: got %v %v", got, err)
		}
	})
}

func TestReturningGivesTheNewRow(t *testing.T) {
	each(t, func(s scratch) {
		s.insert(1)
		err := s.Write(context.Background(), func(tx *db.Tx) error {
			for _, step := range []struct {
				statement string
				want      int64
			}{
				{`UPDATE t SET n = n + 10 WHERE id = 1 RETURNING n`, 11},
				{`INSERT INTO t (id, n) VALUES (2, 5) RETURNING n * 2`, 10},
				{`INSERT INTO t (id, n) VALUES (3, 5), (4, 6), (5, 7) RETURNING id`, 3},
				{`DELETE FROM t WHERE id = 2 RETURNING n`, 5},
			} {
				if got, err := db.One(tx, db.Int64, step.statement); err != nil || got != step.want {
					s.Errorf("%s: got %d %v, want %d", step.statement, got, err, step.want)
				}
			}
			// Of a change of several rows, all happens even when one is read.
			_, err := db.One(tx, db.Int64, `UPDATE t SET n = 0 WHERE id IN (3, 4, 5) RETURNING n`)
			return err
		})
		if err != nil {
			s.Fatal(err)
		}
		if got := s.numbers(`SELECT n FROM t ORDER BY id`); !slices.Equal(got, []int64{11, 0, 0, 0}) {
			s.Errorf("got %v", got)
		}
	})
}

func TestRowValues(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, n) VALUES (1, 5), (2, 5), (3, 6), (4, 4)`)
		got := s.numbers(`SELECT id FROM t WHERE (n, id) < ($1, $2) ORDER BY n DESC, id DESC`, 5, 2)
		if want := []int64{1, 4}; !slices.Equal(got, want) {
			s.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestTextKeysSortByBytes(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, word) VALUES (1, 'b'), (2, 'B'), (3, 'ä'), (4, '-'), (5, 'a')`)
		if got := s.numbers(`SELECT id FROM t ORDER BY word`); !slices.Equal(got, []int64{4, 2, 5, 1, 3}) {
			s.Errorf("got %v", got)
		}
	})
}

func TestColumnsKeepTheirType(t *testing.T) {
	each(t, func(s scratch) {
		for _, bad := range []any{"x", "1.5", ""} {
			if err := s.try(`INSERT INTO t (id, n) VALUES (1, $1)`, bad); err == nil {
				s.Errorf("the number column took %T %v", bad, bad)
			}
		}
		if err := s.try(`INSERT INTO audit_heads (scope, next_seq) VALUES ('x', NULL)`); err == nil {
			s.Error("a column that may not be null was")
		}
	})
}

func TestNumbersBindByNumber(t *testing.T) {
	each(t, func(s scratch) {
		got := s.words(`SELECT CAST($1 AS TEXT) || CAST($2 AS TEXT) || CAST($1 AS TEXT)`, "a", "b")
		if got[0] != "aba" {
			s.Errorf("got %q, want aba", got[0])
		}
	})
}

// TestSharedText runs the further constructs that the code uses on both.
func TestSharedText(t *testing.T) {
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, word, n) VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3), (4, NULL, NULL)`)
		for query, want := range map[string][]int64{
			`SELECT COUNT(*) FILTER (WHERE word = 'a') FROM t`:                                                        {2},
			`SELECT id FROM t WHERE word IS DISTINCT FROM 'a' ORDER BY id`:                                            {3, 4},
			`SELECT id FROM t WHERE n IS NOT DISTINCT FROM NULL`:                                                      {4},
			`SELECT row_number() OVER (PARTITION BY word ORDER BY id) FROM t WHERE word IS NOT NULL ORDER BY id`:      {1, 2, 1},
			`WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT n FROM r ORDER BY n`: {1, 2, 3, 4},
			`SELECT COALESCE(MAX(n), 0) FROM t WHERE id > 100`:                                                        {0},
			`SELECT CASE WHEN n > 1 THEN 1 ELSE 0 END FROM t WHERE n IS NOT NULL ORDER BY id`:                         {0, 1, 1},
		} {
			if got := s.numbers(query); !slices.Equal(got, want) {
				s.Errorf("%s: got %v, want %v", query, got, want)
			}
		}
		s.exec(`UPDATE t SET n = x.n FROM (SELECT 1 AS id, 40 AS n UNION ALL SELECT 2, 50) AS x WHERE t.id = x.id`)
		if got := s.numbers(`SELECT n FROM t WHERE n IS NOT NULL ORDER BY id`); !slices.Equal(got, []int64{40, 50, 3}) {
			s.Errorf("UPDATE … FROM: got %v", got)
		}
	})
}

func TestTimesKeepMicroseconds(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 30, 0, 123456789, time.FixedZone("", 3600))
	each(t, func(s scratch) {
		s.exec(`INSERT INTO t (id, n) VALUES (1, $1)`, db.At(at))
		got, err := read(s, func(r db.Row) (v db.Time, err error) { return v, r.Scan(&v) }, `SELECT n FROM t WHERE n = $1`, db.At(at))
		if err != nil || len(got) != 1 || !got[0].Std().Equal(at.Truncate(time.Microsecond)) {
			s.Errorf("got %v %v", got, err)
		}
	})
	if got := db.At(at).String(); got != "2026-03-01T11:30:00.123Z" {
		t.Errorf("got %s", got)
	}
	var back db.Time
	if err := back.UnmarshalText([]byte("2026-03-01T12:30:00.123456+01:00")); err != nil || back != db.At(at) {
		t.Errorf("got %v %v, want %v", back, err, db.At(at))
	}
	for _, bad := range []string{"", "2026-03-01", "2026-03-01 12:00:00", "yesterday"} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as a time", bad)
		}
	}
	if got := db.At(at).Add(time.Millisecond) - db.At(at); got != 1000 {
		t.Errorf("a millisecond is %d µs", got)
	}
}

// A row is scanned into what a field is for, under any name, null where it is a
// pointer; what does not fit is refused.
func TestRowsAreScannedByKind(t *testing.T) {
	type (
		count int64
		name  string
	)
	type row struct {
		n     int64
		named count
		plain int
		at    db.Time
		word  string
		kind  name
		raw   []byte
		flag  bool
		no    bool
		whole *int64
		other *count
		text  *name
		maybe *bool
		none  *count
		empty *string
		bytes []byte
		blank []byte
	}
	each(t, func(s scratch) {
		got, err := read(s, func(r db.Row) (v row, err error) {
			return v, r.Scan(&v.n, &v.named, &v.plain, &v.at, &v.word, &v.kind, &v.raw, &v.flag, &v.no, &v.whole, &v.other, &v.text, &v.maybe, &v.none, &v.empty, &v.bytes, &v.blank)
		}, s.columns(`CAST(-9223372036854775808 AS BIGINT), CAST(9223372036854775807 AS BIGINT), CAST(7 AS BIGINT), CAST(1 AS BIGINT), CAST('Ähre' AS TEXT),
			CAST('' AS TEXT), CAST('raw' AS BYTEA), TRUE, FALSE, CAST(0 AS BIGINT), CAST(-1 AS BIGINT), CAST('x' AS TEXT), TRUE, CAST(NULL AS BIGINT), CAST(NULL AS TEXT), CAST(NULL AS BYTEA), CAST('' AS BYTEA)`))
		zero, less, x, yes := int64(0), count(-1), name("x"), true
		want := row{math.MinInt64, math.MaxInt64, 7, 1, "Ähre", "", []byte("raw"), true, false, &zero, &less, &x, &yes, nil, nil, nil, nil}
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			s.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		for _, unfit := range []string{`CAST(NULL AS BIGINT)`, `CAST('word' AS TEXT)`, `CAST(1 AS BIGINT), CAST(1 AS BIGINT)`} {
			if got, err := read(s, func(r db.Row) (n count, err error) { return n, r.Scan(&n) }, s.columns(unfit)); err == nil {
				s.Errorf("%s as a number: got %v", unfit, got)
			}
		}
		if got, err := read(s, db.String, s.columns(`CAST(NULL AS TEXT)`)); err == nil {
			s.Errorf("NULL as a text: got %q", got)
		}
	})
}

// columns is a query of them alone.
func (s scratch) columns(list string) string {
	if s.Engine() == db.SQLite {
		list = strings.ReplaceAll(list, "AS BYTEA", "AS BLOB")
	}
	return "SELECT " + list
}
