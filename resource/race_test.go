package resource_test

import (
	"context"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// interrupted is a store on which, just before the first write, somebody else
// does something: the moment between reading and writing that races are about.
type interrupted struct {
	resource.Store
	first func()
}

func (s *interrupted) now() {
	if f := s.first; f != nil {
		s.first = nil
		f()
	}
}

func (s *interrupted) Create(ctx context.Context, r *resource.Resource, touch ...*resource.Resource) error {
	s.now()
	return s.Store.Create(ctx, r, touch...)
}

func (s *interrupted) Update(ctx context.Context, r *resource.Resource, touch ...*resource.Resource) error {
	s.now()
	return s.Store.Update(ctx, r, touch...)
}

func (s *interrupted) Delete(ctx context.Context, r *resource.Resource, touch ...*resource.Resource) error {
	s.now()
	return s.Store.Delete(ctx, r, touch...)
}

// scene is what the operations of a race work on, all ACTIVE.
type scene struct {
	empty, group, schema, set, solution, version, campaign string
}

// TestInterrupted lets a whole operation of another process happen between the
// reading and the writing of one. The other wins, so the one must be refused.
func TestInterrupted(t *testing.T) {
	type operation func(ctx context.Context, g *resource.Registry, s scene) error
	dataset := func(ctx context.Context, g *resource.Registry, s scene) error {
		return not(g.CreateDataset(ctx, "d", resource.DatasetBody{DatasetGroupArn: s.empty, DatasetType: "INTERACTIONS", SchemaArn: s.schema}))
	}
	schema := func(ctx context.Context, g *resource.Registry, s scene) error { return g.DeleteSchema(ctx, s.schema) }
	tracker := func(ctx context.Context, g *resource.Registry, s scene) error {
		return not(g.CreateEventTracker(ctx, "one", resource.EventTrackerBody{DatasetGroupArn: s.empty}))
	}
	tracker2 := func(ctx context.Context, g *resource.Registry, s scene) error {
		return not(g.CreateEventTracker(ctx, "two", resource.EventTrackerBody{DatasetGroupArn: s.empty}))
	}
	solution := func(ctx context.Context, g *resource.Registry, s scene) error {
		return not(g.CreateSolution(ctx, "new", resource.SolutionBody{DatasetGroupArn: s.empty, RecipeArn: userRecipe}))
	}
	group := func(ctx context.Context, g *resource.Registry, s scene) error {
		return not(g.CreateDatasetGroup(ctx, "new", resource.DatasetGroupBody{}))
	}
	noGroup := func(ctx context.Context, g *resource.Registry, s scene) error {
		return g.DeleteDatasetGroup(ctx, s.empty)
	}
	noSolution := func(ctx context.Context, g *resource.Registry, s scene) error {
		return g.DeleteSolution(ctx, s.solution)
	}
	campaign := func(ctx context.Context, g *resource.Registry, s scene) error {
		return not(g.CreateCampaign(ctx, "new", resource.CampaignBody{SolutionVersionArn: s.version}))
	}
	version := func(ctx context.Context, g *resource.Registry, s scene) error {
		return not(g.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: s.solution}))
	}
	noSet := func(ctx context.Context, g *resource.Registry, s scene) error { return g.DeleteDataset(ctx, s.set) }
	job := func(ctx context.Context, g *resource.Registry, s scene) error {
		return not(g.CreateImportJob(ctx, "new", importBody(s.set)))
	}
	update := func(ctx context.Context, g *resource.Registry, s scene) error {
		return g.UpdateCampaign(ctx, s.campaign, resource.CampaignChange{})
	}
	noCampaign := func(ctx context.Context, g *resource.Registry, s scene) error {
		return g.DeleteCampaign(ctx, s.campaign)
	}

	for name, c := range map[string]struct {
		one, other operation
		kind       attune.Kind // of the one's refusal
	}{
		"two groups of a name":             {group, group, attune.Exists},
		"schema gone under a dataset":      {dataset, schema, attune.NotFound},
		"dataset on a schema that goes":    {schema, dataset, attune.InUse},
		"two datasets of a type":           {dataset, dataset, attune.Exists},
		"two trackers in a group":          {tracker, tracker2, attune.Exists},
		"two trackers of a name":           {tracker, tracker, attune.Exists},
		"group gone under a solution":      {solution, noGroup, attune.InUse},
		"solution in a group that goes":    {noGroup, solution, attune.InUse},
		"tracker in a group that goes":     {noGroup, tracker, attune.InUse},
		"solution gone under a campaign":   {campaign, noSolution, attune.InUse},
		"campaign on a solution that goes": {noSolution, campaign, attune.InUse},
		"version of a solution that goes":  {noSolution, version, attune.InUse},
		"solution gone under a version":    {version, noSolution, attune.InUse},
		"dataset gone under a version":     {version, noSet, attune.InUse},
		"version on a dataset that goes":   {noSet, version, attune.InUse},
		"import into a dataset that goes":  {noSet, job, attune.InUse},
		"dataset gone under an import":     {job, noSet, attune.InUse},
		"two updates":                      {update, update, attune.InUse},
		"campaign gone under an update":    {update, noCampaign, attune.InUse},
		"update of a campaign that goes":   {noCampaign, update, attune.InUse},
		"two deletions":                    {noCampaign, noCampaign, attune.InUse},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			var s scene
			s.empty = h.active(h.group("empty"))
			s.schema = h.schema("free", interactionsAvro)
			s.group, s.set = h.stocked("films")
			s.solution, s.version = h.trained("s", s.group)
			if strings.Contains(name, "update") || name == "two deletions" {
				s.campaign = h.active(h.campaign("c", s.version))
			}
			one := resource.New(&interrupted{h.store, func() {
				if err := c.other(t.Context(), h.Registry, s); err != nil {
					t.Fatalf("the other, which came first, was refused: %v", err)
				}
			}}, names, h.clock.Now, nil)
			h.refused(c.one(t.Context(), one, s), c.kind, "")
		})
	}
}
