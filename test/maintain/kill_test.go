package maintain_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/test/binary"
)

// defaultKills is how often the node is killed; ATTUNE_KILLS says otherwise.
const defaultKills = 5

// restart starts the killed node again on its data, at another port.
func (h *house) restart() {
	h.Helper()
	same := h.shop == h.node
	p, err := binary.Start(h.ctx(), attuneBinary, h.node.Data, h.args...)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { p.Kill() })
	if h.node = p; same {
		h.shop = p
	}
}

// quietFor is longer than it takes for a schedule that is due to start.
const quietFor = 2 * time.Second

// quiet waits until no run has been under way for a while, and fails when one failed.
func (h *house) quiet() {
	h.Helper()
	since := time.Now()
	h.eventually("all runs end", func() bool {
		for _, r := range h.list() {
			switch r.Status {
			case maintain.Running:
				since = time.Now()
			case maintain.Failed:
				h.Fatalf("run %s failed: %s\n%s", r.ID, r.Error, h.done("runs", "describe", r.ID))
			}
		}
		return time.Since(since) > quietFor
	})
}

// TestKill kills a node in the middle of applies, imports and trainings. Each
// time all ends as if nothing had happened: every run made what it would have
// made, and made it once.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills take minutes")
	}
	kills, seed := number(t, "ATTUNE_KILLS", defaultKills), number(t, "ATTUNE_SEED", int(time.Now().UnixNano()&0x7fffffff))
	t.Logf("%d kills, ATTUNE_SEED=%d", kills, seed)
	chance := rand.New(rand.NewPCG(uint64(seed), 2))
	h := newHouse(t)
	h.bring()
	h.write(toKill(0))

	imports, versions, interrupted := 3, 1, 0
	asked := map[string]int{}
	usual := map[string]time.Duration{"apply": 3 * time.Second, "import": time.Second, "full": 1500 * time.Millisecond}
	for k := range kills {
		what := []string{"apply", "import", "full"}[k%3]
		began := time.Now()
		asked[what]++
		switch what {
		case "apply": // the first makes everything, later ones find one filter more to make
			if k > 0 {
				h.write(toKill(k))
				usual[what] = time.Second
			}
			h.done("apply", h.file, "--source", source, "--yes", "--no-wait")
		case "import":
			h.renew(k)
			h.done("schedule", "run-now", "-t", "personalize-dataset-import-shop")
			imports++
		case "full":
			h.done("schedule", "run-now", "-t", "solution-maintenance-full-shop-for-you")
			versions++
		}
		moment := time.Duration(chance.Float64() * float64(usual[what]))
		time.Sleep(moment - min(moment, time.Since(began)))
		h.node.Kill()
		h.restart()
		if h.ended(what) < asked[what] {
			interrupted++
		}
		// What a schedule was asked for may have no run yet: that it is asked for is not lost.
		h.eventually(what, func() bool { return h.ended(what) == asked[what] })
		h.quiet()
		if n := len(h.imports()); n != imports {
			t.Fatalf("after kill %d, of %s, %d imports, want %d", k, what, n, imports)
		}
		if n := len(h.versions("shop-for-you")); n != versions {
			t.Fatalf("after kill %d, of %s, %d versions, want %d", k, what, n, versions)
		}
		newest := ""
		var at time.Time
		for _, v := range h.versions("shop-for-you") {
			if aws.ToString(v.Status) != "ACTIVE" {
				t.Fatalf("version %s is %s", *v.SolutionVersionArn, aws.ToString(v.Status))
			}
			if v.CreationDateTime.After(at) {
				newest, at = *v.SolutionVersionArn, *v.CreationDateTime
			}
		}
		if got := aws.ToString(h.campaign("shop-for-you").SolutionVersionArn); got != newest {
			t.Fatalf("after kill %d, of %s, the campaign has %s, the newest version is %s", k, what, got, newest)
		}
		if out, code := h.attune("plan", h.file, "--source", source, "--exit-code"); code != 0 {
			t.Fatalf("after kill %d, of %s, there is something to change:\n%s", k, what, out)
		}
		t.Logf("kill %d: %s after %s; all ended %s after it began", k, what, moment.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	}
	t.Logf("%d of %d kills fell into unfinished runs", interrupted, kills)
	if kills >= defaultKills && interrupted == 0 {
		t.Error("no kill fell into an unfinished run: nothing was shown")
	}
}

// toKill is the shop without batch jobs, which a new version lacks until
// the next apply, and with more filters the later it is: something to create.
func toKill(k int) string {
	const before, batch = `"filters": [`, `"batchInferenceJobs"`
	more := ""
	for n := 3; n <= k; n += 3 {
		more += fmt.Sprintf(`{"serviceConfig": {"name": "shop-%d", "filterExpression": "INCLUDE ItemID WHERE Items.PRICE < %d"}}, `, n, n)
	}
	config := strings.Replace(shopConfig("always"), before, before+more, 1)
	from := strings.Index(config, batch)
	to := from + strings.Index(config[from:], "\n")
	return strings.TrimRight(config[:from], " \n,") + config[to:]
}

func number(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}
