package sdk_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
)

// placed is an object whose file the test fills itself: large ones need not be
// signed, sent and hashed.
func (c *clients) placed(bucket, key string, fill func(file string) error) string {
	c.Helper()
	location := c.put(bucket, key, "") // which makes the bucket and its folder
	if err := fill(filepath.Join(c.node.Data, "bucket", "s3", bucket, filepath.FromSlash(key))); err != nil {
		c.Fatal(err)
	}
	return location
}

// sparse puts an object of a size into the bucket's folder without writing it.
func (c *clients) sparse(bucket, key string, size int64) string {
	c.Helper()
	return c.placed(bucket, key, func(file string) error { return os.Truncate(file, size) })
}

// manyLines puts an object of so many lines into the bucket's folder.
func (c *clients) manyLines(bucket, key string, n int) string {
	c.Helper()
	return c.placed(bucket, key, func(file string) error { return os.WriteFile(file, bytes.Repeat([]byte("0\n"), n), 0o600) })
}

// TestStrictSizes goes one over each size that the contract bounds: of imports,
// and of what batch jobs read.
func TestStrictSizes(t *testing.T) {
	t.Parallel()
	c := newNode(t, "--mode=strict", "--rate=control=0")
	s := c.shopGroup("sizes")
	fails := func(what string, status, reason *string, says string) {
		t.Helper()
		if aws.ToString(status) != "CREATE FAILED" || !strings.Contains(aws.ToString(reason), says) {
			t.Errorf("%s: %s %s; want %s", what, aws.ToString(status), aws.ToString(reason), says)
		}
	}
	for _, in := range []struct {
		mode types.ImportMode
		most int64 // bytes
		says string
	}{{types.ImportModeFull, 100 << 30, "can read 107 374 182 400"}, {types.ImportModeIncremental, 1 << 30, "can read 1 073 741 824"}} {
		location := c.sparse("sizes", fmt.Sprint(in.mode, ".csv"), in.most+1)
		j := c.importedFrom(s.interactions, "big-"+string(in.mode), in.mode, location)
		fails("import "+string(in.mode), j.Status, j.FailureReason, in.says)
	}

	users := c.version(c.solution("sizes-users", s.group, "aws-popularity-count"))
	c.put("sizes", "many/0.json", `{"userId":"u1"}`)
	for n := range 1000 {
		c.put("sizes", fmt.Sprintf("many/%d.json", n+1), `{"userId":"u1"}`)
	}
	for what, in := range map[string]struct{ location, says string }{
		"files": {"s3://sizes/many/", "more than 1000 files"},
		"bytes": {c.sparse("sizes", "big.json", 1<<30+1), "at most 1073741824 are allowed"},
		"lines": {c.manyLines("sizes", "lines.json", 50_000_001), "more than 50000000 lines"},
	} {
		job := c.batchInference(&personalize.CreateBatchInferenceJobInput{JobName: aws.String("sizes-" + what), SolutionVersionArn: &users}, in.location, "s3://batch/sizes/")
		fails(what, job.Status, job.FailureReason, in.says)
	}

	for recipe, in := range map[string]struct {
		line string
		most int
	}{"aws-item-affinity": {`{"itemId":"i1"}`, 500}, "aws-item-attribute-affinity": {`{"itemAttributes":"ITEMS.price > 1"}`, 10}} {
		version := c.version(c.solution(recipe, s.group, recipe))
		location := c.put("sizes", recipe+".json", strings.Repeat(in.line+"\n", in.most+1))
		job := c.segment(recipe, version, location, 5, nil)
		fails(recipe, job.Status, job.FailureReason, fmt.Sprintf("more than %d lines", in.most))
	}
}
