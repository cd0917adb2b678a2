package sdk_test

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDemoCommands runs the tour and then, as a reader would, every command
// that it printed to go on with.
func TestDemoCommands(t *testing.T) {
	t.Parallel()
	aws := need(t, []string{"--version"}, "../../.venv/bin/aws")
	demo := exec.Command(attuneBinary, "demo", "--users", "200", "--listen", "127.0.0.1:0")
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		if err := demo.Wait(); err != nil {
			t.Error(err)
		}
	})
	var commands []string
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.HasPrefix(lines.Text(), "Serving"); {
		if strings.HasPrefix(lines.Text(), "export ") || strings.HasPrefix(lines.Text(), "aws ") {
			commands = append(commands, lines.Text())
		}
	}
	if len(commands) < 6 {
		t.Fatalf("the demo printed %d commands: %q", len(commands), commands)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-ec", strings.Join(commands, "\n"))
	shell.Env = []string{"PATH=" + filepath.Dir(aws) + ":/usr/bin:/bin", "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true"}
	text, err := shell.CombinedOutput()
	if err != nil || !strings.Contains(string(text), `"itemId"`) || !strings.Contains(string(text), "interactions.csv") {
		t.Errorf("%v\n%s", err, text)
	}
}
