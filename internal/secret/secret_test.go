package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/secret"
)

func box(t *testing.T, fill byte) *secret.Box {
	t.Helper()
	b, err := secret.NewBox(bytes.Repeat([]byte{fill}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealed(t *testing.T) {
	b := box(t, 1)
	sealed := b.Seal("mail", []byte("hello"))
	if bytes.Contains(sealed, []byte("hello")) {
		t.Error("the text shows")
	}
	if text, err := b.Open("mail", sealed); err != nil || string(text) != "hello" {
		t.Errorf("got %q, %v, want hello", text, err)
	}
	if again := b.Seal("mail", []byte("hello")); bytes.Equal(again, sealed) {
		t.Error("the same text seals to the same bytes")
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return b.Open("other", sealed) },
		"another key":     func() ([]byte, error) { return box(t, 2).Open("mail", sealed) },
		"altered":         func() ([]byte, error) { return b.Open("mail", altered) },
		"too short":       func() ([]byte, error) { return b.Open("mail", sealed[:5]) },
		"nothing":         func() ([]byte, error) { return b.Open("mail", nil) },
	} {
		if text, err := open(); err == nil {
			t.Errorf("%s: got %q, want an error", name, text)
		}
	}
}

func TestKeyText(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(make([]byte, secret.KeySize))
	if _, err := secret.ParseKey(" " + good + "\n"); err != nil {
		t.Errorf("a good key: %v", err)
	}
	for _, bad := range []string{"", "x", good[:20], good + good, strings.Repeat("!", 44)} {
		if _, err := secret.ParseKey(bad); err == nil || bad != "" && bad != "x" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: got %v, want an error that does not repeat it", bad, err)
		}
	}
	if _, err := secret.NewBox(make([]byte, 16)); err == nil {
		t.Error("a key of 16 bytes was taken")
	}
}

func TestFirstKeyIsMadeAndKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, file := context.Background(), filepath.Join(t.TempDir(), "tenantry.key")
		first, err := secret.Open(ctx, d, "", file)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("key file: got %v, %v, want mode 600", info, err)
		}
		again, err := secret.Open(ctx, d, "", file)
		if err != nil || again.ID() != first.ID() {
			t.Errorf("second start: got %v, want the same key", err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if given, err := secret.Open(ctx, d, string(text), "/nowhere"); err != nil || given.ID() != first.ID() {
			t.Errorf("the same key given: %v", err)
		}
	})
}

func TestRefusedKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, file := context.Background(), filepath.Join(t.TempDir(), "tenantry.key")
		if _, err := secret.Open(ctx, d, "", file); err != nil {
			t.Fatal(err)
		}
		other := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, secret.KeySize))
		if _, err := secret.Open(ctx, d, other, file); !errors.Is(err, secret.ErrWrongKey) {
			t.Errorf("another key: got %v, want %v", err, secret.ErrWrongKey)
		}
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Open(ctx, d, "", file); err == nil || !strings.Contains(err.Error(), "chmod") {
			t.Errorf("a file all can read: got %v, want advice", err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Open(ctx, d, "", file); err == nil {
			t.Error("a missing file was replaced although the database has a key")
		}
		if _, err := os.Stat(file); err == nil {
			t.Error("a new key file was made")
		}
		if err := os.WriteFile(file, []byte("rubbish\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Open(ctx, d, "", file); err == nil || strings.Contains(err.Error(), "rubbish") {
			t.Errorf("rubbish: got %v, want an error that does not repeat it", err)
		}
	})
}

// Processes that start first at once, on one folder, must agree on one key;
// with keys of their own, one of them wins and the others do not start.
func TestFirstStartAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, file := context.Background(), filepath.Join(t.TempDir(), "tenantry.key")
		const n = 8
		ids, errs := make([]string, n), make([]error, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				b, err := secret.Open(ctx, d, "", file)
				if errs[i] = err; err == nil {
					ids[i] = b.ID()
				}
			})
		}
		all.Wait()
		for i := range n {
			if errs[i] != nil || ids[i] != ids[0] {
				t.Errorf("start %d: got %s, %v, want %s", i, ids[i], errs[i], ids[0])
			}
		}
	})
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const n = 8
		errs := make([]error, n)
		var all sync.WaitGroup
		for i := range n {
			b := box(t, byte(i+1))
			all.Go(func() {
				errs[i] = d.Write(context.Background(), func(tx *db.Tx) error { return secret.Verify(tx, b) })
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, secret.ErrWrongKey) {
				t.Errorf("got %v, want %v", err, secret.ErrWrongKey)
			}
		}
		if won != 1 {
			t.Errorf("%d keys won, want 1", won)
		}
	})
}
