package access

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The services whose scopes this server answers to.
const (
	ServicePersonalize = "personalize" // all three Personalize services sign with this name
	ServiceAttune      = "attune"      // our own verbs
	ServiceS3          = "s3"          // the object door
	ServiceSTS         = "sts"         // who am I
	ServiceIAM         = "iam"         // refused, in words that its clients read
	ServiceEvents      = "events"      // EventBridge, of which there is PutEvents
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	// maxAuthorization bounds the credential text that is parsed: ids, scope,
	// signature, and a list of at most maxSignedHeaders names.
	maxAuthorization = 8 << 10
	maxSignedHeaders = 100
	sigHexLen        = 64
)

// credential is what a request says about its signature, unchecked.
type credential struct {
	keyID, date, region, service string
	signedHeaders                []string // lower case, sorted, unique
	signedText                   string   // the list as sent
	signature                    [32]byte
	presigned                    bool
}

// scope is the text of the credential scope, e.g. 20260301/us-east-1/s3/aws4_request.
func (c *credential) scope() string {
	return c.date + "/" + c.region + "/" + c.service + "/aws4_request"
}

// Scope reads the service out of a request's credential scope without checking
// anything: it is for choosing the door, whose Verify then decides. ok is false
// when the request carries no readable credential.
func Scope(r *http.Request) (service string, ok bool) {
	if isVersion2(r) {
		return ServiceS3, true // nobody else still sends those; Verify says what to do
	}
	text := ""
	if h := r.Header.Get("Authorization"); h != "" {
		if len(h) > maxAuthorization {
			return "", false
		}
		_, rest, found := strings.Cut(h, "Credential=")
		if !found {
			return "", false
		}
		text, _, _ = strings.Cut(rest, ",")
	} else if raw := queryValue(r.URL.RawQuery, "X-Amz-Credential"); raw != "" {
		text = raw
	} else {
		return "", false
	}
	var c credential
	if !c.setCredential(strings.TrimSpace(text)) {
		return "", false
	}
	return c.service, true
}

// isVersion2 recognizes the signatures of before 2014, which boto3 still makes
// for presigned URLs in us-east-1.
func isVersion2(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS ") ||
		queryValue(r.URL.RawQuery, "AWSAccessKeyId") != "" && queryValue(r.URL.RawQuery, "X-Amz-Credential") == ""
}

// queryValue finds one parameter without building a map of all of them.
func queryValue(raw, name string) string {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if k, v, _ := strings.Cut(pair, "="); k == name {
			s, err := url.QueryUnescape(v)
			if err != nil || len(s) > maxAuthorization {
				return ""
			}
			return s
		}
	}
	return ""
}

// setCredential parses id/date/region/service/aws4_request, from the right,
// because nothing forbids a slash in an id.
func (c *credential) setCredential(s string) bool {
	parts := strings.Split(s, "/")
	n := len(parts)
	if n < 5 || parts[n-1] != "aws4_request" {
		return false
	}
	c.keyID = strings.Join(parts[:n-4], "/")
	c.date, c.region, c.service = parts[n-4], parts[n-3], parts[n-2]
	return c.keyID != "" && len(c.date) == 8 && c.region != "" && c.service != ""
}

// setSignature parses the 64 lower-case hex digits.
func (c *credential) setSignature(s string) bool {
	if len(s) != sigHexLen || strings.ToLower(s) != s {
		return false
	}
	n, err := hex.Decode(c.signature[:], []byte(s))
	return err == nil && n == len(c.signature)
}

// setSignedHeaders parses host;x-amz-date;…: sorted, unique, with host among them.
func (c *credential) setSignedHeaders(s string) bool {
	if s == "" || len(s) > maxAuthorization {
		return false
	}
	c.signedText = s
	c.signedHeaders = strings.Split(s, ";")
	if len(c.signedHeaders) > maxSignedHeaders || !slices.Contains(c.signedHeaders, "host") {
		return false
	}
	for i, h := range c.signedHeaders {
		if h == "" || strings.ToLower(h) != h || i > 0 && c.signedHeaders[i-1] >= h {
			return false
		}
	}
	return true
}

// parseAuthorization reads an Authorization header. The dialect of the refusal
// follows the service as far as it could be read.
func parseAuthorization(h string) (*credential, *Error) {
	c := &credential{}
	if len(h) > maxAuthorization {
		return c, jsonDialect.incomplete(false, "the Authorization header has %d bytes, at most %d are read", len(h), maxAuthorization)
	}
	rest, found := strings.CutPrefix(h, algorithm)
	if !found || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
		return c, jsonDialect.incomplete(false, "the Authorization header must begin with %s; sign requests with AWS Signature Version 4", algorithm)
	}
	var haveCredential, haveHeaders, haveSignature bool
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		ok := false
		switch name {
		case "Credential":
			ok = !haveCredential && c.setCredential(value)
			haveCredential = true
		case "SignedHeaders":
			ok = !haveHeaders && c.setSignedHeaders(value)
			haveHeaders = true
		case "Signature":
			ok = !haveSignature && c.setSignature(value)
			haveSignature = true
		}
		if !ok {
			return c, dialectOf(c.service).incomplete(false, "the Authorization header has a %q part that is malformed, repeated or unknown", clip(name))
		}
	}
	if !haveCredential || !haveHeaders || !haveSignature {
		return c, dialectOf(c.service).incomplete(false, "the Authorization header must have Credential, SignedHeaders and Signature")
	}
	return c, nil
}

// parsePresigned reads the X-Amz-… parameters of a presigned URL.
func parsePresigned(q url.Values) (*credential, *Error) {
	c := &credential{presigned: true}
	for _, name := range []string{"X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Date"} {
		v := q[name]
		ok := len(v) == 1
		if ok {
			switch name {
			case "X-Amz-Credential":
				ok = len(v[0]) <= maxAuthorization && c.setCredential(v[0])
			case "X-Amz-SignedHeaders":
				ok = c.setSignedHeaders(v[0])
			case "X-Amz-Signature":
				ok = c.setSignature(v[0])
			case "X-Amz-Algorithm":
				ok = v[0] == algorithm
			}
		}
		if !ok {
			return c, dialectOf(c.service).incomplete(true, "the presigned URL needs exactly one well-formed %s parameter", name)
		}
	}
	return c, nil
}

// clip shortens what a client sent before it goes into a message.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
