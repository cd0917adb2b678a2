package serve

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// randomID makes a random UUID (version 4).
func randomID() (b [16]byte) {
	_, _ = cryptorand.Read(b[:]) // never fails: it ends the process instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return b
}

// format writes a UUID as text.
func format(b [16]byte) string {
	var text [36]byte
	for i, at := 0, 0; i < len(b); i++ {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text[at] = '-'
			at++
		}
		hex.Encode(text[at:], b[i:i+1])
		at += 2
	}
	return string(text[:])
}

// dice is the chance of one answer: who knows its id can throw it again.
func dice(id [16]byte) *rand.Rand {
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])))
}
