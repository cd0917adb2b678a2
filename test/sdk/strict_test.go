package sdk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// strictWords are the service's words for a quota that is used up.
const (
	wordsActive  = "Cannot create %s. More than %d resources in ACTIVE state. Please delete some and try again."
	wordsPending = "More than %d resources with PENDING or IN_PROGRESS status."
)

// quota is one of the contract: how many there may be, the words for one more,
// and the call that makes one.
type quota struct {
	name  string
	most  int
	words string
	make  func(n int) error
}

// strictNode is a strict node with a group that has something of everything.
type strictNode struct {
	*clients
	shopGroup
	solution, trained string
}

// quotas is the table: a kind that is new gets one line.
func (s *strictNode) quotas() []quota {
	active := func(one string, most int) string { return fmt.Sprintf(wordsActive, one, most) }
	pending := func(most int) string { return fmt.Sprintf(wordsPending, most) }
	name := func(of string, n int) *string { return aws.String(fmt.Sprint(of, n)) }
	return []quota{
		{"schemas", 500, active("a schema", 500), func(n int) error {
			return errOf(s.control.CreateSchema(s.ctx, &personalize.CreateSchemaInput{Name: name("schema", n), Schema: aws.String(world.ItemsSchema)}))
		}},
		{"dataset groups", 5, active("a dataset group", 5), func(n int) error {
			return errOf(s.control.CreateDatasetGroup(s.ctx, &personalize.CreateDatasetGroupInput{Name: name("group", n)}))
		}},
		{"solutions", 10, active("a solution", 10), func(n int) error {
			return errOf(s.control.CreateSolution(s.ctx, &personalize.CreateSolutionInput{Name: name("solution", n), DatasetGroupArn: &s.group,
				RecipeArn: aws.String(recipePrefix + "aws-popularity-count"), PerformAutoTraining: aws.Bool(false)}))
		}},
		{"campaigns", 5, active("a campaign", 5), func(n int) error {
			return errOf(s.control.CreateCampaign(s.ctx, &personalize.CreateCampaignInput{Name: name("campaign", n), SolutionVersionArn: &s.trained}))
		}},
		{"filters", 10, active("a filter", 10), func(n int) error {
			return errOf(s.control.CreateFilter(s.ctx, &personalize.CreateFilterInput{Name: name("filter", n), DatasetGroupArn: &s.group,
				FilterExpression: aws.String(`EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`)}))
		}},
		{"imports under way", 5, pending(5), func(n int) error {
			return errOf(s.control.CreateDatasetImportJob(s.ctx, &personalize.CreateDatasetImportJobInput{JobName: name("import", n), DatasetArn: &s.interactions,
				RoleArn: aws.String(binary.Role), DataSource: &types.DataSource{DataLocation: aws.String("s3://strict/many.csv")}}))
		}},
		{"trainings under way", 20, pending(20), func(int) error {
			return errOf(s.control.CreateSolutionVersion(s.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &s.solution}))
		}},
	}
}

// TestStrictQuotas uses up every quota of a strict node through the SDK. What is
// under way may end meanwhile: then more are made.
func TestStrictQuotas(t *testing.T) {
	t.Parallel()
	c := newNode(t, "--mode=strict", "--rate=control=0")
	s := &strictNode{clients: c, shopGroup: c.shopGroup("strict")}
	s.solution = c.solution("strict", s.group, "aws-user-personalization")
	s.trained = c.version(s.solution)
	var many strings.Builder
	many.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for n := range 500_000 { // an import must last longer than it takes to ask for six
		fmt.Fprintf(&many, "u%d,i%d,View,%d\n", n%5000, n%777, 1_700_000_000+n)
	}
	c.put("strict", "many.csv", many.String())
	for _, q := range s.quotas() {
		t.Run(q.name, func(t *testing.T) {
			made, err := overfill(q.most, strings.HasSuffix(q.name, "under way"), q.make)
			refusedAs[*types.LimitExceededException](t, err, "")
			if err != nil && !strings.HasSuffix(err.Error(), ": "+q.words) {
				t.Errorf("after %d: %v; want %s", made-1, err, q.words)
			}
		})
	}
}

