package sdk_test

import (
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// TestLife is the whole life through aws-sdk-go-v2, across a restart.
func TestLife(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node, err := binary.Start(t.Context(), attuneBinary, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Kill() })
	c := newClients(t, node)
	shop := smallShop(t)
	var interactions, items strings.Builder
	for _, err := range []error{shop.WriteInteractions(&interactions), shop.WriteItems(&items)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	group := c.datasetGroup("life")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	job := c.importing("interactions", set, c.put("life", "interactions.csv", interactions.String()), types.ImportModeFull)
	c.active("import", func() (*string, *string, error) { return c.importStatus(job) })
	itemSet := c.dataset(group, "Items", world.ItemsSchema)
	job = c.importing("items", itemSet, c.put("life", "items.csv", items.String()), "")
	c.active("import", func() (*string, *string, error) { return c.importStatus(job) })

	solution := c.solution("life", group, "aws-user-personalization")
	version := c.version(solution)
	campaign := c.campaign("life", version)
	user := strings.SplitN(strings.SplitN(interactions.String(), "\n", 3)[1], ",", 2)[0]
	page := c.recommend(campaign, user)
	if len(page) != 10 {
		t.Fatalf("%d items for %s", len(page), user)
	}
	_, tracking := c.tracker(group)
	after := c.recommend(campaign, "life-newcomer")
	for _, item := range page[:3] { // each has reached the page before the node stops
		c.see(tracking, "life-newcomer", item)
		after = c.changes(campaign, "life-newcomer", after)
	}

	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	if node, err = binary.Start(t.Context(), attuneBinary, data); err != nil {
		t.Fatal(err)
	}
	c = newClients(t, node)
	for deadline := time.Now().Add(5 * time.Second); !slices.Equal(c.recommend(campaign, "life-newcomer"), after); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a restart %v is recommended, before it was %v", c.recommend(campaign, "life-newcomer"), after)
		}
	}
	t.Logf("ready again in %s", node.Ready)
	if err := node.Stop(); err != nil {
		t.Error(err)
	}
}

// changes waits until a page differs from before, and returns it.
func (c *clients) changes(campaign, user string, before []string) []string {
	c.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if page := c.recommend(campaign, user); !slices.Equal(page, before) {
			return page
		}
		if time.Now().After(deadline) {
			c.Fatalf("the page of %s did not change", user)
		}
	}
}

// TestSecondProcess shows that a data folder belongs to one process, and that
// two nodes on two folders live side by side.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	first := start(t)
	start(t) // another folder
	second, err := binary.Start(t.Context(), attuneBinary, first.Data)
	if err == nil {
		second.Kill()
		t.Fatal("a second process took the data folder of a running one")
	}
	if !strings.Contains(err.Error(), "belongs to a running attune") {
		t.Errorf("the refusal does not say why: %v", err)
	}
}

// TestKeyPrintedOnce shows that the root key is printed by the first start
// only, and that nobody else may read its file.
func TestKeyPrintedOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for i, want := range []bool{true, false} {
		node, err := binary.Start(t.Context(), attuneBinary, data)
		if err != nil {
			t.Fatal(err)
		}
		if err := node.Stop(); err != nil {
			t.Fatal(err)
		}
		if printed := strings.Contains(node.Output(), node.Key.Secret); printed != want {
			t.Errorf("start %d printed the key: %v", i, printed)
		}
	}
	info, err := os.Stat(data + "/root.key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("root.key: %v %v", info.Mode(), err)
	}
}

// TestProbes shows the three paths that need no signature, and that all else does.
func TestProbes(t *testing.T) {
	t.Parallel()
	node := start(t)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/recommendations": 403, "/attune/v1/ApiCoverage": 403, "/": 403} {
		method := http.MethodGet
		if want == 403 {
			method = http.MethodPost
		}
		req, err := http.NewRequestWithContext(t.Context(), method, node.URL+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s answered %d, want %d: %s", path, resp.StatusCode, want, body)
		}
		if resp.Header.Get("X-Amzn-Requestid") == "" && want == 403 {
			t.Errorf("%s: no request id", path)
		}
		if path == "/metrics" && !strings.Contains(string(body), "go_goroutines") {
			t.Errorf("/metrics: %.200s", body)
		}
	}
}

// TestPagination walks every list page by page and meets each thing once.
func TestPagination(t *testing.T) {
	t.Parallel()
	c := newClients(t, start(t))
	want := []string{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		want = append(want, c.datasetGroup("page-"+name))
	}
	got := []string{}
	pages := 0
	for p := personalize.NewListDatasetGroupsPaginator(c.control, &personalize.ListDatasetGroupsInput{MaxResults: aws.Int32(2)}); p.HasMorePages(); pages++ {
		page := must[*personalize.ListDatasetGroupsOutput](t)(p.NextPage(t.Context()))
		if len(page.DatasetGroups) > 2 {
			t.Errorf("a page of %d", len(page.DatasetGroups))
		}
		for _, g := range page.DatasetGroups {
			got = append(got, *g.DatasetGroupArn)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("%d pages: %v", pages, got)
	}
	first := must[*personalize.ListDatasetGroupsOutput](t)(c.control.ListDatasetGroups(t.Context(), &personalize.ListDatasetGroupsInput{MaxResults: aws.Int32(2)}))
	_, err := c.control.ListSchemas(t.Context(), &personalize.ListSchemasInput{NextToken: first.NextToken})
	refusedAs[*types.InvalidNextTokenException](t, err, "")
	_, err = c.control.ListDatasetGroups(t.Context(), &personalize.ListDatasetGroupsInput{NextToken: aws.String("made-up")})
	refusedAs[*types.InvalidNextTokenException](t, err, "")
}
