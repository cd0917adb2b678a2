package resource_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// TestTags walks the labels of every kind that is made here: nothing else of the
// resource changes, and no other resource's.
func TestTags(t *testing.T) {
	h := newHouse(t)
	group, set := h.stocked("films")
	solution, version := h.trained("s", group)
	arns := []string{group, set, solution, version, h.active(h.importJob("job", set)), h.active(h.campaign("c", version))}
	for i, arn := range arns {
		before, err := h.Get(t.Context(), attune.ARN(arn))
		if err != nil {
			t.Fatal(err)
		}
		h.ok(h.Tag(t.Context(), arn, []resource.Tag{{Key: "owner", Value: fmt.Sprint(i)}, {Key: "empty"}}))
		h.ok(h.Tag(t.Context(), arn, []resource.Tag{{Key: "empty", Value: "no more"}, {Key: "third", Value: "3"}}))
		h.ok(h.Untag(t.Context(), arn, []string{"third", "none"}))
		want := []resource.Tag{{Key: "owner", Value: fmt.Sprint(i)}, {Key: "empty", Value: "no more"}}
		if got, err := h.Tags(t.Context(), arn); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v; %v", arn, got, want, err)
		}
		h.ok(h.Untag(t.Context(), arn, []string{"owner", "empty"}))
		after, err := h.Get(t.Context(), attune.ARN(arn))
		if err != nil {
			t.Fatal(err)
		}
		was, _ := resource.Body[map[string]any](before)
		is, _ := resource.Body[map[string]any](after)
		if !reflect.DeepEqual(was, is) || before.Status != after.Status {
			t.Errorf("%s: %v became %v", arn, was, is)
		}
	}
}

func TestTagRefusals(t *testing.T) {
	h := houseOf(t, resource.Limits{Tags: 3})
	group := h.active(h.group("films"))
	tags := func(from, to int) (out []resource.Tag) {
		for i := from; i < to; i++ {
			out = append(out, resource.Tag{Key: fmt.Sprint("k", i)})
		}
		return out
	}
	tag := func(arn string, list []resource.Tag) error { return h.Tag(t.Context(), arn, list) }
	h.refused(tag(group, tags(0, 4)), attune.TooManyTags, "4 tags were given")
	h.ok(tag(group, tags(0, 3)))
	h.ok(tag(group, tags(1, 3))) // the same keys
	h.refused(tag(group, tags(3, 4)), attune.TooManyTags, "would have 4 tags")
	h.refused(h.Untag(t.Context(), group, []string{"a", "b", "c", "d"}), attune.TooManyTagKeys, "4 tag keys")
	h.refused(tag(group, append(tags(0, 1), tags(0, 1)...)), attune.Invalid, "twice")
	h.refused(tag(group+"x", tags(0, 1)), attune.NotFound, "does not exist")
	h.refused(tag(h.schema("s", itemsAvro), tags(0, 1)), attune.Invalid, "can have tags")
	h.refused(tag("arn:aws:s3:::films", tags(0, 1)), attune.Invalid, "can have tags")
	_, err := h.Tags(t.Context(), group+"x")
	h.refused(err, attune.NotFound, "does not exist")
	h.ok(h.DeleteDatasetGroup(t.Context(), group))
	h.refused(tag(group, tags(0, 1)), attune.InUse, "is being deleted")
}
