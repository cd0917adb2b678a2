package model

// Manifest says what a model is and where it came from. Everything in it but
// Against, Created and TrainingSeconds is covered by the digest: same snapshot,
// same parameters, same seed, same kernel tier give the same digest.
type Manifest struct {
	Format          int               `json:"format"`    // of the stored bytes; see docs/format/model.md
	Recipe          string            `json:"recipe"`    // e.g. aws-user-personalization
	Algorithm       string            `json:"algorithm"` // the recipe room that decodes the tensors, e.g. ials
	Parameters      map[string]string `json:"parameters"`
	Seed            uint64            `json:"seed"`
	Kernel          string            `json:"kernel,omitempty"`   // tier of the arithmetic that trained it, e.g. avx2; absent in models of older builds
	Snapshot        string            `json:"snapshot"`           // artifact name of the data it was trained on
	Events          EventRules        `json:"events"`             // which interactions count, in training and when serving
	Negative        Outcomes          `json:"negative,omitempty"` // which interactions tell against their item, likewise
	Users           int               `json:"users"`              // trained on
	Items           int               `json:"items"`
	Interactions    int64             `json:"interactions"`
	Newest          int64             `json:"newest,omitempty"`      // time of the newest interaction in the data, Unix milliseconds; 0 in models of older builds
	Seen            string            `json:"seen"`                  // "kept" or "left out": whether items a user already has may be recommended
	RepeatShare     float64           `json:"repeatShare"`           // share of validation events that repeat an item of the user's
	Scores          string            `json:"scores"`                // "softmax" over the catalogue, "propensity" of actions, or "none"
	AsksUser        bool              `json:"asksUser,omitempty"`    // scores depend on attributes of who asks, which serving then looks up
	AsksContext     bool              `json:"asksContext,omitempty"` // likewise of what is the case as they ask, which requests then may tell
	Evaluation      *Evaluation       `json:"evaluation,omitempty"`
	Against         []Against         `json:"against,omitempty"` // measured beside the models that were live when it was trained
	Search          *Search           `json:"search,omitempty"`  // what was tried to find the parameters, or the recipe, when that was asked for
	Objective       *Objective        `json:"objective,omitempty"`
	Digest          string            `json:"digest"`  // sha256 over tensors, items and this manifest without Against, Created, TrainingSeconds, Digest
	Created         string            `json:"created"` // RFC 3339
	TrainingSeconds float64           `json:"trainingSeconds"`
}

// The two treatments of items a user has already interacted with.
const (
	SeenKept    = "kept"
	SeenLeftOut = "left out"
)

// ScoresPropensity is Scores of models of actions: each score is the
// probability that the action is taken, less one while there is too little
// evidence to tell it.
const ScoresPropensity = "propensity"

// Search is what hyper-parameter optimisation and AutoML tried.
type Search struct {
	Metric string  `json:"metric"` // that was compared, on the validation slice
	Trials []Trial `json:"trials"` // in the order in which they were made
}

// Trial is one training of a search.
type Trial struct {
	Recipe     string            `json:"recipe"`
	Parameters map[string]string `json:"parameters,omitempty"` // those that the search varies
	Value      float64           `json:"value"`                // of the metric
	Words      string            `json:"words,omitempty"`      // why it was not made, of one that was passed over
}

// Evaluation is an honest measurement of a recipe on a held-out slice of one snapshot.
type Evaluation struct {
	Protocol  string             `json:"protocol"`          // named split, e.g. tail-10-v1
	Holdout   string             `json:"holdout,omitempty"` // sha256 of who was asked and what they went on to: two models with the same were asked the same
	Users     int                `json:"users"`             // evaluated
	Metrics   map[string]float64 `json:"metrics"`           // keys as in GetSolutionMetrics
	NDCG25    Interval           `json:"ndcg25"`            // bootstrap interval of normalized_discounted_cumulative_gain_at_25
	Baselines []Baseline         `json:"baselines"`
	Slices    map[string]Slice   `json:"slices,omitempty"`   // parts of the same answers, by the names below; those that nobody is in are absent
	Findings  []Finding          `json:"findings,omitempty"` // about the data and the split: why the numbers may tell less than they seem to
}

// Finding is something in the data that makes what was learned, or measured, worth
// less than it looks; see dataset.Inspect.
type Finding struct {
	Kind  string `json:"kind"`  // e.g. duplicate-rows
	Count int64  `json:"count"` // it is true of so many
	Of    int64  `json:"of"`    // of so many
	Words string `json:"words"`
}

// The slices of an evaluation: answers about which behaviour says little.
const (
	SliceColdItems = "cold-items" // users who went on to items with fewer than 5 interactions in the training part; only those count as right
	SliceNewUsers  = "new-users"  // users of whom fewer than 5 interactions are known
	SliceStrangers = "strangers"  // all users, asked about without their history, where attributes of users are known
)

// Slice is a part of an evaluation.
type Slice struct {
	Users     int                 `json:"users"`
	Metrics   map[string]float64  `json:"metrics"` // keys as in GetSolutionMetrics, without coverage
	NDCG25    Interval            `json:"ndcg25"`
	Baselines map[string]Interval `json:"baselines,omitempty"` // NDCG@25 of each baseline, by its name
}

// Baseline is a simple method measured on the same users.
type Baseline struct {
	Name       string             `json:"name"`
	Parameters map[string]string  `json:"parameters,omitempty"`
	Metrics    map[string]float64 `json:"metrics"`
	NDCG25     Interval           `json:"ndcg25"`
	Difference Interval           `json:"difference"` // paired per user: model minus baseline, NDCG@25
}

// Interval is a mean with its 95 % bootstrap interval.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Against is a model measured beside one that was live when it was trained, on
// interactions that neither had seen.
type Against struct {
	Version string              `json:"version"`           // ARN of the live solution version
	Users   int                 `json:"users"`             // with such interactions, asked of both
	Words   string              `json:"words,omitempty"`   // why there are no metrics
	Metrics map[string]Compared `json:"metrics,omitempty"` // those that are means over users
}

// Compared is one metric of two models on the same users.
type Compared struct {
	New        float64  `json:"new"`
	Live       float64  `json:"live"`
	Difference Interval `json:"difference"` // paired per user: new minus live
	P          float64  `json:"p"`          // two-sided, of a sign-flip test: how likely so large a difference is where there is none
}
