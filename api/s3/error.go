package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"gocloud.dev/gcerrors"

	"github.com/attune-io/attune/access"
)

// apiError is a refusal as S3 clients know it.
type apiError struct {
	code    string
	status  int
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func refuse(status int, code, format string, args ...any) error {
	return &apiError{code: code, status: status, message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidArgument", format, args...)
}

func noSuchKey(key string) error {
	return refuse(http.StatusNotFound, "NoSuchKey", "the bucket has no object %q", clip(key))
}

func noSuchBucket(name string) error {
	return refuse(http.StatusNotFound, "NoSuchBucket", "the bucket %q does not exist; create it first", clip(name))
}

func noSuchUpload() error {
	return refuse(http.StatusNotFound, "NoSuchUpload", "there is no such multipart upload; it was completed or aborted, or has expired")
}

func notBuilt(what string) error {
	return refuse(http.StatusNotImplemented, "NotImplemented", "this server does not have %s", what)
}

func clip(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// errorXML is the body of a refusal.
type errorXML struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string `xml:",omitempty"`
	Region    string `xml:",omitempty"`
	RequestID string `xml:"RequestId"`
}

// toAPI finds the refusal in err. ok is false for an error that nobody
// understood: it is ours, and its words stay in the log.
func toAPI(err error) (body errorXML, status int, ok bool) {
	var mine *apiError
	var theirs *access.Error
	switch {
	case errors.As(err, &mine):
		return errorXML{Code: mine.code, Message: mine.message}, mine.status, true
	case errors.As(err, &theirs):
		code := theirs.Code
		if code == "MissingAuthenticationTokenException" { // S3's name for an unsigned request
			code = "AccessDenied"
		}
		return errorXML{Code: code, Message: theirs.Message, Region: theirs.Region}, theirs.Status, true
	case errors.Is(err, context.Canceled):
		return errorXML{Code: "RequestTimeout", Message: "the request was given up before it was complete"}, http.StatusBadRequest, true
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTEMPTY), errors.Is(err, syscall.EEXIST):
		return errorXML{Code: "InvalidRequest", Message: "this server keeps objects as files: a key cannot be both an object and the folder of others; choose another key"}, http.StatusBadRequest, true
	case errors.Is(err, syscall.ENAMETOOLONG):
		return errorXML{Code: "KeyTooLongError", Message: "a part of the key between slashes is too long for this server's file system"}, http.StatusBadRequest, true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errorXML{Code: "InsufficientStorage", Message: "the server's disk is full"}, http.StatusInsufficientStorage, true
	}
	return errorXML{Code: "InternalError", Message: "the server failed; its log tells more under this request id"}, http.StatusInternalServerError, false
}

// isMissing says that a blob does not exist, also because what would be its
// folder is an object.
func isMissing(err error) bool {
	return gcerrors.Code(err) == gcerrors.NotFound || errors.Is(err, syscall.ENOTDIR)
}
