package serve

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

// Limits of a request, as Personalize publishes them.
const (
	DefaultItems    = 25
	MaxItems        = 500 // of an answer, and of a list to rank
	MaxWithMetadata = 50  // of an answer or a list to rank, when metadata is asked for
	MaxColumns      = 10  // metadata columns
)

// scoreNone is the manifest's word for answers without scores.
const scoreNone = "none"

// Request asks for items.
type Request struct {
	Campaign        attune.ARN
	User            string       // required by User campaigns and where items are left out; for other Related ones only the filter asks what the user did
	Item            string       // required by Related campaigns; the others do not look at it
	N               int          // 0 means DefaultItems
	Filter          *filter.Expr // nil for none; it must have passed Check
	FilterValues    map[string]string
	MetadataColumns []string          // of the items; columns that no item has are left out
	Context         map[string]string // what is the case, by column of interactions; what the model does not know changes nothing
	Promotion       *Promotion        // nil for none
}

// RankRequest asks for an order of given items.
type RankRequest struct {
	Campaign        attune.ARN
	User            string
	Items           []string
	Filter          *filter.Expr
	FilterValues    map[string]string
	MetadataColumns []string
	Context         map[string]string // as in Request
}

// Answer is items, best first.
type Answer struct {
	RecommendationID string // a UUID
	Release          Release
	Items            []Scored
	Propensities     []float32 // of each item at its place, given those before it; nil when nothing was left to chance
}

// Scored is one item of an Answer.
type Scored struct {
	ID       string
	Score    *float64          // nil when the recipe has none, and for items that nobody scored
	Reason   event.Reason      // why it is there
	Metadata map[string]string // by column as asked; several values joined by |; nil when not asked for
}

// Recommend answers a request from memory. A user or item that is new to the
// model gets what is popular. What a filter leaves out is filled up only with
// items that have no score, see fillUp, so there may be fewer items than asked
// for. Chance (places of promoted items, exploration) comes from the answer's
// id. Errors: attune.NotFound for a campaign that is not loaded,
// attune.Unavailable for a profile that is not, attune.Invalid for all else.
func (s *Server) Recommend(ctx context.Context, q Request) (*Answer, error) {
	defer s.m.took(askRecommend, time.Now())
	r, v, err := s.find(q.Campaign)
	if err != nil {
		return nil, err
	}
	return s.recommend(ctx, r, v, q)
}

// recommend answers a request with a release. Batches do the same in three
// strides, for many requests at once: see Offline.
func (s *Server) recommend(ctx context.Context, r *release, v view, q Request) (*Answer, error) {
	w := s.spaces.Get().(*space)
	defer s.free(w)
	query, err := w.prepare(r, v, &q)
	if err != nil {
		return nil, err
	}
	if err := r.Scorer.Score(ctx, query, w.scores); err != nil {
		return nil, err
	}
	return s.answer(w, r, v, &q, query), nil
}

// prepare checks a request and finds out what to score and what is left out.
func (w *space) prepare(r *release, v view, q *Request) (model.Query, error) {
	if err := q.check(r); err != nil {
		return model.Query{}, err
	}
	w.begin(r, v)
	query := w.query(r, v, q.User, q.Item, q.Context)
	if q.Promotion != nil {
		if err := w.promotable(r, v, q); err != nil {
			return query, err
		}
	}
	if q.Filter == nil {
		return query, nil
	}
	return query, w.filtered(r, v, q.Filter, q.FilterValues, q.User, q.Item)
}

// answer chooses the best of the scores in w.
func (s *Server) answer(w *space, r *release, v view, q *Request, query model.Query) *Answer {
	if len(query.History) == 0 && query.Item == model.NoItem {
		s.m.strange.Inc()
	}
	w.norm = math.Inf(1)
	if r.scored() {
		w.norm = kernel.LogSumExp(w.scores) // over the whole catalogue: what is left out keeps its share
	}
	id := s.opts.NewID()
	s.choose(r, v, w, q, dice(id))
	if len(w.picks) < q.N {
		s.m.short.Inc()
	}
	a := &Answer{RecommendationID: format(id), Release: r.Release, Items: w.items(r, v), Propensities: w.propensities()}
	addMetadata(v, a.Items, q.MetadataColumns)
	return a
}

