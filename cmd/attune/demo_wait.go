package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/attune-io/attune/api/verb"
)

// tourPoll is how often the tour asks for a status.
const tourPoll = 25 * time.Millisecond

// wait polls a resource until it is ACTIVE, with a progress bar when its job
// reports progress and the tour has a terminal.
func (t *tour) wait(what, arn string, status func() (status, failure string, err error)) error {
	bar := t.bar(what)
	defer func() { _ = bar.Finish(); _ = bar.Clear() }()
	for began := time.Now(); time.Since(began) < tourPatience; {
		now, failure, err := status()
		switch {
		case err != nil:
			return err
		case now == "ACTIVE":
			return nil
		case now == "CREATE FAILED":
			return fmt.Errorf("%s failed: %s", what, failure)
		}
		if t.terminal() {
			t.showProgress(bar, what, arn, now)
		}
		select {
		case <-t.ctx.Done():
			return t.ctx.Err()
		case <-time.After(tourPoll):
		}
	}
	return fmt.Errorf("%s was not ACTIVE after %s", what, tourPatience)
}

// terminal reports whether somebody watches the bars move.
func (t *tour) terminal() bool {
	f, ok := t.s.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// bar makes a progress bar; one that nobody sees when there is no terminal.
func (t *tour) bar(what string) *progressbar.ProgressBar {
	if !t.terminal() {
		return progressbar.DefaultSilent(100)
	}
	return progressbar.NewOptions(100, progressbar.OptionSetWriter(t.s.err), progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
}

// showProgress moves the bar; resources whose work reports none only show their status.
func (t *tour) showProgress(bar *progressbar.ProgressBar, what, arn, status string) {
	var p verb.DescribeProgressOutput
	if t.client.call(t.ctx, "DescribeProgress", verb.DescribeProgressInput{Arn: arn}, &p) != nil || p.Stage == "" {
		bar.Describe(what + ": " + status)
		return
	}
	bar.Describe(what + ": " + p.Stage)
	_ = bar.Set64(100 * p.Done / max(1, p.Total)) // every stage begins anew
}

// spooled is a temporary file that was written and rewound.
type spooled struct{ *os.File }

// spool writes through a buffer to a temporary file, so that memory does not grow with the data.
func spool(write func(io.Writer) error) (s spooled, err error) {
	f, err := os.CreateTemp("", "attune-upload-")
	if err != nil {
		return s, err
	}
	s = spooled{f}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return s, err
	}
	if err := w.Flush(); err != nil {
		return s, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return s, err
}

func (s spooled) remove() {
	_ = s.Close()
	_ = os.Remove(s.Name())
}
