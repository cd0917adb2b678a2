package job

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/serve"
)

// batchLine is one line of the input.
type batchLine struct {
	input   []byte // as JSON: what came, or the beginning of what is none
	problem string // what is wrong with it; "" for nothing
	asked   askedLine
}

// askedLine is what lines of all kinds of jobs ask with. What a context may be
// is as in live requests.
type askedLine struct {
	User       *string           `json:"userId"`
	Item       *string           `json:"itemId"`
	Items      []string          `json:"itemList"`
	Attributes *string           `json:"itemAttributes"`
	Values     map[string]string `json:"filterValues"`
	Context    map[string]string `json:"context"`
}

// parseLine reads a line; nil for an empty one. long says that only its
// beginning was kept.
func parseLine(line []byte, long bool) *batchLine {
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
	if len(line) == 0 {
		return nil
	}
	l := &batchLine{}
	var compact bytes.Buffer
	switch err := json.Unmarshal(line, &l.asked); {
	case long:
		l.problem = "the line is longer than " + strconv.Itoa(maxLine) + " bytes"
	case line[0] != '{' || json.Compact(&compact, line) != nil || !utf8.Valid(line):
		l.problem = "the line is not a JSON object"
	case err != nil:
		l.input, l.problem = compact.Bytes(), "the line cannot be read: "+describe(err)
		return l
	default:
		l.input = compact.Bytes()
		return l
	}
	l.input = appendText(nil, string(line[:min(len(line), maxEcho)]))
	return l
}

// describe says which member of a line has the wrong type, without Go's words.
func describe(err error) string {
	if e, ok := err.(*json.UnmarshalTypeError); ok && e.Field != "" { //nolint:errorlint // json returns it as it is
		return e.Field + " has the wrong type: ids are strings, itemList is a list of strings, filterValues and context are objects of strings"
	}
	return err.Error()
}

// id reads a member that must name something.
func id(member string, value *string) (string, error) {
	switch {
	case value == nil || *value == "":
		return "", attune.Errorf(attune.Invalid, "the line has no %s", member)
	case utf8.RuneCountInString(*value) > schema.MaxID:
		return "", attune.Errorf(attune.Invalid, "%s is longer than %d characters", member, schema.MaxID)
	}
	return *value, nil
}

// itemAnswers answers lines of batch inference jobs.
type itemAnswers struct {
	offline *serve.Offline
	job     attune.ARN
	kind    serve.Kind
	n       int
	filter  *filter.Expr
}

func (a *itemAnswers) answer(ctx context.Context, lines []batchLine, dst []byte) ([]byte, error) {
	results := make([]serve.Result, len(lines))
	ask := a.recommend
	if a.kind == serve.Ranking {
		ask = a.rank
	}
	if err := ask(ctx, lines, results); err != nil {
		return dst, err
	}
	for i := range lines {
		switch r := &results[i]; {
		case r.Err == nil:
			dst = a.append(dst, &lines[i], r.Answer.Items)
		case attune.KindOf(r.Err) == attune.Invalid:
			dst = appendError(dst, &lines[i], r.Err.Error())
		default:
			return dst, r.Err // ours, not the line's
		}
	}
	return dst, nil
}

// recommend asks for the items of users, or those like items.
func (a *itemAnswers) recommend(ctx context.Context, lines []batchLine, results []serve.Result) error {
	requests, places := make([]serve.Request, 0, len(lines)), make([]int, 0, len(lines))
	for i := range lines {
		q, err := a.request(&lines[i])
		if err != nil {
			results[i].Err = err
			continue
		}
		requests, places = append(requests, q), append(places, i)
	}
	got, err := a.offline.Recommend(ctx, requests)
	if err != nil {
		return err
	}
	for i, place := range places {
		results[place] = got[i]
	}
	return nil
}

// check refuses a line that cannot be asked.
func (a *itemAnswers) check(l *batchLine) error {
	if l.problem != "" {
		return attune.Errorf(attune.Invalid, "%s", l.problem)
	}
	if a.filter == nil && len(l.asked.Values) > 0 {
		return attune.Errorf(attune.Invalid, "the line has filterValues, and the job no filterArn")
	}
	return checkContext(l.asked.Context)
}

func (a *itemAnswers) request(l *batchLine) (q serve.Request, err error) {
	if err := a.check(l); err != nil {
		return q, err
	}
	q = serve.Request{Campaign: a.job, N: a.n, Filter: a.filter, FilterValues: l.asked.Values, Context: l.asked.Context}
	if a.kind == serve.Related {
		if q.Item, err = id("itemId", l.asked.Item); err == nil && l.asked.User != nil {
			q.User, err = id("userId", l.asked.User)
		}
		return q, err
	}
	q.User, err = id("userId", l.asked.User)
	return q, err
}

// checkContext refuses a context that a live request could not have.
func checkContext(context map[string]string) error {
	const most, name, value = 150, 150, 1000 // the published limits
	if len(context) > most {
		return attune.Errorf(attune.Invalid, "context has %d entries: at most %d are allowed", len(context), most)
	}
	for key, v := range context {
		if utf8.RuneCountInString(key) > name || utf8.RuneCountInString(v) > value {
			return attune.Errorf(attune.Invalid, "context has an entry that is too long: names have at most %d characters, values %d", name, value)
		}
	}
	return nil
}

// rank orders the list of each line.
func (a *itemAnswers) rank(ctx context.Context, lines []batchLine, results []serve.Result) error {
	for i := range lines {
		l := &lines[i]
		err, user := a.check(l), ""
		if err == nil {
			user, err = id("userId", l.asked.User)
		}
		if n := len(l.asked.Items); err == nil && (n == 0 || n > serve.MaxItems) {
			err = attune.Errorf(attune.Invalid, "itemList has %d items: it must have 1 to %d", n, serve.MaxItems)
		}
		if err == nil {
			results[i].Answer, err = a.offline.Rank(ctx, serve.RankRequest{Campaign: a.job, User: user, Items: l.asked.Items,
				Filter: a.filter, FilterValues: l.asked.Values, Context: l.asked.Context})
		}
		results[i].Err = err
	}
	return ctx.Err()
}

// append writes a line with its items, and their scores if the recipe has any.
// What has none among them, as an unknown item of a ranking, has null.
func (a *itemAnswers) append(dst []byte, l *batchLine, items []serve.Scored) []byte {
	dst = append(append(dst, `{"input":`...), l.input...)
	dst = append(dst, `,"output":{"recommendedItems":[`...)
	for i := range items {
		dst = appendText(comma(dst, i), items[i].ID)
	}
	dst = append(dst, ']')
	if a.offline.Scored() {
		dst = append(dst, `,"scores":[`...)
		for i := range items {
			if dst = comma(dst, i); items[i].Score == nil {
				dst = append(dst, "null"...)
			} else {
				dst = strconv.AppendFloat(dst, *items[i].Score, 'g', -1, 64)
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, "},\"error\":null}\n"...)
}

// appendError writes a line that has no answer.
func appendError(dst []byte, l *batchLine, why string) []byte {
	dst = append(append(dst, `{"input":`...), l.input...)
	dst = appendText(append(dst, `,"output":null,"error":`...), why)
	return append(dst, "}\n"...)
}

func comma(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return dst
}

// appendText writes a JSON string; ids are nearly always plain.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			text, err := json.Marshal(s) // which makes what is not UTF-8 fit
			if err != nil {
				text = []byte(`""`) // strings always marshal
			}
			return append(dst, text...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}
