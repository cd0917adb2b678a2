package binary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/attune-io/attune/access"
)

const (
	// readyTimeout bounds a start; a warm one takes well under two seconds.
	readyTimeout = time.Minute
	// stopTimeout bounds a clean stop.
	stopTimeout = 30 * time.Second

	// Region is where started processes say they are.
	Region = "us-east-1"
	// Account owns what they make.
	Account = "000000000000"
	// Role is a role ARN of the right form, which is all that is checked of it.
	Role = "arn:aws:iam::000000000000:role/attune"
)

// Build compiles cmd/attune into dir and returns the path of the binary. It goes
// through go run, which keeps what it linked in Go's build cache where go build
// links again: one link serves all packages of a test run.
func Build(dir string) (string, error) {
	out := filepath.Join(dir, "attune")
	cmd := exec.Command("go", "run", "-exec", "cp", "github.com/attune-io/attune/cmd/attune", out)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build attune: %w\n%s", err, text)
	}
	return out, nil
}

// Process is a running node.
type Process struct {
	URL   string // e.g. http://127.0.0.1:40123
	Data  string
	Key   access.Key
	Ready time.Duration // from start until /readyz said yes

	cmd    *exec.Cmd
	output *output
	exited chan struct{}
}

// Start runs the binary on a data folder and a free port, and waits until it is ready.
func Start(ctx context.Context, path, data string, args ...string) (*Process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &Process{URL: "http://" + port, Data: data, output: &output{}, exited: make(chan struct{})}
	p.cmd = exec.Command(path, append([]string{"serve", "--data", data, "--listen", port, "--region", Region, "--account", Account, "--log-level", "warn"}, args...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	if err := p.waitReady(ctx); err != nil {
		p.Kill()
		return nil, fmt.Errorf("%w\n%s", err, p.Output())
	}
	p.Ready = time.Since(began)
	if p.Key, err = access.ReadRoot(data); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

func (p *Process) waitReady(ctx context.Context) error {
	for began := time.Now(); time.Since(began) < readyTimeout; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.exited:
			return errors.New("attune ended before it was ready")
		case <-time.After(5 * time.Millisecond):
		}
		resp, err := http.Get(p.URL + "/readyz")
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("attune was not ready after %s", readyTimeout)
}

// AWS is a configuration for any AWS SDK client of this process.
func (p *Process) AWS() aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: aws.String(p.URL),
		Credentials: credentials.NewStaticCredentialsProvider(p.Key.ID, p.Key.Secret, ""),
	}
}

// Env is what other programs need to find this process: the variables every AWS tool reads.
func (p *Process) Env() []string {
	return append(os.Environ(), "AWS_ENDPOINT_URL="+p.URL, "AWS_REGION="+Region, "AWS_DEFAULT_REGION="+Region,
		"AWS_ACCESS_KEY_ID="+p.Key.ID, "AWS_SECRET_ACCESS_KEY="+p.Key.Secret,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
}

// Kill ends the process as a power cut would end a program: at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Stop asks the process to end and waits; it fails when that takes too long or
// the exit code is not zero.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		p.Kill()
		return fmt.Errorf("attune did not end within %s of SIGTERM\n%s", stopTimeout, p.Output())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("attune ended with %d\n%s", code, p.Output())
	}
	return nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is what the process printed last.
func (p *Process) Output() string { return p.output.String() }

// freePort finds an address that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// maxOutput bounds how much of a process's output is kept, in bytes.
const maxOutput = 256 << 10

// output keeps the last part of what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(b)
	if over := o.buf.Len() - maxOutput; over > 0 {
		o.buf.Next(over)
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(o.buf.String())
}
