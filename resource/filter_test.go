package resource_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/resource"
)

// TestRefusedFilters shows that what is wrong with an expression is told in the service's words.
func TestRefusedFilters(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	h.active(h.dataset(group, "Items", h.schema("items", itemsAvro)))
	for expression, words := range map[string]string{
		`INCLUDE nonsense`: "Could not create filter. Invalid input symbol at character 9",
		`INCLUDE ItemID WHERE Items.GENRES NOT IN ($G)`:        "Could not create filter. Invalid input symbol: $G. Placeholders are not allowed with NOT_IN operator",
		`INCLUDE ItemID WHERE Items.COLOUR IN ("a")`:           "Could not create filter. Items.COLOUR",
		`EXCLUDE ItemID WHERE Interactions.COLOUR IN ("a")`:    "Could not create filter. Interactions.COLOUR",
		`EXCLUDE ItemID WHERE Items.ITEM_ID IN (*)`:            "Could not create filter. Items.ITEM_ID: *",
		`INCLUDE ItemID WHERE Items.ITEM_ID IN ("a") IF U = 1`: "Could not create filter. Invalid input symbol at character 48",
	} {
		err := not(h.CreateFilter(t.Context(), "x", resource.FilterBody{DatasetGroupArn: group, FilterExpression: expression}))
		h.refused(err, attune.Invalid, words)
	}
}

// TestFilterFields bounds the fields of one filter, and of all of a group together.
func TestFilterFields(t *testing.T) {
	h := houseOf(t, resource.Limits{Filter: filter.Limits{Fields: 3, GroupFields: 4}})
	var fields strings.Builder
	for i := range 9 {
		fmt.Fprintf(&fields, `,{"name":"C%d","type":"string"}`, i)
	}
	group, _ := h.stocked("films")
	avro := `{"type":"record","name":"Items","fields":[{"name":"ITEM_ID","type":"string"}` + fields.String() + `],"version":"1.0"}`
	h.active(h.dataset(group, "Items", h.schema("items", avro)))
	made := 0
	create := func(columns ...string) error {
		made++
		expression := "INCLUDE ItemID WHERE " + strings.Join(columns, ` = "x" OR `) + ` = "x"`
		return not(h.CreateFilter(t.Context(), fmt.Sprint("f", made), resource.FilterBody{DatasetGroupArn: group, FilterExpression: expression}))
	}
	h.refused(create("Items.C0", "Items.C1", "Items.C2", "Items.C3"), attune.Invalid, "uses 4 different fields; at most 3")
	h.ok(create("Items.C0", "Items.c0", "Items.C1", "Items.C2"))
	h.ok(create("Items.C0", "Items.C1", "Items.C3"))
	h.refused(create("Items.C1", "Items.C4"), attune.LimitExceeded, "5 different fields; at most 4")
	h.ok(create("Items.C3", "Items.C2"))

	free := newHouse(t)
	group, _ = free.stocked("films")
	free.active(free.dataset(group, "Items", free.schema("items", avro)))
	h = free
	h.ok(create("Items.C0", "Items.C1", "Items.C2", "Items.C3", "Items.C4", "Items.C5", "Items.C6", "Items.C7", "Items.C8"))
}

// TestFilterInUse keeps a filter while a batch job under way names it.
func TestFilterInUse(t *testing.T) {
	for _, k := range []resource.Kind{resource.BatchInferenceJob, resource.BatchSegmentJob} {
		h := newHouse(t)
		group, _ := h.stocked("films")
		f := h.active(h.must(h.CreateFilter(t.Context(), "f", resource.FilterBody{DatasetGroupArn: group, FilterExpression: `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`})))
		row, err := h.Get(t.Context(), attune.ARN(f))
		if err != nil {
			t.Fatal(err)
		}
		job := &resource.Resource{ID: "00000000000000aa", Kind: k, ARN: names.Make(string(k), "j"), Parent: attune.ARN(group), Name: "j", Group: row.Group,
			Status: resource.Pending, Body: []byte(`{"filterArn":"` + f + `"}`), Created: h.clock.Now(), Updated: h.clock.Now()}
		if err := h.store.Create(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		h.refused(h.DeleteFilter(t.Context(), f), attune.InUse, string(job.ARN))
		h.to(string(job.ARN), resource.InProgress)
		h.refused(h.DeleteFilter(t.Context(), f), attune.InUse, string(job.ARN))
		h.to(string(job.ARN), resource.Active)
		h.ok(h.DeleteFilter(t.Context(), f))
	}
}
