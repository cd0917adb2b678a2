package recipe

import (
	"math"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
)

// The parameters by which a recipe that answers with propensities corrects
// them: P = σ(slope·z + intercept). Fit chooses them on the validation slice.
const (
	paramSlope     = "calibration_slope"
	paramIntercept = "calibration_intercept"
)

const maxSlope, maxIntercept = 100, 100

// Calibration reads both; 1 and 0, which change nothing, when absent.
func Calibration(in Input) (slope, intercept float64, err error) {
	if slope, err = in.Float(paramSlope, 1, 0, maxSlope); err == nil {
		intercept, err = in.Float(paramIntercept, 0, -maxIntercept, maxIntercept)
	}
	return slope, intercept, err
}

// Sigmoid is 1/(1+exp(-z)).
func Sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// ActionTouch is one event with an action as a query has it; ok is false for
// an event of another type.
func ActionTouch(action int32, o schema.ActionOutcome, at int64) (t model.Touch, ok bool) {
	switch o {
	case schema.Taken:
		return model.Touch{Item: action, Weight: 1, At: at}, true
	case schema.Viewed, schema.NotTaken:
		return model.Touch{Item: action, At: at}, true
	}
	return t, false
}

const (
	// plattPrior is how many offers' worth of trust stands behind "leave it as it
	// is": with few offers to calibrate on, little is changed.
	plattPrior = 20
	plattSteps = 50
)

// platt finds the slope and intercept under which σ(slope·z + intercept) gives
// what happened the greatest likelihood, with a normal prior around 1 and 0, by
// Newton's method.
func platt(z []float64, taken []bool) (slope, intercept float64) {
	slope = 1
	for range plattSteps {
		ga, gb := plattPrior*(slope-1), plattPrior*intercept
		haa, hab, hbb := float64(plattPrior), 0.0, float64(plattPrior)
		for i, x := range z {
			p := Sigmoid(slope*x + intercept)
			d := p
			if taken[i] {
				d--
			}
			ga, gb = ga+d*x, gb+d
			w := p * (1 - p)
			haa, hab, hbb = haa+w*x*x, hab+w*x, hbb+w
		}
		det := haa*hbb - hab*hab
		da, db := (ga*hbb-gb*hab)/det, (gb*haa-ga*hab)/det
		slope, intercept = slope-da, intercept-db
		if math.Abs(da)+math.Abs(db) < 1e-9 {
			break
		}
	}
	if !(slope > 0 && slope <= maxSlope && math.Abs(intercept) <= maxIntercept) {
		return 1, 0 // a slope of 0 or less says that the order is noise; it is not made of it
	}
	return slope, intercept
}
