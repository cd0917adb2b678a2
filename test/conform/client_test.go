package conform_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/attune-io/attune/test/binary"
)

var attuneBinary string

func TestMain(m *testing.M) { os.Exit(binary.Main(m, &attuneBinary)) }

// start runs a node of its own for a test.
func start(t *testing.T, args ...string) *node {
	t.Helper()
	p, err := binary.Start(t.Context(), attuneBinary, t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &node{p}
}

// node is a running process, spoken to without any SDK: what goes out is what
// the test wrote, legal or not.
type node struct{ *binary.Process }

// answer is what came back.
type answer struct {
	status    int
	exception string // "" when all went well
	message   string
	body      map[string]any // numbers as json.Number
}

// call sends one signed request.
func (n *node) call(t *testing.T, op *operation, body map[string]any) answer {
	t.Helper()
	a, err := n.send(t.Context(), op, body)
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	return a
}

func (n *node) send(ctx context.Context, op *operation, body map[string]any) (a answer, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, op.HTTP.Method, n.URL+op.HTTP.RequestURI, bytes.NewReader(text))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/json")
	if op.of.Metadata.Protocol == "json" {
		req.Header.Set("Content-Type", "application/x-amz-json-"+op.of.Metadata.JSONVersion)
		req.Header.Set("X-Amz-Target", op.of.Metadata.TargetPrefix+"."+op.Name)
	}
	sum := sha256.Sum256(text)
	key := aws.Credentials{AccessKeyID: n.Key.ID, SecretAccessKey: n.Key.Secret}
	if err := v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(sum[:]), "personalize", binary.Region, time.Now()); err != nil {
		return a, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	if len(read) > 0 {
		dec := json.NewDecoder(bytes.NewReader(read))
		dec.UseNumber()
		if err := dec.Decode(&a.body); err != nil {
			return a, fmt.Errorf("answer %q is not JSON: %w", read, err)
		}
	}
	if a.status != http.StatusOK {
		a.exception, _, _ = strings.Cut(resp.Header.Get("X-Amzn-Errortype"), ":")
		if named, ok := a.body["__type"].(string); ok && a.exception == "" {
			_, a.exception, _ = cutLast(named, "#")
		}
		a.message, _ = a.body["message"].(string)
	}
	return a, nil
}

// cutLast cuts around the last sep; without one, all is behind it.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}
