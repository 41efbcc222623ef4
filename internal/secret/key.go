package secret

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
)

// ParseKey reads a key as it is written in TENANTRY_KEY and in key files: 32
// bytes in base64. Its error does not repeat the text.
func ParseKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("secret: a key is %d bytes in base64", KeySize)
	}
	return key, nil
}

// LoadKey gives the installation's key: given, as ParseKey reads it, where not
// empty, else the file. A file that others can read is refused. With make, a
// file that is missing is made with a new key, for its owner alone; without,
// its absence is an error: a new key would open nothing of what is stored.
func LoadKey(given, file string, make bool) ([]byte, error) {
	if given != "" {
		return ParseKey(given)
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist) && make:
		return newKeyFile(file)
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("secret: the key file %s is missing, and the database was made with a key: bring the file back, or set TENANTRY_KEY", file)
	case err != nil:
		return nil, fmt.Errorf("secret: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("secret: the key file %s can be read by others: chmod 600 it", file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	key, err := ParseKey(string(b))
	if err != nil {
		return nil, fmt.Errorf("the key file %s: %w", file, err)
	}
	return key, nil
}

// newKeyFile writes a new key so that it is there whole or not at all: where
// two processes do it at once, both get the key of the first.
func newKeyFile(file string) ([]byte, error) {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key)                                 // never fails: see crypto/rand
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*") // made with mode 0600
	if err != nil {
		return nil, fmt.Errorf("secret: make the key file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("secret: write the key file: %w", err)
	}
	if err := os.Link(f.Name(), file); errors.Is(err, os.ErrExist) {
		return LoadKey("", file, false)
	} else if err != nil {
		return nil, fmt.Errorf("secret: make the key file: %w", err)
	}
	if err := syncDir(filepath.Dir(file)); err != nil {
		return nil, fmt.Errorf("secret: keep the key file: %w", err)
	}
	return key, nil
}

// syncDir makes a new name in a folder survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open gives the box of the installation: with the key given, else that of the
// file, which is made only while the database knows no key. A key that is not
// the database's is refused.
func Open(ctx context.Context, d *db.DB, given, file string) (*Box, error) {
	var known bool
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		known, err = Known(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	key, err := LoadKey(given, file, !known)
	if err != nil {
		return nil, err
	}
	box, err := NewBox(key)
	if err != nil {
		return nil, err
	}
	Use(d, box)
	return box, d.Write(ctx, func(tx *db.Tx) error { return Verify(tx, box) })
}

type boxKey struct{}

// Use makes the box that of all transactions of the handle: see Derived.
func Use(d *db.DB, b *Box) { d.Attach(boxKey{}, b) }

// Derived gives the key for one purpose that follows from the installation's,
// for what is signed rather than sealed. It tells nothing about the other keys.
func Derived(tx *db.Tx, purpose string) ([]byte, error) {
	b, ok := tx.Value(boxKey{}).(*Box)
	if !ok {
		return nil, errors.New("secret: the database was opened without its key")
	}
	return b.derive(purpose), nil
}
