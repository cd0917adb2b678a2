package notify

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"

	"github.com/attune-io/attune"
)

const (
	// SealBytes is the length of the key that secrets are kept under.
	SealBytes = 32
	// minSecret and maxSecret bound a secret, in bytes.
	minSecret = 16
	maxSecret = 512
)

// sealer keeps secrets so that who reads the database alone does not have them.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	if len(key) != SealBytes {
		return sealer{}, attune.Errorf(attune.Invalid, "the key of secrets has %d bytes, not %d", len(key), SealBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

// seal writes a secret for the row called name; "" stays "".
func (s sealer) seal(name, secret string) string {
	if secret == "" {
		return ""
	}
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(secret), []byte(name)))
}

// open reads what seal wrote under the same name and key.
func (s sealer) open(name, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	text, err := base64.StdEncoding.DecodeString(sealed)
	if n := s.aead.NonceSize(); err == nil && len(text) >= n {
		if text, err = s.aead.Open(nil, text[:n], text[n:], []byte(name)); err == nil {
			return string(text), nil
		}
	}
	return "", errors.New("its secret was kept under another key: put it again")
}

// checkSecret refuses one that can be guessed; what is the subject of the message.
func checkSecret(what, secret string) error {
	if len(secret) < minSecret || len(secret) > maxSecret {
		return attune.Errorf(attune.Invalid, "%s has %d bytes: give %d to %d, for example of 'openssl rand -hex 32'", what, len(secret), minSecret, maxSecret)
	}
	return nil
}
