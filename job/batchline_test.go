package job

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attune-io/attune"
)

// A line's context goes with its request, and is refused where a live one would be.
func TestLineContext(t *testing.T) {
	a := &itemAnswers{}
	many := make([]string, 151)
	for i := range many {
		many[i] = fmt.Sprintf(`"K%d":"v"`, i)
	}
	for context, problem := range map[string]string{
		`{"DEVICE_TYPE":"phone"}`:           "",
		`null`:                              "",
		`{"DEVICE_TYPE":7}`:                 "context are objects of strings",
		`"phone"`:                           "context are objects of strings",
		`{` + strings.Join(many, ",") + `}`: "context has 151 entries: at most 150",
		`{"A":"` + strings.Repeat("x", 1001) + `"}`:     "too long",
		`{"` + strings.Repeat("K", 151) + `":"tv"}`:     "too long",
		`{"` + strings.Repeat("K", 150) + `":"éé tv"}`:  "",
		`{` + strings.Join(many[:150], ",") + `}`:       "",
		`{"A":"` + strings.Repeat("é", 1000) + `"}`:     "",
		`{"userId":"u","context":{"DEVICE":{"a":"b"}}}`: "context are objects of strings",
	} {
		q, err := a.request(parseLine([]byte(`{"userId":"u","context":`+context+`}`), false))
		if problem == "" {
			if err != nil || strings.Contains(context, "phone") && q.Context["DEVICE_TYPE"] != "phone" {
				t.Errorf("%.40s: %v, %v", context, q.Context, err)
			}
			continue
		}
		if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), problem) {
			t.Errorf("%.40s: %v, want %q", context, err, problem)
		}
	}
}
