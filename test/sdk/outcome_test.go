package sdk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
)

// TestNegativeOutcomes shows that what was sent back is no reason to recommend
// it, and that who dislikes an item does not see it again until they come back to it.
func TestNegativeOutcomes(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("outcomes")
	var b strings.Builder
	b.WriteString(valued(200)) // everybody viewed "viewed", and most bought "bought"
	for u := range 200 {
		for k := range 8 { // so that what somebody has is not left out for that alone
			fmt.Fprintf(&b, "u%d,v%d,View,,%d\n", u, u%40, 1_700_080_000+1000*k+u)
		}
		fmt.Fprintf(&b, "u%d,viewed,Return,,%d\n", u, 1_700_090_000+u)
		if u%4 > 0 { // who bought it; a third was content
			fmt.Fprintf(&b, "u%d,bought,Rate,%d,%d\n", u, 5-2*(u%4-1), 1_700_090_000+u)
		}
	}
	c.good(c.imported(c.dataset(group, "Interactions", valuedSchema), "valued", types.ImportModeFull, b.String()))
	_, tracking := c.tracker(group)
	campaigns := map[string]string{}
	for name, want := range map[string]struct{ negative, best string }{
		"plain": {"", "viewed"}, "returns": {"return", "bought"}, "both": {"RETURN, Rate<3.5, dislike", "dear"},
	} {
		in := &personalize.CreateSolutionInput{Name: &name, DatasetGroupArn: &group, RecipeArn: aws.String(recipePrefix + "aws-popularity-count")}
		if want.negative != "" {
			in.SolutionConfig = &types.SolutionConfig{AlgorithmHyperParameters: map[string]string{"negative_outcomes": want.negative}}
		}
		campaigns[name] = c.campaign(name, c.version(c.solutionOf(in)))
		if page := c.recommend(campaigns[name], "stranger"); page[0] != want.best {
			t.Errorf("%s: most popular is %v, want %s", name, page, want.best)
		}
	}

	shows := func(user string, want bool) {
		t.Helper()
		soon(c, func() string {
			if page := c.recommend(campaigns["both"], user); slices.Contains(page, "dear") != want {
				return fmt.Sprintf("%s gets %v", user, page)
			}
			return ""
		})
		if !slices.Contains(c.recommend(campaigns["returns"], user), "dear") {
			t.Errorf("another solution's outcomes take dear from %s", user)
		}
	}
	shows("new", true)
	c.putEvents(tracking, "new", "s1", "dear/Dislike")
	shows("new", false)
	shows("other", true)
	c.putEvents(tracking, "new", "s1", "dear/View")
	shows("new", true)
}
