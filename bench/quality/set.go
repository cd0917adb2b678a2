package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
)

// kind is a format of files and how it is measured.
type kind string

const (
	// kindCF: lines "user item item …" in train.txt and test.txt, in no order. All
	// items but the user's of train are ranked: Recall@20, NDCG@20.
	kindCF kind = "cf"
	// kindLOO: lines "user item item …", oldest first; the last item is the test.
	// All items but the user's are ranked: HR@10, NDCG@10.
	kindLOO kind = "loo"
	// kindNCF: train.txt as in cf; lines "user positive negative×99" in test.txt.
	// The positive is ranked among these: HR@10, NDCG@10, ties against it.
	kindNCF kind = "ncf"
	// kindSession: one session a line in train_sessions.txt, oldest first, and lines
	// "prefix<TAB>target" in test_prefix_target.tsv. All items are ranked: P@20, MRR@20.
	kindSession kind = "session"
	// kindRatings: u.data of MovieLens 100K, through recipe.Fit and its protocols.
	kindRatings kind = "ratings"
	// kindBandit: two logs of the Open Bandit Dataset, one to estimate the other's rate from.
	kindBandit kind = "bandit"
	// kindScale: synthetic worlds of growing size.
	kindScale kind = "scale"
)

// set is one data set: where it lies and what it is. That is all that is said of
// it; how to learn from it the pipeline finds out.
type set struct {
	name        string
	kind        kind
	dir         string // below the folder of data
	train, test string
}

// sets are those that numbers are published for.
var sets = []set{
	{"gowalla", kindCF, "cf/gowalla", "train.txt", "test.txt"},
	{"ml1m-bars", kindCF, "cf/ml1m-bars", "train.txt", "test.txt"},
	{"ml1m-ncf", kindNCF, "cf/ml1m-ncf", "train.txt", "test.txt"},
	{"seq-ml1m", kindLOO, "seq/ml1m", "seq_all3706.txt", "seq_all3706.txt"},
	{"seq-beauty", kindLOO, "seq/beauty", "seq.txt", "seq.txt"},
	{"seq-lastfm", kindLOO, "seq/lastfm", "seq.txt", "seq.txt"},
	{"diginetica", kindSession, "session/diginetica", "train_sessions.txt", "test_prefix_target.tsv"},
	{"retailrocket", kindSession, "session/retailrocket", "train_sessions.txt", "test_prefix_target.tsv"},
	{"obd", kindBandit, "ope", "obd-men-bts/men.csv", "obd-men-random/men.csv"},
	{"ml-100k", kindRatings, "small/ml-100k", "u.data", "u.data"},
}

// chosenSets are the sets by their names, all of them for "all".
func chosenSets(names string) ([]set, error) {
	if names == "all" {
		return sets, nil
	}
	var out []set
	for _, name := range strings.Split(names, ",") {
		i := slices.IndexFunc(sets, func(s set) bool { return s.name == name })
		if i < 0 {
			var known []string
			for _, s := range sets {
				known = append(known, s.name)
			}
			return nil, attune.Errorf(attune.Invalid, "set %q is unknown: use some of %s, with commas between, or all; others are measured with --dir and --protocol", name, strings.Join(known, ", "))
		}
		out = append(out, sets[i])
	}
	return out, nil
}

// strangeSet is a set that was never seen, in a folder of its own.
func strangeSet(dir string, k kind) (set, error) {
	s := set{name: filepath.Base(filepath.Clean(dir)), kind: k}
	switch k {
	case kindCF, kindNCF:
		s.train, s.test = "train.txt", "test.txt"
	case kindSession:
		s.train, s.test = "train_sessions.txt", "test_prefix_target.tsv"
	case kindLOO:
		s.train = "seq.txt"
		if _, err := os.Stat(filepath.Join(dir, s.train)); err != nil {
			found, _ := filepath.Glob(filepath.Join(dir, "seq*.txt")) // the pattern is well formed
			if len(found) != 1 {
				return s, attune.Errorf(attune.Invalid, "%s has no seq.txt and %d files seq*.txt: one is needed", dir, len(found))
			}
			s.train = filepath.Base(found[0])
		}
		s.test = s.train
	default:
		return s, attune.Errorf(attune.Invalid, "protocol %q is unknown: use %s, %s, %s or %s", k, kindCF, kindLOO, kindNCF, kindSession)
	}
	return s, nil
}

// form is how a kind is measured.
type form struct {
	names    [2]string
	cut      int
	leaveOut bool // items of the history
}

func (k kind) form() form {
	switch k {
	case kindCF:
		return form{[2]string{"Recall@20", "NDCG@20"}, 20, true}
	case kindSession:
		return form{[2]string{"P@20", "MRR@20"}, 20, false}
	}
	return form{[2]string{"HR@10", "NDCG@10"}, 10, true}
}

// validation is the protocol by which the training data are split to choose on,
// and the cut of NDCG that is made large there.
func (k kind) validation(ordered bool, items int) (protocol string, cut int) {
	switch {
	case k == kindSession:
		return dataset.SessionPrefix, 20
	case k == kindCF || !ordered:
		protocol, cut = dataset.CFHoldout, 20
	default:
		protocol, cut = dataset.LeaveOneOut, 10
	}
	if k == kindNCF {
		// The tenth of 100 sampled items stands about at a tenth of the catalogue
		// (W. Krichene and S. Rendle, On Sampled Metrics for Item Recommendation, KDD 2020).
		cut = max(10, items/10)
	}
	return protocol, cut
}
