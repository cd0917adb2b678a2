package blend

import (
	"slices"

	"github.com/attune-io/attune/recipe"
)

// What is done beside the members, in seconds of two cores.
const (
	secondsLook  = 5e-9   // for every item of the catalogue, where one item looks for lenders
	secondsTry   = 2.2e-9 // for every item of the catalogue and case, under all gains of lenders
	secondsLent  = 4.5e-9 // for every lender and case, likewise
	weighing     = 2      // times what asking takes is asking for a pool and weighing it
	blendedShare = 0.5    // of the members looked at are in a blend, about

	// asideShare is the most of a budget that is kept for what is done beside the
	// members: with a little budget on a large catalogue they get the rest in any
	// case, and what is beside them ends the search late.
	asideShare = 0.5
)

// aside is what a search does after its members were trained, and what later
// trainings do beside theirs, in the seconds of Coster.
type aside struct {
	opening, lending, heeding float64
	after                     float64 // in each later training, if all of it is found useful
}

// setAside estimates that, for the members that are looked at.
func (s *search) setAside(b blended) {
	plain := s.asking[""]
	s.aside = aside{}
	if len(s.v.Cases) >= leastCases {
		voices := 0.0
		for _, a := range s.arms {
			if slices.Contains(openers(), base(a.name)) {
				m := a.member
				s.aside.opening += seconds(m.recipe, m.input(s.in)) // on two halves
				voices++
			}
		}
		if voices > 0 {
			s.aside.opening += weighing * (1 + voices) * plain
		}
	}
	cold := len(coldRows(s.in).cold)
	lending, heeding := s.lendSeconds(s.in, cold), s.heedSeconds(s.in)
	_, gainGiven := s.in.Params[ParamCold]
	if gainGiven && b.gain == 0 {
		lending = 0
	}
	if heedsGiven(s.in.Params) && !b.listens() {
		heeding = 0
	}
	s.aside.after = lending + heeding
	if gainGiven {
		s.aside.lending = lending
	} else if lending > 0 {
		staged := len(s.staged().cold)
		s.aside.lending = lending + s.lendSeconds(s.in, staged) + float64(len(s.v.Cases))*
			(secondsTry*float64(len(s.in.Items))+secondsLent*lenders*float64(min(cold, lookupsOf(s.in))+staged))
		for _, a := range s.arms {
			s.aside.lending += blendedShare * s.askCost(a.name)
		}
	}
	if s.aside.heeding = heeding; heeding > 0 && !heedsGiven(s.in.Params) {
		s.aside.heeding += weighing * (1 + hearings + 2) * plain
	}
}

// listens says whether the context is heard.
func (b blended) listens() bool { return b.heeds > 0 || b.heedsOpening > 0 }

// heedsGiven says whether how it is heard was not left to the search.
func heedsGiven(params map[string]string) bool {
	_, known := params[ParamContext]
	_, opening := params[ParamContextOpening]
	return known || opening
}

// hearings are about how many settings of circumstances are asked about.
const hearings = 4

// reserved is what is still to be done beside the members, later trainings included.
func (s *search) reserved() float64 {
	a := s.aside
	return min(asideShare*s.v.Seconds, a.opening+a.lending+a.heeding+a.after*float64(max(1, s.v.After)))
}

// left is what members may still take.
func (s *search) left() float64 { return s.v.Seconds - s.spent - s.reserved() }

// did counts something beside the members as done.
func (s *search) did(what *float64) {
	s.spent += *what
	*what = 0
	s.report()
}

// lendSeconds estimates finding the lenders of so many items; 0 where nothing is said of any.
func (r Recipe) lendSeconds(in recipe.Input, items int) float64 {
	of, _, ok := r.find(likeness)
	if !ok || items == 0 || !r.speaks(in) {
		return 0
	}
	return seconds(of, likenessInput(in)) + secondsLook*float64(min(items, lookupsOf(in)))*float64(len(in.Items))
}

// heedSeconds estimates counting what the context says; 0 where there is none.
func (r Recipe) heedSeconds(in recipe.Input) float64 {
	m, ok := r.heeding(in.Params)
	if !ok || len(in.Events.Context) == 0 {
		return 0
	}
	return seconds(m.recipe, m.input(in))
}
