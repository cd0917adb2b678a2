package resource_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// thing is what the oracle knows of one row.
type thing struct {
	kind          resource.Kind
	name          string
	group, parent string // ARNs
	schema        string // of a dataset
	full          bool   // a version trained FULL
	status        resource.Status
	update        resource.Status // of a campaign, solution or dataset
	latest        bool            // a campaign that follows its solution
	version       string          // that a campaign serves
	born          int             // which row this is, in the order of creation
	failed        string          // version that a campaign's last update could not deploy
	wants         string          // schema that a dataset is to have
}

// oracle is the rules said a second time, plainly, over a map: no versions, no
// races, no order of checks. Each operation gives every reason to refuse it.
type oracle map[string]*thing

func (t *thing) moving() bool {
	return strings.Contains(string(t.status), "PENDING") || strings.Contains(string(t.status), "IN_PROGRESS") || strings.Contains(string(t.status), "STOPPING")
}

func (o oracle) count(is func(arn string, t *thing) bool) (n int) {
	for arn, t := range o {
		if is(arn, t) {
			n++
		}
	}
	return n
}

// unready is why the thing at arn cannot be built upon.
func (o oracle) unready(arn string) []attune.Kind {
	t := o[arn]
	switch {
	case t == nil:
		return []attune.Kind{attune.NotFound}
	case t.status == resource.Active:
		return nil
	case t.status == resource.CreateFailed, t.status == resource.CreateStopped:
		return []attune.Kind{attune.Invalid}
	}
	return []attune.Kind{attune.InUse}
}

func (o oracle) taken(k resource.Kind, name string) (why []attune.Kind) {
	if o.count(func(_ string, t *thing) bool { return t.kind == k && t.name == name }) > 0 {
		why = append(why, attune.Exists)
	}
	return why
}

// undeletable is why the thing at arn cannot be deleted now; blocks counts what stands against it.
func (o oracle) undeletable(arn string, blocks func(arn string, t *thing) bool) []attune.Kind {
	t := o[arn]
	if t == nil {
		return []attune.Kind{attune.NotFound}
	}
	if t.status != resource.Active && t.status != resource.CreateFailed || o.count(blocks) > 0 {
		return []attune.Kind{attune.InUse}
	}
	return nil
}

// player makes random operations on a registry and on the oracle.
type player struct {
	*house
	rnd   *rand.Rand
	o     oracle
	trace []string
	done  map[string]int // operations that succeeded, by name
	born  int
}

// play is one operation: what it is called, what the oracle has against it,
// what the registry says, and what to note when it was done.
type play struct {
	name string
	why  []attune.Kind
	err  error
	note func()
}

func (p *player) judge(m play) {
	p.trace = append(p.trace, fmt.Sprintf("%s: %v", m.name, m.err))
	ok := m.err == nil && len(m.why) == 0 || m.err != nil && slices.Contains(m.why, attune.KindOf(m.err))
	if !ok {
		p.Fatalf("oracle says %v, registry says %v\n%s", m.why, m.err, strings.Join(p.trace, "\n"))
	}
	if m.err == nil {
		if m.note != nil {
			m.note()
		}
		p.done[strings.Fields(m.name)[0]]++
	}
}

func (p *player) pick(k resource.Kind) string {
	var arns []string
	for arn, t := range p.o {
		if t.kind == k {
			arns = append(arns, arn)
		}
	}
	if len(arns) == 0 || p.rnd.IntN(20) == 0 {
		return map[bool]string{true: "arn:aws:personalize:us-east-1:000000000000:solution/no/ne", false: "arn:aws:personalize:us-east-1:000000000000:" + string(k) + "/none"}[k == resource.SolutionVersion]
	}
	slices.Sort(arns) // so that a seed plays one game
	return arns[p.rnd.IntN(len(arns))]
}

func (p *player) one(names ...string) string { return names[p.rnd.IntN(len(names))] }

// made judges a creation.
func (p *player) made(name string, why []attune.Kind, t *thing, r *resource.Resource, err error) {
	p.judge(play{name, why, err, func() {
		p.born++
		t.status, t.born = r.Status, p.born
		p.o[string(r.ARN)] = t
	}})
}

func (p *player) groupOf(arn string) string {
	if t := p.o[arn]; t != nil {
		return t.group
	}
	return ""
}

