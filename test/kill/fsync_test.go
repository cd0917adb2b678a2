package kill_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
)

// TestFsyncBeforeAnswer watches the node's system calls: between reading a
// PutEvents request and writing its answer, an fsync of the log's own file must
// have returned 0. A SIGKILL cannot show this, because the page cache survives it.
func TestFsyncBeforeAnswer(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("strace is not installed: run 'make clients'")
		}
		t.Skip("strace is not installed: run 'make clients'")
	}
	r := newRun(t, 1, 0)

	trace := filepath.Join(t.TempDir(), "trace")
	watch := exec.Command(strace, "-f", "-y", "-s", "64", "-e", "trace=fsync,fdatasync,sync_file_range,read,write", "-o", trace, "-p", fmt.Sprint(r.node.PID()))
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watch.Process.Signal(os.Interrupt); _ = watch.Wait() })
	waitFor(t, trace, "write(") // the tracer is attached

	events := personalizeevents.NewFromConfig(r.node.AWS())
	for i := range 3 {
		_, err := events.PutEvents(t.Context(), &personalizeevents.PutEventsInput{TrackingId: &r.tracking, UserId: aws.String("synced"), SessionId: aws.String("s"),
			EventList: []etypes.Event{{EventType: aws.String("View"), ItemId: aws.String(fmt.Sprintf("f%d", i)), SentAt: aws.Time(time.Now())}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	_ = watch.Process.Signal(os.Interrupt)
	_ = watch.Wait()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	synced := syncs{open: map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		synced.read(line)
		switch {
		case strings.Contains(line, `"POST /events HTTP/1.1`):
			synced.done = false
		case strings.Contains(line, `"HTTP/1.1 200 OK`):
			answered++
			if !synced.done {
				t.Errorf("answer %d was written before the log was synced", answered)
			}
			synced.done = false
		}
	}
	if answered != 3 {
		t.Fatalf("the trace shows %d answers, want 3:\n%s", answered, tail(string(text)))
	}
}

// syncs follows the fsyncs of the log's own files through a trace.
type syncs struct {
	open map[string]bool // thread → an fsync of the log that another thread's line interrupted
	done bool            // one has returned 0
}

var (
	syncCall    = regexp.MustCompile(`^(\d+) +(?:fsync|fdatasync)\(\d+<[^>]*/nats/[^>]*\.blk>(.*)`)
	syncResumed = regexp.MustCompile(`^(\d+) +<\.\.\. (?:fsync|fdatasync) resumed>.* = 0`)
)

func (s *syncs) read(line string) {
	if m := syncCall.FindStringSubmatch(line); m != nil {
		if strings.Contains(m[2], "<unfinished") {
			s.open[m[1]] = true
		} else if strings.Contains(m[2], "= 0") {
			s.done = true
		}
	}
	if m := syncResumed.FindStringSubmatch(line); m != nil && s.open[m[1]] {
		delete(s.open, m[1])
		s.done = true
	}
}

// waitFor waits until a file holds a text.
func waitFor(t *testing.T, file, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(file); err == nil && strings.Contains(string(b), text) {
			return
		}
	}
	t.Fatalf("%s did not show %q", file, text)
}

func tail(s string) string { return s[max(0, len(s)-4000):] }
