package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// The keys of metrics of propensities, which the service does not have.
const (
	LogLoss          = "log_loss"
	AUC              = "area_under_roc_curve"
	CalibrationError = "expected_calibration_error"
	MeanPropensity   = "mean_propensity"
	TakenShare       = "taken_share"
)

const (
	// calibrationBins is the usual number of groups of equal size.
	calibrationBins = 10
	// surest bounds how sure a prediction counts, so that one that was certain
	// and wrong does not cost without end.
	surest = 1e-6
)

// Propensities is the measurement of predicted probabilities.
type Propensities struct {
	LogLoss          float64 // mean of -log of the probability given to what happened
	AUC              float64 // chance that one that happened was predicted above one that did not; ties count half
	CalibrationError float64 // Σ_b n_b/n·|mean predicted - share that happened| over ten groups by prediction, of equal size
	Predicted        float64 // mean prediction
	Happened         float64 // share that happened
}

// MeasurePropensities compares predictions with what happened. The calibration
// error is that of Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated
// Probabilities Using Bayesian Binning (AAAI 2015), over groups of equal size.
func MeasurePropensities(predicted []float64, happened []bool) Propensities {
	var m Propensities
	n := len(predicted)
	if n == 0 {
		return m
	}
	order := make([]int, n)
	for i, p := range predicted {
		order[i] = i
		m.Predicted += p / float64(n)
		p = min(1-surest, max(surest, p))
		if happened[i] {
			m.Happened += 1 / float64(n)
			m.LogLoss -= math.Log(p) / float64(n)
		} else {
			m.LogLoss -= math.Log(1-p) / float64(n)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(predicted[a], predicted[b]) })
	for b := range calibrationBins {
		from, to := b*n/calibrationBins, (b+1)*n/calibrationBins
		var sum float64
		for _, i := range order[from:to] {
			sum += predicted[i]
			if happened[i] {
				sum--
			}
		}
		m.CalibrationError += math.Abs(sum) / float64(n)
	}
	m.AUC = auc(order, predicted, happened)
	return m
}

// auc is the rank-sum statistic; equal predictions share their mean rank.
func auc(order []int, predicted []float64, happened []bool) float64 {
	var ranks, yes float64
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && predicted[order[to]] == predicted[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			if happened[i] {
				ranks += float64(from+to+1) / 2
				yes++
			}
		}
		from = to
	}
	no := float64(len(order)) - yes
	if yes == 0 || no == 0 {
		return 0.5
	}
	return (ranks - yes*(yes+1)/2) / (yes * no)
}

// Metrics are the numbers by their keys.
func (m Propensities) Metrics() map[string]float64 {
	return map[string]float64{LogLoss: m.LogLoss, AUC: m.AUC, CalibrationError: m.CalibrationError, MeanPropensity: m.Predicted, TakenShare: m.Happened}
}
