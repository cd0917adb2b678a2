package serve

import (
	"context"
	"runtime"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
)

const (
	// requestsAtOnce is how many requests of a batch are scored together: enough
	// that a part of the item factors is read into the cache once for all of
	// them, few enough that a live request need not wait for long.
	requestsAtOnce = 16
	// scoresAtOnce bounds the scores held for them: 16 MiB of large catalogues.
	scoresAtOnce = 4 << 20
)

// Offline is a release that answers for a job, without a campaign. It answers
// as a campaign of the same version would at the same moment, and is safe for
// concurrent use.
type Offline struct {
	s *Server
	r *release
}

// Result is the answer to one request of a batch, or why there is none.
type Result struct {
	Answer *Answer
	Err    error
}

// Offline opens a release for a job; its Campaign is what messages name. The
// error is Load's.
func (s *Server) Offline(r Release) (*Offline, error) {
	if err := r.check(true); err != nil {
		return nil, err
	}
	return &Offline{s, newRelease(r)}, nil
}

// Recommend answers requests in their order, each as Server.Recommend would. It
// lets other goroutines run between requests. What is wrong with one request is
// in its Result; the error is of what keeps all from being answered:
// attune.Unavailable for a profile that is not loaded, or the end of ctx.
func (o *Offline) Recommend(ctx context.Context, requests []Request) ([]Result, error) {
	v, err := o.view()
	if err != nil {
		return nil, err
	}
	out := make([]Result, len(requests))
	atOnce := min(requestsAtOnce, max(1, scoresAtOnce/len(o.r.Model.Items)))
	for from := 0; from < len(requests); from += atOnce {
		to := min(from+atOnce, len(requests))
		if err := o.some(ctx, v, requests[from:to], out[from:to]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Scored says whether items of its answers have scores.
func (o *Offline) Scored() bool { return o.r.scored() }

// asked is a request on its way to its answer.
type asked struct {
	place int // among the requests
	w     *space
	query model.Query
}

// some answers as many requests as may be scored together.
func (o *Offline) some(ctx context.Context, v view, requests []Request, out []Result) error {
	all := make([]asked, 0, len(requests))
	defer func() {
		for _, a := range all {
			o.s.free(a.w)
		}
	}()
	for i := range requests {
		w := o.s.spaces.Get().(*space)
		query, err := w.prepare(o.r, v, &requests[i])
		if err != nil {
			o.s.free(w)
			out[i].Err = err
			continue
		}
		all = append(all, asked{i, w, query})
	}
	if err := o.score(ctx, all); err != nil {
		return err
	}
	for _, a := range all {
		out[a.place].Answer = o.s.answer(a.w, o.r, v, &requests[a.place], a.query)
		runtime.Gosched() // a live request may be waiting for this processor
	}
	return nil
}

// score fills the scores of all, together where the model can.
func (o *Offline) score(ctx context.Context, all []asked) error {
	if many, ok := o.r.Scorer.(model.ManyScorer); ok {
		queries, scores := make([]model.Query, len(all)), make([][]float32, len(all))
		for i, a := range all {
			queries[i], scores[i] = a.query, a.w.scores
		}
		return many.ScoreMany(ctx, queries, scores)
	}
	for _, a := range all {
		if err := o.r.Scorer.Score(ctx, a.query, a.w.scores); err != nil {
			return err
		}
		runtime.Gosched()
	}
	return nil
}

// Rank orders one list as Server.Rank would. Errors are those of Rank, and
// attune.Unavailable for a profile that is not loaded.
func (o *Offline) Rank(ctx context.Context, q RankRequest) (*Answer, error) {
	v, err := o.view()
	if err != nil {
		return nil, err
	}
	defer runtime.Gosched()
	return o.s.rank(ctx, o.r, v, q)
}

func (o *Offline) view() (view, error) {
	v, ok := o.s.view(o.r.Group)
	if !ok {
		return nil, attune.Errorf(attune.Unavailable, "the profile that %s needs is not loaded yet; try again", o.r.Campaign)
	}
	return v, nil
}
