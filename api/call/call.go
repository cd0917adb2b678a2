package call

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/attune-io/attune/access"
)

// Prefix is the path that all verbs share.
const Prefix = "/attune/v1/"

// maxAnswer bounds what a verb may answer, in bytes: manifests and histories.
const maxAnswer = 16 << 20

// Refusal is what an endpoint answered in the place of what was asked for.
type Refusal struct {
	Status  int    // of HTTP
	Code    string // name of the exception; "" when the answer has none, as that of something that is no node
	Message string // in words
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// Send sends one verb to the node that cfg points at (BaseEndpoint, Region,
// Credentials) and reads its answer into out. Errors say what to do; a *Refusal
// is the endpoint's own.
func Send(ctx context.Context, cfg aws.Config, name string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	endpoint := strings.TrimSuffix(aws.ToString(cfg.BaseEndpoint), "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+Prefix+name, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("endpoint %q is not a URL: %w", endpoint, err)
	}
	req.Header.Set("Content-Type", "application/json")
	key, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the node's root key, or say --data DIR (%w)", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(sum[:]), access.ServiceAttune, cfg.Region, time.Now()); err != nil {
		return err
	}
	// What is signed for one place, and may have secrets in it, goes to no other.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no node answers at %s: start one with 'attune serve', or say --endpoint (%w)", endpoint, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", name, err)
	}
	if resp.StatusCode != http.StatusOK {
		return refusal(resp, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", name, err)
	}
	return nil
}

// refusal reads an answer in the form of AWS's JSON protocols.
func refusal(resp *http.Response, answer []byte) *Refusal {
	var said struct {
		Message string
		Type    string `json:"__type"`
	}
	_ = json.Unmarshal(answer, &said) // something else than a node may answer anything
	code := resp.Header.Get("X-Amzn-Errortype")
	if code == "" {
		code = said.Type
	}
	code, _, _ = strings.Cut(code[strings.LastIndexByte(code, '#')+1:], ":")
	if said.Message == "" {
		said.Message = fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return &Refusal{Status: resp.StatusCode, Code: code, Message: said.Message}
}
