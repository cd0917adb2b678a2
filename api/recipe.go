package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerRecipes(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "ListRecipes", p.listRecipes)
	awsjson.Handle(s, wire.Personalize, "DescribeRecipe", p.describeRecipe)
	awsjson.Handle(s, wire.Personalize, "DescribeAlgorithm", p.describeAlgorithm)
	awsjson.Handle(s, wire.Personalize, "DescribeFeatureTransformation", p.describeFeatureTransformation)
}

// statusActive is what the service shows for its own things.
const statusActive = string(resource.Active)

// published dates what the service itself owns: clients expect a time there,
// and the version of the API is the only one that means anything.
func published() wire.Time { return wire.At(time.Date(2018, 5, 22, 0, 0, 0, 0, time.UTC)) }

// checkPublic refuses the ARN of something else than what the service itself owns.
func checkPublic(word, arn string) error {
	if got, _, ok := attune.ARN(arn).Split(); !ok || got != word {
		return attune.Errorf(attune.Invalid, "%s is not the ARN of the service's %s: those look like %s", arn, strings.ReplaceAll(word, "-", " "), attune.Public(word, "…"))
	}
	return nil
}

// listRecipes lists what this build can train, and nothing else.
func (p *Personalize) listRecipes(_ context.Context, in *wire.ListRecipesRequest) (*wire.ListRecipesResponse, error) {
	scope := "ListRecipes\x00" + value(in.Domain)
	position, err := p.tokens.DecodeToken(scope, value(in.NextToken))
	if err != nil {
		return nil, err
	}
	var matching []spec.Recipe
	for _, r := range spec.Built() {
		if in.Domain == nil || r.Domain == *in.Domain {
			matching = append(matching, r)
		}
	}
	start := 0
	if position != "" {
		if start, err = strconv.Atoi(position); err != nil || start < 0 || start > len(matching) {
			return nil, attune.Errorf(attune.InvalidNextToken, "nextToken is not one that this list gave")
		}
	}
	end, next := len(matching), ""
	if in.MaxResults != nil && start+*in.MaxResults < end {
		end = start + *in.MaxResults
		next = strconv.Itoa(end)
	}
	out := &wire.ListRecipesResponse{}
	for _, r := range matching[start:end] {
		out.Recipes = append(out.Recipes, wire.RecipeSummary{
			Name: filled(r.Name), RecipeArn: filled(string(r.ARN())), Status: filled(statusActive),
			Domain: filled(r.Domain), CreationDateTime: published(), LastUpdatedDateTime: published(),
		})
	}
	token, err := p.tokens.EncodeToken(scope, next)
	out.NextToken = filled(token)
	return out, err
}

func (p *Personalize) describeRecipe(_ context.Context, in *wire.DescribeRecipeRequest) (*wire.DescribeRecipeResponse, error) {
	if err := checkPublic("recipe", in.RecipeArn); err != nil {
		return nil, err
	}
	r, ok := spec.ByARN(in.RecipeArn)
	if !ok {
		return nil, attune.Errorf(attune.NotFound, "recipe %s does not exist: this build has %s", in.RecipeArn, spec.Names())
	}
	if !r.Built {
		return nil, attune.Errorf(attune.NotFound, "recipe %s is not built yet: this build has %s", r.Name, spec.Names())
	}
	return &wire.DescribeRecipeResponse{Recipe: &wire.Recipe{
		Name: filled(r.Name), RecipeArn: &in.RecipeArn, RecipeType: filled(r.Type), Description: filled(r.Description),
		AlgorithmArn: filled(string(r.AlgorithmARN())), FeatureTransformationArn: filled(string(r.TransformationARN())),
		Status: filled(statusActive), CreationDateTime: published(), LastUpdatedDateTime: published(),
	}}, nil
}

func (p *Personalize) describeAlgorithm(_ context.Context, in *wire.DescribeAlgorithmRequest) (*wire.DescribeAlgorithmResponse, error) {
	if err := checkPublic("algorithm", in.AlgorithmArn); err != nil {
		return nil, err
	}
	r, ok := spec.ByAlgorithmARN(in.AlgorithmArn)
	if !ok {
		return nil, attune.Errorf(attune.NotFound, "algorithm %s does not exist: this build has the recipes %s", in.AlgorithmArn, spec.Names())
	}
	a := &wire.Algorithm{
		Name: filled(r.Name), AlgorithmArn: &in.AlgorithmArn, DefaultHyperParameters: map[string]string{},
		DefaultHyperParameterRanges: ranges(r.Parameters), CreationDateTime: published(), LastUpdatedDateTime: published(),
	}
	for _, h := range r.Parameters {
		if h.Default != "" { // the others follow the data
			a.DefaultHyperParameters[h.Name] = h.Default
		}
	}
	return &wire.DescribeAlgorithmResponse{Algorithm: a}, nil
}

// ranges sorts hyper-parameters by what they take, as the wire has them.
func ranges(parameters []spec.Parameter) *wire.DefaultHyperParameterRanges {
	out := &wire.DefaultHyperParameterRanges{}
	for _, h := range parameters {
		switch h.Type {
		case spec.Integer:
			low, high := int(h.Min), int(h.Max)
			out.IntegerHyperParameterRanges = append(out.IntegerHyperParameterRanges,
				wire.DefaultIntegerHyperParameterRange{Name: &h.Name, MinValue: &low, MaxValue: &high, IsTunable: &h.Tunable})
		case spec.Continuous:
			out.ContinuousHyperParameterRanges = append(out.ContinuousHyperParameterRanges,
				wire.DefaultContinuousHyperParameterRange{Name: &h.Name, MinValue: &h.Min, MaxValue: &h.Max, IsTunable: &h.Tunable})
		case spec.Categorical:
			out.CategoricalHyperParameterRanges = append(out.CategoricalHyperParameterRanges,
				wire.DefaultCategoricalHyperParameterRange{Name: &h.Name, Values: h.Values, IsTunable: &h.Tunable})
		}
	}
	return out
}

func (p *Personalize) describeFeatureTransformation(_ context.Context, in *wire.DescribeFeatureTransformationRequest) (*wire.DescribeFeatureTransformationResponse, error) {
	if err := checkPublic("feature-transformation", in.FeatureTransformationArn); err != nil {
		return nil, err
	}
	r, ok := spec.ByTransformationARN(in.FeatureTransformationArn)
	if !ok {
		return nil, attune.Errorf(attune.NotFound, "feature transformation %s does not exist: this build has the recipes %s", in.FeatureTransformationArn, spec.Names())
	}
	f := &wire.FeatureTransformation{
		Name: filled(r.Transformation), FeatureTransformationArn: &in.FeatureTransformationArn, DefaultParameters: map[string]string{},
		Status: filled(statusActive), CreationDateTime: published(), LastUpdatedDateTime: published(),
	}
	for _, h := range r.Features {
		f.DefaultParameters[h.Name] = h.Default
	}
	return &wire.DescribeFeatureTransformationResponse{FeatureTransformation: f}, nil
}
