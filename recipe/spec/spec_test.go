package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe/spec"
)

func TestTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range spec.All() {
		if seen[r.Name] || !strings.HasPrefix(r.Name, "aws-") || r.Type == "" || r.Kind == "" {
			t.Errorf("%+v is listed twice or not named", r)
		}
		seen[r.Name] = true
		if r.Built != (r.Algorithm != "") || r.Built != (r.Scores != "") || r.Built != (r.Transformation != "") || r.Built != (r.Description != "") {
			t.Errorf("%s: a built recipe has algorithm, scores, transformation and description; another has none", r.Name)
		}
		for _, p := range append(r.Parameters, r.Features...) {
			if err := p.Check(p.Default); p.Default != "" && err != nil {
				t.Errorf("%s: the default of %s is not legal: %v", r.Name, p.Name, err)
			}
		}
	}
	for domain, least := range map[string]int{"": 14, "ECOMMERCE": 5, "VIDEO_ON_DEMAND": 5} {
		if names := strings.Split(spec.NamesOf(domain), ", "); len(names) < least {
			t.Errorf("domain %q has %d built recipes: %v", domain, len(names), names)
		}
	}
}

// TestDomains holds what the service publishes of its use cases: which events
// they count, and what they leave out.
func TestDomains(t *testing.T) {
	for name, want := range map[string]string{
		"aws-ecomm-popular-items-by-views":             "user View []",
		"aws-ecomm-popular-items-by-purchases":         "user Purchase []",
		"aws-ecomm-frequently-bought-together":         "related Purchase []",
		"aws-ecomm-customers-who-viewed-x-also-viewed": "related View [Purchase]",
		"aws-ecomm-recommended-for-you":                "user  [Purchase]",
		"aws-vod-because-you-watched-x":                "related Watch [Watch]",
		"aws-vod-more-like-x":                          "related  [Watch]",
		"aws-vod-most-popular":                         "user Watch []",
		"aws-vod-trending-now":                         "user  []",
		"aws-vod-top-picks":                            "user  [Watch]",
	} {
		r, ok := spec.ByARN("arn:aws:personalize:::recipe/" + name)
		if got := fmt.Sprintf("%s %s %v", r.Kind, r.Event, r.LeaveOut); !ok || got != want || r.Domain == "" {
			t.Errorf("%s of %q: %s, want %s", name, r.Domain, got, want)
		}
	}
}

func TestByARN(t *testing.T) {
	r, ok := spec.ByARN("arn:aws:personalize:::recipe/aws-sims")
	if !ok || r.Algorithm != spec.ItemKNN || r.Kind != spec.Related {
		t.Fatalf("aws-sims: %+v, %v", r, ok)
	}
	if got := r.TransformationARN(); got != "arn:aws:personalize:::feature-transformation/sims" {
		t.Errorf("transformation %s", got)
	}
	if r, ok := spec.ByARN("arn:aws:personalize:::recipe/aws-user-personalization-v2"); !ok || r.Algorithm != spec.Blend {
		t.Errorf("v2: %+v, %v", r, ok)
	}
	if r, ok := spec.ByAlgorithmARN("arn:aws:personalize:::algorithm/aws-trending-now-custom"); !ok || r.Name != "aws-trending-now" {
		t.Errorf("the algorithm of trends: %+v, %v", r, ok)
	}
	if r, ok := spec.ByTransformationARN("arn:aws:personalize:::feature-transformation/item-affinity"); !ok || r.Name != "aws-item-affinity" {
		t.Errorf("a transformation without parameters: %+v, %v", r, ok)
	}
	if _, ok := spec.ByARN("arn:aws:personalize:::recipe/aws-user"); ok {
		t.Error("a prefix of a name was found")
	}
	if _, ok := spec.ByAlgorithmARN("arn:aws:personalize:::algorithm/aws-trending-now"); ok {
		t.Error("the algorithm of a recipe that is not built was found")
	}
}

