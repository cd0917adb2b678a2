package resource

import "context"

// MaxCause bounds a cause, in bytes: it is copied into every change of a row.
const MaxCause = 2 << 10

type causeKey struct{}

// WithCause says what the requests under ctx are made for; "" that nobody said.
// Rows that they create or change carry it, and so does every Change of those
// rows, until another request comes. Work on rows is no request, and changes
// nothing of it. What is longer than MaxCause counts as "".
func WithCause(ctx context.Context, cause string) context.Context {
	if len(cause) > MaxCause {
		cause = ""
	}
	return context.WithValue(ctx, causeKey{}, cause)
}

// causeOf is what the request under ctx is made for, or was, the cause that the
// row has, when there is none.
func causeOf(ctx context.Context, was string) string {
	if cause, ok := ctx.Value(causeKey{}).(string); ok {
		return cause
	}
	return was
}
