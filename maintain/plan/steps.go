package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
)

const (
	// nameTime is how a moment is written in the names of jobs.
	nameTime = "2006_01_02_15_04_05"
	// scheduled is how old a job may be that makes one of a schedule needless:
	// only one that is under way does.
	scheduled = time.Second
	// kept is how old a version may be when a configuration is applied: a file
	// that was written again is no reason to train.
	kept = 365 * 24 * time.Hour
)

// Order is one run over a configuration. The same Order gives the same steps,
// with the same names, so that a run that died goes on.
type Order struct {
	Purpose  Purpose
	Solution string    // declared name; "" for every solution that the purpose takes
	Now      time.Time // when the run began: the date in the names of jobs
	Source   string    // s3://bucket/folder where the data is; "" to import and infer nothing
	Run      string    // tells runs of the same second apart; may be ""
}

// Steps are what a configuration needs for a purpose, in the order of their
// needs: those that need the same may be taken at once. attune.Invalid when the
// order names what the configuration does not have.
func Steps(c *config.Config, o Order) ([]Step, error) {
	b := &builder{config: c, order: o, date: o.Now.UTC().Format(nameTime)}
	if o.Source != "" {
		bucket, folder, err := splitLocation(o.Source)
		if err != nil {
			return nil, err
		}
		b.bucket, b.source = "s3://"+bucket, strings.TrimSuffix("s3://"+bucket+"/"+folder, "/")
	}
	switch o.Purpose {
	case ForApply:
		b.all()
	case ForDestroy:
		b.all()
		return reversed(b.steps), nil
	case ForImport:
		b.datasets(false)
	case ForRefresh:
		return b.steps, b.solutions(b.datasets(false)...)
	default:
		return b.steps, b.solutions()
	}
	return b.steps, nil
}

type builder struct {
	config *config.Config
	order  Order
	date   string
	bucket string // s3://bucket
	source string // s3://bucket/folder
	steps  []Step
}

// add appends a step and gives its path. needs that are "" are left out.
func (b *builder) add(s Step, needs ...string) string {
	s.Group = b.config.Group.Name
	for _, n := range needs {
		if n != "" {
			s.Needs = append(s.Needs, n)
		}
	}
	b.steps = append(b.steps, s)
	return s.Path
}

// named is the step about a resource of the file.
func named(k Kind, r config.Resource) Step {
	return Step{Path: r.Path, Kind: k, Name: r.Name, Call: r.Call}
}

// The members that ARNs of others go into.
const (
	groupMember    = "datasetGroupArn"
	schemaMember   = "schemaArn"
	datasetMember  = "datasetArn"
	solutionMember = "solutionArn"
	versionMember  = "solutionVersionArn"
)

// all is a whole configuration: group, data, tracker, then what needs data.
func (b *builder) all() {
	c := b.config
	group := b.add(named(DatasetGroup, c.Group.Resource))
	data := b.datasets(true)
	if c.Tracker != nil {
		s := named(EventTracker, *c.Tracker)
		s.Use = map[string]string{groupMember: group}
		data = append(data, b.add(s, group))
	}
	after := append([]string{group}, data...)
	filters := []string{}
	for _, f := range c.Filters {
		s := named(Filter, f)
		s.Use = map[string]string{groupMember: group}
		filters = append(filters, b.add(s, after...))
	}
	for i := range c.Solutions {
		s := &c.Solutions[i]
		version := b.version(s, b.solution(s, after...), "", kept)
		b.campaigns(s, version)
		for k := range s.Inference {
			b.batch(s, BatchInference, k, s.Inference[k].MaxAge, version, filters...)
		}
		for k := range s.Segments {
			b.batch(s, BatchSegment, k, s.Segments[k].MaxAge, version, filters...)
		}
	}
	for _, r := range c.Recommenders {
		s := named(Recommender, r)
		s.Use = map[string]string{groupMember: group}
		b.add(s, after...)
	}
}

// solutions are those that the order is about, each maintained.
func (b *builder) solutions(needs ...string) error {
	found := false
	for i := range b.config.Solutions {
		s := &b.config.Solutions[i]
		if b.order.Solution == "" && b.order.Purpose == ForUpdate && !learnsOn(s) {
			continue
		}
		if b.order.Solution == "" || b.order.Solution == s.Name {
			found = true
			if err := b.maintain(s, needs); err != nil {
				return err
			}
		}
	}
	if !found && b.order.Solution != "" {
		return attune.Errorf(attune.Invalid, "the configuration has no solution %q", b.order.Solution)
	}
	return nil
}

// learnsOn says whether a solution's recipe takes UPDATE trainings.
func learnsOn(s *config.Solution) bool {
	call, _ := readMembers(s.Call) // what cannot be read fails when the step is taken
	return config.Updatable(attune.ARN(call.text("recipeArn")).Name())
}

