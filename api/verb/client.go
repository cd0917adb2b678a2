package verb

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/attune-io/attune/api/call"
)

// Call is call.Send.
func Call(ctx context.Context, cfg aws.Config, name string, in, out any) error {
	return call.Send(ctx, cfg, name, in, out)
}
