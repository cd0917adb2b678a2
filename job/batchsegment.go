package job

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/serve"
)

const (
	// attributeAffinity is the recipe whose lines ask with attributes of items.
	attributeAffinity = "aws-item-attribute-affinity"
	// segmentsAtOnce is how many segments are made in one shard, and so, while
	// their scores fit, in one pass over the users.
	segmentsAtOnce = linesAtOnce
)

// userAnswers answers lines of batch segment jobs.
type userAnswers struct {
	offline    *serve.Offline
	attributes bool // lines ask with itemAttributes
	n          int
	filter     *filter.Expr
}

func (a *userAnswers) answer(ctx context.Context, lines []batchLine, dst []byte) ([]byte, error) {
	requests, places, problems := make([]serve.SegmentRequest, 0, len(lines)), make([]int, len(lines)), make([]error, len(lines))
	for i := range lines {
		q, err := a.request(&lines[i])
		if err != nil {
			problems[i] = err
			continue
		}
		places[i] = len(requests)
		requests = append(requests, q)
	}
	var results []serve.SegmentResult
	if len(requests) > 0 {
		var err error
		if results, err = a.offline.Segments(ctx, requests); err != nil {
			return dst, err
		}
	}
	for i := range lines {
		if problems[i] == nil {
			problems[i] = results[places[i]].Err
		}
		if problems[i] != nil {
			dst = appendError(dst, &lines[i], problems[i].Error())
			continue
		}
		dst = append(append(dst, `{"input":`...), lines[i].input...)
		dst = append(dst, `,"output":{"recommendedUsers":[`...)
		for j, user := range results[places[i]].Users {
			dst = appendText(comma(dst, j), user)
		}
		dst = append(dst, "]},\"error\":null}\n"...)
	}
	return dst, nil
}

func (a *userAnswers) request(l *batchLine) (q serve.SegmentRequest, err error) {
	if l.problem != "" {
		return q, attune.Errorf(attune.Invalid, "%s", l.problem)
	}
	if a.filter == nil && len(l.asked.Values) > 0 {
		return q, attune.Errorf(attune.Invalid, "the line has filterValues, and the job no filterArn")
	}
	q = serve.SegmentRequest{N: a.n, Filter: a.filter, FilterValues: l.asked.Values}
	if !a.attributes {
		q.Item, err = id("itemId", l.asked.Item)
		return q, err
	}
	if l.asked.Attributes == nil || *l.asked.Attributes == "" {
		return q, attune.Errorf(attune.Invalid, "the line has no itemAttributes")
	}
	q.Attributes, err = parseAttributes(*l.asked.Attributes)
	return q, err
}

// parseAttributes reads a query of items: Items.FIELD = "value", joined by AND.
// It is what may stand behind WHERE in a filter, and less.
func parseAttributes(query string) (*filter.Expr, error) {
	e, err := filter.Parse("INCLUDE ItemID WHERE " + query)
	if err != nil {
		return nil, attune.Errorf(attune.Invalid, "itemAttributes cannot be read: %w", err)
	}
	plain := len(e.Clauses) == 1 && len(e.Clauses[0].If) == 0
	for i := 0; plain && i < len(e.Clauses[0].Where); i++ {
		c := &e.Clauses[0].Where[i]
		plain = c.Dataset == schema.Items && c.Op == filter.Equal && !c.List && len(c.Values) == 1 &&
			(c.Values[0].Kind == filter.Literal || c.Values[0].Kind == filter.Number) &&
			(i == 0 || !e.Clauses[0].Or[i-1])
	}
	if !plain {
		return nil, attune.Errorf(attune.Invalid, `itemAttributes is %q: write Items.FIELD = "value", and join several by AND`, query)
	}
	return e, nil
}