func (p *player) create() {
	ctx := p.Context()
	switch p.rnd.IntN(9) {
	case 0:
		n := p.one("g1", "g2")
		r, err := p.CreateDatasetGroup(ctx, n, resource.DatasetGroupBody{})
		t := &thing{kind: resource.DatasetGroup, name: n}
		if err == nil {
			t.group = string(r.ARN)
		}
		p.made("group "+n, p.o.taken(resource.DatasetGroup, n), t, r, err)
	case 1:
		n := p.one("a", "b")
		avro := map[string]string{"a": interactionsAvro, "b": widerAvro}[n]
		r, err := p.CreateSchema(ctx, n, resource.SchemaBody{Schema: avro})
		p.made("schema "+n, p.o.taken(resource.Schema, n), &thing{kind: resource.Schema, name: n}, r, err)
	case 2:
		g, s := p.pick(resource.DatasetGroup), p.pick(resource.Schema)
		why := append(p.o.unready(g), p.o.unready(s)...)
		if p.o.count(func(_ string, t *thing) bool { return t.kind == resource.Dataset && t.group == g }) > 0 {
			why = append(why, attune.Exists)
		}
		r, err := p.CreateDataset(ctx, "d", resource.DatasetBody{DatasetGroupArn: g, DatasetType: "interactions", SchemaArn: s})
		p.made("dataset "+g+" "+s, why, &thing{kind: resource.Dataset, name: "INTERACTIONS", group: g, parent: g, schema: s}, r, err)
	case 3:
		d, n := p.pick(resource.Dataset), p.one("j1", "j2", "j3", "j4", "j5", "j6", "j7")
		why := append(p.o.unready(d), p.o.taken(resource.ImportJob, n)...)
		if p.o.count(func(_ string, t *thing) bool { return t.kind == resource.ImportJob && t.moving() }) >= 5 {
			why = append(why, attune.LimitExceeded)
		}
		r, err := p.CreateImportJob(ctx, n, importBody(d))
		p.made("import "+n+" "+d, why, &thing{kind: resource.ImportJob, name: n, group: p.groupOf(d), parent: d}, r, err)
	case 4:
		g, n := p.pick(resource.DatasetGroup), p.one("t1", "t2")
		why := append(p.o.unready(g), p.o.taken(resource.EventTracker, n)...)
		if p.o.count(func(_ string, t *thing) bool { return t.kind == resource.EventTracker && t.group == g }) > 0 {
			why = append(why, attune.Exists)
		}
		r, err := p.CreateEventTracker(ctx, n, resource.EventTrackerBody{DatasetGroupArn: g})
		p.made("tracker "+n+" "+g, why, &thing{kind: resource.EventTracker, name: n, group: g, parent: g}, r, err)
	case 5:
		g, n := p.pick(resource.DatasetGroup), p.one("s1", "s2")
		why := append(p.o.unready(g), p.o.taken(resource.Solution, n)...)
		r, err := p.CreateSolution(ctx, n, resource.SolutionBody{DatasetGroupArn: g, RecipeArn: userRecipe})
		p.made("solution "+n+" "+g, why, &thing{kind: resource.Solution, name: n, group: g, parent: g}, r, err)
	case 6, 7:
		p.createVersion()
	case 8:
		if p.rnd.IntN(2) == 0 {
			p.createFollower()
			return
		}
		v, n := p.pick(resource.SolutionVersion), p.one("c1", "c2")
		why, parent := append(p.o.unready(v), p.o.taken(resource.Campaign, n)...), ""
		if t := p.o[v]; t != nil {
			parent = t.parent
			why = append(why, p.o.unready(parent)...)
		}
		r, err := p.CreateCampaign(ctx, n, resource.CampaignBody{SolutionVersionArn: v})
		p.made("campaign "+n+" "+v, why, &thing{kind: resource.Campaign, name: n, group: p.groupOf(v), parent: parent, version: v}, r, err)
	}
}

// newest is the newest ACTIVE version of a solution, "" when there is none.
func (o oracle) newest(solution string) (arn string) {
	born := 0
	for a, t := range o {
		if t.kind == resource.SolutionVersion && t.parent == solution && t.status == resource.Active && t.born > born {
			arn, born = a, t.born
		}
	}
	return arn
}

