package serve

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
)

// Kind is what a campaign is asked for. The values are those of recipe/spec.
type Kind string

// The kinds that can be served.
const (
	User    Kind = "user"    // items for a user
	Related Kind = "related" // items like an item
	Ranking Kind = "ranking" // a given list, ordered for a user
	Segment Kind = "segment" // users for an item; only Offline
	Action  Kind = "action"  // actions for a user
)

// Release is a model behind a campaign or a recommender. Model and Scorer must not change after Load.
type Release struct {
	Campaign attune.ARN // or of the recommender
	Version  attune.ARN // of the solution version
	Group    event.Group
	Kind     Kind
	Model    *model.Model
	Scorer   model.Scorer
	// LeaveOut are event types, compared without case: items that the asker has
	// done one of these with are not recommended, whatever the model was measured
	// with. Who asks must then be named, also for items like an item.
	LeaveOut []string
	Anybody  bool        // every asker gets the same, so nobody needs to be named
	Explore  Exploration // of User releases; zero for none
	Reasons  bool        // answers say why an item is in them, as those of aws-user-personalization-v2 do
	// NoMetadata refuses metadataColumns: the campaign was made without enableMetadataWithRecommendations.
	NoMetadata bool
}

// Options are the choices of a Server. Zero values are the defaults.
type Options struct {
	Clock   attune.Clock    // default the wall clock
	Filters filter.Limits   // what filters may know of histories; default all there is
	NewID   func() [16]byte // the ids of answers, which are also their seeds; default random
}

// Server holds the releases of this process. It is safe for concurrent use;
// a request sees one release from its beginning to its end.
type Server struct {
	view     func(event.Group) (view, bool)
	log      *slog.Logger
	m        *metrics
	opts     Options
	loading  sync.Mutex // one change of releases at a time
	releases atomic.Pointer[map[attune.ARN]*release]
	spaces   sync.Pool // of *space
}

// New makes a server without releases. profiles gives the live profile of a
// dataset group; log and reg may be nil.
func New(profiles func(event.Group) (*profile.View, bool), log *slog.Logger, reg prometheus.Registerer, o *Options) *Server {
	return newServer(func(g event.Group) (view, bool) {
		v, ok := profiles(g)
		return v, ok
	}, log, reg, o)
}

func newServer(profiles func(event.Group) (view, bool), log *slog.Logger, reg prometheus.Registerer, o *Options) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{view: profiles, log: log, m: newMetrics(reg)}
	if o != nil {
		s.opts = *o
	}
	if s.opts.Clock == nil {
		s.opts.Clock = attune.WallClock
	}
	if s.opts.NewID == nil {
		s.opts.NewID = randomID
	}
	s.releases.Store(&map[attune.ARN]*release{})
	s.spaces.New = func() any { return &space{opts: &s.opts} }
	return s
}

// Load begins to answer for the release's campaign, in place of an earlier
// release of it. A release that does not fit together is attune.Invalid.
func (s *Server) Load(r Release) error {
	if err := r.check(false); err != nil {
		return err
	}
	loaded := newRelease(r)
	s.change(func(all map[attune.ARN]*release) { all[r.Campaign] = loaded })
	s.log.Info("release loaded", "campaign", r.Campaign, "version", r.Version, "kind", r.Kind, "items", len(r.Model.Items))
	return nil
}

// servable says whether a kind answers campaigns, or, offline, jobs.
func servable(k Kind, offline bool) bool {
	switch k {
	case User, Related, Ranking:
		return true
	case Segment:
		return offline
	case Action:
		return !offline
	}
	return false
}

// check refuses a release that does not fit together.
func (r *Release) check(offline bool) error {
	switch {
	case r.Campaign == "" || r.Model == nil || r.Scorer == nil:
		return attune.Errorf(attune.Invalid, "release of %q lacks its campaign, model or scorer", r.Campaign)
	case !servable(r.Kind, offline):
		return attune.Errorf(attune.Invalid, "campaign %s: recipes of kind %q cannot be served", r.Campaign, r.Kind)
	case !r.Explore.valid():
		return attune.Errorf(attune.Invalid, "campaign %s: exploration with weight %g over %s is not possible", r.Campaign, r.Explore.Weight, r.Explore.MaxAge)
	case len(r.Model.Items) == 0:
		return attune.Errorf(attune.Invalid, "campaign %s: the model of %s knows no items", r.Campaign, r.Version)
	}
	return nil
}

// Drop ends answering for a campaign; requests under way are still answered.
func (s *Server) Drop(campaign attune.ARN) {
	s.change(func(all map[attune.ARN]*release) { delete(all, campaign) })
}

