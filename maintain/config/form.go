package config

import (
	"slices"
	"strings"

	"github.com/attune-io/attune/wire"
)

// form says what may stand at a place of the file. The checks and the JSON
// Schema of editors are both made of it, so that they cannot disagree.
type form struct {
	sort     sort        // of the value; nothing: any
	shape    *wire.Shape // the published constraints of a text, number, list or mapping; nil: none
	fields   []field     // of an object with known members
	element  *form       // of a list, or of the values of an object with free names
	enum     []string    // what a text may be, when that is less than its shape says
	special  special     // how a value with a language of its own is read further
	short    *form       // another way to write it: promote: always
	examples []string    // of a text, for completion
	doc      string      // one sentence for who edits the file
}

// special are the values that a shape cannot describe.
type special uint8

const (
	plain    special = iota
	schedule         // cron(…), rate(…) or delete
	age              // 365 days
	avro             // the schema of a dataset, as an object
)

// field is a member of an object.
type field struct {
	name     string
	form     *form
	required bool
	instead  string // what to write when a required one is missing, or one that must not be given is
	supplied bool   // must not be given: it follows from elsewhere, as instead says
	hidden   bool   // taken with a warning, but offered to nobody
}

// find is the field of a name.
func (f *form) find(name string) *field {
	if i := slices.IndexFunc(f.fields, func(m field) bool { return m.name == name }); i >= 0 {
		return &f.fields[i]
	}
	return nil
}

// allowed names the members that may be given, for a message.
func (f *form) allowed() string {
	var names []string
	for _, m := range f.fields {
		if !m.supplied && !m.hidden {
			names = append(names, m.name)
		}
	}
	return strings.Join(names, ", ")
}

// set changes a field, or adds it.
func (f *form) set(name string, change func(m *field)) *form {
	m := f.find(name)
	if m == nil {
		f.fields = append(f.fields, field{name: name})
		m = &f.fields[len(f.fields)-1]
	}
	change(m)
	return f
}

// call is the form of a serviceConfig: the input of a call of the service, but
// for what follows from elsewhere.
func call(operation string) *form {
	op, ok := wire.Lookup(wire.Personalize, operation)
	if !ok {
		return &form{sort: object} // no call is misspelled here: a test looks at all
	}
	f := ofShape(op.Input)
	f.doc = "What " + operation + " is called with."
	for i := range f.fields {
		m := &f.fields[i]
		if why := suppliedBy(operation, m.name); why != "" {
			*m = field{name: m.name, form: m.form, supplied: true, instead: why}
		}
		if m.required {
			m.instead = "give " + operation + " its " + m.name
		}
	}
	return f
}

// suppliedBy says where a member comes from that the file must not give; "" for all others.
func suppliedBy(operation, member string) string {
	switch member {
	case "datasetGroupArn":
		return "remove it: everything in the file belongs to its datasetGroup"
	case "schemaArn":
		return "remove it: it is that of the schema beside the dataset"
	case "datasetType":
		return "remove it: the key above says it"
	case "datasetArn", "dataSource":
		return "remove it: files are found beside this one, by the names of the datasets"
	case "solutionVersionArn":
		return "remove it: it is the newest version of the solution"
	case "jobName":
		return "remove it: every job gets a name with its time"
	case "jobInput", "jobOutput":
		return "remove it: it is below batch/<dataset group>/<solution>/ of the bucket"
	case "roleArn":
		if operation == "CreateDatasetGroup" {
			return "remove it: the role is named beside the key, with --kms-role"
		}
		return "remove it: the role is that of whoever maintains, not of the file"
	case "kmsKeyArn":
		return "remove it: the key is named where the file is applied, with --kms-key, and cannot change later"
	}
	return ""
}

// ofShape is the form of a published shape.
func ofShape(s *wire.Shape) *form {
	f := &form{shape: s}
	switch s.Type {
	case wire.Structure:
		f.sort = object
		for _, m := range s.Members {
			f.fields = append(f.fields, field{name: m.Name, form: ofShape(m.Shape), required: m.Required})
		}
	case wire.Map:
		f.sort, f.element = object, ofShape(s.Value)
	case wire.List:
		f.sort, f.element = list, ofShape(s.Element)
	case wire.String:
		f.sort = text
	case wire.Boolean:
		f.sort = boolean
	default:
		f.sort = number
	}
	return f
}

// objectOf is an object of our own words.
func objectOf(doc string, fields ...field) *form {
	return &form{sort: object, fields: fields, doc: doc}
}

// listOf is a list.
func listOf(doc string, element *form) *form {
	return &form{sort: list, element: element, doc: doc}
}
