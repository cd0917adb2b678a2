package plan

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/attune-io/attune/maintain/config"
)

// Report is what would be done about a configuration, or what differs from it.
type Report struct {
	Group      string    `json:"datasetGroup"`
	Account    string    `json:"account"`
	Region     string    `json:"region"`
	Endpoint   string    `json:"endpoint,omitempty"` // "" for Amazon Personalize's own
	Steps      []Planned `json:"steps"`
	Undeclared []string  `json:"undeclared,omitempty"` // of drift: kind and name of what is in the group and not in the file
}

// Planned is one step of a Report.
type Planned struct {
	Result
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
}

// Changes is how many steps would change something, or cannot be taken; and of
// drift how many things are not as declared, or not declared.
func (r *Report) Changes() int {
	n := len(r.Undeclared)
	for _, s := range r.Steps {
		if changes(s.Action) || s.Action == Blocked {
			n++
		}
	}
	return n
}

// Plan decides about every step without acting. What depends on something that
// is still to be made shows as known after that. The steps come in the order of
// their needs, as Steps gives them.
func Plan(ctx context.Context, t *Target, group string, steps []Step) (*Report, error) {
	r := &Report{Group: group, Account: t.Account, Region: t.Region, Endpoint: t.Endpoint, Steps: []Planned{}}
	have := map[string]Result{}
	for _, s := range steps {
		d, err := t.Decide(ctx, s, have)
		if err != nil {
			return nil, err
		}
		told := d
		if s.Kind == Version && !d.Done {
			told.ARN = "" // it is not ACTIVE yet: nobody can say whether it will be, nor how good it is
		}
		have[s.Path] = told
		if s.Promote != nil && s.Promote.Policy != config.Always && s.Promote.Policy != "" && d.Action == Update && fromLater(d.Diffs) {
			d.Note = "goes live " + policyWords(s.Promote.Policy)
		}
		r.Steps = append(r.Steps, Planned{Result: d, Kind: s.Kind, Name: s.Name})
	}
	return r, nil
}

// fromLater says whether a campaign is to have a version that is not made yet.
func fromLater(diffs []Diff) bool {
	for _, d := range diffs {
		if d.Member == versionMember && strings.HasPrefix(d.Want, knownAfter) {
			return true
		}
	}
	return false
}

func policyWords(p config.Policy) string {
	if p == config.IfBetter {
		return "only if it is better than the live version"
	}
	return "unless it is worse than the live version"
}

// Drift gives what is there and not as a configuration declares it, what is
// declared and not there, and what is in the dataset group and not declared.
// Data, trainings and batch jobs are no declaration, and neither is which version
// of its solution a campaign serves.
func Drift(ctx context.Context, t *Target, c *config.Config) (*Report, error) {
	steps, err := Steps(c, Order{Purpose: ForApply})
	if err != nil {
		return nil, err
	}
	free := *t
	free.judge = everyVersion{}
	all, err := Plan(ctx, &free, c.Group.Name, steps)
	if err != nil {
		return nil, err
	}
	r := *all
	r.Steps = []Planned{}
	for _, s := range all.Steps {
		if _, named := nounOf(s.Kind); !named {
			continue
		}
		if s.Kind == Campaign && s.Action == Update {
			if s.Diffs = without(s.Diffs, versionMember); len(s.Diffs) == 0 {
				continue
			}
		}
		if changes(s.Action) || s.Action == Blocked {
			r.Steps = append(r.Steps, s)
		}
	}
	v, err := t.Look(ctx, c.Group.Name)
	if missing(err) {
		return &r, nil
	}
	if err != nil {
		return nil, err
	}
	r.Undeclared = v.undeclared(c)
	return &r, nil
}

// everyVersion is a Judge that lets every version go live.
type everyVersion struct{}

func (everyVersion) Judge(context.Context, Question) (Answer, error) { return Answer{OK: true}, nil }

// mark is how an action is shown.
type mark struct{ sign, colour, words string }

func markOf(a Action) mark {
	switch a {
	case Create:
		return mark{"+", "32", "to create"}
	case Update:
		return mark{"~", "33", "to update"}
	case Replace:
		return mark{"±", "35", "to replace"}
	case Delete:
		return mark{"-", "31", "to delete"}
	case Blocked:
		return mark{"!", "31", "that cannot be so"}
	case Wait:
		return mark{">", "36", "on their way"}
	case Refuse:
		return mark{"x", "36", "refused"}
	case Skip:
		return mark{" ", "90", "skipped"}
	}
	return mark{"=", "90", "as declared"}
}

// Write shows the report to people; colour is for terminals.
func (r *Report) Write(w io.Writer, colour bool) error {
	paint := func(code, text string) string {
		if !colour {
			return text
		}
		return "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	var b strings.Builder
	counts := map[Action]int{}
	for _, s := range r.Steps {
		counts[s.Action]++
		m, name := markOf(s.Action), s.Name
		fmt.Fprintf(&b, "%s  %s\n", paint(m.colour, m.sign+" "+string(s.Kind)+" "+name), paint("90", s.Path))
		if s.Note != "" {
			fmt.Fprintf(&b, "    %s\n", s.Note)
		}
		for _, d := range s.Diffs {
			fmt.Fprintf(&b, "    %s: %s → %s\n", d.Member, paint("31", orNone(d.Have)), paint("32", orNone(d.Want)))
		}
	}
	for _, u := range r.Undeclared {
		fmt.Fprintf(&b, "%s\n    is in the dataset group, and not in the file\n", paint("33", "? "+u))
	}
	var parts []string
	for _, a := range []Action{Create, Update, Replace, Delete, Blocked, Wait, Refuse, Keep, Skip} {
		if counts[a] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[a], markOf(a).words))
		}
	}
	if n := len(r.Undeclared); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not declared", n))
	}
	if len(parts) == 0 {
		parts = []string{"nothing differs"}
	}
	fmt.Fprintf(&b, "\nDataset group %s in account %s, region %s: %s.\n", r.Group, r.Account, r.Region, strings.Join(parts, ", "))
	_, err := io.WriteString(w, b.String())
	return err
}

func orNone(text string) string {
	if text == "" {
		return "(none)"
	}
	return text
}
