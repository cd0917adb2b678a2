package access

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what version 2 is made of; as a MAC it holds
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queryV2 are the parameters of a presigned URL of version 2.
var queryV2 = []string{"AWSAccessKeyId", "Signature", "Expires"}

// coveredV2 are the query parameters that version 2 signs: those that choose an
// S3 operation or change its answer.
var coveredV2 = []string{"acl", "cors", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy",
	"requestPayment", "response-cache-control", "response-content-disposition", "response-content-encoding",
	"response-content-language", "response-content-type", "response-expires", "restore", "tagging", "torrent",
	"uploadId", "uploads", "versionId", "versioning", "versions", "website"}

// isVersion2URL recognizes what boto3 presigns in us-east-1 unless it is told
// otherwise. Only such URLs are taken, only for S3, and not for longer than
// those of version 4; requests signed by version 2 in a header are not.
func isVersion2URL(r *http.Request) bool {
	return len(r.Header["Authorization"]) == 0 && isVersion2(r)
}

// verifyV2 checks a presigned URL of AWS Signature Version 2 ("Signing and
// authenticating REST requests (AWS signature version 2)" of the S3 guide).
func (v *Verifier) verifyV2(r *http.Request, maxBody int64) (*Identity, error) {
	d := &s3Dialect
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, d.incomplete(true, "the query string has a malformed escape")
	}
	for _, name := range queryV2 {
		if len(q[name]) != 1 {
			return nil, d.incomplete(true, "the presigned URL needs exactly one %s parameter", name)
		}
	}
	until, refusal := v.expiresV2(q.Get("Expires"))
	if refusal != nil {
		return nil, refusal
	}
	keyID := q.Get("AWSAccessKeyId")
	key, ok, err := v.keys.Lookup(r.Context(), keyID)
	if err != nil {
		return nil, err
	}
	if !ok || key.Secret == "" {
		return nil, denied(d.unknownKey, "this server does not know the access key id %q; use a key pair that it issued", clip(keyID))
	}
	moveQueryHeaders(r, q)
	m := hmac.New(sha1.New, []byte(key.Secret))
	_, _ = m.Write([]byte(canonicalV2(r, q))) // a hash never fails to write
	if want := base64.StdEncoding.EncodeToString(m.Sum(nil)); !hmac.Equal([]byte(want), []byte(q.Get("Signature"))) {
		return nil, denied(d.badSignature, "the signature does not match the request; check the secret key, and that nothing between client and server changes the request")
	}
	p := payload{hash: unsignedPayload}
	if refusal := p.checkLength(r, d, maxBody); refusal != nil {
		return nil, refusal
	}
	p.install(r, nil, d, maxBody)
	return &Identity{KeyID: keyID, Service: ServiceS3, Region: v.region, Time: until, Presigned: true}, nil
}

// expiresV2 reads and checks the end of a URL's life, in Unix seconds.
func (v *Verifier) expiresV2(text string) (time.Time, *Error) {
	n, err := strconv.ParseInt(text, 10, 64)
	until, now := time.Unix(n, 0).UTC(), v.clock()
	if err != nil || until.Sub(now) > maxExpires+MaxSkew {
		return until, s3Dialect.incomplete(true, "Expires must be Unix seconds, at most %d from now", int(maxExpires.Seconds()))
	}
	if now.After(until) {
		return until, denied(s3Dialect.expired, "Request has expired: the URL was valid until %s and it is now %s", until.Format(amzTime), now.UTC().Format(amzTime))
	}
	return until, nil
}

// moveQueryHeaders puts the headers that the URL carries in its query where
// headers are; what the request says itself must be the same.
func moveQueryHeaders(r *http.Request, q url.Values) {
	for name, values := range q {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") || lower == "content-type" || lower == "content-md5" {
			r.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
}

// canonicalV2 is the text that is signed.
func canonicalV2(r *http.Request, q url.Values) string {
	var b strings.Builder
	for _, line := range []string{r.Method, r.Header.Get("Content-Md5"), r.Header.Get("Content-Type"), q.Get("Expires")} {
		b.WriteString(line + "\n")
	}
	var names []string
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(strings.ToLower(name) + ":" + strings.Join(r.Header[name], ",") + "\n")
	}
	writePath(&b, r, false)
	mark := "?"
	for _, name := range coveredV2 {
		for _, value := range q[name] {
			b.WriteString(mark + name)
			if mark = "&"; value != "" {
				b.WriteString("=" + value)
			}
		}
	}
	return b.String()
}
