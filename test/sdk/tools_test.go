package sdk_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// toolTimeout bounds one script of another client.
const toolTimeout = 15 * time.Minute

// need finds a program, first in the project's own .venv. A missing one skips
// the test, but fails it in CI, where everything must have been installed.
func need(t *testing.T, check []string, candidates ...string) string {
	t.Helper()
	for _, c := range candidates {
		path, err := exec.LookPath(c)
		if err != nil {
			continue
		}
		if err := exec.Command(path, check...).Run(); err == nil {
			if abs, err := filepath.Abs(path); err == nil {
				return abs
			}
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("none of %v works here: run 'make clients'", candidates)
	}
	t.Skipf("none of %v works here: run 'make clients'", candidates)
	return ""
}

// script runs another client's program against a fresh node.
func script(t *testing.T, env []string, argv ...string) {
	t.Helper()
	node := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), toolTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(node.Env(), env...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%v: %v", argv, err)
	}
}

// shell runs a script of aws commands against a fresh node. When the program is
// one of Python's, as both versions of the CLI are that 'make clients' installs,
// aws.py loads it once for all commands; other builds are started for each.
func shell(t *testing.T, aws, path string) {
	t.Helper()
	argv := []string{path}
	if text, err := os.ReadFile(aws); err == nil && bytes.HasPrefix(text, []byte("#!")) {
		if interpreter, _, _ := bytes.Cut(text[2:], []byte("\n")); bytes.Contains(interpreter, []byte("python")) {
			argv = append(strings.Fields(string(interpreter)), "aws.py", path)
		}
	}
	script(t, []string{"AWS=" + aws}, argv...)
}

// TestBoto3 is the whole life through boto3.
func TestBoto3(t *testing.T) {
	t.Parallel()
	python := need(t, []string{"-c", "import boto3"}, "../../.venv/bin/python3", "python3")
	script(t, nil, python, "life.py")
}

// TestAWSCLIv1 is the whole life through the aws CLI of PyPI.
func TestAWSCLIv1(t *testing.T) {
	t.Parallel()
	aws := need(t, []string{"--version"}, "../../.venv/bin/aws")
	shell(t, aws, "./life.sh")
}

// TestAWSCLIv2 is the whole life through the aws CLI of Debian.
func TestAWSCLIv2(t *testing.T) {
	t.Parallel()
	aws := need(t, []string{"--version"}, "/usr/bin/aws")
	shell(t, aws, "./life.sh")
}
