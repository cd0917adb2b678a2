package resource_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
)

const pricedAvro = `{"type":"record","name":"Items","namespace":"n","version":"1.0","fields":[
	{"name":"ITEM_ID","type":"string"},{"name":"GENRES","type":["null","string"],"categorical":true},{"name":"PRICE","type":["null","float"]}]}`

func TestHPO(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	recipe, _ := spec.ByARN(userRecipe)
	make := func(name, hpo string) (*resource.Search, error) {
		b := withConfig(`{"hpoConfig":` + hpo + `}`)
		b.DatasetGroupArn, b.PerformHPO = group, true
		r, err := h.CreateSolution(t.Context(), name, b)
		if err != nil {
			return nil, err
		}
		return body[resource.SolutionVersionBody](h, h.version(h.active(string(r.ARN)))).Search(recipe), nil
	}
	s, err := make("whole", `{}`)
	h.ok(err)
	if s.Jobs != 10 || s.Metric != "" || s.Minimize || len(s.Ranges) == 0 {
		t.Errorf("by default %+v", s)
	}
	for _, p := range s.Ranges {
		if !p.Tunable {
			t.Errorf("%s is searched and not tunable", p.Name)
		}
	}
	s, err = make("narrow", `{"hpoObjective":{"type":"Minimize","metricName":"coverage"},"hpoResourceConfig":{"maxNumberOfTrainingJobs":"40","maxParallelTrainingJobs":"10"},
		"algorithmHyperParameterRanges":{"integerHyperParameterRanges":[{"name":"hidden_dimension","minValue":40,"maxValue":50}],"categoricalHyperParameterRanges":[{"name":"recency_mask","values":["true"]}]}}`)
	h.ok(err)
	if s.Jobs != 40 || !s.Minimize || s.Metric != "coverage" || len(s.Ranges) != 2 || s.Ranges[0].Min != 40 || s.Ranges[0].Max != 50 || !reflect.DeepEqual(s.Ranges[1].Values, []string{"true"}) {
		t.Errorf("narrowed to %+v", s)
	}
	integer := func(text string) string {
		return `{"algorithmHyperParameterRanges":{"integerHyperParameterRanges":[` + text + `]}}`
	}
	for i, c := range []struct{ hpo, words string }{
		{`{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"41"}}`, "1 to 40"},
		{`{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"many"}}`, "1 to 40"},
		{`{"hpoResourceConfig":{"maxParallelTrainingJobs":"11"}}`, "1 to 10"},
		{`{"hpoObjective":{"type":"Improve"}}`, "Maximize or Minimize"},
		{`{"hpoObjective":{"metricName":"accuracy"}}`, "mean_reciprocal_rank_at_25"},
		{integer(`{"name":"iterations","minValue":1,"maxValue":2}`), "not a tunable"},
		{integer(`{"name":"depth","minValue":1,"maxValue":2}`), "not a tunable"},
		{integer(`{"name":"hidden_dimension","minValue":2,"maxValue":64}`), "32 to 256"},
		{integer(`{"name":"hidden_dimension","minValue":64,"maxValue":40}`), "must not be greater"},
		{integer(`{"name":"hidden_dimension"},{"name":"hidden_dimension"}`), "twice"},
		{integer(`{"name":"recency_mask"}`), "it is categorical"},
		{`{"algorithmHyperParameterRanges":{"categoricalHyperParameterRanges":[{"name":"recency_mask","values":["maybe"]}]}}`, "true, false"},
	} {
		_, err := make(fmt.Sprint("bad", i), c.hpo)
		h.refused(err, attune.Invalid, c.words)
	}
	b := resource.SolutionBody{RecipeArn: strings.Replace(userRecipe, "user-personalization", "popularity-count", 1), PerformHPO: true, DatasetGroupArn: group}
	h.refused(not(h.CreateSolution(t.Context(), "none", b)), attune.Invalid, "no tunable")
}

