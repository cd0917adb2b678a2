package blend

import (
	"context"
	"maps"
	"strings"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// finish weighs the members and says what was found.
func (s *search) finish(ctx context.Context) (recipe.Found, error) {
	var trained []*arm
	for _, a := range s.arms {
		if a.best != nil {
			trained = append(trained, a)
		}
	}
	if len(trained) == 0 {
		return recipe.Found{}, s.refused
	}
	of, err := scorers(trained)
	if err != nil {
		return recipe.Found{}, err
	}
	p, err := s.collect(ctx, of, s.queries, toScale)
	if err != nil {
		return recipe.Found{}, err
	}
	w := p.choose()
	opens, err := s.opening(ctx, trained)
	if err != nil {
		return recipe.Found{}, err
	}
	s.did(&s.aside.opening)
	out, weights := s.join(trained, w, opens)
	if err := s.borrow(ctx, &out); err != nil {
		return recipe.Found{}, err
	}
	s.did(&s.aside.lending)
	if err := s.heed(ctx, &out); err != nil {
		return recipe.Found{}, err
	}
	s.did(&s.aside.heeding)
	maps.Copy(weights, contextGains(out.Params))
	said, err := s.Decode(out.Model)
	if err != nil {
		return recipe.Found{}, err
	}
	if out.Value, err = s.ask(ctx, said); err != nil {
		return recipe.Found{}, err
	}
	s.trials = append(s.trials, model.Trial{Recipe: Name, Parameters: weights, Value: out.Value})
	out.Trials = s.trials
	if s.v.Progress != nil {
		s.v.Progress(searchSteps, searchSteps)
	}
	return out, nil
}

// join makes one model of the members that have a weight or open.
func (s *search) join(trained []*arm, w []float64, opens map[string]float64) (out recipe.Found, weights map[string]string) {
	out = recipe.Found{Params: maps.Clone(s.in.Params)}
	if out.Params == nil {
		out.Params = map[string]string{}
	}
	var names []string
	var used []member
	var learned []*model.Model
	weights = map[string]string{}
	for i, a := range trained {
		if w[i] == 0 && opens[a.name] == 0 {
			continue
		}
		names = append(names, a.name)
		weights[weightOf+a.name] = recipe.FormatFloat(w[i])
		if o := opens[a.name]; o > 0 {
			weights[openingOf+a.name] = recipe.FormatFloat(o)
		}
		for key, value := range a.best.params {
			if given, ok := s.in.Params[key]; !ok || given != value {
				out.Params[a.name+"."+key] = value
			}
		}
		m := a.member
		m.weight, m.opens, m.params = w[i], opens[a.name], a.best.params
		used, learned = append(used, m), append(learned, a.best.model)
	}
	out.Params[ParamMembers] = strings.Join(names, ",")
	maps.Copy(out.Params, weights)
	s.tell(out.Params, used, learned)
	in := s.in
	in.Params = out.Params
	out.Model = blended{members: used, scale: s.scale()}.assemble(in, used, learned)
	return out, weights
}

func (s *search) scale() float64 {
	x, err := s.in.Float(ParamScale, defaultScale, minScale, maxScale)
	if err != nil {
		return defaultScale // resolve has said so
	}
	return x
}
