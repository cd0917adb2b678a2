package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/node"
	"github.com/attune-io/attune/world"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"attune": main})
}

// TestScript runs testdata/script: each script is a short story of the command
// line, in a folder of its own.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("AWS_CONFIG_FILE", os.DevNull)
			env.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"node": startNode, "shop": openShop, "spoken": checkSpoken, "jsonlen": jsonLen,
			"freeport": freePort, "ready": awaitReady, "task": putTask, "letter": awaitLetter,
		},
	})
}

// startNode is 'node DIR [strict]': a node in this process, with ATTUNE_ENDPOINT and
// ATTUNE_DATA set for the verbs that follow, until the script ends.
func startNode(ts *testscript.TestScript, neg bool, args []string) {
	strict := len(args) == 2 && args[1] == "strict"
	if neg || len(args) != 1 && !strict {
		ts.Fatalf("usage: node DIR [strict]")
	}
	ctx, stop := context.WithCancel(context.Background())
	dir := ts.MkAbs(args[0])
	n, err := node.Open(ctx, node.Config{Data: dir, Listen: "127.0.0.1:0", Account: "000000000000", Region: "us-east-1", Strict: strict},
		slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		stop()
		ts.Fatalf("start a node: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	ts.Defer(func() {
		stop()
		if err := closeAfter(n, <-done); err != nil && !errors.Is(err, context.Canceled) {
			ts.Logf("stop the node: %v", err)
		}
	})
	ts.Check(waitReady(ctx, n, done))
	ts.Setenv("ATTUNE_ENDPOINT", n.URL())
	ts.Setenv("ATTUNE_DATA", dir)
}

// openShop is 'shop': imports, trains and deploys a small shop on the node of
// the script, and sets VERSION, CAMPAIGN and IMPORT to ARNs, SOLUTION to a name.
func openShop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: shop")
	}
	w, err := world.New(world.Spec{Users: 200, Items: 100, Events: 4000, Clusters: 4, Seed: 3})
	ts.Check(err)
	s := worldShop(w)
	flags := clientFlags{Endpoint: ts.Getenv("ATTUNE_ENDPOINT"), Region: "us-east-1", Data: ts.Getenv("ATTUNE_DATA")}
	cfg, err := flags.aws(context.Background())
	ts.Check(err)
	t := newTour(context.Background(), streams{io.Discard, io.Discard}, cfg, s, flags)
	for _, part := range []func() error{t.bringData, t.learn, t.deploy} {
		ts.Check(part())
	}
	ts.Setenv("VERSION", t.version)
	solution, _, _ := strings.Cut(t.version[strings.Index(t.version, ":solution/")+len(":solution/"):], "/")
	ts.Setenv("SOLUTION", solution)
	ts.Setenv("CAMPAIGN", t.campaign)
	ts.Setenv("IMPORT", strings.Replace(t.group, "dataset-group/shop", "dataset-import-job/shop-interactions", 1))
}

// freePort is 'freeport NAME': the variable NAME becomes an address that was
// free a moment ago.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// readyPatience bounds the wait for a node in another process.
const readyPatience = 30 * time.Second

// awaitReady is 'ready ADDRESS': waits until the node there is ready.
func awaitReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready ADDRESS")
	}
	for began := time.Now(); time.Since(began) < readyPatience; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get("http://" + args[0] + "/readyz")
		if err != nil {
			continue
		}
		ts.Check(resp.Body.Close())
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	ts.Fatalf("no node was ready at %s after %s", args[0], readyPatience)
}

// awaitLetter is 'letter RULE': waits until the rule has a dead letter.
func awaitLetter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: letter RULE")
	}
	flags := clientFlags{Endpoint: ts.Getenv("ATTUNE_ENDPOINT"), Region: "us-east-1", Data: ts.Getenv("ATTUNE_DATA")}
	for began := time.Now(); time.Since(began) < readyPatience; time.Sleep(20 * time.Millisecond) {
		var out verb.ListDeadLettersOutput
		ts.Check(flags.call(context.Background(), "ListDeadLetters", verb.ListDeadLettersInput{Rule: args[0]}, &out))
		if len(out.DeadLetters) > 0 {
			return
		}
	}
	ts.Fatalf("rule %s has no dead letter after %s", args[0], readyPatience)
}

// spoken is how errors are said: one line with the program's name, lower case
// (but for names), without a full stop.
var spoken = regexp.MustCompile(`^attune: [^A-Z\n].*[^.\n]\n$`)

// checkSpoken is 'spoken': the error of the last verb keeps the rules of speech.
func checkSpoken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: spoken")
	}
	if text := ts.ReadFile("stderr"); !spoken.MatchString(text) {
		ts.Fatalf("not one line as errors are said: %q", text)
	}
}

// jsonLen is 'jsonlen N': the last verb printed a JSON list of N things.
func jsonLen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: jsonlen N")
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &list); err != nil {
		ts.Fatalf("not a JSON list: %v", err)
	}
	n, err := json.Marshal(len(list))
	ts.Check(err)
	if string(n) != args[0] {
		ts.Fatalf("%s things, want %s", n, args[0])
	}
}

// TestExitCodes runs misuse without a process: kong must not end the test.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]int{
		"version": 0, "--help": 0, "serve --help": 0, "": 0,
		"nonsense": 2, "serve --nonsense": 2, "bucket": 2, "serve --auth=perhaps": 2, "api coverage --output yaml": 2, "bucket cp one": 2,
		"serve --data x --listen nonsense": 1, "serve --data x --account 12": 1, "serve --data x --region here": 1,
		"bucket cp one two --data x": 1,
	} {
		var out, errs strings.Builder
		if code := run(t.Context(), strings.Fields(args), streams{&out, &errs}); code != want {
			t.Errorf("attune %s: exit code %d, want %d: %s", args, code, want, errs.String())
		}
		if want > 0 && (!spoken.MatchString(errs.String()) || out.Len() > 0) {
			t.Errorf("attune %s says %q and %q", args, out.String(), errs.String())
		}
		if want == 0 && errs.Len() > 0 {
			t.Errorf("attune %s complains: %q", args, errs.String())
		}
	}
}
