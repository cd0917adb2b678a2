package access

import (
	"fmt"
	"net/http"
)

// Error is a refusal: the AWS name that SDKs act on, the HTTP status that goes
// with it, and a message for the person who reads it.
type Error struct {
	Code    string // e.g. InvalidSignatureException
	Status  int    // HTTP status, 400 to 413
	Message string // what is wrong and what to do
	Region  string // the region to sign for, when that was the mistake; else empty
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// dialect is how one family of services names its refusals. S3 has its own
// names, and clients act on them: boto3 redirects on AuthorizationHeaderMalformed,
// SDKs correct their clock on RequestTimeTooSkewed.
type dialect struct {
	malformed, query  string
	unknownKey        string
	badSignature      string
	skewed            string
	expired           string
	wrongRegion       string
	badHash           string
	denied            string
	malformedStatus   int
	wrongRegionStatus int
}

var jsonDialect = dialect{
	malformed:         "IncompleteSignatureException",
	query:             "IncompleteSignatureException",
	unknownKey:        "UnrecognizedClientException",
	badSignature:      "InvalidSignatureException",
	skewed:            "InvalidSignatureException",
	expired:           "InvalidSignatureException",
	wrongRegion:       "InvalidSignatureException",
	badHash:           "InvalidSignatureException",
	denied:            "AccessDeniedException",
	malformedStatus:   http.StatusBadRequest,
	wrongRegionStatus: http.StatusForbidden,
}

var s3Dialect = dialect{
	malformed:         "AuthorizationHeaderMalformed",
	query:             "AuthorizationQueryParametersError",
	unknownKey:        "InvalidAccessKeyId",
	badSignature:      "SignatureDoesNotMatch",
	skewed:            "RequestTimeTooSkewed",
	expired:           "AccessDenied",
	wrongRegion:       "AuthorizationHeaderMalformed",
	badHash:           "XAmzContentSHA256Mismatch",
	denied:            "AccessDenied",
	malformedStatus:   http.StatusBadRequest,
	wrongRegionStatus: http.StatusBadRequest,
}

// dialectOf picks the names for a service of a credential scope.
func dialectOf(service string) *dialect {
	if service == ServiceS3 {
		return &s3Dialect
	}
	return &jsonDialect
}

func (d *dialect) incomplete(presigned bool, format string, args ...any) *Error {
	code := d.malformed
	if presigned {
		code = d.query
	}
	return &Error{Code: code, Status: d.malformedStatus, Message: fmt.Sprintf(format, args...)}
}

func denied(code, format string, args ...any) *Error {
	return &Error{Code: code, Status: http.StatusForbidden, Message: fmt.Sprintf(format, args...)}
}

func badRequest(code, format string, args ...any) *Error {
	return &Error{Code: code, Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}
