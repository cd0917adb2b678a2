package verb

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/resource"
)

// GetDeletionReceiptInput names a data deletion job.
type GetDeletionReceiptInput struct {
	DataDeletionJobArn string `json:"dataDeletionJobArn"`
}

// GetDeletionReceiptOutput is the signed receipt that the job left.
type GetDeletionReceiptOutput struct {
	job.SignedReceipt
}

func (d *Door) getDeletionReceipt(ctx context.Context, in *GetDeletionReceiptInput) (any, error) {
	r, err := d.Registry.Find(ctx, resource.DataDeletionJob, attune.ARN(in.DataDeletionJobArn))
	if err != nil {
		return nil, err
	}
	b, err := resource.Body[resource.DataDeletionJobBody](r)
	if err != nil {
		return nil, err
	}
	if b.Receipt == "" {
		return nil, attune.Errorf(attune.InUse, "%s has no receipt: it is %s", r.ARN, r.Status)
	}
	signed, err := d.Jobs.ReadReceipt(ctx, b.Receipt)
	if err != nil {
		return nil, err
	}
	return &GetDeletionReceiptOutput{signed}, nil
}

// GetReceiptKeyInput asks for the key that receipts of this node verify with.
type GetReceiptKeyInput struct{}

// GetReceiptKeyOutput is an Ed25519 public key in base64.
type GetReceiptKeyOutput struct {
	PublicKey string `json:"publicKey"`
}

func (d *Door) getReceiptKey(context.Context, *GetReceiptKeyInput) (any, error) {
	return &GetReceiptKeyOutput{d.Jobs.ReceiptPublicKey()}, nil
}
