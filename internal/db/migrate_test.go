package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

func empty(t *testing.T) map[string]string {
	return map[string]string{"sqlite": dbtest.EmptySQLiteURL(t), "postgres": dbtest.EmptyPostgresURL(t)}
}

func open(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), url, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestMigrateTwiceAndTogether(t *testing.T) {
	ctx := context.Background()
	for engine, url := range empty(t) {
		t.Run(engine, func(t *testing.T) {
			handles := []*db.DB{open(t, url), open(t, url), open(t, url), open(t, url)}
			if v, err := handles[0].Version(ctx); v != 0 || err != nil {
				t.Errorf("before: version %d %v", v, err)
			}
			var all sync.WaitGroup
			for _, d := range handles {
				all.Go(func() {
					if err := d.Migrate(ctx); err != nil {
						t.Errorf("together: %v", err)
					}
				})
			}
			all.Wait()
			newest, err := handles[0].Version(ctx)
			if err != nil || newest == 0 {
				t.Errorf("after: version %d %v", newest, err)
			}
			before := schema(t, handles[0])
			if err := handles[1].Migrate(ctx); err != nil {
				t.Errorf("again: %v", err)
			}
			if after := schema(t, handles[0]); !slices.Equal(before, after) {
				t.Error("the second time changed the schema")
			}
			if err := handles[0].Ping(ctx); err != nil {
				t.Errorf("ping: %v", err)
			}
		})
	}
}

// TestMigrateFillsSearchKeys: what was there before is found like what comes
// after, whatever its letters.
func TestMigrateFillsSearchKeys(t *testing.T) {
	ctx := context.Background()
	for engine, url := range empty(t) {
		t.Run(engine, func(t *testing.T) {
			d := open(t, url)
			if err := d.MigrateTo(ctx, 16); err != nil {
				t.Fatal(err)
			}
			const people = 1003 // more than a batch
			d = d.In(db.Platform)
			err := d.Write(ctx, func(tx *db.Tx) error {
				for i := range people {
					if _, err := tx.Exec(`INSERT INTO users (email, email_key, name, email_verified, superadmin, status, version, created_at, updated_at)
						VALUES ($1, $2, 'Zoë ÅKERMAN', TRUE, FALSE, 'active', 1, 0, 0)`, fmt.Sprint(i), fmt.Sprint(i)); err != nil {
						return err
					}
				}
				_, err := tx.Exec(`INSERT INTO api_keys (name, prefix, hash, scopes, created_at) VALUES ('ÄPFEL', 'tnt_sk_AbCdE', $1, '[]', 0)`, []byte{1})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			err = d.Read(ctx, func(tx *db.Tx) error {
				n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM users WHERE name_key = 'zoë åkerman'`)
				if err != nil || n != people {
					t.Errorf("users: got %d keys, want %d (%v)", n, people, err)
				}
				key, err := db.One(tx, db.String, `SELECT search_key FROM api_keys`)
				if key != "äpfel tnt_sk_abcde" {
					t.Errorf("API key: got %q", key)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMigrateRefusesWhatANewerProgramMade(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		err := d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, 9999, true)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Migrate(ctx); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("got %v", err)
		}
	})
}

// TestOneSchema compares what the migrations made on the two engines: tables,
// columns with their type and nullability, keys, unique and other indexes, and
// foreign keys.
func TestOneSchema(t *testing.T) {
	lite := schema(t, open(t, dbtest.SQLiteURL(t)))
	post := schema(t, open(t, dbtest.PostgresURL(t)))
	if len(lite) < 200 {
		t.Errorf("only %d facts were found", len(lite))
	}
	for _, fact := range lite {
		if !slices.Contains(post, fact) {
			t.Errorf("SQLite alone: %s", fact)
		}
	}
	for _, fact := range post {
		if !slices.Contains(lite, fact) && !slices.Contains(byTrigger, fact) {
			t.Errorf("PostgreSQL alone: %s", fact)
		}
	}
}

// byTrigger are the references that triggers make on SQLite, in migration 0016:
// internal/org tests that they hold.
var byTrigger = []string{
	"reference organizations.id to memberships.organization_id",
}

// schema lists the facts of a database's schema in words of their own.
func schema(t *testing.T, d *db.DB) []string {
	t.Helper()
	queries := map[db.Engine][]string{
		db.SQLite: {
			`SELECT 'column ' || m.name || '.' || c.name || ' ' || CASE c.type WHEN 'INTEGER' THEN 'number' WHEN 'TEXT' THEN 'text' WHEN 'BLOB' THEN 'bytes' ELSE c.type END
				|| CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END
			 FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT 'key ' || m.name || ' (' || (SELECT group_concat(name, ',') FROM (SELECT c.name FROM pragma_table_info(m.name) c WHERE c.pk > 0 ORDER BY c.pk)) || ')'
			 FROM sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT 'index ' || i.name || CASE WHEN i."unique" = 1 THEN ' unique' ELSE '' END || CASE WHEN i.partial = 1 THEN ' partial' ELSE '' END
				|| ' (' || (SELECT group_concat(COALESCE(name, '?'), ',') FROM (SELECT x.name FROM pragma_index_info(i.name) x ORDER BY x.seqno)) || ')'
			 FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin = 'c' AND m.name NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT 'reference ' || m.name || '.' || f."from" || ' to ' || f."table" || '.' || COALESCE(f."to", 'id') FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
			 WHERE m.type = 'table' ORDER BY 1`,
		},
		db.Postgres: {
			`SELECT 'column ' || c.relname || '.' || a.attname || ' ' || CASE format_type(a.atttypid, NULL) WHEN 'bigint' THEN 'number' WHEN 'boolean' THEN 'number' WHEN 'bytea' THEN 'bytes' ELSE format_type(a.atttypid, NULL) END
				|| CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
			 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT 'key ' || c.relname || ' (' || (SELECT string_agg(a.attname, ',' ORDER BY k.ord) FROM unnest(p.conkey) WITH ORDINALITY AS k (num, ord) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num) || ')'
			 FROM pg_class c JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p' WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT 'index ' || i.relname || CASE WHEN x.indisunique THEN ' unique' ELSE '' END || CASE WHEN x.indpred IS NOT NULL THEN ' partial' ELSE '' END
				|| ' (' || (SELECT string_agg(COALESCE(a.attname, '?'), ',' ORDER BY k.ord) FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (num, ord) LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num AND k.num > 0) || ')'
			 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
			 WHERE c.relnamespace = 'public'::regnamespace AND NOT x.indisprimary AND c.relname NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT 'reference ' || c.relname || '.' || a.attname || ' to ' || r.relname || '.' || b.attname
			 FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class r ON r.oid = f.confrelid
			 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1] JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = f.confkey[1]
			 WHERE f.contype = 'f' AND c.relnamespace = 'public'::regnamespace ORDER BY 1`,
		},
	}
	var facts []string
	for n, query := range queries[d.Engine()] {
		err := d.Read(context.Background(), func(tx *db.Tx) error {
			some, err := db.All(tx, db.String, query)
			facts = append(facts, some...)
			if err == nil && len(some) == 0 {
				err = fmt.Errorf("query %d found nothing", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return facts
}