// overfill makes up to three times as many as there may be, until one is
// refused. What is under way ends by itself, so those are asked for at once.
func overfill(most int, atOnce bool, one func(int) error) (made int, err error) {
	if !atOnce {
		for ; err == nil && made < 3*most; made++ {
			err = one(made)
		}
		return made, err
	}
	answers := make(chan error, 3*most)
	for n := range 3 * most {
		go func() { answers <- one(n) }()
	}
	for range 3 * most {
		if answer := <-answers; answer != nil {
			err = answer
		} else {
			made++
		}
	}
	return made + 1, err
}

// TestStrictWords provokes the messages of the contract that are not about how
// many there may be.
func TestStrictWords(t *testing.T) {
	t.Parallel()
	c := newNode(t, "--mode=strict")
	s := c.shopGroup("words")
	version := c.version(c.solution("words", s.group, "aws-popularity-count"))
	tags := make([]types.Tag, 51)
	for i := range tags {
		tags[i] = types.Tag{TagKey: aws.String(fmt.Sprint(i)), TagValue: aws.String("v")}
	}
	wide := strings.Replace(world.InteractionsSchema, `"fields": [`, `"fields": [`+strings.Repeat(`{"name":"C#","type":"int"},`, 6), 1)
	for i := range 6 {
		wide = strings.Replace(wide, "C#", fmt.Sprint("C", i), 1)
	}
	refusedAs[*types.TooManyTagsException](t, errOf(c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("t"), Tags: tags})), "51 tags")
	refusedAs[*types.InvalidInputException](t, errOf(c.control.CreateSchema(c.ctx, &personalize.CreateSchemaInput{Name: aws.String("wide"), Schema: &wide})), "INTERACTIONS can have 5")
	refusedAs[*types.LimitExceededException](t, errOf(c.control.CreateCampaign(c.ctx, &personalize.CreateCampaignInput{Name: aws.String("c"), SolutionVersionArn: &version, MinProvisionedTPS: aws.Int32(501)})), "at most 500")
	refusedAs[*types.InvalidInputException](t, errOf(c.control.CreateFilter(c.ctx, &personalize.CreateFilterInput{Name: aws.String("f"), DatasetGroupArn: &s.group,
		FilterExpression: aws.String("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE # 1")})), "Could not create filter. Invalid input symbol")

	for name, in := range map[string]struct{ location, body, says string }{
		"little":  {"", rows(40, 10), "needs at least 1 000"},
		"columns": {"", "USER_ID,ITEM_ID\nu,i\n", "Input CSV is missing the following columns:["},
		"nowhere": {"s3://strict/nowhere", "", "Invalid S3 input path"},
	} {
		location := in.location
		if location == "" {
			location = c.put("strict", name+".csv", in.body)
		}
		if j := c.importedFrom(s.interactions, name, types.ImportModeFull, location); aws.ToString(j.Status) != "CREATE FAILED" || !strings.Contains(aws.ToString(j.FailureReason), in.says) {
			t.Errorf("%s: %s %s; want %s", name, aws.ToString(j.Status), aws.ToString(j.FailureReason), in.says)
		}
	}
	_, err := c.control.CreateDatasetImportJob(c.ctx, &personalize.CreateDatasetImportJobInput{JobName: aws.String("place"), DatasetArn: &s.interactions,
		RoleArn: aws.String(binary.Role), DataSource: &types.DataSource{DataLocation: aws.String("s3://")}})
	refusedAs[*types.InvalidInputException](t, err, "")

	var typed strings.Builder // ten event types and no optional column are the most there can be
	typed.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for n := range 2200 {
		fmt.Fprintf(&typed, "u%d,i%d,T%d,%d\n", n%50, n%40, n%11, 1_700_000_000+n)
	}
	c.good(c.importedFrom(s.interactions, "typed", types.ImportModeFull, c.put("strict", "typed.csv", typed.String())))
	v := must[*personalize.CreateSolutionVersionOutput](t)(c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: aws.String(version[:strings.LastIndex(version, "/")])}))
	if why := c.versionEnds(*v.SolutionVersionArn, "CREATE FAILED"); !strings.Contains(why, "11 event types") {
		t.Errorf("eleven event types: %s", why)
	}
}
