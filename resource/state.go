package resource

import (
	"slices"

	"github.com/attune-io/attune"
)

// Status is where a resource is in its life, in the wire's words.
type Status string

// The statuses. A schema is ACTIVE as soon as it is there; the wire shows none for it.
const (
	CreatePending    Status = "CREATE PENDING"
	CreateInProgress Status = "CREATE IN_PROGRESS"
	Active           Status = "ACTIVE"
	CreateFailed     Status = "CREATE FAILED"
	CreateStopping   Status = "CREATE STOPPING"
	CreateStopped    Status = "CREATE STOPPED"
	DeletePending    Status = "DELETE PENDING"
	DeleteInProgress Status = "DELETE IN_PROGRESS"
)

// moving says whether work brings the resource to another state.
func (s Status) moving() bool {
	switch s {
	case CreatePending, CreateInProgress, CreateStopping, DeletePending, DeleteInProgress:
		return true
	}
	return false
}

// creating says whether the resource is not yet there.
func (s Status) creating() bool { return s == CreatePending || s == CreateInProgress }

// deleting says whether the resource is about to be gone.
func (s Status) deleting() bool { return s == DeletePending || s == DeleteInProgress }

// move is one legal change of state.
type move struct{ from, to Status }

// moves is the one table of legal changes for each kind.
func moves(k Kind) []move {
	create := []move{
		{CreatePending, CreateInProgress}, {CreatePending, CreateFailed},
		{CreateInProgress, Active}, {CreateInProgress, CreateFailed},
	}
	remove := []move{{Active, DeletePending}, {CreateFailed, DeletePending}, {DeletePending, DeleteInProgress}}
	switch k {
	case Schema:
		return nil
	case ImportJob:
		return create
	case DatasetGroup: // a dataset group has no DELETE IN_PROGRESS
		return append(create, remove[:2]...)
	case SolutionVersion:
		return append(create,
			move{CreatePending, CreateStopped}, move{CreateInProgress, CreateStopping}, move{CreateStopping, CreateStopped})
	case Campaign: // an update can mend a campaign that could not be created
		return append(append(create, remove...), move{CreateFailed, Active})
	}
	return append(create, remove...)
}

// checkMove refuses a change of state that the table does not have.
func checkMove(r *Resource, to Status) error {
	if r.Status == to || slices.Contains(moves(r.Kind), move{r.Status, to}) {
		return nil
	}
	return attune.Errorf(attune.InUse, "%s %s cannot become %s: it is %s", r.Kind.Words(), r.ARN, to, r.Status)
}