// maintain is one solution for one purpose.
func (b *builder) maintain(s *config.Solution, needs []string) error {
	solution := b.solution(s, needs...)
	switch p := b.order.Purpose; p {
	case ForFull, ForRefresh:
		b.campaigns(s, b.version(s, solution, "", scheduled))
	case ForUpdate:
		b.campaigns(s, b.version(s, solution, "UPDATE", scheduled))
	case ForInference, ForSegment:
		kind, n := BatchInference, len(s.Inference)
		if p == ForSegment {
			kind, n = BatchSegment, len(s.Segments)
		}
		if n == 0 {
			if b.order.Solution == "" {
				b.steps = b.steps[:len(b.steps)-1]
				return nil
			}
			return attune.Errorf(attune.Invalid, "solution %s has no %ss", s.Name, kind)
		}
		version := b.version(s, solution, "", kept)
		for i := range n {
			b.batch(s, kind, i, scheduled, version)
		}
	default:
		return attune.Errorf(attune.Invalid, "%q is nothing to take steps for: say %s, %s, %s, %s, %s, %s, %s or %s", p, ForApply, ForImport, ForFull, ForUpdate, ForInference, ForSegment, ForRefresh, ForDestroy)
	}
	return nil
}

// datasets are schema, dataset and import of every type, and gives the paths that
// filters and solutions wait for. whole: with the group before them.
func (b *builder) datasets(whole bool) []string {
	d := b.config.Datasets
	if d == nil {
		return nil
	}
	group, maxAge := "", scheduled
	if whole {
		group, maxAge = b.config.Group.Path, b.config.Group.MaxAge
	}
	var last []string
	for wire, one := range d.All() {
		kind := strings.ToLower(wire)
		schema := b.add(named(Schema, one.Schema))
		s := named(Dataset, one.Resource)
		s.Type, s.Use = kind, map[string]string{schemaMember: schema, groupMember: b.config.Group.Path}
		s.Call = mustMerge(s.Call, map[string]any{"datasetType": wire})
		dataset := b.add(s, schema, group)
		last = append(last, b.add(Step{Path: dataset + ".import", Kind: Import, Name: "dataset_import_" + kind + "_" + b.date,
			Call: d.Import, MaxAge: maxAge, Source: b.source, Type: kind, Use: map[string]string{datasetMember: dataset}}, dataset))
	}
	return last
}

// solution is the step about one. A solution that the file trains by schedules,
// and without a word on the service's own training, is made without that; it is
// not declared, so a solution that is there is not held to it.
func (b *builder) solution(s *config.Solution, needs ...string) string {
	step := named(Solution, s.Resource)
	step.Use = map[string]string{groupMember: b.config.Group.Path}
	call, _ := readMembers(s.Call) // what cannot be read fails when the step is taken
	if (s.Full.Text != "" || s.Update.Text != "") && call.object("solutionConfig")["autoTrainingConfig"] == nil {
		step.Initial = json.RawMessage(`{"performAutoTraining":false}`)
	}
	return b.add(step, needs...)
}

func (b *builder) version(s *config.Solution, solution, mode string, maxAge time.Duration) string {
	step := Step{Path: s.Path + ".solutionVersion", Kind: Version, Call: s.Version, MaxAge: maxAge, Solution: s.Name, Use: map[string]string{solutionMember: solution}}
	step.Name = "version_" + b.date + "_" + digest(string(b.order.Purpose)+" "+b.order.Run)
	if mode != "" {
		call, _ := readMembers(s.Version) // what cannot be read fails when the step is taken
		call["trainingMode"] = mode
		step.Call = mustMerge(nil, call)
	}
	return b.add(step, solution)
}

func (b *builder) campaigns(s *config.Solution, version string) {
	for _, c := range s.Campaigns {
		step := named(Campaign, c)
		step.Solution, step.Use = s.Name, map[string]string{versionMember: version}
		if s.Promote != (config.Promote{}) {
			step.Promote = &s.Promote
		}
		b.add(step, version)
	}
}

func (b *builder) batch(s *config.Solution, k Kind, at int, maxAge time.Duration, version string, needs ...string) {
	declared, name := s.Inference, "batch_"+s.Name+"_"+b.date
	if k == BatchSegment {
		declared = s.Segments
	}
	if at > 0 { // a second job of the same second needs a name of its own
		end := "_" + strconv.Itoa(at+1)
		keep := maxName - len("batch_") - len("_"+b.date) - len(end)
		name = fmt.Sprintf("batch_%s_%s%s", s.Name[:min(len(s.Name), keep)], b.date, end)
	}
	step := Step{Path: declared[at].Path, Kind: k, Name: name, Call: declared[at].Call, MaxAge: maxAge, Solution: s.Name, Use: map[string]string{versionMember: version}}
	if b.bucket != "" {
		step.Source = b.bucket + "/batch/" + b.config.Group.Name + "/" + s.Name
	}
	b.add(step, append([]string{version}, needs...)...)
}

// mustMerge adds members to a call where it has none of the name. A call that
// cannot be read stays as it is, and fails when its step is taken.
func mustMerge(call json.RawMessage, add map[string]any) json.RawMessage {
	m, err := merged(call, add)
	if err != nil {
		return call
	}
	return m
}

// digest is eight letters that stand for a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
