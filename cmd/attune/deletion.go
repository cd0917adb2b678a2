package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/job"
)

// deletionCmd groups what is told about deletions of users.
type deletionCmd struct {
	Receipt receiptCmd `cmd:"" help:"Print the signed receipt of a data deletion job."`
	Verify  verifyCmd  `cmd:"" help:"Check that a receipt is genuine and unchanged."`
}

// receiptCmd fetches a receipt.
type receiptCmd struct {
	clientFlags
	ARN string `arg:"" help:"ARN of a data deletion job that is COMPLETED."`
}

// Run prints the receipt, which is JSON.
func (c *receiptCmd) Run(ctx context.Context, s streams) error {
	var out job.SignedReceipt
	if err := c.call(ctx, "GetDeletionReceipt", verb.GetDeletionReceiptInput{DataDeletionJobArn: c.ARN}, &out); err != nil {
		return err
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n", text)
	return err
}

// verifyCmd checks a receipt, with a node or with its public key alone.
type verifyCmd struct {
	clientFlags
	File      string `arg:"" help:"Receipt, as 'attune deletion receipt' prints it."`
	PublicKey string `placeholder:"BASE64" help:"Public key of the node, from an earlier receipt that you trust: then no node is asked."`
	Users     string `placeholder:"CSV" help:"The list of users that was deleted; it must be exactly that of the receipt."`
}

// Run says what was deleted, or fails.
func (c *verifyCmd) Run(ctx context.Context, s streams) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	var signed job.SignedReceipt
	if err := json.Unmarshal(text, &signed); err != nil {
		return fmt.Errorf("%s is no receipt: %w", c.File, err)
	}
	if c.PublicKey == "" {
		var out verb.GetReceiptKeyOutput
		if err := c.call(ctx, "GetReceiptKey", verb.GetReceiptKeyInput{}, &out); err != nil {
			return err
		}
		c.PublicKey = out.PublicKey
	}
	users, err := c.users()
	if err != nil {
		return err
	}
	r, err := signed.Verify(c.PublicKey, users)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "genuine: %s deleted %d users of %s, %d records, at %s\n", r.DataDeletionJob, r.Users.Count, r.DatasetGroup, r.Deleted.Records(), r.Completed.Format(time.RFC3339))
	for _, m := range r.Models {
		fmt.Fprintf(s.out, "learned from them, next training %s: %s\n", m.NextTraining, m.Arn)
	}
	return nil
}

// users reads the list as the job did: a header line, then one id a line. nil when none was given.
func (c *verifyCmd) users() ([]string, error) {
	if c.Users == "" {
		return nil, nil
	}
	f, err := os.Open(c.Users)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.Users, err)
	}
	users := make([]string, 0, len(lines))
	for _, line := range lines[min(1, len(lines)):] {
		users = append(users, line[0])
	}
	return users, nil
}