// createFollower makes a campaign of whatever version is the latest; half of them go on following.
func (p *player) createFollower() {
	s, n, config := p.pick(resource.Solution), p.one("c1", "c2"), p.one("", `{"syncWithLatestSolutionVersion":true}`)
	why := append(p.o.unready(s), p.o.taken(resource.Campaign, n)...)
	v := p.o.newest(s)
	if v == "" {
		why = append(why, attune.Invalid)
		if p.o.count(func(_ string, t *thing) bool {
			return t.parent == s && t.kind == resource.SolutionVersion && t.moving()
		}) > 0 {
			why = append(why, attune.InUse)
		}
	}
	r, err := p.CreateCampaign(p.Context(), n, resource.CampaignBody{SolutionVersionArn: s + "/$LATEST", CampaignConfig: json.RawMessage(config)})
	p.made("campaign-latest "+n+" "+s, why, &thing{kind: resource.Campaign, name: n, group: p.groupOf(s), parent: s, version: v, latest: config != ""}, r, err)
}

// follow lets campaigns move on, and compares which do.
func (p *player) follow() {
	var want, got []string
	for arn, t := range p.o {
		if t.kind != resource.Campaign || t.status != resource.Active || !t.latest || t.updating() {
			continue
		}
		if v := p.o.newest(t.parent); v != "" && v != t.version && v != t.failed {
			t.update, t.failed = resource.CreatePending, ""
			want = append(want, arn)
		}
	}
	moved, err := p.FollowLatest(p.Context())
	p.ok(err)
	for i := range moved {
		got = append(got, string(moved[i].ARN))
		p.done["follow"]++
	}
	slices.Sort(want)
	slices.Sort(got)
	p.trace = append(p.trace, fmt.Sprint("follow ", got))
	if !slices.Equal(got, want) {
		p.Fatalf("%v follow, the oracle says %v\n%s", got, want, strings.Join(p.trace, "\n"))
	}
}

// update asks for a solution or a dataset to be changed.
func (p *player) update() {
	ctx := p.Context()
	if p.rnd.IntN(2) == 0 {
		arn := p.pick(resource.Solution)
		why := p.unupdatable(arn)
		err := p.UpdateSolution(ctx, arn, resource.SolutionUpdate{PerformAutoTraining: new(p.rnd.IntN(2) == 0)})
		p.judge(play{"update-solution " + arn, why, err, func() { p.o[arn].update = resource.CreatePending }})
		return
	}
	arn, s := p.pick(resource.Dataset), p.pick(resource.Schema)
	why := append(p.unupdatable(arn), p.o.unready(s)...)
	if d := p.o[arn]; d != nil && p.o[s] != nil && p.o[d.schema].name == "b" && p.o[s].name == "a" {
		why = append(why, attune.Invalid)
	}
	err := p.UpdateDataset(ctx, arn, s)
	p.judge(play{"update-dataset " + arn + " " + s, why, err, func() { p.o[arn].update, p.o[arn].wants = resource.CreatePending, s }})
}

func (p *player) unupdatable(arn string) []attune.Kind {
	why := p.o.unready(arn)
	if t := p.o[arn]; t != nil && t.updating() {
		why = append(why, attune.InUse)
	}
	return why
}

func (p *player) createVersion() {
	s, mode := p.pick(resource.Solution), p.one("FULL", "FULL", "UPDATE")
	why, g := p.o.unready(s), p.groupOf(s)
	full := func(_ string, t *thing) bool {
		return t.kind == resource.SolutionVersion && t.parent == s && t.full && t.status == resource.Active
	}
	if mode == "UPDATE" && p.o.count(full) == 0 {
		why = append(why, attune.Invalid)
	}
	why = append(why, p.noData(g)...)
	r, err := p.CreateSolutionVersion(p.Context(), resource.VersionRequest{SolutionArn: s, TrainingMode: mode})
	p.made("version "+s+" "+mode, why, &thing{kind: resource.SolutionVersion, group: g, parent: s, full: mode == "FULL"}, r, err)
}

