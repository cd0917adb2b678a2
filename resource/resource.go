package resource

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

// Kind is the sort of a resource; for all but versions it is also the word in its ARN.
type Kind string

// The kinds.
const (
	DatasetGroup    Kind = "dataset-group"
	Schema          Kind = "schema"
	Dataset         Kind = "dataset"
	ImportJob       Kind = "dataset-import-job"
	EventTracker    Kind = "event-tracker"
	Solution        Kind = "solution"
	SolutionVersion Kind = "solution-version"
	Campaign        Kind = "campaign"
	Filter          Kind = "filter"

	Recommender       Kind = "recommender"
	ExportJob         Kind = "dataset-export-job"
	BatchInferenceJob Kind = "batch-inference-job"
	BatchSegmentJob   Kind = "batch-segment-job"
	DataDeletionJob   Kind = "data-deletion-job"
	MetricAttribution Kind = "metric-attribution"
)

// Words is the kind for a message: "dataset import job".
func (k Kind) Words() string { return strings.ReplaceAll(string(k), "-", " ") }

// One is the kind with its article: "an event tracker".
func (k Kind) One() string {
	if k == EventTracker {
		return "an " + k.Words()
	}
	return "a " + k.Words()
}

// KindOfARN tells what sort of resource an ARN names; ok is false when it
// names none of this package's.
func KindOfARN(arn attune.ARN) (k Kind, ok bool) {
	word, path, ok := arn.Split()
	if !ok {
		return "", false
	}
	k = Kind(word)
	if k == Solution && strings.Contains(path, "/") {
		return SolutionVersion, true
	}
	return k, k != SolutionVersion && slices.Contains(kinds(), k)
}

// CheckARN says whether an ARN names a resource of a kind, be it there or not;
// the error is attune.Invalid.
func CheckARN(k Kind, arn attune.ARN) error {
	if got, ok := KindOfARN(arn); !ok || got != k {
		return attune.Errorf(attune.Invalid, "%s is not the ARN of %s", arn, k.One())
	}
	return nil
}

func kinds() []Kind {
	return []Kind{
		DatasetGroup, Schema, Dataset, ImportJob, EventTracker, Solution, SolutionVersion, Campaign, Filter,
		Recommender, ExportJob, BatchInferenceJob, BatchSegmentJob, DataDeletionJob, MetricAttribution,
	}
}

// Resource is one row: what all kinds have in common, and a body that is
// different for each.
type Resource struct {
	ID      string          // unique for ever, 16 hex digits; names may be used again, ids are not
	Kind    Kind            //
	ARN     attune.ARN      // unique among the living
	Parent  attune.ARN      // what it hangs on: its group, dataset (import jobs) or solution (versions, campaigns); "" for groups and schemas
	Name    string          // as given; for versions the last element of the ARN
	Group   string          // ID of the dataset group's row, also for the group itself; "" for schemas
	Status  Status          //
	Body    json.RawMessage // one of the …Body types
	Version int64           // grows with every change and every touch; for optimistic locking
	Created time.Time       // UTC, whole milliseconds
	Updated time.Time       // UTC, whole milliseconds; later than before whenever Status changes
}

// String introduces the resource: "campaign films ACTIVE".
func (r *Resource) String() string { return fmt.Sprintf("%s %s %s", r.Kind.Words(), r.Name, r.Status) }

// Body reads the row's body as T, one of the …Body types.
func Body[T any](r *Resource) (T, error) {
	var b T
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return b, fmt.Errorf("read the body of %s: %w", r.ARN, err)
	}
	return b, nil
}

// SetBody replaces the row's body by v.
func (r *Resource) SetBody(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write the body of %s: %w", r.ARN, err)
	}
	r.Body = b
	return nil
}

// ChangeBody reads the body as T, lets f change it, and puts it back.
func ChangeBody[T any](r *Resource, f func(*T)) error {
	b, err := Body[T](r)
	if err != nil {
		return err
	}
	f(&b)
	return r.SetBody(b)
}

// Busy says whether the row asks for work: it is on its way to another state,
// or an update of it is.
func (r *Resource) Busy() bool {
	if r.Status.moving() {
		return true
	}
	u, ok := r.LatestUpdate()
	return ok && u.Status.moving()
}

