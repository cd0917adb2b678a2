package node

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/attune-io/attune"
)

// holdEnv names the folder that a process started by TestLock holds.
const holdEnv = "ATTUNE_TEST_HOLD"

// TestHold is the other process of TestLock.
func TestHold(t *testing.T) {
	dir := os.Getenv(holdEnv)
	if dir == "" {
		t.Skip("it runs in a process that TestLock starts")
	}
	f, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Println("held")
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // until killed, or the parent is gone
}

// TestLock: a folder belongs to one process, the refusal names it, and a kill
// frees the folder.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	other := exec.Command(os.Args[0], "-test.run=^TestHold$")
	other.Env = append(os.Environ(), holdEnv+"="+dir)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q (%v)", line, err)
	}

	_, err = lock(dir)
	if err == nil || attune.KindOf(err) != attune.InUse || !strings.Contains(err.Error(), fmt.Sprintf("process %d", other.Process.Pid)) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("the folder of process %d: %v", other.Process.Pid, err)
	}

	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	f, err := lock(dir)
	if err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	_, err = lock(dir)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("a second lock of this process: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f, err = lock(dir)
	if err != nil {
		t.Fatalf("after the close: %v", err)
	}
	_ = f.Close()
}
