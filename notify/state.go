package notify

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/attune-io/attune/resource"
)

// The statuses of a change of state. The first three are those of AWS's solution.
const (
	Creating = "CREATING"
	Updating = "UPDATING"
	Active   = "ACTIVE"
	Failed   = "FAILED"
	Stopping = "STOPPING"
	Stopped  = "STOPPED"
	Inactive = "INACTIVE"
	Starting = "STARTING"
	Deleting = "DELETING"
	Deleted  = "DELETED"
)

// StateDetail is the detail of a change of state.
type StateDetail struct {
	Arn      string
	Status   string          // one of the statuses
	State    resource.Status `json:",omitempty"` // in the wire's words; "" when it is gone
	Duration int64           `json:",omitempty"` // whole seconds from its creation to its being ACTIVE
	Update   bool            `json:",omitempty"` // of an update of the resource, which goes on being what it was
	Cause    *Cause          `json:",omitempty"` // the run that asked for it
}

// stateEvent tells a change. There is no reason in it: see resource.Change.
func stateEvent(c resource.Change, source string) (Event, error) {
	d := StateDetail{Arn: string(c.ARN), Status: statusOf(c), State: c.To, Update: c.Update}
	if d.Status == Active {
		d.Duration = int64(c.Updated.Sub(c.Created) / time.Second)
	}
	if cause, ok := ParseCause(c.Cause); ok {
		d.Cause = &cause
	}
	detail, err := json.Marshal(d)
	return Event{ID: c.ID, DetailType: DetailTypeOf(c.Kind), Source: source, Time: c.Updated, Resources: []string{string(c.ARN)}, Detail: detail}, err
}

// DetailTypeOf is the detail type of a kind's changes of state: "Personalize
// Dataset Group State Change".
func DetailTypeOf(k resource.Kind) string {
	words := strings.Fields(k.Words())
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return "Personalize " + strings.Join(words, " ") + " State Change"
}

func statusOf(c resource.Change) string {
	switch c.To {
	case "":
		return Deleted
	case resource.CreateFailed, resource.Failed:
		return Failed
	case resource.Active, resource.Completed:
		if c.Kind == resource.Schema { // is there at once, and is never told to be ACTIVE
			return Creating
		}
		return Active
	case resource.CreateStopping, resource.StopPending, resource.StopInProgress:
		return Stopping
	case resource.CreateStopped:
		return Stopped
	case resource.Inactive:
		return Inactive
	case resource.StartPending, resource.StartInProgress:
		return Starting
	case resource.DeletePending, resource.DeleteInProgress:
		return Deleting
	}
	if c.Update {
		return Updating
	}
	return Creating
}
