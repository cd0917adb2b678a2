package embed

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

const (
	// textsAtOnce bounds the texts of one request: some servers take no more.
	textsAtOnce = 32
	// bytesAtOnce bounds their bytes, a single longer text aside: some 8,000
	// tokens. A model without a GPU that reads 300 a second, four requests at
	// once, answers all of them within requestTimeout.
	bytesAtOnce = 32 << 10
	// requestsAtOnce is how many requests are under way: enough to hide the way
	// to a service, few enough for a model on one machine.
	requestsAtOnce = 4
	// round is how many texts are asked for between two writes of what is kept.
	round = packMost
	// maxDimension bounds vectors: no known model comes near.
	maxDimension = 8192
)

// Client asks one model of one endpoint. It is safe for concurrent use.
type Client struct {
	config   Config
	endpoint string // asked
	shown    string // to people
	http     *http.Client
	log      *slog.Logger
	kept     *shelf

	pause    time.Duration // before the second attempt
	attempts int
}

// New makes a client that keeps vectors in a store. It asks nobody yet. The
// error is that of Config.Check, or attune.Invalid for a Config without a URL.
func New(c Config, store *artifact.Store, log *slog.Logger) (*Client, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.URL == "" {
		return nil, attune.Errorf(attune.Invalid, "no endpoint for embeddings: say --embeddings-url https://host/v1")
	}
	e := &Client{config: c, http: newHTTP(), log: log, pause: firstPause, attempts: attemptsAtMost}
	e.endpoint, e.shown = c.endpoint()
	e.kept = newShelf(store, log, e.endpoint, c.Model)
	return e, nil
}

// Model is the name of the model.
func (e *Client) Model() string { return e.config.Model }

// Embed gives each text its vector, in their order and all of one length.
// Vectors that were asked for before are not asked for again. progress may be
// nil; it is told of texts that are done.
//
// An endpoint that answers wrongly or refuses is attune.Invalid; one that cannot
// be reached, or stays too busy through all attempts, is attune.Unavailable.
func (e *Client) Embed(ctx context.Context, texts []string, progress func(done, total int)) ([][]float32, error) {
	w := &work{client: e, progress: progress, total: len(texts), vectors: map[sum][]float32{}, texts: map[sum]string{}, times: map[sum]int{}}
	order := make([]sum, len(texts))
	for i, text := range texts {
		order[i] = sha256.Sum256([]byte(text))
		if w.times[order[i]]++; w.times[order[i]] == 1 {
			w.texts[order[i]] = text
			w.missing = append(w.missing, order[i])
		}
	}
	all := w.missing
	if err := e.kept.take(ctx, w.times, w.vectors); err != nil {
		return nil, err
	}
	err := w.fill(ctx)
	if err == nil && w.changed { // the vectors of one name have another length now: what is kept is of another model
		e.log.Warn("the vectors of a model have another length than before, so all are asked for again", "model", e.config.Model, "endpoint", e.shown)
		if err := e.kept.clear(ctx); err != nil {
			return nil, err
		}
		clear(w.vectors)
		w.missing, w.dimension, w.changed = all, 0, false
		err = w.fill(ctx)
		if err == nil && w.changed {
			err = e.wrong("its vectors have %d numbers and some %d", w.dimension, w.other)
		}
	}
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(order))
	for i, s := range order {
		out[i] = w.vectors[s]
	}
	return out, nil
}

// work is one Embed.
type work struct {
	client  *Client
	texts   map[sum]string
	times   map[sum]int // that a text stands in the input
	missing []sum       // in the order of the input

	mu        sync.Mutex // guards what follows
	vectors   map[sum][]float32
	dimension int  // of all vectors; 0 before the first
	other     int  // length of one that disagreed
	changed   bool // vectors have different lengths
	done      int
	total     int
	progress  func(done, total int)
}

// fill asks for what is missing, a round at a time, and keeps it.
func (w *work) fill(ctx context.Context) error {
	var left []sum
	for _, s := range w.missing {
		if v, ok := w.vectors[s]; ok {
			w.put(s, v)
		} else {
			left = append(left, s)
		}
	}
	if w.changed {
		return nil
	}
	for len(left) > 0 {
		now := left[:min(round, len(left))]
		left = left[len(now):]
		if err := w.ask(ctx, now); err != nil || w.changed {
			return err
		}
		if err := w.client.kept.put(ctx, now, w.vectors, w.dimension); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ask asks for some texts, several requests at once. The first thing that goes
// wrong ends the others.
func (w *work) ask(ctx context.Context, sums []sum) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batches := w.batches(sums)
	queue := make(chan []sum, len(batches))
	for _, b := range batches {
		queue <- b
	}
	close(queue)
	var workers sync.WaitGroup
	for range min(requestsAtOnce, len(batches)) {
		workers.Go(func() {
			for batch := range queue {
				if ctx.Err() != nil {
					return
				}
				if err := w.answer(ctx, batch); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// batches cuts texts into requests.
func (w *work) batches(sums []sum) (out [][]sum) {
	from, bytes := 0, 0
	for i, s := range sums {
		n := len(w.texts[s])
		if i > from && (i-from == textsAtOnce || bytes+n > bytesAtOnce) {
			out, from, bytes = append(out, sums[from:i]), i, 0
		}
		bytes += n
	}
	return append(out, sums[from:])
}

// answer asks for one batch.
func (w *work) answer(ctx context.Context, batch []sum) error {
	texts := make([]string, len(batch))
	for i, s := range batch {
		texts[i] = w.texts[s]
	}
	vectors, err := w.client.request(ctx, texts)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range batch {
		w.put(s, vectors[i])
	}
	return nil
}

// put takes one vector, and tells of it.
func (w *work) put(s sum, v []float32) {
	if w.dimension == 0 {
		w.dimension = len(v)
	}
	if len(v) != w.dimension {
		w.changed, w.other = true, len(v)
	}
	w.vectors[s] = v
	w.done = min(w.total, w.done+w.times[s]) // more are done when all are asked for again
	if w.progress != nil {
		w.progress(w.done, w.total)
	}
}

// wrong is the error of an endpoint that does not do what it should.
func (e *Client) wrong(format string, args ...any) error {
	return attune.Errorf(attune.Invalid, "embeddings of model %q at %s: %s; mend the endpoint, or say another --embeddings-url or --embeddings-model", e.config.Model, e.shown, fmt.Sprintf(format, args...))
}
