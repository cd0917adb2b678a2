package attune

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is. It is decided once, where the
// failure is understood, and translated once, in api/awsjson.
type Kind int

// The kinds. Internal is the zero value: an error nobody classified is ours,
// is logged, and reaches the client only as a request id.
const (
	Internal         Kind = iota
	Invalid               // the request can never succeed as it is
	NotFound              // the named thing does not exist
	Exists                // the name is taken
	InUse                 // the thing is busy or others depend on it; try later
	LimitExceeded         // a quota or a bound of this server
	TooManyTags           // more tags than a resource may carry
	TooManyTagKeys        // more tag keys than one call may remove
	InvalidNextToken      // a page token this server did not give
	Throttled             // too many requests; back off and retry
	Denied                // the caller is known but may not do this
	Unavailable           // a dependency is down; retry
	NotBuilt              // a published operation that this build does not have yet
)

var kindNames = [...]string{"internal", "invalid", "not found", "exists", "in use", "limit exceeded",
	"too many tags", "too many tag keys", "invalid next token", "throttled", "denied", "unavailable", "not built"}

// String names the kind in lower-case words.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return kindNames[k]
}

// Error is a failure that somebody understood: its Kind, and a message for the
// person who made the request, saying what is wrong, where, and what to do.
type Error struct {
	Kind    Kind
	Message string // complete: it already contains the words of the cause
	Err     error  // the cause, for errors.Is and errors.As; may be nil
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a kind; the operand of a %w verb becomes its cause.
func Errorf(k Kind, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Message: err.Error(), Err: errors.Unwrap(err)}
}

// KindOf finds the kind of an error anywhere in its chain; Internal when nobody said.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
