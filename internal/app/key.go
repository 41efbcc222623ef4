package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/secret"
)

// key finds the installation's key: as given, or in its file, which is made
// only while the database knows no key yet. A key that is not the database's
// refuses to start.
func (p *parts) key(ctx context.Context) (*secret.Box, error) {
	raw := p.cfg.Key
	if raw == nil {
		known := false
		err := p.db.Read(ctx, func(tx *db.Tx) (err error) {
			known, err = secret.Known(tx)
			return err
		})
		if err != nil {
			return nil, err
		}
		if raw, err = keyFile(p.cfg.KeyFile, !known); err != nil {
			return nil, err
		}
	}
	box, err := secret.NewBox(raw)
	if err != nil {
		return nil, err
	}
	return box, p.db.Write(ctx, func(tx *db.Tx) error { return secret.Verify(tx, box) })
}

// keyFile reads the key, or makes it where there is none.
func keyFile(path string, make bool) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && make:
		return newKeyFile(path)
	case err != nil:
		return nil, errors.New("the key file is missing, and the database was made with a key: bring the file back, or set TENANTRY_KEY")
	case info.Mode().Perm()&0o077 != 0:
		return nil, errors.New("the key file can be read by others: chmod 600 it")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.New("the key file cannot be read")
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(raw) != secret.KeySize {
		return nil, errors.New("the key file does not hold 32 bytes in base64")
	}
	return raw, nil
}

func newKeyFile(path string) ([]byte, error) {
	raw := make([]byte, secret.KeySize)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	text := base64.StdEncoding.EncodeToString(raw) + "\n"
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, errors.New("the key file cannot be made")
	}
	_, err = f.WriteString(text)
	return raw, errors.Join(err, f.Sync(), f.Close())
}
