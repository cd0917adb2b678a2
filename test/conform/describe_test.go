// Package conform_test holds the running binary against the published service
// descriptions, read from the installed boto3 package when the tests run: every
// operation in its smallest and its fullest form, every constraint violated by
// itself, every declared error, every paginator, and the shape of every answer.
//
// Start: describe_test.go, then request_test.go; life_test.go has the order in
// which things must be made.
package conform_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// service is one published description: service-2.json with its paginators.
type service struct {
	name       string // as signed and as its folder in botocore is called
	Operations map[string]*operation
	Shapes     map[string]*shape
	Metadata   struct{ Protocol, TargetPrefix, JSONVersion string }
	paginators map[string]paginator
}

type operation struct {
	Name   string
	HTTP   struct{ Method, RequestURI string }
	Input  *ref
	Output *ref
	Errors []ref
	of     *service
}

type ref struct {
	Shape     string
	JSONValue bool
}

type shape struct {
	Type       string
	Required   []string
	Members    map[string]ref
	Member     *ref
	Key, Value *ref
	Enum       []string
	Min, Max   *float64
	Pattern    string
	Exception  bool
}

type paginator struct {
	InputToken  string `json:"input_token"`
	OutputToken string `json:"output_token"`
	LimitKey    string `json:"limit_key"`
	ResultKey   string `json:"result_key"`
}

// published are the three services that sign as personalize.
var published = sync.OnceValues(func() ([]*service, error) {
	var all []*service
	for _, folder := range []string{"personalize/2018-05-22", "personalize-runtime/2018-05-22", "personalize-events/2018-03-22"} {
		s := &service{name: strings.Split(folder, "/")[0]}
		if err := readPublished(folder, "service-2.json", s); err != nil {
			return nil, err
		}
		var pages struct{ Pagination map[string]paginator }
		if err := readPublished(folder, "paginators-1.json", &pages); err != nil {
			return nil, err
		}
		s.paginators = pages.Pagination
		for _, op := range s.Operations {
			op.of = s
		}
		all = append(all, s)
	}
	return all, nil
})

// readPublished reads one file of botocore's data, compressed or not.
func readPublished(folder, file string, into any) error {
	var found []string
	for _, root := range []string{"../../.venv/lib/python3*/site-packages", "/usr/lib/python3/dist-packages", "/usr/local/lib/python3*/*-packages"} {
		for _, ending := range []string{"", ".gz"} {
			matches, err := filepath.Glob(filepath.Join(root, "botocore/data", folder, file+ending))
			if err != nil {
				return err
			}
			found = append(found, matches...)
		}
	}
	if len(found) == 0 {
		return os.ErrNotExist
	}
	f, err := os.Open(found[0])
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(found[0], ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	return json.NewDecoder(r).Decode(into)
}

// operations lists all that is published, in a fixed order. Without an
// installed boto3 the test is skipped, in CI it fails.
func operations(t *testing.T) []*operation {
	t.Helper()
	services, err := published()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no service descriptions: %v; run 'make clients'", err)
		}
		t.Skipf("no service descriptions: %v; run 'make clients'", err)
	}
	var all []*operation
	for _, s := range services {
		for _, op := range s.Operations {
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b *operation) int {
		return strings.Compare(a.of.name+"."+a.Name, b.of.name+"."+b.Name)
	})
	return all
}

// find gives one operation by its name.
func find(t *testing.T, name string) *operation {
	t.Helper()
	for _, op := range operations(t) {
		if op.Name == name {
			return op
		}
	}
	t.Fatalf("operation %s is not published", name)
	return nil
}

func (s *service) shape(r ref) *shape { return s.Shapes[r.Shape] }

// declares says whether an operation publishes an error.
func (op *operation) declares(exception string) bool {
	return slices.ContainsFunc(op.Errors, func(r ref) bool { return r.Shape == exception })
}

// required says whether a member must be there.
func (s *shape) required(member string) bool { return slices.Contains(s.Required, member) }

// names lists a structure's members in a fixed order.
func (s *shape) names() []string {
	var all []string
	for name := range s.Members {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
