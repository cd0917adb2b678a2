package resource

import (
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe/spec"
)

// Negative says which interactions tell against their item; none when not given.
func (b SolutionVersionBody) Negative() []spec.Outcome {
	c, err := b.Config()
	if err != nil { // checked before the row was written
		return nil
	}
	out, _ := c.negative() // likewise
	return out
}

func (c SolutionConfig) negative() ([]spec.Outcome, error) {
	return spec.ReadOutcomes(c.AlgorithmHyperParameters[spec.ParamNegative])
}

// checkNegative refuses negative outcomes that cannot be read, and event types
// that would always be one and are asked to count.
func checkNegative(b SolutionBody, c SolutionConfig) error {
	negative, err := c.negative()
	if err != nil {
		return err
	}
	for _, p := range (SolutionVersionBody{SolutionConfig: b.SolutionConfig, EventType: b.EventType}).Events() {
		for _, o := range negative {
			if o.Below == nil && strings.EqualFold(o.Type, p.EventType) && (p.Weight == nil || *p.Weight > 0) {
				return attune.Errorf(attune.Invalid, "%s names %s, which also counts for an item by eventType or eventsConfig: name it in one of them, or give a value, as in %s<3", spec.ParamNegative, o.Type, o.Type)
			}
		}
	}
	return nil
}