func (p *player) noData(g string) []attune.Kind {
	for arn, t := range p.o {
		if t.kind != resource.Dataset || t.group != g {
			continue
		}
		if why := p.o.unready(arn); why != nil {
			return why
		}
		imports := func(is func(*thing) bool) bool {
			return p.o.count(func(_ string, t *thing) bool {
				return t.kind == resource.ImportJob && t.parent == arn && is(t)
			}) > 0
		}
		tracked := p.o.count(func(_ string, t *thing) bool {
			return t.kind == resource.EventTracker && t.group == g && t.status == resource.Active
		}) > 0
		switch {
		case imports(func(t *thing) bool { return t.status == resource.Active }):
			return nil
		case imports((*thing).moving):
			return []attune.Kind{attune.InUse}
		case tracked:
			return nil
		}
		return []attune.Kind{attune.Invalid}
	}
	return []attune.Kind{attune.Invalid}
}

func (p *player) remove() {
	ctx := p.Context()
	deleting := func(arn string) func() { return func() { p.o[arn].status = resource.DeletePending } }
	switch p.rnd.IntN(7) {
	case 0:
		arn := p.pick(resource.DatasetGroup)
		why := p.o.undeletable(arn, func(_ string, t *thing) bool {
			return t.group == arn && (t.kind == resource.EventTracker || t.kind == resource.Solution || t.kind == resource.Dataset)
		})
		p.judge(play{"-group " + arn, why, p.DeleteDatasetGroup(ctx, arn), deleting(arn)})
	case 1:
		arn := p.pick(resource.Schema)
		why := p.o.undeletable(arn, func(_ string, t *thing) bool {
			return t.schema == arn || t.wants == arn && t.updating()
		})
		p.judge(play{"-schema " + arn, why, p.DeleteSchema(ctx, arn), func() { delete(p.o, arn) }})
	case 2:
		arn := p.pick(resource.Dataset)
		g := p.groupOf(arn)
		why := p.o.undeletable(arn, func(a string, t *thing) bool {
			return a == arn && t.updating() || t.moving() && (t.kind == resource.ImportJob && t.parent == arn || t.kind == resource.SolutionVersion && t.group == g)
		})
		p.judge(play{"-dataset " + arn, why, p.DeleteDataset(ctx, arn), deleting(arn)})
	case 3:
		arn := p.pick(resource.EventTracker)
		p.judge(play{"-tracker " + arn, p.o.undeletable(arn, func(string, *thing) bool { return false }), p.DeleteEventTracker(ctx, arn), deleting(arn)})
	case 4:
		arn := p.pick(resource.Solution)
		why := p.o.undeletable(arn, func(a string, t *thing) bool {
			return a == arn && t.updating() || t.parent == arn && (t.kind == resource.Campaign || t.moving())
		})
		p.judge(play{"-solution " + arn, why, p.DeleteSolution(ctx, arn), deleting(arn)})
	case 5:
		arn := p.pick(resource.Campaign)
		why := p.o.undeletable(arn, func(a string, t *thing) bool { return a == arn && t.updating() })
		p.judge(play{"-campaign " + arn, why, p.DeleteCampaign(ctx, arn), deleting(arn)})
	case 6:
		arn := p.pick(resource.SolutionVersion)
		why := []attune.Kind{attune.Invalid}
		switch t := p.o[arn]; {
		case t == nil:
			why = []attune.Kind{attune.NotFound}
		case t.status == resource.CreatePending, t.status == resource.CreateInProgress, t.status == resource.CreateStopping:
			why = nil
		}
		p.judge(play{"stop " + arn, why, p.StopSolutionVersion(ctx, arn), func() {
			t := p.o[arn]
			t.status = map[resource.Status]resource.Status{resource.CreatePending: resource.CreateStopped,
				resource.CreateInProgress: resource.CreateStopping, resource.CreateStopping: resource.CreateStopping}[t.status]
		}})
	}
}

func (t *thing) updating() bool {
	return t.update == resource.CreatePending || t.update == resource.CreateInProgress
}

func (p *player) updateCampaign() {
	arn, v := p.pick(resource.Campaign), p.pick(resource.SolutionVersion)
	t := p.o[arn]
	var why []attune.Kind
	if t == nil {
		why = append(why, attune.NotFound)
	} else {
		if t.status != resource.Active && t.status != resource.CreateFailed || t.updating() {
			why = append(why, attune.InUse)
		}
		why = append(why, p.o.unready(v)...)
		if t.latest { // it must be told not to follow first
			why = append(why, attune.Invalid)
		}
		if p.o[v] != nil && p.o[v].parent != t.parent {
			why = append(why, attune.Invalid)
			why = append(why, p.o.unready(p.o[v].parent)...)
		}
	}
	err := p.UpdateCampaign(p.Context(), arn, resource.CampaignChange{SolutionVersionArn: v})
	p.judge(play{"update " + arn + " " + v, why, err, func() { t.update, t.failed = resource.CreatePending, "" }})
}

