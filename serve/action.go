package serve

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
)

// Limits of a request for actions, as Personalize publishes them.
const (
	DefaultActions = 5
	MaxActions     = 100
)

// ActionRequest asks for actions.
type ActionRequest struct {
	Campaign     attune.ARN
	User         string
	N            int          // 0 means DefaultActions
	Filter       *filter.Expr // nil for none; it must have passed Check
	FilterValues map[string]string
}

// RecommendActions answers with the actions that a user is likeliest to take,
// the likeliest first; of two that are equally likely the one with the greater
// VALUE. Scores are propensities, 0 while there is too little evidence to tell
// one; such actions come last. Left out are actions whose
// ACTION_EXPIRATION_TIMESTAMP has come, and those that the user took less than
// REPEAT_FREQUENCY days ago. Errors are those of Recommend.
func (s *Server) RecommendActions(ctx context.Context, q ActionRequest) (*Answer, error) {
	defer s.m.took(askActions, time.Now())
	r, v, err := s.find(q.Campaign)
	if err != nil {
		return nil, err
	}
	if err := q.check(r.Kind); err != nil {
		return nil, err
	}
	past, now := v.ActionHistory(q.User), s.opts.Clock()
	scores := make([]float32, len(r.Model.Items))
	query := model.Query{Item: model.NoItem, Now: now.UnixMilli(), User: v.UserAttributes(q.User), History: r.actionHistory(v, past)}
	if err := r.Scorer.Score(ctx, query, scores); err != nil {
		return nil, err
	}
	if len(query.History) == 0 {
		s.m.strange.Inc()
	}
	may, err := s.allowed(v, &q, past, now)
	if err != nil {
		return nil, err
	}
	best := r.due(v, now, past, may)
	slices.SortStableFunc(best, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(scores[b.row], scores[a.row]), cmp.Compare(b.value, a.value))
	})
	best = best[:min(q.N, len(best))]
	if len(best) < q.N {
		s.m.short.Inc()
	}
	a := &Answer{RecommendationID: format(s.opts.NewID()), Release: r.Release, Items: make([]Scored, len(best))}
	for i, c := range best {
		propensity := max(0, float64(scores[c.row])) // less than 0: see model.ScoresPropensity
		a.Items[i] = Scored{ID: r.Model.Items[c.row], Score: &propensity}
	}
	return a, nil
}

func (q *ActionRequest) check(k Kind) error {
	switch {
	case k != Action:
		return attune.Errorf(attune.Invalid, "campaign %s recommends no actions: use GetRecommendations or GetPersonalizedRanking, or a campaign of recipe aws-next-best-action", q.Campaign)
	case q.User == "":
		return attune.Errorf(attune.Invalid, "userId is required by campaign %s: give the id of a user, or of an anonymous session", q.Campaign)
	case q.N < 0 || q.N > MaxActions:
		return attune.Errorf(attune.Invalid, "numResults is %d: it must be from 1 to %d", q.N, MaxActions)
	}
	if q.N == 0 {
		q.N = DefaultActions
	}
	return nil
}

// actionHistory is what the user did in the model's rows: see model.Touch.
func (r *release) actionHistory(v view, past []profile.Touch) []model.Touch {
	var history []model.Touch
	for i := range past {
		row, ok := r.rowOf[v.Action(past[i].Item)]
		weight, told := outcome(v.TypeName(past[i].Type))
		if ok && told {
			history = append(history, model.Touch{Item: row, Weight: weight, At: past[i].At})
		}
	}
	return history
}

// outcome is 1 for Taken and 0 for Viewed and Not Taken; ok is false for other types.
func outcome(eventType string) (weight float32, ok bool) {
	switch schema.ActionEvent(eventType) {
	case schema.Taken:
		return 1, true
	case schema.Viewed, schema.NotTaken:
		return 0, true
	}
	return 0, false
}

// allowed says which actions the request's filter lets through, by number.
func (s *Server) allowed(v view, q *ActionRequest, past []profile.Touch, now time.Time) (func(number int32) bool, error) {
	if q.Filter == nil {
		return func(int32) bool { return true }, nil
	}
	b, err := q.Filter.Bind(filter.ActionID, q.FilterValues)
	if err != nil {
		return nil, err
	}
	scene := filter.Scene{Rows: v.Actions(), N: v.NumActions(), RowOf: v.ActionNumber, TypeName: v.TypeName}
	idle := s.opts.Filters.Idle
	if n := len(past); b.History() && n > 0 && (idle <= 0 || now.Sub(time.UnixMilli(past[n-1].At)) <= idle) {
		for i := range past {
			scene.History = append(scene.History, filter.Seen{Row: past[i].Item, Type: past[i].Type})
		}
		scene.History = filter.Recent(scene.History, s.opts.Filters.ActionHistory)
	}
	if b.User() {
		scene.User = v.UserRow(q.User)
	}
	return b.Mask(&scene, nil).Has, nil
}

// candidate is an action that may be recommended.
type candidate struct {
	row   int32
	value float64 // VALUE; 0 when it has none
}

// due are the actions that may be recommended at a moment.
func (r *release) due(v view, now time.Time, past []profile.Touch, may func(number int32) bool) []candidate {
	taken := map[int32]int64{} // action number → when last, Unix milliseconds
	for i := range past {
		if weight, _ := outcome(v.TypeName(past[i].Type)); weight > 0 {
			taken[past[i].Item] = max(taken[past[i].Item], past[i].At)
		}
	}
	table := v.Actions()
	number := func(row int32, column string) (float64, bool) {
		x, ok := table.Get(row, column).(float64)
		return x, ok
	}
	out := make([]candidate, 0, len(r.Model.Items))
	for row, id := range r.Model.Items {
		n, known := v.ActionNumber(id)
		if !known {
			if may(-1) { // nothing is known of it that a filter could ask
				out = append(out, candidate{row: int32(row)})
			}
			continue
		}
		if !may(n) {
			continue
		}
		if end, ok := number(n, schema.ActionExpiration); ok && float64(now.Unix()) >= end {
			continue
		}
		at, did := taken[n]
		if days, ok := number(n, schema.RepeatFrequency); ok && did && now.Sub(time.UnixMilli(at)).Hours() < 24*days {
			continue
		}
		value, _ := number(n, schema.ActionValue)
		out = append(out, candidate{int32(row), value})
	}
	return out
}
