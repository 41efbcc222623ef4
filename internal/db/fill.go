package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tenantry/tenantry/internal/text"
)

// fills write, in the transaction of a migration, what its new columns hold for
// the rows that are there, where the engines' own words would not agree:
// lower() knows only ASCII on SQLite.
var fills = map[int64]func(ctx context.Context, tx *sql.Tx) error{
	17: func(ctx context.Context, tx *sql.Tx) error {
		if err := fillKeys(ctx, tx, `SELECT id, name FROM users WHERE id > $1 ORDER BY id LIMIT 1000`,
			`UPDATE users SET name_key = $1 WHERE id = $2`); err != nil {
			return err
		}
		return fillKeys(ctx, tx, `SELECT id, name || ' ' || prefix FROM api_keys WHERE id > $1 ORDER BY id LIMIT 1000`,
			`UPDATE api_keys SET search_key = $1 WHERE id = $2`)
	},
}

// fillKeys stores the search key of a text for every row: pages lists ids with
// their text above an id, store takes the key and the id.
func fillKeys(ctx context.Context, tx *sql.Tx, pages, store string) error {
	type row struct {
		id   int64
		text string
	}
	for last := int64(0); ; {
		rows, err := tx.QueryContext(ctx, pages, last)
		if err != nil {
			return fmt.Errorf("read texts to search by: %w", err)
		}
		var some []row
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.id, &r.text); err != nil {
				rows.Close()
				return err
			}
			some = append(some, r)
		}
		if err := rows.Err(); err != nil || len(some) == 0 {
			return err
		}
		for _, r := range some {
			if _, err := tx.ExecContext(ctx, store, text.Key(r.text), r.id); err != nil {
				return fmt.Errorf("store a search key: %w", err)
			}
			last = r.id
		}
	}
}
