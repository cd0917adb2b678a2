package awsjson

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"

	"github.com/attune-io/attune"
)

// maxToken is the published length of a page token, in ASCII characters.
const maxToken = 1500

// maxPosition is the longest position a token can carry, in bytes: what base64
// leaves of maxToken after nonce and tag.
const maxPosition = maxToken*3/4 - 28

// EncodeToken seals a position in a list into a page token. scope names the
// list: the operation and its filter, e.g. "ListCampaigns\x00" + solutionArn;
// a token opens only under the key and scope that it was made with, and says
// nothing to who holds it. An empty position gives "", which means no next page.
// A position beyond 1,097 bytes is an Internal error: positions are names or ids.
func EncodeToken(key []byte, scope, position string) (string, error) {
	if position == "" {
		return "", nil
	}
	if len(position) > maxPosition {
		return "", attune.Errorf(attune.Internal, "page position of %d bytes exceeds %d", len(position), maxPosition)
	}
	aead, err := tokenCipher(key)
	if err != nil {
		return "", err
	}
	sealed := aead.Seal(nil, nil, []byte(position), []byte(scope))
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// DecodeToken opens a page token. An empty token is the beginning: "". A token
// that this key did not make for this scope is an error of Kind InvalidNextToken.
func DecodeToken(key []byte, scope, token string) (position string, err error) {
	if token == "" {
		return "", nil
	}
	refused := attune.Errorf(attune.InvalidNextToken,
		"nextToken is not one that this list gave: pass the token of the previous page unchanged, with the same filter, or none to start over")
	if len(token) > maxToken {
		return "", refused
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", refused
	}
	aead, err := tokenCipher(key)
	if err != nil {
		return "", err
	}
	opened, err := aead.Open(nil, nil, sealed, []byte(scope))
	if err != nil {
		return "", refused
	}
	return string(opened), nil
}

// tokenCipher derives the cipher of a key of any length.
func tokenCipher(key []byte) (cipher.AEAD, error) {
	derived := sha256.Sum256(append([]byte("attune page token\x00"), key...))
	block, err := aes.NewCipher(derived[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// EncodeToken is the function of that name with this server's key.
func (s *Server) EncodeToken(scope, position string) (string, error) {
	return EncodeToken(s.tokenKey, scope, position)
}

// DecodeToken is the function of that name with this server's key.
func (s *Server) DecodeToken(scope, token string) (string, error) {
	return DecodeToken(s.tokenKey, scope, token)
}
