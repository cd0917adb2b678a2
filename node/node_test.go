package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/node"
)

// book keeps log lines.
type book struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.Write(p)
}

// requests gives the lines about the request with an id.
func (b *book) requests(t *testing.T, id string) (found []map[string]any) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.lines.String()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l["requestId"] == id {
			found = append(found, l)
		}
	}
	return found
}

func config(t *testing.T) node.Config {
	return node.Config{Data: t.TempDir(), Listen: "127.0.0.1:0", Account: "000000000000", Region: "us-east-1"}
}

// run opens a node, runs it until the test ends, and waits until it is ready.
func run(t *testing.T, cfg node.Config, log io.Writer) *node.Node {
	t.Helper()
	n, err := node.Open(t.Context(), cfg, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); len(n.Ready(t.Context())) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v", n.Ready(t.Context()))
		}
	}
	return n
}

// send makes an unsigned request.
func send(t *testing.T, method, url, target, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// TestDoors: every answer of every door carries a request id, under which the
// log has exactly one line with what was asked, how it ended and how long it took.
func TestDoors(t *testing.T) {
	type ask struct {
		name, method, path, target, body string
		header                           string
		status                           int
		service, operation               string
	}
	const personalize, objects = "X-Amzn-Requestid", "X-Amz-Request-Id"
	check := func(t *testing.T, n *node.Node, log *book, asks []ask) {
		for _, a := range asks {
			resp, text := send(t, a.method, n.URL()+a.path, a.target, a.body)
			id := resp.Header.Get(a.header)
			if resp.StatusCode != a.status || len(id) != 36 {
				t.Errorf("%s: status %d, want %d; request id %q; %s", a.name, resp.StatusCode, a.status, id, text)
				continue
			}
			var lines []map[string]any
			for deadline := time.Now().Add(5 * time.Second); len(lines) == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
				lines = log.requests(t, id) // written after the answer
			}
			if len(lines) != 1 {
				t.Errorf("%s: %d log lines: %v", a.name, len(lines), lines)
				continue
			}
			l := lines[0]
			if took, ok := l["duration"].(float64); l["msg"] != "request" || l["service"] != a.service || l["operation"] != a.operation ||
				l["status"] != float64(a.status) || !ok || took < 0 {
				t.Errorf("%s: the log says %v", a.name, l)
			}
		}
	}

	t.Run("open", func(t *testing.T) {
		log, cfg := &book{}, config(t)
		cfg.AuthOff = true
		check(t, run(t, cfg, log), log, []ask{
			{"operation", "POST", "/", "AmazonPersonalize.ListSchemas", "{}", personalize, 200, "personalize", "ListSchemas"},
			{"refused operation", "POST", "/", "AmazonPersonalize.DescribeSchema", "{}", personalize, 400, "personalize", "DescribeSchema"},
			{"unknown operation", "POST", "/", "AmazonPersonalize.MakeCoffee", "{}", personalize, 400, "unknown", "unknown"},
			{"buckets", "GET", "/", "", "", objects, 200, "s3", "ListBuckets"},
			{"make a bucket", "PUT", "/uploads", "", "", objects, 200, "s3", "CreateBucket"},
			{"put", "PUT", "/uploads/a.csv", "", "a,b\n", objects, 200, "s3", "PutObject"},
			{"get", "GET", "/uploads/a.csv", "", "", objects, 200, "s3", "GetObject"},
			{"head nothing", "HEAD", "/uploads/b.csv", "", "", objects, 404, "s3", "HeadObject"},
			{"no bucket", "GET", "/nothing/here", "", "", objects, 404, "s3", "GetObject"},
			{"verb", "POST", "/attune/v1/ApiCoverage", "", "{}", personalize, 200, "attune", "ApiCoverage"},
			{"refused verb", "POST", "/attune/v1/DescribeUser", "", `{"datasetGroupArn":"x"}`, personalize, 404, "attune", "DescribeUser"},
			{"unknown verb", "POST", "/attune/v1/MakeCoffee", "", "{}", personalize, 404, "attune", "MakeCoffee"},
		})
	})
	t.Run("closed", func(t *testing.T) {
		log := &book{}
		check(t, run(t, config(t), log), log, []ask{
			{"operation", "POST", "/", "AmazonPersonalize.ListSchemas", "{}", personalize, 403, "personalize", "ListSchemas"},
			{"objects", "GET", "/uploads/a.csv", "", "", objects, 403, "s3", "Refused"},
			{"verb", "POST", "/attune/v1/ApiCoverage", "", "{}", personalize, 403, "attune", "ApiCoverage"},
		})
	})
}

