package access

import (
	"crypto/hmac"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/attune-io/attune"
)

const (
	// MaxSkew is how far a request's date may lie from this server's clock,
	// either way: the 15 minutes that AWS allows.
	MaxSkew = 15 * time.Minute
	// maxExpires is the longest life of a presigned URL: AWS's seven days.
	maxExpires = 7 * 24 * time.Hour
	// maxDerived bounds the cache of derived keys: a day × regions × services of
	// every key in use is a handful; the bound only matters under attack.
	maxDerived = 512

	amzTime = "20060102T150405Z"
)

// Identity is who signed a request, and for what.
type Identity struct {
	KeyID     string    // the access key id; empty when nobody was asked (Trust)
	Service   string    // one of the Service… names
	Region    string    // as signed
	Time      time.Time // when the client says it signed
	Presigned bool      // the signature came in the URL
}

// Options are the Verifier's rarely changed settings.
type Options struct {
	// Services are the credential scopes that are answered; nil means the
	// Service… names.
	Services []string
}

// Verifier checks signatures. It is safe for use by many goroutines.
type Verifier struct {
	keys     Keys
	region   string
	clock    attune.Clock
	services []string

	mu      sync.RWMutex
	derived map[derivedFor][]byte // at most maxDerived
}

// derivedFor is what a derived key depends on. The secret is part of it, so a
// key that was changed under the same id cannot be answered from the cache.
type derivedFor struct{ secret, date, region, service string }

// NewVerifier checks signatures by keys for one region; an empty region accepts
// any. opts may be nil.
func NewVerifier(keys Keys, region string, clock attune.Clock, opts *Options) *Verifier {
	v := &Verifier{keys: keys, region: region, clock: clock, derived: make(map[derivedFor][]byte),
		services: []string{ServicePersonalize, ServiceAttune, ServiceS3, ServiceSTS, ServiceIAM, ServiceEvents}}
	if opts != nil && opts.Services != nil {
		v.services = slices.Clone(opts.Services)
	}
	return v
}

// Verify checks the signature of r and says who made it. Every refusal is an
// *Error; any other error is a key store that could not be asked.
//
// On success r.Body yields the bytes that were meant, and is bounded by maxBody
// bytes. Outside S3 the body is read here and held in memory, because its hash
// is part of the signature. For S3 it streams: aws-chunked framing is removed
// (Content-Length and Content-Encoding then describe the decoded body, and
// r.Trailer holds the verified trailers after EOF), and a mismatch is an *Error
// from Read in place of io.EOF, so a reader must not commit before EOF.
func (v *Verifier) Verify(r *http.Request, maxBody int64) (*Identity, error) {
	if isVersion2URL(r) {
		return v.verifyV2(r, maxBody)
	}
	c, refusal := readCredential(r)
	if refusal != nil {
		return nil, refusal
	}
	d := dialectOf(c.service)
	signed, refusal := v.checkScope(r, c, d)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := checkCovered(r, c, d); refusal != nil {
		return nil, refusal
	}
	key, ok, err := v.keys.Lookup(r.Context(), c.keyID)
	if err != nil {
		return nil, err
	}
	if !ok || key.Secret == "" {
		return nil, denied(d.unknownKey, "this server does not know the access key id %q; use a key pair that it issued", clip(c.keyID))
	}
	payload, refusal := payloadOf(r, c, d, maxBody)
	if refusal != nil {
		return nil, refusal
	}
	canonical, err := canonicalRequest(r, c, payload.hash, c.service != ServiceS3)
	if err != nil {
		return nil, d.incomplete(c.presigned, "the query string has a malformed escape")
	}
	date := signed.Format(amzTime)
	derived := v.derive(key.Secret, c)
	want := hmacSHA256(derived, stringToSign(date, c.scope(), canonical))
	if !hmac.Equal(want, c.signature[:]) {
		return nil, denied(d.badSignature, "the signature does not match the request; check the secret key, and that nothing between client and server changes the request")
	}
	payload.install(r, &chunkSigner{key: derived, date: date, scope: c.scope(), previous: hex.EncodeToString(c.signature[:])}, d, maxBody)
	return &Identity{KeyID: c.keyID, Service: c.service, Region: c.region, Time: signed, Presigned: c.presigned}, nil
}

// Trust prepares a request whose signature nobody checks, for a server that was
// told so: the body is bounded and aws-chunked framing removed as in Verify,
// with its lengths checked and its signatures not. What a web page made the
// browser of this machine send is refused.
func Trust(r *http.Request, maxBody int64) (*Identity, error) {
	service, _ := Scope(r)
	d := dialectOf(service)
	if refusal := checkLocal(r, d); refusal != nil {
		return nil, refusal
	}
	p := payload{hash: unsignedPayload}
	if h := r.Header.Get("X-Amz-Content-Sha256"); isStreaming(h) {
		p.hash = h
	}
	if refusal := p.checkLength(r, d, maxBody); refusal != nil {
		return nil, refusal
	}
	p.install(r, nil, d, maxBody)
	return &Identity{Service: service}, nil
}

