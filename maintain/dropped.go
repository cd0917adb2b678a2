package maintain

import (
	"context"
	"encoding/json"
	"errors"
	"path"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/notify"
)

// unknownGroup is the name in notices about texts that name no dataset group.
const unknownGroup = "UNKNOWN"

// ConfigurationRejected is the detail-type of a configuration that was dropped
// and cannot be applied.
const ConfigurationRejected = "Attune Configuration Rejected"

// RejectedDetail is its detail, in the words of the original.
type RejectedDetail struct {
	DatasetGroup string           `json:"datasetGroup"`
	Object       string           `json:"object"`      // s3://bucket/key
	Status       string           `json:"status"`      // UPDATE FAILED
	Summary      string           `json:"summary"`     // one sentence
	Description  []string         `json:"description"` // what is wrong, all of it
	Problems     []config.Problem `json:"problems,omitempty"`
}

// Dropped applies a configuration that appeared in the bucket: its data lies in
// the folder that it was put into. A broken one is told on the bus, with all
// its problems, and is no error: the object stays what it is. attune.Unavailable
// when it could not be read: try again. e is the event that told of it, or nil.
func (m *Manager) Dropped(ctx context.Context, bucket, key string, e *notify.Event) (*Run, error) {
	location := "s3://" + bucket + "/" + key
	text, tag, err := m.object(ctx, bucket, key, maxText)
	if err == nil {
		in := ApplyInput{Text: string(text), File: path.Base(key), Source: folderOf(bucket, key), Event: e,
			Cause: Cause{Kind: ByObject, ID: location + " " + tag}}
		if e != nil {
			in.Cause.ID += " " + e.ID // the same text may be dropped again, on purpose
		}
		var r *Run
		if r, err = m.Apply(ctx, in); err == nil {
			return r, nil
		}
	}
	if kind := attune.KindOf(err); kind != attune.Invalid && kind != attune.LimitExceeded {
		return nil, err
	}
	return nil, m.reject(ctx, location, tag, string(text), err)
}

func folderOf(bucket, key string) string {
	if dir := path.Dir(key); dir != "." {
		return "s3://" + bucket + "/" + dir
	}
	return "s3://" + bucket
}

// reject tells what is wrong with a configuration.
func (m *Manager) reject(ctx context.Context, location, tag, text string, why error) error {
	m.Logger.Warn("a configuration was dropped that cannot be applied", "object", location, "error", why)
	if m.Notify == nil {
		return nil
	}
	d := RejectedDetail{DatasetGroup: groupName(text), Object: location, Status: "UPDATE FAILED", Description: []string{why.Error()}}
	var problems config.Problems
	if errors.As(why, &problems) {
		d.Problems, d.Description = problems, nil
		for _, p := range problems {
			d.Description = append(d.Description, p.String())
		}
	}
	d.Summary = "The configuration for " + d.DatasetGroup + " is not valid: correct it and put it there again."
	return m.tell(ctx, notify.Event{ID: location + "/" + tag, Source: SourceRuns, DetailType: ConfigurationRejected}, d)
}

// groupName is the dataset group that a broken configuration is about, as far
// as it can be read.
func groupName(text string) string {
	var c struct {
		DatasetGroup struct{ ServiceConfig struct{ Name string } }
	}
	if json.Unmarshal([]byte(text), &c) != nil || c.DatasetGroup.ServiceConfig.Name == "" {
		return unknownGroup
	}
	return c.DatasetGroup.ServiceConfig.Name
}
