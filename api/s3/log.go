package s3

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"
)

// answer notes what is sent, for the log.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the first final status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes of the body.
func (a *answer) Write(b []byte) (int, error) {
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// line writes the one log line of a request, with the names that the other
// doors use.
func (d *Door) line(c *request, sent *answer, began time.Time) {
	ctx := c.r.Context()
	if !d.log.Enabled(ctx, c.level) {
		return
	}
	attrs := []slog.Attr{slog.String("requestId", requestID(sent)), slog.String("service", "s3"), slog.String("operation", c.operation),
		slog.Int("status", cmp.Or(sent.status, http.StatusOK)), slog.String("code", cmp.Or(c.code, "OK")), slog.Duration("duration", time.Since(began)),
		slog.Int64("bytesIn", max(c.r.ContentLength, 0)), slog.Int64("bytesOut", sent.bytes), slog.String("path", clip(c.r.URL.Path))}
	if c.err != nil {
		attrs = append(attrs, slog.Any("error", c.err))
	}
	d.log.LogAttrs(ctx, c.level, "request", attrs...)
}
