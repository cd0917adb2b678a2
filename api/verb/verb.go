package verb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/api/call"
	"github.com/attune-io/attune/maintain"
)

// Prefix is the path that all verbs share.
const Prefix = call.Prefix

// service is what verbs are signed for, and what the log calls their requests.
const service = "attune"

const (
	// maxBody bounds a verb's input, in bytes: names and small options.
	maxBody = 64 << 10
	// maxTextBody bounds that of verbs that take a whole configuration: 1 MiB, of
	// which JSON writes some letters as two or more.
	maxTextBody = awsjson.MaxBody
)

// maxBodyOf bounds the input of a verb, in bytes.
func maxBodyOf(verb string) int64 {
	switch verb {
	case "ApplyConfiguration", "DestroyConfiguration", "PlanConfiguration":
		return maxTextBody
	}
	return maxBody
}

// Door answers the verbs.
type Door struct {
	rooms
	verbs map[string]func(ctx context.Context, body []byte) (any, error)
}

// New makes the door of the verbs over the rooms they look into. p answers
// what is built, and writes errors in its own form.
func New(r Rooms, p *awsjson.Server) *Door {
	d := &Door{rooms: rooms{r, p}}
	d.verbs = map[string]func(context.Context, []byte) (any, error){
		"AdvanceClock":     typed(d.advanceClock),
		"ApiCoverage":      typed(d.apiCoverage),
		"CompareVersions":  typed(d.compareVersions),
		"DescribeClock":    typed(d.describeClock),
		"DescribeFaults":   typed(d.describeFaults),
		"DescribeImport":   typed(d.describeImport),
		"DescribeModel":    typed(d.describeModel),
		"DescribeProgress": typed(d.describeProgress),
		"DescribeUser":     typed(d.describeUser),
		"GetRejects":       typed(d.getRejects),
		"SetFaults":        typed(d.setFaults),

		"ActivateSchedule":   typed(d.scheduled((*maintain.Schedules).Activate)),
		"DeactivateSchedule": typed(d.scheduled((*maintain.Schedules).Deactivate)),
		"DescribeSchedule":   typed(d.scheduled(nil)),
		"ListSchedules":      typed(d.listSchedules),
		"RunSchedule":        typed(d.scheduled((*maintain.Schedules).RunNow)),
		"ScheduleHistory":    typed(d.scheduleHistory),

		"PutRule":            typed(d.putRule),
		"ListRules":          typed(d.listRules),
		"DescribeRule":       typed(d.describeRule),
		"DeleteRule":         typed(d.deleteRule),
		"TestRule":           typed(d.testRule),
		"PutNotice":          typed(d.putNotice),
		"ReadNotices":        typed(d.readNotices),
		"ListDeadLetters":    typed(d.listDeadLetters),
		"RedriveDeadLetters": typed(d.redriveDeadLetters),
		"DropDeadLetters":    typed(d.dropDeadLetters),
		"CreateHook":         typed(d.createHook),
		"ListHooks":          typed(d.listHooks),
		"DeleteHook":         typed(d.deleteHook),

		"GetDeletionReceipt": typed(d.getDeletionReceipt),
		"GetReceiptKey":      typed(d.getReceiptKey),

		"ApplyConfiguration":    typed(d.applyConfiguration),
		"CancelRun":             typed(d.cancelRun),
		"DescribeConfiguration": typed(d.describeConfiguration),
		"DescribeMaintained":    typed(d.describeMaintained),
		"DescribeRun":           typed(d.describeRun),
		"DestroyConfiguration":  typed(d.destroyConfiguration),
		"ListConfigurations":    typed(d.listConfigurations),
		"ListDeployments":       typed(d.listDeployments),
		"ListRefreshes":         typed(d.listRefreshes),
		"ListRuns":              typed(d.listRuns),
		"ListSolutionMetrics":   typed(d.listSolutionMetrics),
		"PlanConfiguration":     typed(d.planConfiguration),
		"RollbackCampaign":      typed(d.rollbackCampaign),
		"StartRun":              typed(d.startRun),
	}
	return d
}

// typed reads a verb's input strictly: a misspelled member is an error here,
// since nobody else defines these shapes.
func typed[I any](f func(ctx context.Context, in *I) (any, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, body []byte) (any, error) {
		in := new(I)
		if len(body) > 0 {
			dec := json.NewDecoder(bytes.NewReader(body))
			dec.DisallowUnknownFields()
			if err := dec.Decode(in); err != nil {
				return nil, attune.Errorf(attune.Invalid, "the input is not what this verb takes: %w", err)
			}
		}
		return f(ctx, in)
	}
}

// ServeHTTP answers one verb.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, name := time.Now(), strings.TrimPrefix(r.URL.Path, Prefix)
	out, err := d.answer(w, r)
	if err != nil {
		d.api.WriteError(w, r, service, name, err)
		return
	}
	d.api.WriteAnswer(w, r, service, name, began, out)
}

func (d *Door) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	verb, ok := d.verbs[name]
	if !ok || r.Method != http.MethodPost {
		return nil, &awsjson.Named{Name: awsjson.UnknownOperationException, Status: http.StatusNotFound,
			Message: "attune has no verb " + r.Method + " " + r.URL.Path + "; send POST " + Prefix + "<Verb>"}
	}
	most := maxBodyOf(name)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, attune.Errorf(attune.Invalid, "the input of %s is larger than %d bytes", name, most)
	}
	if err != nil {
		return nil, attune.Errorf(attune.Invalid, "the input of %s could not be read to its end", name)
	}
	return verb(r.Context(), body)
}