// choose fills w.picks with what a promotion gives and the rest.
func (s *Server) choose(r *release, v view, w *space, q *Request, d *rand.Rand) {
	if q.Promotion != nil {
		w.promote(r, v, q)
	}
	rest := q.N - len(w.promoted)
	w.best = kernel.TopK(w.best[:0], w.scores, rest, w.left)
	if r.Explore.Weight > 0 {
		w.explore(r, v, q, r.newcomers(v, s.opts.Clock()), rest, d)
	} else {
		for _, row := range w.best {
			w.picks = append(w.picks, pick{row: row, score: w.scores[row], propensity: 1})
		}
	}
	if q.Filter != nil && len(w.picks) < rest {
		w.fillUp(r, v, q, rest)
	}
	if len(w.promoted) > 0 {
		w.scatter(d)
	}
}

// Rank answers with the items of a list in the order that suits the user.
// Items the model does not know come last, without a score, in the order
// given; so do equal ones. Scores sum to one over the known items of the list.
// What a filter leaves out is not in the answer. Errors are those of Recommend.
func (s *Server) Rank(ctx context.Context, q RankRequest) (*Answer, error) {
	defer s.m.took(askRank, time.Now())
	r, v, err := s.find(q.Campaign)
	if err != nil {
		return nil, err
	}
	return s.rank(ctx, r, v, q)
}

// rank orders a list with a release.
func (s *Server) rank(ctx context.Context, r *release, v view, q RankRequest) (*Answer, error) {
	if err := q.check(r); err != nil {
		return nil, err
	}
	w := s.spaces.Get().(*space)
	defer s.free(w)
	w.begin(r, v)
	query := w.query(r, v, q.User, "", q.Context)
	keep := func(string) bool { return true }
	if q.Filter != nil {
		if err := w.allow(r, v, q.Filter, q.FilterValues, q.User, ""); err != nil {
			return nil, err
		}
		keep = func(id string) bool {
			number, ok := v.ItemNumber(id)
			return ok && w.allowed.Has(number)
		}
	}
	if err := r.Scorer.Score(ctx, query, w.scores); err != nil {
		return nil, err
	}
	a := &Answer{RecommendationID: format(s.opts.NewID()), Release: r.Release, Items: w.rank(r, q.Items, keep)}
	addMetadata(v, a.Items, q.MetadataColumns)
	return a, nil
}

// rank orders a list by the scores in w.
func (w *space) rank(r *release, items []string, keep func(string) bool) []Scored {
	type place struct {
		id    string
		score float32 // -Inf for what cannot be scored
	}
	unknown := float32(math.Inf(-1))
	places := make([]place, 0, len(items))
	scores := make([]float32, 0, len(items))
	for _, id := range items {
		if !keep(id) {
			continue
		}
		p := place{id, unknown}
		if row, ok := r.rowOf[id]; ok && w.scores[row] == w.scores[row] { // not NaN
			p.score = w.scores[row]
		}
		places, scores = append(places, p), append(scores, p.score)
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.score, a.score) })
	norm := kernel.LogSumExp(scores)
	ranked := make([]Scored, len(places))
	shares := make([]float64, len(places))
	for i, p := range places {
		ranked[i].ID = p.id
		if r.scored() && p.score > unknown {
			shares[i] = share(p.score, norm)
			ranked[i].Score = &shares[i]
		}
	}
	return ranked
}

func (r *release) scored() bool { return r.Model.Manifest.Scores != scoreNone }

// share is the softmax of one score, given the logarithm of the sum of all.
func share(score float32, norm float64) float64 {
	if math.IsInf(norm, 1) {
		return 0 // a broken model with infinite scores has no shares
	}
	return math.Exp(float64(score) - norm)
}

