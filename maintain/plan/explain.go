package plan

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/attune-io/attune"
)

// kinds are the services' names for failures, in ours. Throttling is
// Unavailable: whoever takes steps waits and takes the step again.
var kinds = map[string]attune.Kind{
	"ResourceNotFoundException": attune.NotFound, "NoSuchBucket": attune.NotFound, "NoSuchKey": attune.NotFound, "NotFound": attune.NotFound,
	"InvalidInputException": attune.Invalid, "ValidationException": attune.Invalid, "ValidationError": attune.Invalid, "InvalidNextTokenException": attune.Invalid,
	"ResourceAlreadyExistsException": attune.Exists,
	"LimitExceededException":         attune.LimitExceeded,
	"ResourceInUseException":         attune.InUse,
	"TooManyTagsException":           attune.TooManyTags,
	"AccessDeniedException":          attune.Denied, "AccessDenied": attune.Denied, "UnrecognizedClientException": attune.Denied,
	"InvalidClientTokenId": attune.Denied, "InvalidSignatureException": attune.Denied, "SignatureDoesNotMatch": attune.Denied,
	"ExpiredTokenException": attune.Denied, "ExpiredToken": attune.Denied, "IncompleteSignature": attune.Denied, "InvalidAccessKeyId": attune.Denied,
	"ThrottlingException": attune.Unavailable, "Throttling": attune.Unavailable, "ThrottledException": attune.Unavailable, "TooManyRequestsException": attune.Unavailable,
	"RequestLimitExceeded": attune.Unavailable, "SlowDown": attune.Unavailable, "RequestTimeout": attune.Unavailable, "ServiceUnavailable": attune.Unavailable,
	"InternalFailure": attune.Unavailable, "InternalServerError": attune.Unavailable, "InternalError": attune.Unavailable,
}

// unnamed is what the SDK calls an answer without a body that it knows, such as a proxy's.
const unnamed = "UnknownError"

// explain makes one clear error of what an SDK call gave: what was done, what
// the service said, and a kind. attune.Unavailable is worth another try; the
// rest will fail again. An end of ctx stays what it is.
func explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	var known *attune.Error
	if errors.As(err, &known) {
		return attune.Errorf(known.Kind, "%s: %w", doing, err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var (
		said   smithy.APIError
		answer *awshttp.ResponseError
		dial   *net.OpError
		wait   *aws.RequestCanceledError
	)
	status := 0
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	if errors.As(err, &said) {
		text, kind := said.ErrorMessage(), kinds[said.ErrorCode()]
		if text == "" {
			text = "no reason was given"
		}
		if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
			kind = attune.Unavailable
		}
		if kind == attune.Internal && status == http.StatusForbidden {
			kind = attune.Denied
		}
		if kind == attune.Internal {
			kind = attune.Invalid // a refusal that we have no word for; asking again would not help
		}
		if said.ErrorCode() == unnamed && status > 0 {
			return attune.Errorf(kind, "%s: the service answered %d %s and no more", doing, status, http.StatusText(status))
		}
		return attune.Errorf(kind, "%s: %s (%s)", doing, text, said.ErrorCode())
	}
	switch {
	case errors.As(err, &dial):
		return attune.Errorf(attune.Unavailable, "%s: no service answers: %w", doing, dial)
	case status >= http.StatusBadRequest && status < http.StatusInternalServerError:
		return attune.Errorf(attune.Invalid, "%s: %w", doing, err)
	case errors.As(err, &wait), isTimeout(err):
		return attune.Errorf(attune.Unavailable, "%s: the service did not answer in time: %w", doing, err)
	}
	return attune.Errorf(attune.Unavailable, "%s: %w", doing, err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// Retryable says whether the same step may succeed when it is taken again: the
// service throttled, failed, or did not answer.
func Retryable(err error) bool {
	return attune.KindOf(err) == attune.Unavailable || attune.KindOf(err) == attune.Throttled
}

// missing says whether an error is that something does not exist.
func missing(err error) bool { return attune.KindOf(err) == attune.NotFound }