// readCredential finds the one signature a request carries.
func readCredential(r *http.Request) (*credential, *Error) {
	if isVersion2(r) {
		return nil, badRequest("InvalidRequest", "the request is signed with AWS Signature Version 2, which is not accepted; use AWS4-HMAC-SHA256 (in boto3: Config(signature_version=\"s3v4\"))")
	}
	headers := r.Header["Authorization"]
	presigned := strings.Contains(r.URL.RawQuery, "X-Amz-")
	var q url.Values
	if presigned {
		q = r.URL.Query()
		presigned = q.Has("X-Amz-Algorithm") || q.Has("X-Amz-Signature") || q.Has("X-Amz-Credential")
	}
	switch {
	case len(headers) == 0 && !presigned:
		return nil, denied("MissingAuthenticationTokenException", "the request is not signed; sign it with AWS Signature Version 4 and a key pair of this server")
	case len(headers) > 1 || len(headers) == 1 && presigned:
		return nil, jsonDialect.incomplete(false, "the request carries more than one signature; send one")
	case presigned:
		return parsePresigned(q)
	}
	return parseAuthorization(headers[0])
}

// checkScope checks service, region and time, and returns the time of signing.
func (v *Verifier) checkScope(r *http.Request, c *credential, d *dialect) (time.Time, *Error) {
	if !slices.Contains(v.services, c.service) {
		return time.Time{}, denied(d.badSignature, "the credential is scoped to the service %q; this server answers %s", clip(c.service), strings.Join(v.services, ", "))
	}
	if v.region != "" && c.region != v.region && !isGlobal(c) {
		return time.Time{}, &Error{Code: d.wrongRegion, Status: d.wrongRegionStatus, Region: v.region,
			Message: "the region '" + clip(c.region) + "' is wrong; expecting '" + v.region + "'"}
	}
	signed, refusal := signingTime(r, c, d)
	if refusal != nil {
		return signed, refusal
	}
	if signed.Format("20060102") != c.date {
		return signed, d.incomplete(c.presigned, "the credential scope is of day %q and the request of %s", clip(c.date), signed.Format("20060102"))
	}
	now := v.clock()
	if signed.Sub(now) > MaxSkew {
		return signed, denied(d.skewed, "Signature not yet current: %s is still later than %s (%s + 15 min.); set the client's clock",
			signed.Format(amzTime), now.Add(MaxSkew).UTC().Format(amzTime), now.UTC().Format(amzTime))
	}
	if c.presigned {
		return signed, checkExpires(r, signed, now, d)
	}
	if now.Sub(signed) > MaxSkew {
		return signed, denied(d.skewed, "Signature expired: %s is now earlier than %s (%s - 15 min.); set the client's clock",
			signed.Format(amzTime), now.Add(-MaxSkew).UTC().Format(amzTime), now.UTC().Format(amzTime))
	}
	return signed, nil
}

// isGlobal says whether a request is for a service that AWS has once for all
// regions, and whose clients sign for this one wherever they are.
func isGlobal(c *credential) bool {
	return c.region == "us-east-1" && (c.service == ServiceSTS || c.service == ServiceIAM)
}

// signingTime reads X-Amz-Date, or the Date header for clients that sign that.
func signingTime(r *http.Request, c *credential, d *dialect) (time.Time, *Error) {
	text := r.Header.Get("X-Amz-Date")
	if c.presigned {
		text = r.URL.Query().Get("X-Amz-Date")
	} else if text == "" {
		if t, err := http.ParseTime(r.Header.Get("Date")); err == nil && slices.Contains(c.signedHeaders, "date") {
			return t.UTC(), nil
		}
	}
	t, err := time.Parse(amzTime, text)
	if err != nil {
		return t, d.incomplete(c.presigned, "the request needs an X-Amz-Date like 20060102T150405Z, not %q", clip(text))
	}
	return t, nil
}

// checkExpires checks the life of a presigned URL.
func checkExpires(r *http.Request, signed, now time.Time, d *dialect) *Error {
	n, err := strconv.ParseUint(r.URL.Query().Get("X-Amz-Expires"), 10, 32)
	life := time.Duration(n) * time.Second //nolint:gosec // at most 32 bits of seconds
	if err != nil || n == 0 || life > maxExpires {
		return d.incomplete(true, "X-Amz-Expires must be between 1 and %d seconds", int(maxExpires.Seconds()))
	}
	if now.After(signed.Add(life)) {
		return denied(d.expired, "Request has expired: the URL was valid until %s and it is now %s",
			signed.Add(life).Format(amzTime), now.UTC().Format(amzTime))
	}
	return nil
}

// checkCovered refuses x-amz- headers that the signature does not cover: they
// change what a request does (a copy source, a target), so whoever could add one
// could turn a signed request into another.
func checkCovered(r *http.Request, c *credential, d *dialect) *Error {
	for name, values := range r.Header {
		if !strings.HasPrefix(name, "X-Amz-") || name == "X-Amz-Content-Sha256" && c.presigned {
			continue
		}
		if _, ok := slices.BinarySearch(c.signedHeaders, strings.ToLower(name)); !ok && len(values) > 0 {
			return denied(d.badSignature, "the header %s was sent and is not signed", clip(name))
		}
	}
	return nil
}

// derive finds or makes the signing key of a credential's scope.
func (v *Verifier) derive(secret string, c *credential) []byte {
	at := derivedFor{secret: secret, date: c.date, region: c.region, service: c.service}
	v.mu.RLock()
	k, ok := v.derived[at]
	v.mu.RUnlock()
	if ok {
		return k
	}
	k = signingKey(secret, c.date, c.region, c.service)
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.derived) >= maxDerived {
		clear(v.derived) // yesterday's keys go too; deriving anew costs microseconds
	}
	v.derived[at] = k
	return k
}