// work is the job room: it takes a random busy row one step on.
func (p *player) work() {
	ctx := p.Context()
	busy, err := p.Busy(ctx)
	p.ok(err)
	want := p.o.count(func(_ string, t *thing) bool { return t.moving() || t.updating() })
	if len(busy) != want {
		p.Fatalf("%d rows are busy, the oracle says %d\n%s", len(busy), want, strings.Join(p.trace, "\n"))
	}
	if len(busy) == 0 {
		return
	}
	r := busy[p.rnd.IntN(len(busy))]
	t, arn := p.o[string(r.ARN)], string(r.ARN)
	p.trace = append(p.trace, "work on "+arn+" "+string(t.status)+" "+string(t.update))
	fails := p.rnd.IntN(5) == 0
	switch {
	case t.status == resource.DeletePending, t.status == resource.DeleteInProgress:
		p.erase(arn)
		for a, child := range p.o {
			if child.parent == arn {
				delete(p.o, a)
			}
		}
		delete(p.o, arn)
	case t.status == resource.CreateStopping:
		p.to(arn, resource.CreateStopped)
		t.status = resource.CreateStopped
	case t.updating() && t.kind != resource.Campaign:
		p.ok(p.StepUpdate(ctx, r.ARN, r.ID))
		if t.update == resource.CreatePending {
			t.update = resource.CreateInProgress
			return
		}
		t.update = resource.Active
		if t.kind == resource.Dataset {
			t.schema = t.wants
		}
	case t.updating():
		_, v, err := p.BeginDeploy(ctx, r.ARN, r.ID)
		p.ok(err)
		if fails {
			p.ok(p.FailDeploy(ctx, r.ARN, r.ID, "why"))
			t.update, t.failed = resource.CreateFailed, string(v)
			return
		}
		p.ok(p.FinishDeploy(ctx, r.ARN, r.ID, v))
		t.update, t.status, t.version = resource.Active, resource.Active, string(v)
	case t.status == resource.CreatePending:
		p.to(arn, resource.CreateInProgress)
		t.status = resource.CreateInProgress
	case fails:
		p.ok(p.Registry.Fail(ctx, r.ARN, r.ID, "why"))
		t.status = resource.CreateFailed
	default:
		p.to(arn, resource.Active)
		t.status = resource.Active
	}
}

// TestAgainstOracle plays random games and compares every answer, and at the
// end every row.
func TestAgainstOracle(t *testing.T) {
	const games, moves = 16, 400
	all := map[string]int{}
	for seed := range uint64(games) {
		p := &player{house: newHouse(t), rnd: rand.New(rand.NewPCG(seed, 1)), o: oracle{}, done: all}
		p.trace = []string{fmt.Sprint("seed ", seed)}
		for range moves {
			switch p.rnd.IntN(10) {
			case 0, 1, 2, 3:
				p.create()
			case 4:
				p.remove()
			case 5:
				[]func(){p.updateCampaign, p.update, p.follow}[p.rnd.IntN(3)]()
			default:
				p.work()
			}
		}
		p.compare()
	}
	for _, op := range []string{"group", "schema", "dataset", "import", "tracker", "solution", "version", "campaign", "campaign-latest", "update", "update-solution", "update-dataset", "follow", "stop",
		"-group", "-schema", "-dataset", "-tracker", "-solution", "-campaign"} {
		if all[op] == 0 {
			t.Errorf("%s never succeeded: the games do not test it", op)
		}
	}
	t.Log(all)
}

