package sdk_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
)

// TestTagging puts tags on a resource that was made with one, and takes them away.
func TestTagging(t *testing.T) {
	t.Parallel()
	c := newNode(t, "--mode=strict")
	g := must[*personalize.CreateDatasetGroupOutput](t)(c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("tags"),
		Tags: []types.Tag{{TagKey: aws.String("owner"), TagValue: aws.String("films")}}}))
	tag := func(from, to int) error {
		var tags []types.Tag
		for i := from; i < to; i++ {
			tags = append(tags, types.Tag{TagKey: aws.String(fmt.Sprint("k", i)), TagValue: aws.String("")})
		}
		_, err := c.control.TagResource(c.ctx, &personalize.TagResourceInput{ResourceArn: g.DatasetGroupArn, Tags: tags})
		return err
	}
	listed := func() int {
		t.Helper()
		return len(must[*personalize.ListTagsForResourceOutput](t)(c.control.ListTagsForResource(c.ctx, &personalize.ListTagsForResourceInput{ResourceArn: g.DatasetGroupArn})).Tags)
	}
	if err := tag(0, 49); err != nil || listed() != 50 {
		t.Errorf("%v, %d tags", err, listed())
	}
	refusedAs[*types.TooManyTagsException](t, tag(49, 50), "50")
	keys := make([]string, 51)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	untag := func(keys []string) error {
		_, err := c.control.UntagResource(c.ctx, &personalize.UntagResourceInput{ResourceArn: g.DatasetGroupArn, TagKeys: keys})
		return err
	}
	refusedAs[*types.TooManyTagKeysException](t, untag(keys), "51 tag keys")
	if err := untag(keys[:50]); err != nil || listed() != 1 {
		t.Errorf("%v, %d tags", err, listed())
	}
	_, err := c.control.ListTagsForResource(c.ctx, &personalize.ListTagsForResourceInput{ResourceArn: aws.String(*g.DatasetGroupArn + "x")})
	refusedAs[*types.ResourceNotFoundException](t, err, "does not exist")
	_, err = c.control.TagResource(c.ctx, &personalize.TagResourceInput{ResourceArn: g.DatasetGroupArn, Tags: []types.Tag{{TagKey: aws.String("bad\x01"), TagValue: aws.String("")}}})
	refusedAs[*types.InvalidInputException](t, err, "tagKey")
}
