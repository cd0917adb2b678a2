package awsjson

import (
	"context"
	"errors"
	"net/http"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
)

// Exception names that no operation publishes but AWS's front door sends. The
// access layer puts these into Named.
const (
	InvalidSignatureException           = "InvalidSignatureException"
	UnrecognizedClientException         = "UnrecognizedClientException"
	MissingAuthenticationTokenException = "MissingAuthenticationTokenException"
	IncompleteSignatureException        = "IncompleteSignatureException"
)

// Exception names that this package sends by itself, beside the published ones.
const (
	AccessDeniedException          = "AccessDeniedException"
	ThrottlingException            = "ThrottlingException"
	ServiceUnavailable             = "ServiceUnavailable"
	InternalFailure                = "InternalFailure"
	SerializationException         = "SerializationException"
	UnknownOperationException      = "UnknownOperationException"
	RequestEntityTooLargeException = "RequestEntityTooLargeException"
	NotBuiltException              = "NotBuiltException"
)

// The published exceptions that kinds are translated to.
const (
	invalidInput          = "InvalidInputException"
	resourceNotFound      = "ResourceNotFoundException"
	resourceAlreadyExists = "ResourceAlreadyExistsException"
	resourceInUse         = "ResourceInUseException"
	limitExceeded         = "LimitExceededException"
	tooManyTags           = "TooManyTagsException"
	tooManyTagKeys        = "TooManyTagKeysException"
	invalidNextToken      = "InvalidNextTokenException"
)

// What log and metric say of a client that hung up; nobody reads that answer.
const (
	clientClosed       = "ClientClosedRequest"
	statusClientClosed = 499
)

const (
	typeJSON11      = "application/x-amz-json-1.1"
	typeREST        = "application/json"
	typeXML         = "text/xml"
	headerRequestID = "X-Amzn-Requestid"
	headerErrorType = "X-Amzn-Errortype"
)

// maxErrorMessage bounds a message in bytes: ten violations with their values fit.
const maxErrorMessage = 8192

// Named is an error that is sent verbatim: exception name, HTTP status, message.
type Named struct {
	Name    string
	Status  int
	Message string
}

// Error gives the message.
func (n *Named) Error() string { return n.Message }

// publishedNames lists, per kind, the exceptions to look for, nearest first.
func publishedNames(k attune.Kind) []string {
	switch k {
	case attune.Invalid:
		return []string{invalidInput}
	case attune.NotFound:
		return []string{resourceNotFound, invalidInput}
	case attune.Exists:
		return []string{resourceAlreadyExists, resourceInUse, invalidInput}
	case attune.InUse:
		return []string{resourceInUse, invalidInput}
	case attune.LimitExceeded:
		return []string{limitExceeded, invalidInput}
	case attune.TooManyTags:
		return []string{tooManyTags, limitExceeded, invalidInput}
	case attune.TooManyTagKeys:
		return []string{tooManyTagKeys, tooManyTags, invalidInput}
	case attune.InvalidNextToken:
		return []string{invalidNextToken, invalidInput}
	}
	return nil
}

// unpublished gives the exception of a kind that no operation publishes.
func unpublished(k attune.Kind, rest bool) (name string, status int) {
	switch k {
	case attune.Throttled:
		if rest {
			return ThrottlingException, http.StatusTooManyRequests
		}
		return ThrottlingException, http.StatusBadRequest
	case attune.Denied:
		if rest {
			return AccessDeniedException, http.StatusForbidden
		}
		return AccessDeniedException, http.StatusBadRequest
	case attune.Unavailable:
		return ServiceUnavailable, http.StatusServiceUnavailable
	case attune.NotBuilt:
		return NotBuiltException, http.StatusBadRequest
	}
	return InternalFailure, http.StatusInternalServerError
}

// restStatus is the status of an exception where a service publishes none.
func restStatus(k attune.Kind) int {
	switch k {
	case attune.NotFound:
		return http.StatusNotFound
	case attune.Exists, attune.InUse:
		return http.StatusConflict
	}
	return http.StatusBadRequest
}

// translate finds what to send for an error. op is nil when the request named
// no published operation, id is the request id, gone says that its client hung up.
func translate(op *wire.Operation, rest bool, id string, gone bool, err error) Named {
	var named *Named
	if errors.As(err, &named) {
		return *named
	}
	var known *attune.Error
	if !errors.As(err, &known) {
		if gone && errors.Is(err, context.Canceled) {
			return Named{clientClosed, statusClientClosed, "the client closed the request"}
		}
		known = &attune.Error{Kind: attune.Internal}
	}
	names := publishedNames(known.Kind)
	if names == nil {
		name, status := unpublished(known.Kind, rest)
		if name == InternalFailure {
			return Named{name, status, "internal error; quote request id " + id}
		}
		return Named{name, status, known.Message}
	}
	name, status := names[0], restStatus(known.Kind)
	if op != nil {
		for _, candidate := range names {
			if op.Models(candidate) {
				name = candidate
				break
			}
		}
		if e, ok := wire.LookupError(op.Service, name); ok {
			status = e.Status
		} else if !rest {
			status = http.StatusBadRequest
		}
	}
	return Named{name, status, known.Message}
}

// writeNamed sends an exception in the protocol of the caller and returns the
// number of bytes of the body.
func writeNamed(w http.ResponseWriter, rest bool, n Named) int {
	message := n.Message
	if len(message) > maxErrorMessage {
		message = message[:maxErrorMessage] // a cut rune becomes U+FFFD in the encoding
	}
	body := appendText([]byte(`{"__type":`), n.Name)
	body = append(appendText(append(body, `,"message":`...), message), '}')
	h := w.Header()
	h.Set("Content-Type", typeJSON11)
	if rest {
		h.Set("Content-Type", typeREST)
		h.Set(headerErrorType, n.Name)
	}
	status := n.Status
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	wrote, _ := w.Write(body) // a client that is gone cannot be told so
	return wrote
}