func (p *player) compare() {
	var got, want []string
	for _, k := range []resource.Kind{resource.DatasetGroup, resource.Schema, resource.Dataset, resource.ImportJob,
		resource.EventTracker, resource.Solution, resource.SolutionVersion, resource.Campaign, resource.Filter} {
		rows, err := p.All(p.Context(), k)
		p.ok(err)
		for i := range rows {
			got = append(got, string(rows[i].ARN)+" "+string(rows[i].Status)+" "+string(rows[i].Parent))
		}
	}
	for arn, t := range p.o {
		want = append(want, arn+" "+string(t.status)+" "+t.parent)
		switch t.kind {
		case resource.Campaign:
			if got := body[resource.CampaignBody](p.house, arn).SolutionVersionArn; got != t.version {
				p.Fatalf("%s serves %s, the oracle says %s", arn, got, t.version)
			}
		case resource.Dataset:
			if got := body[resource.DatasetBody](p.house, arn).SchemaArn; got != t.schema {
				p.Fatalf("%s has %s, the oracle says %s", arn, got, t.schema)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		p.Fatalf("rows\n%s\noracle\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestTogether lets two registries on one store, as two processes would be, do
// random things at once, and looks for rows that no order of them allows.
func TestTogether(t *testing.T) {
	s := openAny(t)
	clock := newClock()
	var done sync.WaitGroup
	for i := range 6 {
		g := resource.New(s, names, clock.Now, nil)
		if i%2 == 0 {
			clock = newClock()
		}
		done.Add(1)
		go func() {
			defer done.Done()
			chaos(t, g, rand.New(rand.NewPCG(uint64(i), 2)))
		}()
	}
	done.Wait()
	g := resource.New(s, names, clock.Now, nil)
	lookForOrphans(t, g)
}

// chaos creates, moves on and deletes under few names; refusals are fine,
// failures are not.
func chaos(t *testing.T, g *resource.Registry, rnd *rand.Rand) {
	ctx := t.Context()
	arn := func(k, n string) string { return string(names.Make(k, n)) }
	check := func(err error) {
		if err != nil && attune.KindOf(err) == attune.Internal {
			t.Error(err)
		}
	}
	for range 150 {
		group, schema := arn("dataset-group", "g"), arn("schema", "s")
		switch rnd.IntN(9) {
		case 0:
			check(not(g.CreateDatasetGroup(ctx, "g", resource.DatasetGroupBody{})))
		case 1:
			check(not(g.CreateSchema(ctx, "s", resource.SchemaBody{Schema: interactionsAvro})))
		case 2:
			check(not(g.CreateDataset(ctx, "d", resource.DatasetBody{DatasetGroupArn: group, DatasetType: "Interactions", SchemaArn: schema})))
		case 3:
			check(not(g.CreateEventTracker(ctx, fmt.Sprint("t", rnd.IntN(3)), resource.EventTrackerBody{DatasetGroupArn: group})))
		case 4:
			check(g.DeleteSchema(ctx, schema))
		case 5:
			check(g.DeleteDataset(ctx, string(names.Make("dataset", "g", "INTERACTIONS"))))
		case 6:
			check(g.DeleteDatasetGroup(ctx, group))
		default:
			rows, err := g.Busy(ctx)
			check(err)
			for i := range rows {
				r := &rows[i]
				if r.Status == resource.DeletePending {
					check(g.Remove(ctx, r.ARN, r.ID))
					continue
				}
				_, err := g.Change(ctx, r.ARN, func(r *resource.Resource) error {
					switch r.Status {
					case resource.CreatePending:
						r.Status = resource.CreateInProgress
					case resource.CreateInProgress:
						r.Status = resource.Active
					}
					return nil
				})
				check(err)
			}
		}
	}
}

func lookForOrphans(t *testing.T, g *resource.Registry) {
	t.Helper()
	trackers := map[string]int{}
	for _, k := range []resource.Kind{resource.Dataset, resource.EventTracker} {
		rows, err := g.All(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			r := &rows[i]
			if parent, err := g.Get(t.Context(), r.Parent); err != nil || parent.ID != r.Group {
				t.Errorf("%s hangs on %v, %v", r, parent, err)
			}
			if k == resource.EventTracker {
				trackers[r.Group]++
				continue
			}
			b, err := resource.Body[resource.DatasetBody](r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Get(t.Context(), attune.ARN(b.SchemaArn)); err != nil {
				t.Errorf("%s has no schema: %v", r, err)
			}
		}
	}
	for group, n := range trackers {
		if n > 1 {
			t.Errorf("group %s has %d trackers", group, n)
		}
	}
}