func TestCheckParameters(t *testing.T) {
	user, _ := spec.ByARN("arn:aws:personalize:::recipe/aws-user-personalization")
	for _, c := range []struct {
		algorithm, features map[string]string
		problem             string
	}{
		{nil, nil, ""},
		{map[string]string{"hidden_dimension": "32", "bptt": "2", "recency_mask": "True"}, map[string]string{"min_user_history_length_percentile": "0"}, ""},
		{map[string]string{"hidden_dimension": "256"}, map[string]string{"max_user_history_length_percentile": "1.0"}, ""},
		{map[string]string{"hidden_dimension": "31"}, nil, "hidden_dimension"},
		{map[string]string{"hidden_dimension": "257"}, nil, "from 32 to 256"},
		{map[string]string{"hidden_dimension": "64.5"}, nil, "integer"},
		{map[string]string{"recency_mask": "yes"}, nil, "true, false"},
		{map[string]string{"factors": "64"}, nil, "does not take"},
		{map[string]string{"ials.regularization": "0.004", "ials.unobserved_weight": "1e-2", "ials.iterations": "1000"}, nil, ""},
		{map[string]string{"ials.iterations": "0"}, nil, "from 1 to 1000"},
		{map[string]string{"members": "ease,ials,ials#2"}, nil, ""},
		{map[string]string{"members": "ease, oracle"}, nil, "some of popularity"},
		{map[string]string{"negative_outcomes": "Dislike, Rate < 2.5,hide it"}, nil, ""},
		{map[string]string{"negative_outcomes": "Dislike, dislike"}, nil, "twice"},
		{map[string]string{"negative_outcomes": "Dislike,,Hide"}, nil, "with commas between"},
		{map[string]string{"negative_outcomes": "Rate<NaN"}, nil, "a number after <"},
		{map[string]string{"negative_outcomes": "a,b,c,d,e,f,g,h,i,j,k"}, nil, "at most 10"},
		{map[string]string{"members": "content,demographic,circumstance,sequence#2,sequence#255"}, nil, ""},
		{map[string]string{"members": "ials#1"}, nil, "each once"},
		{map[string]string{"members": "ials#02"}, nil, "each once"},
		{map[string]string{"members": "ials#two"}, nil, "each once"},
		{map[string]string{"members": "ials#256"}, nil, "each once"},
		{map[string]string{"members": "ials,ease,ials"}, nil, "each once"},
		{map[string]string{"members": ""}, nil, "some of popularity"},
		{map[string]string{"members": "ials,ials#2,ials#3,ials#4,ials#5,ials#6,ials#7,ials#8,ials#9,ials#10,ials#11,ials#12,ials#13,ials#14,ials#15,ials#16,ials#17"}, nil, "16 at most"},
		{map[string]string{"weight.ials#2": "0.25", "opening.demographic": "1", "cold_item_gain": "3", "context_gain": "0", "score_scale": "12.5"}, nil, ""},
		{map[string]string{"ials#2.solver": "ialspp", "graph.input_degree_exponent": "-1", "sequence.epochs": "12", "circumstance.context_weight": "0.5"}, nil, ""},
		{map[string]string{"graph.hidden_dimension": "64", "ials.recency_mask": "false"}, nil, ""},
		{map[string]string{"ials.hidden_dimension": "8"}, nil, ""},
		{map[string]string{"weight.ials": "-1"}, nil, "weight.ials"},
		{map[string]string{"weight.ials": "NaN"}, nil, "weight.ials"},
		{map[string]string{"opening.ials": "1.5"}, nil, "from 0 to 1"},
		{map[string]string{"weight.oracle": "1"}, nil, "does not take"},
		{map[string]string{"oracle.epochs": "1"}, nil, "does not take"},
		{map[string]string{"sequence.epochs": "1e3"}, nil, "integer"},
		{map[string]string{"sequence.learning_rate": "Inf"}, nil, "sequence.learning_rate"},
		{map[string]string{"sequence#1.epochs": "1"}, nil, "does not take"},
		{map[string]string{"sequence.damping": "1"}, nil, "does not take"},
		{map[string]string{"ials.members": "ease"}, nil, "does not take"},
		{map[string]string{"ials.negative_outcomes": "Dislike"}, nil, "does not take"},
		{nil, map[string]string{"weight.ials": "1"}, "featureTransformationParameters"},
		{nil, map[string]string{"max_user_history_length_percentile": "NaN"}, "number"},
		{nil, map[string]string{"min_user_history_length_percentile": "0.9", "max_user_history_length_percentile": "0.1"}, "nothing lies between"},
		{nil, map[string]string{"min_user_history_length_percentile": "0.1", "max_user_history_length_percentile": "0.1"}, ""},
		{nil, map[string]string{"hidden_dimension": "64"}, "featureTransformationParameters"},
	} {
		err := user.CheckParameters(c.algorithm, c.features)
		if (err == nil) != (c.problem == "") {
			t.Errorf("%v %v: %v", c.algorithm, c.features, err)
			continue
		}
		if err != nil && (attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%v %v: %v (%v), want %q", c.algorithm, c.features, err, attune.KindOf(err), c.problem)
		}
	}
}

// Every recipe that learns from interactions of solutions takes negative outcomes.
func TestWhoTakesOutcomes(t *testing.T) {
	for _, r := range spec.Built() {
		err := r.CheckParameters(map[string]string{spec.ParamNegative: "Dislike"}, nil)
		if want := r.Domain == "" && r.Kind != spec.Action && !r.Text; (err == nil) != want {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
	got, err := spec.ReadOutcomes(" Dislike ,Rate<3")
	if err != nil || len(got) != 2 || got[0] != (spec.Outcome{Type: "Dislike"}) || got[1].Type != "Rate" || *got[1].Below != 3 {
		t.Errorf("%v, %v", got, err)
	}
	if none, err := spec.ReadOutcomes(" "); none != nil || err != nil {
		t.Errorf("nothing is %v, %v", none, err)
	}
}
