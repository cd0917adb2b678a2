package sdk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"

	"github.com/attune-io/attune/world"
)

// TestImportModes shows what FULL and INCREMENTAL imports do to bulk rows, and
// that neither touches what came by PutEvents.
func TestImportModes(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("modes")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	_, tracking := c.tracker(group)

	c.good(c.imported(set, "first", types.ImportModeFull, interactions("u1 i1 View", "u1 i2 View", "u2 i1 View")))
	c.did(group, "u1", "i1/View", "i2/View")
	c.putEvents(tracking, "u1", "s1", "i9/View")
	c.did(group, "u1", "i1/View", "i2/View", "i9/View")

	c.good(c.imported(set, "more", types.ImportModeIncremental, interactions("u1 i1 View", "u1 i3 Buy", "u3 i3 View")))
	c.did(group, "u1", "i1/View", "i2/View", "i3/Buy", "i9/View")
	c.did(group, "u2", "i1/View")
	c.did(group, "u3", "i3/View")

	c.good(c.imported(set, "again", types.ImportModeFull, interactions("u1 i4 View")))
	c.did(group, "u1", "i4/View", "i9/View")
	c.did(group, "u2")
	c.did(group, "u3")
	c.putEvents(tracking, "u1", "s1", "i8/View")
	c.did(group, "u1", "i4/View", "i8/View", "i9/View")
}

// TestImportOfUsers shows the same for rows that have an id of their own.
func TestImportOfUsers(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("people")
	set := c.dataset(group, "Users", world.UsersSchema)
	const head = "USER_ID,AGE,MEMBERSHIP\n"
	put := func(user string, age int) {
		must[*personalizeevents.PutUsersOutput](c)(c.events.PutUsers(c.ctx, &personalizeevents.PutUsersInput{DatasetArn: &set,
			Users: []etypes.User{{UserId: &user, Properties: aws.String(fmt.Sprintf(`{"age":%d,"membership":"put"}`, age))}}}))
	}
	c.good(c.imported(set, "first", types.ImportModeFull, head+"u1,31,free\nu2,32,gold\n"))
	c.is(group, "u1", "MEMBERSHIP", "free")
	put("u2", 52)
	put("u3", 53)
	c.is(group, "u2", "AGE", 52.0)
	c.is(group, "u3", "MEMBERSHIP", "put")

	c.good(c.imported(set, "upsert", types.ImportModeIncremental, head+"u1,41,gold\nu4,44,free\n"))
	c.is(group, "u1", "AGE", 41.0)
	c.is(group, "u1", "MEMBERSHIP", "gold")
	c.is(group, "u4", "AGE", 44.0)
	c.is(group, "u2", "AGE", 52.0)

	c.good(c.imported(set, "replace", types.ImportModeFull, head+"u4,64,free\n"))
	c.is(group, "u1", "AGE", nil)
	c.is(group, "u4", "AGE", 64.0)
	c.is(group, "u2", "AGE", 52.0)
	c.is(group, "u3", "AGE", 53.0)
}

// TestImportRejects shows the line between a few bad rows and too many.
func TestImportRejects(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("rejects")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	lines := []string{"u1 i1 View"}
	for i := range 198 {
		lines = append(lines, fmt.Sprintf("u2 i%d View", i))
	}
	few := c.imported(set, "few", types.ImportModeFull, interactions(lines...)+"u1,i2,View,yesterday\n")
	c.good(few)
	if why := aws.ToString(few.FailureReason); !strings.Contains(why, "1 of 200 rows") {
		t.Errorf("an import with one bad row of 200 says %q", why)
	}
	c.did(group, "u1", "i1/View")
	before := c.describeUser(group, "u1").Seq

	for _, mode := range []types.ImportMode{types.ImportModeFull, types.ImportModeIncremental} {
		many := c.imported(set, "many-"+string(mode), mode, interactions("u1 i7 View", "u1 i8 View")+"u1,i2,View,yesterday\nu1,,View,1700000000\n")
		why := aws.ToString(many.FailureReason)
		if aws.ToString(many.Status) != "CREATE FAILED" {
			t.Errorf("%s: half of the rows are bad, and the job is %s", mode, *many.Status)
		}
		for _, say := range []string{"2 of 4", "ITEM_ID is empty", "TIMESTAMP is not a time", "rejects.csv"} {
			if !strings.Contains(why, say) {
				t.Errorf("%s: %q does not say %q", mode, why, say)
			}
		}
	}
	if after := c.describeUser(group, "u1"); after.Seq != before || len(after.History) != 1 {
		t.Errorf("a failed import was applied: seq %d became %d, history %v", before, after.Seq, after.History)
	}
}

// TestImportPlaces imports folders, and files whose columns are not the schema's.
func TestImportPlaces(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("places")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	c.put("places", "parts/part-1.csv", interactions("u1 i1 View"))
	c.put("places", "parts/part-2.csv", "TIMESTAMP,EVENT_TYPE,ITEM_ID,USER_ID\n1700000001,View,i2,u1\n")
	c.put("places", "parts/deep/part-3.csv", interactions("u1 i3 View"))
	c.put("places", "parts/_SUCCESS", "")
	c.put("places", "parts-of-another.csv", interactions("u1 i666 View"))
	for i, location := range []string{"s3://places/parts", "s3://places/parts/"} {
		c.good(c.importedFrom(set, fmt.Sprint("folder-", i), types.ImportModeFull, location))
		c.did(group, "u1", "i1/View", "i2/View", "i3/View")
	}
	c.good(c.importedFrom(set, "one-file", types.ImportModeFull, "s3://places/parts/part-2.csv"))
	c.did(group, "u1", "i2/View")
	extra := "USER_ID,WEATHER,ITEM_ID,EVENT_TYPE,TIMESTAMP\nu1,rain,i4,View,1700000000\n"
	c.good(c.imported(set, "extra-column", types.ImportModeFull, extra))
	c.did(group, "u1", "i4/View")
	nothing := c.importedFrom(set, "nothing", types.ImportModeFull, "s3://places/par")
	if aws.ToString(nothing.Status) != "CREATE FAILED" || !strings.Contains(aws.ToString(nothing.FailureReason), "s3://places/par") {
		t.Errorf("half a name: %s %q", *nothing.Status, aws.ToString(nothing.FailureReason))
	}
}
