package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest builds the text whose hash is signed (AWS, "Create a
// canonical request"). double encodes the path a second time, as every service
// but S3 does. A malformed query escape is an error. A signed header that the
// request lacks counts as empty: the signature then cannot match.
func canonicalRequest(r *http.Request, c *credential, payloadHash string, double bool) (string, error) {
	query, err := canonicalQuery(r.URL.RawQuery, c.presigned)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(1024)
	b.WriteString(r.Method)
	b.WriteByte('\n')
	writePath(&b, r, double)
	b.WriteByte('\n')
	b.WriteString(query)
	b.WriteByte('\n')
	for _, name := range c.signedHeaders {
		b.WriteString(name)
		b.WriteByte(':')
		for i, v := range headerValues(r, name) {
			if i > 0 {
				b.WriteByte(',')
			}
			writeCollapsed(&b, v)
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(c.signedText)
	b.WriteByte('\n')
	b.WriteString(payloadHash)
	return b.String(), nil
}

// writePath writes the path as it was sent: SDKs sign the bytes they send.
func writePath(b *strings.Builder, r *http.Request, double bool) {
	path := r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") { // the exact bytes, when a server parsed the request
		path, _, _ = strings.Cut(r.RequestURI, "?")
	}
	if path == "" {
		path = "/"
	}
	if double {
		writeEscaped(b, path, true)
		return
	}
	b.WriteString(path)
}

// headerValues finds a signed header where net/http keeps it.
func headerValues(r *http.Request, name string) []string {
	switch name {
	case "host":
		return []string{r.Host}
	case "transfer-encoding":
		if len(r.TransferEncoding) > 0 {
			return r.TransferEncoding
		}
	case "content-length":
		if _, ok := r.Header["Content-Length"]; !ok {
			return []string{strconv.FormatInt(r.ContentLength, 10)}
		}
	}
	return r.Header[http.CanonicalHeaderKey(name)]
}

// writeCollapsed trims spaces at both ends and makes runs of spaces one.
func writeCollapsed(b *strings.Builder, s string) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "  ") {
		b.WriteString(s)
		return
	}
	space := false
	for i := range len(s) {
		if s[i] == ' ' && space {
			continue
		}
		space = s[i] == ' '
		b.WriteByte(s[i])
	}
}

// canonicalQuery encodes each name and value anew and sorts the pairs. A
// presigned URL's own signature is not part of what it signs.
func canonicalQuery(raw string, presigned bool) (string, error) {
	if raw == "" {
		return "", nil
	}
	var pairs []string
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		k, err := url.QueryUnescape(k)
		if err != nil {
			return "", err
		}
		v, err = url.QueryUnescape(v)
		if err != nil {
			return "", err
		}
		if presigned && k == "X-Amz-Signature" {
			continue
		}
		var b strings.Builder
		b.Grow(len(pair) + 8)
		writeEscaped(&b, k, false)
		b.WriteByte('=')
		writeEscaped(&b, v, false)
		pairs = append(pairs, b.String())
	}
	// By name, then by value: comparing whole pairs would put "a-b=" before "a=".
	slices.SortFunc(pairs, func(x, y string) int {
		xk, xv, _ := strings.Cut(x, "=")
		yk, yv, _ := strings.Cut(y, "=")
		if d := strings.Compare(xk, yk); d != 0 {
			return d
		}
		return strings.Compare(xv, yv)
	})
	return strings.Join(pairs, "&"), nil
}

// writeEscaped writes s with every byte but RFC 3986's unreserved ones as %XX.
func writeEscaped(b *strings.Builder, s string, keepSlash bool) {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
}

// stringToSign joins what is signed for a whole request.
func stringToSign(date, scope, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return algorithm + "\n" + date + "\n" + scope + "\n" + hex.EncodeToString(sum[:])
}

// hmacSHA256 is HMAC-SHA256 of text under key.
func hmacSHA256(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(text)) // a hash never fails to write
	return m.Sum(nil)
}

// signingKey derives the key of one day, region and service from a secret.
func signingKey(secret, date, region, service string) []byte {
	k := hmacSHA256([]byte("AWS4"+secret), date)
	k = hmacSHA256(k, region)
	k = hmacSHA256(k, service)
	return hmacSHA256(k, "aws4_request")
}
