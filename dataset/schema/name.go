package schema

import "strings"

// WireName is how a column is spelled in properties documents and in answers:
// NUMBER_OF_RATINGS is numberOfRatings.
func WireName(field string) string {
	var b strings.Builder
	up := false
	for _, r := range strings.ToLower(field) {
		switch {
		case r == '_':
			up = b.Len() > 0
		case up:
			b.WriteString(strings.ToUpper(string(r)))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// FieldName is the column that a camelCase key most likely stands for:
// numberOfRatings is NUMBER_OF_RATINGS. Underscores before digits are lost on
// the wire (GENRE_2 and GENRE2 are both genre2), so where a schema is at hand
// Lookup is the surer way. A key that is upper case already stays as it is.
func FieldName(wire string) string {
	if strings.ToUpper(wire) == wire {
		return wire
	}
	var b strings.Builder
	before := '_'
	for _, r := range wire {
		if r >= 'A' && r <= 'Z' && before != '_' && (before < 'A' || before > 'Z') {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToUpper(string(r)))
		before = r
	}
	return b.String()
}

// Lookup finds the column that a properties key means: by its exact name, by
// its wire name, else by its letters and digits without regard to case and _.
func (s *Schema) Lookup(key string) (Field, bool) {
	if f, ok := s.Field(key); ok {
		return f, true
	}
	for _, f := range s.Fields {
		if WireName(f.Name) == key {
			return f, true
		}
	}
	plain := bare(key)
	for _, f := range s.Fields {
		if bare(f.Name) == plain {
			return f, true
		}
	}
	return Field{}, false
}

func bare(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