// check refuses what cannot be answered, and makes 0 items the default.
func (q *Request) check(r *release) error {
	switch k := r.Kind; {
	case k == Action:
		return attune.Errorf(attune.Invalid, "%s recommends actions: use GetActionRecommendations", named(q.Campaign))
	case k == Ranking:
		return attune.Errorf(attune.Invalid, "%s ranks lists: use GetPersonalizedRanking with an inputList", named(q.Campaign))
	case q.User == "" && (k == User && !r.Anybody || len(r.LeaveOut) > 0):
		return attune.Errorf(attune.Invalid, "userId is required by %s: give the id of a user, or of an anonymous session", named(q.Campaign))
	case k == Related && q.Item == "":
		return attune.Errorf(attune.Invalid, "itemId is required by %s: give the id of the item that others shall be like", named(q.Campaign))
	case q.N < 0 || q.N > MaxItems:
		return attune.Errorf(attune.Invalid, "numResults is %d: it must be from 1 to %d", q.N, MaxItems)
	}
	if q.N == 0 {
		q.N = DefaultItems
	}
	if q.Promotion != nil {
		if err := q.Promotion.check(); err != nil {
			return err
		}
	}
	return r.checkMetadata(q.MetadataColumns, q.N)
}

// named is a release for a message: "campaign arn:…" or "recommender arn:…".
func named(arn attune.ARN) string {
	word, _, _ := arn.Split()
	return word + " " + string(arn)
}

func (q *RankRequest) check(r *release) error {
	switch {
	case r.Kind == Action:
		return attune.Errorf(attune.Invalid, "campaign %s recommends actions: use GetActionRecommendations", q.Campaign)
	case r.Kind != Ranking:
		return attune.Errorf(attune.Invalid, "campaign %s does not rank lists: use GetRecommendations, or a campaign of recipe aws-personalized-ranking", q.Campaign)
	case q.User == "":
		return attune.Errorf(attune.Invalid, "userId is required by campaign %s: give the id of a user, or of an anonymous session", q.Campaign)
	case len(q.Items) == 0 || len(q.Items) > MaxItems:
		return attune.Errorf(attune.Invalid, "inputList has %d items: it must have 1 to %d", len(q.Items), MaxItems)
	case slices.Contains(q.Items, ""):
		return attune.Errorf(attune.Invalid, "inputList has an empty item id at place %d", slices.Index(q.Items, "")+1)
	}
	return r.checkMetadata(q.MetadataColumns, len(q.Items))
}

func (r *release) checkMetadata(columns []string, n int) error {
	if r.NoMetadata && len(columns) > 0 {
		return attune.Errorf(attune.Invalid, "metadataColumns are given, but %s was made without enableMetadataWithRecommendations: update it, or leave them out", named(r.Campaign))
	}
	if len(columns) > MaxColumns {
		return attune.Errorf(attune.Invalid, "metadataColumns has %d columns: at most %d are allowed", len(columns), MaxColumns)
	}
	if len(columns) > 0 && n > MaxWithMetadata {
		return attune.Errorf(attune.Invalid, "metadata is given for at most %d items, but %d are asked for", MaxWithMetadata, n)
	}
	return nil
}

// addMetadata gives every item the columns it has a value in.
func addMetadata(v view, items []Scored, columns []string) {
	if len(columns) == 0 {
		return
	}
	table := v.Items()
	for i := range items {
		items[i].Metadata = make(map[string]string, len(columns))
		number, ok := v.ItemNumber(items[i].ID)
		if !ok {
			continue
		}
		for _, name := range columns {
			switch x := table.Get(number, name).(type) {
			case string:
				items[i].Metadata[name] = x
			case []string:
				items[i].Metadata[name] = strings.Join(x, "|")
			case float64:
				items[i].Metadata[name] = strconv.FormatFloat(x, 'f', -1, 64)
			}
		}
	}
}