func TestAutoML(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	b := withConfig(`{"algorithmHyperParameters":{"unheard":"1"}}`) // is not looked at
	b.RecipeArn, b.PerformAutoML, b.DatasetGroupArn = "", true, group
	s := h.active(h.must(h.CreateSolution(t.Context(), "all", b)))
	v := h.version(s)
	vb := body[resource.SolutionVersionBody](h, v)
	recipes, metric := vb.Contenders()
	if !vb.PerformHPO || metric != "" || len(recipes) < 2 {
		t.Fatalf("%d contenders by %q: %+v", len(recipes), metric, vb)
	}
	for _, r := range recipes {
		if r.Type != "USER_PERSONALIZATION" || r.Domain != "" || !r.Built {
			t.Errorf("%s is a contender", r.Name)
		}
	}
	h.ok(h.TellAutoML(t.Context(), attune.ARN(v)))
	if got := body[resource.SolutionBody](h, s).AutoMLResult; got != nil {
		t.Errorf("before it is ACTIVE the best is %+v", got)
	}
	h.must(h.Change(t.Context(), attune.ARN(h.active(v)), func(r *resource.Resource) error {
		return resource.ChangeBody(r, func(b *resource.SolutionVersionBody) { b.RecipeArn = userRecipe })
	}))
	h.ok(h.TellAutoML(t.Context(), attune.ARN(v)))
	if got := body[resource.SolutionBody](h, s).AutoMLResult; got == nil || got.BestRecipeArn != userRecipe {
		t.Errorf("the best is %+v", got)
	}
	h.refused(not(h.CreateSolutionVersion(t.Context(), resource.VersionRequest{SolutionArn: s, TrainingMode: "UPDATE"})), attune.Invalid, "FULL")
	for i, c := range []struct{ config, words string }{
		{`{"autoMLConfig":{"recipeList":["` + simsRecipe + `"]}}`, "USER_PERSONALIZATION"},
		{`{"autoMLConfig":{"recipeList":["` + userRecipe + `x"]}}`, "USER_PERSONALIZATION"},
		{`{"autoMLConfig":{"metricName":"accuracy"}}`, "metricName"},
	} {
		b.SolutionConfig = json.RawMessage(c.config)
		h.refused(not(h.CreateSolution(t.Context(), fmt.Sprint("bad", i), b)), attune.Invalid, c.words)
	}
}

func TestColumnsOfSolutions(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	make := func(name, recipe, config string) error {
		b := withConfig(config)
		b.DatasetGroupArn, b.RecipeArn = group, recipe
		return not(h.CreateSolution(t.Context(), name, b))
	}
	objective := `{"optimizationObjective":{"itemAttribute":"PRICE","objectiveSensitivity":"LOW"}}`
	h.refused(make("x", userRecipe, objective), attune.Invalid, "no Items dataset")
	h.active(h.dataset(group, "Items", h.schema("priced", pricedAvro)))
	h.refused(make("x", simsRecipe, objective), attune.Invalid, "leave it out for aws-sims")
	h.refused(make("x", userRecipe, strings.Replace(objective, "PRICE", "GENRES", 1)), attune.Invalid, "not a numeric column")
	h.refused(make("x", userRecipe, strings.Replace(objective, `"itemAttribute":"PRICE",`, "", 1)), attune.Invalid, "no itemAttribute")
	h.ok(make("low", userRecipe, objective))
	h.ok(make("off", simsRecipe, strings.Replace(objective, "LOW", "OFF", 1)))
	for i, c := range []struct{ config, words string }{
		{`{"excludedDatasetColumns":{"Films":["PRICE"]}}`, "Films"},
		{`{"excludedDatasetColumns":{"USERS":["AGE"]}}`, "no such dataset"},
		{`{"includedDatasetColumns":{"ITEMS":["COLOUR"]}}`, "COLOUR"},
		{`{"includedDatasetColumns":{"ITEMS":["PRICE"]},"excludedDatasetColumns":{"items":["GENRES"]}}`, "one of the two lists"},
	} {
		h.refused(make(fmt.Sprint("bad", i), userRecipe, `{"trainingDataConfig":`+c.config+`}`), attune.Invalid, c.words)
	}
	h.ok(make("in", userRecipe, `{"trainingDataConfig":{"includedDatasetColumns":{"ITEMS":["PRICE"]}}}`))
	h.ok(make("ex", userRecipe, `{"trainingDataConfig":{"excludedDatasetColumns":{"ITEMS":["PRICE"]}}}`))
	for name, want := range map[string]bool{"in": true, "ex": false} {
		v := body[resource.SolutionVersionBody](h, h.version(h.active(string(names.Make("solution", name)))))
		c, err := v.Config()
		h.ok(err)
		uses := c.TrainingDataConfig.Uses
		if uses("ITEMS", "PRICE") != want || uses("ITEMS", "GENRES") == want || !uses("USERS", "AGE") {
			t.Errorf("%s learns from the wrong columns", name)
		}
	}
}