// Has says whether a campaign is answered for.
func (s *Server) Has(campaign attune.ARN) bool {
	_, ok := (*s.releases.Load())[campaign]
	return ok
}

// Get gives the release behind a campaign.
func (s *Server) Get(campaign attune.ARN) (Release, bool) {
	r, ok := (*s.releases.Load())[campaign]
	if !ok {
		return Release{}, false
	}
	return r.Release, true
}

// change publishes a changed copy, so that readers never wait.
func (s *Server) change(f func(map[attune.ARN]*release)) {
	s.loading.Lock()
	defer s.loading.Unlock()
	all := maps.Clone(*s.releases.Load())
	f(all)
	s.releases.Store(&all)
	s.m.releases.Set(float64(len(all)))
}

// find is the release of a campaign that must be of one of the kinds.
func (s *Server) find(campaign attune.ARN) (*release, view, error) {
	r, ok := (*s.releases.Load())[campaign]
	if !ok {
		return nil, nil, attune.Errorf(attune.NotFound, "%s is not served here", named(campaign))
	}
	v, ok := s.view(r.Group)
	if !ok {
		return nil, nil, attune.Errorf(attune.Unavailable, "the profile of %s is not loaded yet; try again", named(campaign))
	}
	return r, v, nil
}

// free keeps a request's memory for later ones, without what it borrowed.
func (s *Server) free(w *space) {
	w.table, w.past = nil, nil
	s.spaces.Put(w)
}

// release is a Release with what is looked up for every request.
type release struct {
	Release
	rowOf   map[string]int32 // item id → model row
	growing sync.Mutex
	table   atomic.Pointer[rowTable] // see mapping
	rules   atomic.Pointer[[]rule]   // see rulesOf
	out     atomic.Pointer[[]bool]   // see leavesOut
	pooling sync.Mutex               // one refresh of the pool at a time
	pool    atomic.Pointer[pool]     // see newcomers; nil until somebody explores
}

func newRelease(r Release) *release {
	loaded := &release{Release: r, rowOf: make(map[string]int32, len(r.Model.Items))}
	for row, id := range r.Model.Items {
		loaded.rowOf[id] = int32(row)
	}
	loaded.table.Store(&rowTable{known: kernel.NewBitmap(len(r.Model.Items))})
	loaded.rules.Store(new([]rule))
	loaded.out.Store(new([]bool))
	return loaded
}

// noRow stands for an item that the model does not know.
const noRow int32 = -1

// rowTable leads from item numbers of a group's profile to model rows.
type rowTable struct {
	rows  []int32       // by item number; noRow for what the model does not know
	known kernel.Bitmap // the model rows that some number leads to
}

// mapping is the table for at least the first n numbers. A number means the
// same for as long as the process lives, so rows are never changed, only made
// longer: readers of the shorter ones do not look at what is written behind them.
func (r *release) mapping(v view, n int) *rowTable {
	if have := r.table.Load(); len(have.rows) >= n {
		return have
	}
	r.growing.Lock()
	defer r.growing.Unlock()
	have := r.table.Load()
	t := &rowTable{have.rows, slices.Clone(have.known)}
	for number := len(t.rows); number < n; number++ {
		row, ok := r.rowOf[v.Item(int32(number))]
		if ok {
			t.known.Set(row)
		} else {
			row = noRow
		}
		t.rows = append(t.rows, row)
	}
	r.table.Store(t)
	return t
}

// rule is what the model's training made of an event type, and so serving does.
type rule struct {
	counts   model.EventRule
	negative model.Outcome
}

// weigh is how much an event counts: a negative outcome not at all.
func (x *rule) weigh(value float32) float32 {
	if x.negative.Is(value) {
		return 0
	}
	return x.counts.Weigh(value)
}

// rulesOf gives the rules of at least the first n event types.
func (r *release) rulesOf(v view, n int) []rule {
	if have := *r.rules.Load(); len(have) >= n {
		return have
	}
	rules := make([]rule, n)
	for i := range rules {
		name := v.TypeName(uint16(i))
		rules[i] = rule{r.Model.Manifest.Events.For(name), r.Model.Manifest.Negative.For(name)}
	}
	r.rules.Store(&rules)
	return rules
}

// leavesOut says of at least the first n event types whether their items are left out.
func (r *release) leavesOut(v view, n int) []bool {
	if have := *r.out.Load(); len(have) >= n {
		return have
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = slices.ContainsFunc(r.LeaveOut, func(t string) bool { return strings.EqualFold(t, v.TypeName(uint16(i))) })
	}
	r.out.Store(&out)
	return out
}
