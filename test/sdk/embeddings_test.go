package sdk_test

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"

	"github.com/attune-io/attune/api/verb"
)

// genreModel is an endpoint for embeddings whose model looks at one thing only:
// the line of genres in a text.
type genreModel struct {
	key   string
	texts atomic.Int64 // asked for
	down  atomic.Bool
}

func (g *genreModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Model string   `json:"model"`
		Input []string `json:"input"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Model != "genres-1" || r.URL.Path != "/v1/embeddings" {
		http.Error(w, "no such model", http.StatusNotFound)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+g.key || g.down.Load() {
		http.Error(w, "not with "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		return
	}
	g.texts.Add(int64(len(in.Input)))
	type one struct {
		Index     int       `json:"index"`
		Embedding []float64 `json:"embedding"`
	}
	var out struct {
		Data []one `json:"data"`
	}
	for i, text := range in.Input {
		v := make([]float64, 1024)
		for line := range strings.Lines(text) {
			if genres, ok := strings.CutPrefix(strings.TrimSpace(line), "genres: "); ok {
				for _, genre := range strings.Split(genres, ", ") {
					h := fnv.New32a()
					_, _ = h.Write([]byte(genre))
					v[h.Sum32()%1024]++
				}
			}
		}
		out.Data = append(out.Data, one{i, v})
	}
	_ = json.NewEncoder(w).Encode(out)
}

// cosine of two lists of genres, by the same model.
func (g *genreModel) cosine(a, b []string) float64 {
	n := 0
	for _, genre := range a {
		if slices.Contains(b, genre) {
			n++
		}
	}
	return float64(n) / math.Sqrt(float64(len(a)*len(b)))
}

// TestEmbeddings lets a language model say what items are about: its vectors
// decide, texts are sent once, and the key is told to nobody else.
func TestEmbeddings(t *testing.T) {
	g := &genreModel{key: "sk-for-the-endpoint-only"}
	server := httptest.NewServer(g)
	defer server.Close()
	t.Setenv("ATTUNE_EMBEDDINGS_KEY", g.key) // so it cannot be parallel
	c := newNode(t, "--embeddings-url", server.URL+"/v1", "--embeddings-model", "genres-1", "--log-level", "debug")
	s := c.shopGroup("embeddings")
	solution := c.solution("semantic", s.group, "aws-semantic-similarity")
	version := c.version(solution)
	var learned verb.DescribeModelOutput
	if err := verb.Call(c.ctx, c.node.AWS(), "DescribeModel", verb.DescribeModelInput{SolutionVersionArn: version}, &learned); err != nil {
		t.Fatal(err)
	}
	if p := learned.Manifest.Parameters; p["embedding_model"] != "genres-1" || p["embedding_dimension"] != "1024" {
		t.Errorf("the manifest says %v", p)
	}
	c.nearestByGenre(g, s, c.campaign("semantic", version))

	sent := g.texts.Load()
	if sent == 0 {
		t.Error("nothing was sent")
	}
	if c.version(solution); g.texts.Load() != sent {
		t.Errorf("another training sends %d texts again", g.texts.Load()-sent)
	}

	g.down.Store(true)
	c.good(c.imported(s.items, "more", types.ImportModeIncremental, "ITEM_ID,NAME,CATEGORY_L1,GENRES,PRICE,CREATION_TIMESTAMP\nnew-1,Never Said Before,new,new,1.00,1700000000\n"))
	failing := must[*personalize.CreateSolutionVersionOutput](t)(c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &solution}))
	why := c.versionEnds(*failing.SolutionVersionArn, "CREATE FAILED")
	for _, part := range []string{"401 Unauthorized", server.URL + "/v1/embeddings", "genres-1", "ATTUNE_EMBEDDINGS_KEY"} {
		if !strings.Contains(why, part) {
			t.Errorf("it fails of %q, which does not say %s", why, part)
		}
	}
	if strings.Contains(why+c.node.Output(), g.key) {
		t.Error("the key is told")
	}
}

// nearestByGenre asks for items like some, which have to come in the order of the model's cosines.
func (c *clients) nearestByGenre(g *genreModel, s shopGroup, campaign string) {
	c.Helper()
	for _, i := range []int{0, 7, 19} {
		item := s.world.Item(i)
		page := c.ask(&personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, ItemId: &item.ID, NumResults: 10,
			MetadataColumns: map[string][]string{"ITEMS": {"GENRES"}}}).ItemList
		var want []float64
		for j := range s.world.Spec().Items {
			if other := s.world.Item(j); other.ID != item.ID {
				want = append(want, g.cosine(item.Genres, other.Genres))
			}
		}
		slices.Sort(want)
		slices.Reverse(want)
		if len(page) != 10 {
			c.Fatalf("%d items like %s", len(page), item.ID)
		}
		for rank, p := range page {
			if got := g.cosine(item.Genres, strings.Split(p.Metadata["GENRES"], "|")); math.Abs(got-want[rank]) > 1e-6 {
				c.Errorf("place %d of what is like %s has the cosine %g, the best left is %g", rank, item.ID, got, want[rank])
			}
		}
	}
}
