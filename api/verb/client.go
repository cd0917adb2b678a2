package verb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/attune-io/attune/access"
)

// maxAnswer bounds what a verb may answer, in bytes: manifests and histories.
const maxAnswer = 16 << 20

// Call sends one verb to the node that cfg points at (BaseEndpoint, Region,
// Credentials) and reads its answer into out. Errors say what to do.
func Call(ctx context.Context, cfg aws.Config, name string, in, out any) error {
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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no node answers at %s: start one with 'attune serve', or say --endpoint (%w)", endpoint, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", name, err)
	}
	if resp.StatusCode != http.StatusOK {
		var refused struct{ Message string }
		_ = json.Unmarshal(answer, &refused)
		if refused.Message == "" {
			refused.Message = http.StatusText(resp.StatusCode)
		}
		return errors.New(refused.Message)
	}
	return json.Unmarshal(answer, out)
}
