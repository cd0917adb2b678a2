package api

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api/awsjson"
)

const (
	// maxForm bounds a query-protocol request, in bytes: an action and a version.
	maxForm  = 64 << 10
	stsSpace = "https://sts.amazonaws.com/doc/2011-06-15/"
	iamSpace = "https://iam.amazonaws.com/doc/2010-05-08/"
)

// Query answers the two services that speak AWS's query protocol: of STS, who
// the caller is, which notebooks ask to make ARNs; of IAM nothing, in words that
// its clients read.
type Query struct {
	Account string // twelve digits
	Server  *awsjson.Server
}

type callerIdentity struct {
	XMLName   xml.Name `xml:"GetCallerIdentityResponse"`
	Space     string   `xml:"xmlns,attr"`
	Arn       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

type queryError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Space     string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// ServeHTTP answers a request that is signed well for service.
func (q *Query) ServeHTTP(w http.ResponseWriter, r *http.Request, service string) {
	began := time.Now()
	action, err := actionOf(r)
	if err != nil {
		q.WriteError(w, r, service, action, err)
		return
	}
	switch {
	case service == access.ServiceIAM:
		err = &awsjson.Named{Name: "NotImplemented", Status: http.StatusBadRequest, Message: "this server has no IAM (" + action +
			"): roles are not enforced here, and any role ARN of the right form will do, such as arn:aws:iam::" + q.Account + ":role/personalize"}
	case action != "GetCallerIdentity":
		err = &awsjson.Named{Name: "InvalidAction", Status: http.StatusBadRequest, Message: "of STS this server answers GetCallerIdentity, not " + action}
	default: // there is one key pair, which may do everything
		q.Server.WriteXML(w, r, service, action, began, http.StatusOK, nil, callerIdentity{Space: stsSpace,
			Arn: "arn:aws:iam::" + q.Account + ":root", UserID: q.Account, Account: q.Account, RequestID: awsjson.RequestID(r.Context())})
		return
	}
	q.WriteError(w, r, service, action, err)
}

// actionOf reads what a request asks for, from its form or its query.
func actionOf(r *http.Request) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil || len(text) > maxForm {
		return "", attune.Errorf(attune.Invalid, "the request cannot be read, or has more than %d bytes", maxForm)
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return "", attune.Errorf(attune.Invalid, "the request is not a form: send Action=GetCallerIdentity&Version=2011-06-15")
	}
	action := form.Get("Action")
	if action == "" {
		action = r.URL.Query().Get("Action")
	}
	const most = 64 // no action is longer
	if action == "" || len(action) > most {
		return "", attune.Errorf(attune.Invalid, "the request names no Action: send Action=GetCallerIdentity&Version=2011-06-15")
	}
	return action, nil
}

// WriteError answers in the form of the query protocol.
func (q *Query) WriteError(w http.ResponseWriter, r *http.Request, service, action string, err error) {
	space := stsSpace
	if service == access.ServiceIAM {
		space = iamSpace
	}
	said := queryError{Space: space, Type: "Sender", Code: "InternalFailure", Message: "internal error; quote the request id", RequestID: awsjson.RequestID(r.Context())}
	status := http.StatusInternalServerError
	var named *awsjson.Named
	var refused *access.Error
	switch {
	case errors.As(err, &named):
		said.Code, said.Message, status = named.Name, named.Message, named.Status
	case errors.As(err, &refused):
		said.Code, said.Message, status = queryCode(refused.Code), refused.Message, refused.Status
	case attune.KindOf(err) == attune.Invalid:
		said.Code, said.Message, status = "ValidationError", err.Error(), http.StatusBadRequest
	default:
		said.Type = "Receiver"
	}
	q.Server.WriteXML(w, r, service, action, time.Now(), status, err, said)
}

// queryCode is how the query services name a refusal.
func queryCode(code string) string {
	switch code {
	case awsjson.InvalidSignatureException:
		return "SignatureDoesNotMatch"
	case awsjson.UnrecognizedClientException:
		return "InvalidClientTokenId"
	}
	return strings.TrimSuffix(code, "Exception")
}
