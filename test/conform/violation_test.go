package conform_test

import (
	"strings"
	"sync"
	"testing"
)

// callsAtOnce is how many requests are under way: enough to keep both sides busy.
const callsAtOnce = 4

// TestEveryConstraint breaks each published constraint of every operation by
// itself; each must be refused by name, and nothing may come of it.
func TestEveryConstraint(t *testing.T) {
	ops := operations(t)
	n := start(t)
	total := 0
	for _, op := range ops {
		all := op.violations()
		total += len(all)
		t.Run(op.Name, func(t *testing.T) {
			limit := make(chan struct{}, callsAtOnce)
			var wg sync.WaitGroup
			for _, v := range all {
				limit <- struct{}{}
				wg.Go(func() {
					defer func() { <-limit }()
					a, err := n.send(t.Context(), op, v.body)
					if err != nil {
						t.Errorf("%s: %v", v.what, err)
						return
					}
					checkRefusal(t, op, v, a)
				})
			}
			wg.Wait()
		})
	}
	t.Logf("%d operations, %d violations", len(ops), total)
}

func checkRefusal(t *testing.T, op *operation, v violation, a answer) {
	t.Helper()
	want := "InvalidInputException"
	switch {
	case v.typ:
		want = "SerializationException"
	case v.path == "nextToken" && op.declares("InvalidNextTokenException") && a.exception == "InvalidNextTokenException":
		return // as good
	}
	if a.status != 400 || a.exception != want || !strings.Contains(a.message, "'"+v.path+"'") {
		t.Errorf("%s: answered %d %s %q, want 400 %s about '%s'", v.what, a.status, a.exception, a.message, want, v.path)
	}
}
