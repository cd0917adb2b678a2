package resource

import (
	"context"
	"encoding/json"
	"strings"
)

// plannedMember is where a body keeps why it shall fail. It is looked at while
// the row is being created; the types of bodies do not have it, and nobody shows it.
const plannedMember = "plannedFailure"

type failureKey struct{}

// WithFailure makes every row that is created under ctx end as its kind's word
// for CREATE FAILED, with why as its failureReason: for scripts of faults.
func WithFailure(ctx context.Context, why string) context.Context {
	return context.WithValue(ctx, failureKey{}, why)
}

// planFailure writes into a new row that it shall fail, so that it does after a
// restart, too.
func planFailure(ctx context.Context, r *Resource) error {
	why, _ := ctx.Value(failureKey{}).(string)
	if why == "" || !r.Status.Creating() {
		return nil
	}
	text, err := json.Marshal(why)
	if err != nil {
		return err
	}
	return ChangeBody(r, func(b *map[string]json.RawMessage) { (*b)[plannedMember] = text })
}

// PlannedFailure is why a new row shall fail; "" when it need not.
func PlannedFailure(r *Resource) string {
	if !strings.Contains(string(r.Body), plannedMember) {
		return ""
	}
	var b map[string]json.RawMessage
	var why string
	if json.Unmarshal(r.Body, &b) != nil || json.Unmarshal(b[plannedMember], &why) != nil {
		return ""
	}
	return why
}
