package db

import "context"

// MigrateTo brings the schema to a version that is not the newest, as an
// older program would.
func (d *DB) MigrateTo(ctx context.Context, version int64) error {
	steps, err := d.steps()
	if err != nil {
		return err
	}
	for i, s := range steps {
		if s.Version > version {
			steps = steps[:i]
			break
		}
	}
	return d.up(ctx, steps)
}
