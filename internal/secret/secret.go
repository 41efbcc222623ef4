// Package secret encrypts what must be read back, such as a mail that waits
// with a one-time link in it: AES-256-GCM under the installation's key.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// KeySize is the length of the installation's key, in bytes.
const KeySize = 32

// Box seals and opens with one key.
type Box struct {
	aead cipher.AEAD
	id   string
	root []byte // what derived keys follow from
}

// NewBox makes a box from a key of KeySize bytes.
func NewBox(key []byte) (*Box, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key has %d bytes, it must have %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte("tenantry key id\x00"), key...))
	return &Box{aead: aead, id: hex.EncodeToString(sum[:8]), root: slices.Clone(key)}, nil
}

// derive is HMAC-SHA256 of the purpose under the installation's key.
func (b *Box) derive(purpose string) []byte {
	m := hmac.New(sha256.New, b.root)
	m.Write([]byte("tenantry derived key\x00" + purpose))
	return m.Sum(nil)
}

// ID names the key without telling anything about it.
func (b *Box) ID() string { return b.id }

// Seal encrypts text, bound to a purpose that Open must repeat.
func (b *Box) Seal(purpose string, text []byte) []byte {
	nonce := make([]byte, b.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: see crypto/rand
	return b.aead.Seal(nonce, nonce, text, []byte(purpose))
}

// Open decrypts what Seal made for the same purpose with the same key.
func (b *Box) Open(purpose string, sealed []byte) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("secret: too short to be sealed")
	}
	text, err := b.aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return nil, errors.New("secret: sealed with another key, for another purpose, or altered")
	}
	return text, nil
}
