package embed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob/fileblob"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

// secret is the key that the server wants.
const secret = "sk-very-secret-key"

// server is an endpoint that computes vectors of texts: how often each hashed
// word stands in one. Its answers come in reverse, with their indexes.
type server struct {
	*httptest.Server
	dimension func(request int) int // of the vectors of one answer
	mu        sync.Mutex
	asked     []string // texts, as they came
	requests  int
	instead   func(w http.ResponseWriter, r *http.Request, request int) bool // answers instead; nil for nobody
}

func serve(t *testing.T) *server {
	s := &server{dimension: func(int) int { return 16 }}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// sent are the texts that came so far.
func (s *server) sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Model string
		Input []string
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Model != "words" || r.Method != http.MethodPost || r.URL.Path != "/v1/embeddings" {
		http.Error(w, "no such thing", http.StatusNotFound)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+secret {
		http.Error(w, "wrong key: "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	s.requests++
	request := s.requests
	s.asked = append(s.asked, in.Input...)
	s.mu.Unlock()
	if s.instead != nil && s.instead(w, r, request) {
		return
	}
	type one struct {
		Object    string    `json:"object"`
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	var out struct {
		Object string `json:"object"`
		Data   []one  `json:"data"`
	}
	out.Object = "list"
	for i, text := range slices.Backward(in.Input) {
		out.Data = append(out.Data, one{"embedding", i, vector(text, s.dimension(request))})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func vector(text string, dimension int) []float32 {
	v := make([]float32, dimension)
	for _, word := range strings.Fields(text) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(word))
		v[h.Sum32()%uint32(dimension)]++
	}
	return v
}

func store(t *testing.T) *artifact.Store {
	t.Helper()
	dir := t.TempDir()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return artifact.New(b, dir, "")
}

// client asks s, with pauses of a millisecond.
func (s *server) client(t *testing.T, kept *artifact.Store, log *bytes.Buffer) *Client {
	t.Helper()
	c, err := New(Config{URL: s.URL + "/v1/", Model: "words", Key: secret}, kept, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	c.pause = time.Millisecond
	return c
}

func texts(from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("item %d is word%d", i, i%7))
	}
	return out
}

func check(t *testing.T, c *Client, in []string, dimension int) {
	t.Helper()
	last, all := 0, -1
	got, err := c.Embed(t.Context(), in, func(done, total int) {
		if done < last || done > total || total != len(in) {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last, all = done, total
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(in) || len(in) > 0 && last != all {
		t.Fatalf("%d vectors of %d texts; progress ends at %d of %d", len(got), len(in), last, all)
	}
	for i, v := range got {
		if !slices.Equal(v, vector(in[i], dimension)) {
			t.Fatalf("text %d has the vector %v", i, v)
		}
	}
}

func TestEmbedAsksOnce(t *testing.T) {
	s, kept := serve(t), store(t)
	in := append(texts(0, 300), texts(100, 200)...) // a third of them twice
	check(t, s.client(t, kept, new(bytes.Buffer)), in, 16)
	if n := len(s.asked); n != 300 {
		t.Errorf("%d texts were sent for 300 different ones", n)
	}
	if s.requests < 300/textsAtOnce || s.requests > 300/textsAtOnce+1 {
		t.Errorf("300 texts took %d requests", s.requests)
	}
	s.asked = nil
	check(t, s.client(t, kept, new(bytes.Buffer)), texts(50, 310), 16) // by another process
	if !slices.Equal(slices.Sorted(slices.Values(s.asked)), slices.Sorted(slices.Values(texts(300, 310)))) {
		t.Errorf("of 10 new texts among old ones were sent: %q", s.asked)
	}
	check(t, s.client(t, kept, new(bytes.Buffer)), nil, 16)
}

func TestLongTextsGoInTheirOwnRequests(t *testing.T) {
	s := serve(t)
	var in []string
	for i := range 6 {
		in = append(in, strings.Repeat(fmt.Sprintf("word%d ", i), bytesAtOnce/16))
	}
	check(t, s.client(t, store(t), new(bytes.Buffer)), in, 16)
	if s.requests < 3 {
		t.Errorf("%d requests of at most %d bytes for %d", s.requests, bytesAtOnce, 6*len(in[0]))
	}
}

// TestBusyEndpoint: refusals that pass are waited out, as long as they ask for.
func TestBusyEndpoint(t *testing.T) {
	s, log := serve(t), new(bytes.Buffer)
	var asked time.Time
	s.instead = func(w http.ResponseWriter, r *http.Request, request int) bool {
		switch request {
		case 1:
			asked = time.Now()
			w.Header().Set("Retry-After", "1")
			http.Error(w, "slow down", http.StatusTooManyRequests)
		case 2:
			if waited := time.Since(asked); waited < time.Second {
				t.Errorf("asked again after %s, though told to wait for a second", waited)
			}
			http.Error(w, "restarting", http.StatusServiceUnavailable)
		case 3:
			panic(http.ErrAbortHandler) // the connection breaks
		case 4:
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"data":[`)) // and breaks in the middle of an answer
		default:
			return false
		}
		return true
	}
	check(t, s.client(t, store(t), log), texts(0, 20), 16)
	if s.requests != 5 {
		t.Errorf("%d requests", s.requests)
	}
	if strings.Contains(log.String(), secret) {
		t.Error("the key is in the log")
	}
}

// TestRefusals are final or come after all attempts, and say what, where and what to do.
func TestRefusals(t *testing.T) {
	answer := func(status int, body string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	for name, c := range map[string]struct {
		instead  func(http.ResponseWriter, *http.Request, int) bool
		kind     attune.Kind
		requests int
		says     string
	}{
		"always down":    {answer(500, "out of memory"), attune.Unavailable, attemptsAtMost, "out of memory"},
		"always busy":    {answer(429, "quota"), attune.Unavailable, attemptsAtMost, "429 Too Many Requests"},
		"bad key":        {answer(401, "no such key "+secret), attune.Invalid, 1, "ATTUNE_EMBEDDINGS_KEY"},
		"no model":       {answer(404, `{"error":"model not found"}`), attune.Invalid, 1, "model not found"},
		"moved":          {answer(302, ""), attune.Invalid, 1, "302 Found"},
		"too few":        {answer(200, `{"data":[{"index":0,"embedding":[1,2]}]}`), attune.Invalid, 1, "3 texts with 1 vectors"},
		"too many":       {answer(200, `{"data":[{"embedding":[1]},{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}]}`), attune.Invalid, 1, "3 texts with 4"},
		"twice":          {answer(200, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}`), attune.Invalid, 1, "index 0"},
		"beyond":         {answer(200, `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]},{"index":3,"embedding":[1]}]}`), attune.Invalid, 1, "index 3"},
		"mixed lengths":  {answer(200, `{"data":[{"embedding":[1,2]},{"embedding":[1,2,3]},{"embedding":[1,2]}]}`), attune.Invalid, 1, "of 2 and of 3"},
		"empty vectors":  {answer(200, `{"data":[{"embedding":[]},{"embedding":[]},{"embedding":[]}]}`), attune.Invalid, 1, "0 numbers"},
		"NaN":            {answer(200, `{"data":[{"embedding":[1,NaN]},{"embedding":[1,2]},{"embedding":[1,2]}]}`), attune.Invalid, 1, "cannot be read"},
		"null":           {answer(200, `{"data":[{"embedding":[1,null]},{"embedding":[1,2]},{"embedding":[1,2]}]}`), attune.Invalid, 1, "no number"},
		"beyond float32": {answer(200, `{"data":[{"embedding":[1,1e39]},{"embedding":[1,2]},{"embedding":[1,2]}]}`), attune.Invalid, 1, "no number"},
		"words":          {answer(200, "hello"), attune.Invalid, 1, "cannot be read"},
		"too long":       {answer(200, strings.Repeat(" ", maxAnswer+1)), attune.Invalid, 1, "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			s, log := serve(t), new(bytes.Buffer)
			s.instead = c.instead
			_, err := s.client(t, store(t), log).Embed(t.Context(), texts(0, 3), nil)
			if attune.KindOf(err) != c.kind || s.requests != c.requests {
				t.Fatalf("%v (%s) after %d requests", err, attune.KindOf(err), s.requests)
			}
			for _, part := range []string{c.says, `"words"`, s.URL + "/v1/embeddings"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %s", err, part)
				}
			}
			if strings.Contains(err.Error()+log.String(), secret) {
				t.Errorf("the key is told: %v", err)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	s := serve(t)
	c := s.client(t, store(t), new(bytes.Buffer))
	s.Close()
	if _, err := c.Embed(t.Context(), texts(0, 3), nil); attune.KindOf(err) != attune.Unavailable || !strings.Contains(err.Error(), "no answer from "+s.URL) {
		t.Errorf("nobody there: %v", err)
	}
}

// TestSilence: an endpoint that does not answer is given up on, and at once
// when the training is.
func TestSilence(t *testing.T) {
	s, let := serve(t), make(chan struct{})
	s.instead = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		select {
		case <-r.Context().Done():
		case <-let:
		}
		return true
	}
	defer close(let)
	c := s.client(t, store(t), new(bytes.Buffer))
	c.http.Timeout, c.attempts = 20*time.Millisecond, 2
	if _, err := c.Embed(t.Context(), texts(0, 3), nil); attune.KindOf(err) != attune.Unavailable || s.requests != 2 {
		t.Errorf("%v after %d requests", err, s.requests)
	}
	c.http.Timeout, c.pause = time.Minute, time.Minute
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	began := time.Now()
	if _, err := c.Embed(ctx, texts(0, 300), nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
		t.Errorf("given up after %s: %v", time.Since(began), err)
	}
}

// TestAnotherModelBehindTheName: vectors of another length than the kept ones
// make all be asked for again.
func TestAnotherModelBehindTheName(t *testing.T) {
	s, kept := serve(t), store(t)
	check(t, s.client(t, kept, new(bytes.Buffer)), texts(0, 40), 16)
	s.dimension = func(int) int { return 24 }
	check(t, s.client(t, kept, new(bytes.Buffer)), texts(0, 50), 24)
	s.asked = nil
	check(t, s.client(t, kept, new(bytes.Buffer)), texts(0, 50), 24)
	if len(s.asked) > 0 {
		t.Errorf("%d texts were asked for again", len(s.asked))
	}
	s.dimension = func(request int) int { return 8 + request%2 } // it cannot decide
	if _, err := s.client(t, kept, new(bytes.Buffer)).Embed(t.Context(), texts(50, 500), nil); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "numbers and some") {
		t.Errorf("two lengths at once: %v", err)
	}
}

// TestRefusalBesideAnotherLength: what is kept is not forgotten before all of it
// can be had again.
func TestRefusalBesideAnotherLength(t *testing.T) {
	s, kept := serve(t), store(t)
	check(t, s.client(t, kept, new(bytes.Buffer)), texts(0, 40), 16)
	before, taken := names(t, kept), make(chan struct{})
	first := s.requests + 1
	s.dimension = func(int) int { return 24 }
	s.instead = func(w http.ResponseWriter, _ *http.Request, request int) bool {
		if request == first {
			return false
		}
		<-taken
		http.Error(w, "no money left", http.StatusPaymentRequired)
		return true
	}
	var once sync.Once
	_, err := s.client(t, kept, new(bytes.Buffer)).Embed(t.Context(), texts(0, 40+2*textsAtOnce), func(done, _ int) {
		if done > 40 {
			once.Do(func() { close(taken) })
		}
	})
	if err == nil || !strings.Contains(err.Error(), "no money left") {
		t.Fatalf("error %v", err)
	}
	if after := names(t, kept); !slices.Equal(after, before) {
		t.Errorf("kept before %v, after %v", before, after)
	}
}

// TestCutShort: what was written before a training ended is not asked for again.
func TestCutShort(t *testing.T) {
	s, kept := serve(t), store(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	in := texts(0, packMost+500)
	_, err := s.client(t, kept, new(bytes.Buffer)).Embed(ctx, in, func(done, _ int) {
		if done > packMost {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("cut short: %v", err)
	}
	before := len(s.sent()) // what is under way still is of the rest
	check(t, s.client(t, kept, new(bytes.Buffer)), in, 16)
	for _, text := range s.sent()[before:] {
		if slices.Contains(in[:packMost], text) {
			t.Fatalf("%q was kept and is asked for again", text)
		}
	}
}