// Update is how far the last change of a resource is, which goes on serving
// what it was until then. Its status uses the words of a creation.
type Update struct {
	Status  Status    `json:"status"`
	Created time.Time `json:"creationDateTime"`
	Updated time.Time `json:"lastUpdatedDateTime"`
}

// LatestUpdate reads what bodies keep under latestCampaignUpdate and its like;
// ok is false for a resource that was never updated.
func (r *Resource) LatestUpdate() (u Update, ok bool) {
	member := map[Kind]string{
		Campaign: "latestCampaignUpdate", Recommender: "latestRecommenderUpdate",
		Solution: "latestSolutionUpdate", Dataset: "latestDatasetUpdate",
	}[r.Kind]
	if member == "" || !strings.Contains(string(r.Body), member) {
		return u, false
	}
	var b map[string]json.RawMessage
	if json.Unmarshal(r.Body, &b) != nil || len(b[member]) == 0 {
		return u, false
	}
	return u, json.Unmarshal(b[member], &u) == nil && u.Status != ""
}

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

	StopPending     Status = "STOP PENDING" // of recommenders
	StopInProgress  Status = "STOP IN_PROGRESS"
	Inactive        Status = "INACTIVE"
	StartPending    Status = "START PENDING"
	StartInProgress Status = "START IN_PROGRESS"

	Pending            Status = "PENDING" // of batch and deletion jobs
	InProgress         Status = "IN PROGRESS"
	DeletionInProgress Status = "IN_PROGRESS" // of deletion jobs, which spell it so
	Completed          Status = "COMPLETED"
	Failed             Status = "FAILED"
)

// Words are how a kind spells the four states of coming into being.
type Words struct{ Pending, InProgress, Done, Failed Status }

// WordsOf gives the words of a kind.
func WordsOf(k Kind) Words {
	switch k {
	case BatchInferenceJob, BatchSegmentJob:
		return Words{Pending, InProgress, Active, CreateFailed}
	case DataDeletionJob:
		return Words{Pending, DeletionInProgress, Completed, Failed}
	}
	return Words{CreatePending, CreateInProgress, Active, CreateFailed}
}

// moving says whether work brings the resource to another state.
func (s Status) moving() bool {
	switch s {
	case CreatePending, CreateInProgress, CreateStopping, DeletePending, DeleteInProgress,
		StopPending, StopInProgress, StartPending, StartInProgress, Pending, InProgress, DeletionInProgress:
		return true
	}
	return false
}

// Creating says whether the resource is not yet there.
func (s Status) Creating() bool {
	switch s {
	case CreatePending, CreateInProgress, Pending, InProgress, DeletionInProgress:
		return true
	}
	return false
}

// deleting says whether the resource is about to be gone.
func (s Status) deleting() bool { return s == DeletePending || s == DeleteInProgress }

// move is one legal change of state.
type move struct{ from, to Status }

// moves is the one table of legal changes for each kind.
func moves(k Kind) []move {
	w := WordsOf(k)
	create := []move{{w.Pending, w.InProgress}, {w.Pending, w.Failed}, {w.InProgress, w.Done}, {w.InProgress, w.Failed}}
	remove := []move{{Active, DeletePending}, {CreateFailed, DeletePending}, {DeletePending, DeleteInProgress}}
	switch k {
	case Schema:
		return nil
	case ImportJob, ExportJob, BatchInferenceJob, BatchSegmentJob, DataDeletionJob:
		return create
	case DatasetGroup: // a dataset group has no DELETE IN_PROGRESS
		return append(create, remove[:2]...)
	case SolutionVersion:
		return append(create,
			move{CreatePending, CreateStopped}, move{CreateInProgress, CreateStopping}, move{CreateStopping, CreateStopped})
	case Campaign: // an update can mend a campaign that could not be created
		return append(append(create, remove...), move{CreateFailed, Active})
	case Recommender:
		return append(append(create, remove...),
			move{Active, StopPending}, move{StopPending, StopInProgress}, move{StopInProgress, Inactive},
			move{Inactive, StartPending}, move{StartPending, StartInProgress}, move{StartInProgress, Active}, move{Inactive, DeletePending})
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
