package dataset

import (
	"encoding/json"
	"fmt"

	"github.com/attune-io/attune/dataset/schema"
)

// The bounds of a table's files: see docs/format/table.md.
const (
	// rowsPerGroup bounds a row group, which is what a reader holds at once.
	rowsPerGroup = 128 << 10
	// bytesPerGroup bounds a row group of long texts the same way.
	bytesPerGroup = 32 << 20
	// rowsPerPart makes a file of about a hundred megabytes for a usual interactions table.
	rowsPerPart = 4 << 20
	// dictionaryBytes is where a column of many distinct strings stops looking them up.
	dictionaryBytes = 4 << 20
	// maxPart bounds the part files of one table, as their names do.
	maxPart = 100_000
	// schemaKey names the table's schema among a file's key-value metadata.
	schemaKey = "attune.schema"
)

// partName is the name of the n-th file of a table's folder.
func partName(table string, n int) string { return fmt.Sprintf("%s/part-%05d.parquet", table, n) }

// rejectsName is the file of rejected rows of a table's folder.
func rejectsName(table string) string { return table + "/rejects.csv" }

// tableColumn is a column as it is written in a file's metadata.
type tableColumn struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Nullable    bool   `json:"nullable,omitempty"`
	Categorical bool   `json:"categorical,omitempty"`
	Textual     bool   `json:"textual,omitempty"`
}

func encodeFields(fields []schema.Field) string {
	cols := make([]tableColumn, len(fields))
	for i, f := range fields {
		cols[i] = tableColumn{f.Name, f.Kind.String(), f.Nullable, f.Categorical, f.Textual}
	}
	text, err := json.Marshal(cols)
	if err != nil {
		panic(err) // strings and booleans always marshal
	}
	return string(text)
}

func decodeFields(text string) ([]schema.Field, error) {
	var cols []tableColumn
	if err := json.Unmarshal([]byte(text), &cols); err != nil {
		return nil, fmt.Errorf("schema of the table: %w", err)
	}
	fields := make([]schema.Field, len(cols))
	for i, c := range cols {
		k, ok := schema.ParseKind(c.Type)
		if !ok {
			return nil, fmt.Errorf("schema of the table: column %s has type %q", c.Name, c.Type)
		}
		fields[i] = schema.Field{Name: c.Name, Kind: k, Nullable: c.Nullable, Categorical: c.Categorical, Textual: c.Textual}
	}
	return fields, nil
}