// TestProbes: the three probes answer unsigned, and the metrics know every room.
func TestProbes(t *testing.T) {
	n := run(t, config(t), io.Discard)
	if resp, text := send(t, "GET", n.URL()+"/healthz", "", ""); resp.StatusCode != 200 || text != "ok\n" {
		t.Errorf("healthz: %d %q", resp.StatusCode, text)
	}
	resp, text := send(t, "GET", n.URL()+"/readyz", "", "")
	if resp.StatusCode != 200 || strings.TrimSpace(text) != `{"ready":true,"waiting":{}}` {
		t.Errorf("readyz: %d %q", resp.StatusCode, text)
	}
	send(t, "POST", n.URL()+"/", "AmazonPersonalize.ListSchemas", "{}")
	send(t, "GET", n.URL()+"/uploads/a.csv", "", "")
	_, text = send(t, "GET", n.URL()+"/metrics", "", "")
	for _, series := range []string{"attune_api_requests_total", "attune_api_request_seconds_bucket", "attune_s3_requests_total",
		"attune_event_", "attune_profile_", "attune_serve_", "attune_job_busy", "attune_nats_", "attune_temporal_open_seconds",
		`go_sql_`, "process_resident_memory_bytes", "go_goroutines"} {
		if !strings.Contains(text, "\n"+series) {
			t.Errorf("no series %s", series)
		}
	}
}

// TestSideBySide: two nodes in one process do not meet.
func TestSideBySide(t *testing.T) {
	a, b := config(t), config(t)
	a.AuthOff, b.AuthOff = true, true
	first, second := run(t, a, io.Discard), run(t, b, io.Discard)
	const make, list = "AmazonPersonalize.CreateDatasetGroup", "AmazonPersonalize.ListDatasetGroups"
	if resp, text := send(t, "POST", first.URL()+"/", make, `{"name":"mine"}`); resp.StatusCode != 200 {
		t.Fatal(text)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, text := send(t, "POST", first.URL()+"/", list, "{}"); strings.Contains(text, `"ACTIVE"`) {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(text)
		}
	}
	if _, text := send(t, "POST", second.URL()+"/", list, "{}"); text != `{"datasetGroups":[]}` {
		t.Errorf("the second node has %s", text)
	}
	one, _ := first.RootKey()
	other, _ := second.RootKey()
	if one == other {
		t.Error("both have the same root key")
	}
}

// TestAgain: a second start finds what the first one kept.
func TestAgain(t *testing.T) {
	cfg := config(t)
	cfg.AuthOff = true
	var key string
	t.Run("first", func(t *testing.T) {
		n := run(t, cfg, io.Discard)
		k, fresh := n.RootKey()
		if key = k.ID + k.Secret; !fresh {
			t.Error("the key of a new folder is not new")
		}
		send(t, "POST", n.URL()+"/", "AmazonPersonalize.CreateDatasetGroup", `{"name":"kept"}`)
	})
	t.Run("second", func(t *testing.T) {
		n := run(t, cfg, io.Discard)
		if k, fresh := n.RootKey(); fresh || k.ID+k.Secret != key {
			t.Error("the key has changed")
		}
		if _, text := send(t, "POST", n.URL()+"/", "AmazonPersonalize.ListDatasetGroups", "{}"); !strings.Contains(text, `"kept"`) {
			t.Error(text)
		}
	})
}

// TestFailedOpen: what an Open that fails had taken is free again.
func TestFailedOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t)
	cfg.Listen = free.Addr().String()
	_ = free.Close()
	for name, c := range map[string]struct {
		change func(*node.Config)
		kind   attune.Kind
		says   string
	}{
		"port in use":   {func(c *node.Config) { c.Listen = taken.Addr().String() }, attune.Invalid, "say another --listen"},
		"no PostgreSQL": {func(c *node.Config) { c.SQL = "postgres://127.0.0.1:1/attune?connect_timeout=2" }, attune.Unavailable, "start sql"},
		"no NATS":       {func(c *node.Config) { c.NATS = "nats://127.0.0.1:1" }, attune.Unavailable, "start nats"},
		"bad bucket":    {func(c *node.Config) { c.Bucket = "gopher://x" }, attune.Invalid, "start bucket"},
		"bad Temporal":  {func(c *node.Config) { c.Temporal = "temporal://host" }, attune.Invalid, "start temporal"},
	} {
		bad := cfg
		c.change(&bad)
		n, err := node.Open(t.Context(), bad, slog.New(slog.DiscardHandler))
		if err == nil {
			_ = n.Close()
			t.Errorf("%s: it opened", name)
			continue
		}
		if attune.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %s error %v", name, attune.KindOf(err), err)
		}
		l, err := net.Listen("tcp", cfg.Listen)
		if err != nil {
			t.Errorf("%s: the port is still taken: %v", name, err)
			continue
		}
		_ = l.Close()
	}
	run(t, cfg, io.Discard) // the folder is whole and nobody's
}

// TestOneProcess: a folder that a node holds is refused to another, and the
// node that holds it does not notice.
func TestOneProcess(t *testing.T) {
	cfg := config(t)
	n := run(t, cfg, io.Discard)
	if _, err := node.Open(t.Context(), cfg, slog.New(slog.DiscardHandler)); attune.KindOf(err) != attune.InUse {
		t.Errorf("a second node on the folder: %v", err)
	}
	if waits := n.Ready(t.Context()); len(waits) > 0 {
		t.Errorf("the first waits for %v", waits)
	}
}
