package schema

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
)

// reservedKeys may not be used in a properties document, in any case: each has
// its own member in the request. (Personalize API, Event.properties.)
var reservedKeys = [...]string{"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"}

// CheckProperties reads the `properties` document of PutEvents, PutItems or
// PutUsers against the schema. Keys come back as column names; values are
// string, int64, float64, bool or nil (an explicit null). "" is no properties.
//
// Numbers and strings are taken for one another only where nothing is lost:
// "12" is a number, 12 is a string, 12.5 is not an int. Every error is
// attune.Invalid and names the key: an unknown key, a reserved key, a key given
// twice, a value of the wrong type, or null for a column that cannot be null.
// Columns that the document does not mention are not looked at.
func (s *Schema) CheckProperties(props string) (map[string]any, error) {
	if strings.TrimSpace(props) == "" {
		return map[string]any{}, nil
	}
	if n := utf8.RuneCountInString(props); n > MaxProperties {
		return nil, attune.Errorf(attune.Invalid, "properties have %d characters: at most %d are allowed", n, MaxProperties)
	}
	d := json.NewDecoder(strings.NewReader(props))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, attune.Errorf(attune.Invalid, `properties are not a JSON object: write e.g. {"numberOfRatings": 12}`)
	}
	out := make(map[string]any)
	for d.More() {
		key, val, err := pair(d)
		if err != nil {
			return nil, err
		}
		if reserved(key) {
			return nil, attune.Errorf(attune.Invalid, "properties key %s is reserved: give it as a member of the request, not in properties", quote(key))
		}
		f, ok := s.Lookup(key)
		if !ok {
			return nil, attune.Errorf(attune.Invalid, "properties key %s is not in the schema %s: add the field to the schema or leave the key out", quote(key), s.Name)
		}
		if _, twice := out[f.Name]; twice {
			return nil, attune.Errorf(attune.Invalid, "properties key %s is given twice", quote(key))
		}
		if out[f.Name], err = f.coerce(key, val); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, notJSON(d)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, attune.Errorf(attune.Invalid, "properties have more text after their closing brace (character %d)", d.InputOffset())
	}
	return out, nil
}

func reserved(key string) bool {
	key = bare(key)
	for _, r := range reservedKeys {
		if key == r {
			return true
		}
	}
	return false
}

func notJSON(d *json.Decoder) error {
	return attune.Errorf(attune.Invalid, "properties are not valid JSON at character %d", d.InputOffset())
}

// pair reads one key and its value, which must be a scalar.
func pair(d *json.Decoder) (key string, val json.Token, err error) {
	t, err := d.Token()
	key, ok := t.(string)
	if err != nil || !ok {
		return "", nil, notJSON(d)
	}
	if val, err = d.Token(); err != nil {
		return "", nil, notJSON(d)
	}
	if _, nested := val.(json.Delim); nested {
		return "", nil, attune.Errorf(attune.Invalid,
			"properties key %s has an object or a list: give a string, a number or a boolean; join several categories with |", quote(key))
	}
	return key, val, nil
}

// coerce turns one JSON scalar into a value of the column.
func (f Field) coerce(key string, val json.Token) (any, error) {
	if val == nil {
		if !f.Nullable {
			return nil, attune.Errorf(attune.Invalid, "properties key %s is null but field %s has no null in its type", quote(key), f.Name)
		}
		return nil, nil
	}
	text, isText := scalar(val)
	switch f.Kind {
	case String:
		if problem := f.CheckText(text); problem != "" {
			return nil, attune.Errorf(attune.Invalid, "properties key %s %s", quote(key), problem)
		}
		return text, nil
	case Boolean:
		if b, ok := ParseBool(text); ok {
			return b, nil
		}
	case Int, Long:
		if n, ok := integer(text, f.Kind); ok {
			return n, nil
		}
	case Float, Double:
		if x, ok := ParseFloat(text, f.Kind); ok {
			return x, nil
		}
	}
	what := "the value " + quote(text)
	if isText {
		what = "the string " + quote(text)
	}
	return nil, attune.Errorf(attune.Invalid, "properties key %s has %s where field %s needs type %s", quote(key), what, f.Name, f.Kind)
}

func scalar(val json.Token) (text string, isText bool) {
	switch v := val.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), false
	case bool:
		return strconv.FormatBool(v), false
	}
	return "", false
}

// CheckText says what is wrong with a string value for the column, "" if
// nothing: the words go after the name of the column or key.
func (f Field) CheckText(s string) string {
	most, unit := MaxCategorical, "characters"
	switch {
	case f.Name == UserID || f.Name == ItemID || f.Name == ActionID:
		if s == "" {
			return "is empty"
		}
		if len(s) > MaxID && utf8.RuneCountInString(s) > MaxID {
			return "is longer than 256 characters"
		}
		return ""
	case f.Textual:
		most = MaxTextual
	}
	if len(s) > most && utf8.RuneCountInString(s) > most {
		return "is longer than " + strconv.Itoa(most) + " " + unit
	}
	return ""
}

// ParseBool reads true or false in any case.
func ParseBool(s string) (v, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// ParseFloat reads a finite decimal number that fits the kind. The result is
// the nearest float64 even for Float, whose range (not precision) is checked.
func ParseFloat(s string, k Kind) (float64, bool) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	if k == Float && math.Abs(x) > math.MaxFloat32 {
		return 0, false
	}
	return x, true
}

// integer reads 12, "12", 12.0 and 1.2e1 as twelve, and refuses 12.5.
func integer(s string, k Kind) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		const exact = 1 << 53 // above this a float64 no longer says which integer was meant
		x, ok := ParseFloat(s, Double)
		if !ok || x != math.Trunc(x) || math.Abs(x) > exact {
			return 0, false
		}
		n = int64(x)
	}
	if k == Int && (n < math.MinInt32 || n > math.MaxInt32) {
		return 0, false
	}
	return n, true
}
