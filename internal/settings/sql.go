package settings

import (
	"encoding/json"
	"fmt"

	"github.com/tenantry/tenantry/internal/db"
)

const columns = `auto_approve_registrations, default_storage_limit_gb, default_max_users, default_bandwidth_limit_gb,
	default_credit_limit, password_min_length, billing_timezone, branding, version, updated_at`

func scan(r db.Row) (s Settings, err error) {
	var branding string
	var updated db.Time
	err = r.Scan(&s.AutoApproveRegistrations, &s.DefaultStorageLimitGB, &s.DefaultMaxUsers, &s.DefaultBandwidthLimitGB,
		&s.DefaultCreditLimit, &s.PasswordMinLength, &s.BillingTimezone, &branding, &s.Version, &updated)
	if err != nil {
		return s, err
	}
	if updated != 0 {
		s.UpdatedAt = &updated
	}
	return s, json.Unmarshal([]byte(branding), &s.Branding)
}

func load(tx *db.Tx) (Settings, error) {
	s, err := db.One(tx, scan, `SELECT `+columns+` FROM settings WHERE id = 1`)
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	return s, nil
}

func lock(tx *db.Tx) (Settings, error) {
	s, err := db.One(tx, scan, `UPDATE settings SET version = version WHERE id = 1 RETURNING `+columns)
	if err != nil {
		return Settings{}, fmt.Errorf("lock the settings: %w", err)
	}
	return s, nil
}

func store(tx *db.Tx, s Settings) (Settings, error) {
	branding, err := json.Marshal(s.Branding)
	if err != nil {
		return Settings{}, fmt.Errorf("write the platform's brand: %w", err)
	}
	s, err = db.One(tx, scan, `UPDATE settings SET auto_approve_registrations = $1, default_storage_limit_gb = $2, default_max_users = $3,
			default_bandwidth_limit_gb = $4, default_credit_limit = $5, password_min_length = $6, billing_timezone = $7,
			branding = $8, version = version + 1, updated_at = $9
		WHERE id = 1 RETURNING `+columns,
		s.AutoApproveRegistrations, s.DefaultStorageLimitGB, s.DefaultMaxUsers, s.DefaultBandwidthLimitGB,
		s.DefaultCreditLimit, s.PasswordMinLength, s.BillingTimezone, string(branding), tx.Now)
	if err != nil {
		return Settings{}, fmt.Errorf("store the settings: %w", err)
	}
	return s, nil
}
