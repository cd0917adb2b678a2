package semantic

import (
	"context"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/recipe"
)

// Embedder makes vectors of texts, as language models do.
type Embedder interface {
	// Model names it, for the manifest.
	Model() string
	// Embed gives a vector for each text, in their order and all of one length.
	// progress may be nil. The error is ctx's, or says what went wrong where.
	Embed(ctx context.Context, texts []string, progress func(done, total int)) ([][]float32, error)
}

// textMost bounds the text of one item, in bytes: a token is at least a byte,
// and models that take long texts take about 8,000 tokens.
const textMost = 8000

// ask has the texts of items turned into vectors of length 1. An item of which
// nothing is said has zeros.
func (r Recipe) ask(ctx context.Context, in recipe.Input) (matrix.Dense, error) {
	columns := spoken(in.ItemAttributes)
	var texts []string
	var rows []int
	for i := range in.Items {
		if text := describe(columns, i); text != "" {
			texts, rows = append(texts, text), append(rows, i)
		}
	}
	none := matrix.Dense{Rows: len(in.Items)}
	if len(texts) == 0 {
		return none, ctx.Err()
	}
	vectors, err := r.embedder.Embed(ctx, texts, func(done, total int) { in.Report(stepsOfWhole*done/max(1, total), stepsOfWhole) })
	if err != nil {
		return none, err
	}
	if len(vectors) != len(texts) {
		return none, attune.Errorf(attune.Internal, "%d vectors of %d texts from %s", len(vectors), len(texts), r.embedder.Model())
	}
	out := matrix.NewDense(len(in.Items), len(vectors[0]))
	for i, v := range vectors {
		length := math.Sqrt(kernel.Norm2(v))
		if len(v) != out.Cols || math.IsNaN(length) || math.IsInf(length, 0) {
			return none, attune.Errorf(attune.Invalid, "embedding model %s gives a vector of %d numbers and length %g, after one of %d: say another model", r.embedder.Model(), len(v), length, out.Cols)
		}
		if length > 0 {
			row := out.Row(rows[i])
			for k, x := range v {
				row[k] = float32(float64(x) / length)
			}
		}
	}
	return out, ctx.Err()
}

// describe is what is said of an item, a line for each column; "" for nothing.
func describe(columns []*dataset.Column, row int) string {
	var b strings.Builder
	for _, c := range columns {
		value := strings.TrimSpace(strings.ToValidUTF8(c.Text[row], ""))
		if c.Categorical {
			value = strings.Join(schema.Values(value), ", ")
		}
		if value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.ToLower(strings.ReplaceAll(c.Name, "_", " ")) + ": " + value)
	}
	text := b.String()
	if len(text) > textMost {
		cut := textMost
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	return text
}
