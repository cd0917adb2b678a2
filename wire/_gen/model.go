package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
)

// service is one description, reduced to what wire needs.
type service struct {
	name, version string // as below botocore's data directory
	prefix        string // of files and of variables in the output
	constant      string // of the service's name in package wire
	description
	pages   map[string]page
	goNames map[string]string // structure → Go type
}

type description struct {
	Metadata struct {
		Protocol     string `json:"protocol"`
		TargetPrefix string `json:"targetPrefix"`
	} `json:"metadata"`
	Operations map[string]operation `json:"operations"`
	Shapes     map[string]shape     `json:"shapes"`
}

type operation struct {
	HTTP struct {
		Method string `json:"method"`
		Path   string `json:"requestUri"`
	} `json:"http"`
	Input      *ref  `json:"input"`
	Output     *ref  `json:"output"`
	Errors     []ref `json:"errors"`
	Idempotent bool  `json:"idempotent"`
}

type shape struct {
	Type      string   `json:"type"`
	Members   members  `json:"members"`
	Required  []string `json:"required"`
	Member    *ref     `json:"member"`
	Key       *ref     `json:"key"`
	Value     *ref     `json:"value"`
	Min       *float64 `json:"min"`
	Max       *float64 `json:"max"`
	Pattern   string   `json:"pattern"`
	Enum      []string `json:"enum"`
	Sensitive bool     `json:"sensitive"`
	Exception bool     `json:"exception"`
	Error     struct {
		Status int `json:"httpStatusCode"`
	} `json:"error"`
}

type ref struct {
	Shape     string `json:"shape"`
	JSONValue bool   `json:"jsonvalue"`
}

type page struct {
	InputToken  string `json:"input_token"`
	OutputToken string `json:"output_token"`
	Limit       string `json:"limit_key"`
	Result      string `json:"result_key"`
}

// members keeps the published order, which a Go map would lose.
type members []member

type member struct {
	name string
	ref
}

// UnmarshalJSON reads an object, in order.
func (m *members) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		next := member{name: name.(string)}
		if err := dec.Decode(&next.ref); err != nil {
			return err
		}
		*m = append(*m, next)
	}
	return nil
}

// load reads the three descriptions and gives every structure a Go name.
func load(files opener) ([]*service, error) {
	if err := readVersion(files); err != nil {
		return nil, err
	}
	services := []*service{
		{name: "personalize", version: "2018-05-22", prefix: "personalize", constant: "Personalize"},
		{name: "personalize-runtime", version: "2018-05-22", prefix: "runtime", constant: "PersonalizeRuntime"},
		{name: "personalize-events", version: "2018-03-22", prefix: "events", constant: "PersonalizeEvents"},
	}
	var inputs [][]byte
	for _, s := range services {
		text, err := readModel(files, s.name, s.version, "service-2.json")
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &s.description); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		pages, err := readModel(files, s.name, s.version, "paginators-1.json")
		if err != nil {
			return nil, err
		}
		var wrapped struct {
			Pagination map[string]page `json:"pagination"`
		}
		if err := json.Unmarshal(pages, &wrapped); err != nil {
			return nil, fmt.Errorf("%s paginators: %w", s.name, err)
		}
		s.pages = wrapped.Pagination
		inputs = append(inputs, text, pages)
	}
	nameStructures(services)
	return services, checkDigest(inputs)
}

// nameStructures names Go types. The services share one package, so when a
// later one publishes a structure under a taken name (events' MetricAttribution
// is not the control plane's), its own prefix goes in front.
func nameStructures(services []*service) {
	taken := map[string]bool{}
	for _, s := range services {
		s.goNames = map[string]string{}
		for _, name := range s.reachable() {
			if s.Shapes[name].Type != "structure" {
				continue
			}
			goName := export(name)
			if taken[goName] {
				goName = export(s.prefix) + goName
			}
			taken[goName] = true
			s.goNames[name] = goName
		}
	}
}

// reachable lists, sorted, the shapes that inputs and outputs are made of.
func (s *service) reachable() []string {
	seen := map[string]bool{}
	var walk func(name string)
	walk = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, r := range s.parts(name) {
			walk(r.Shape)
		}
	}
	for _, op := range s.Operations {
		for _, r := range []*ref{op.Input, op.Output} {
			if r != nil {
				walk(r.Shape)
			}
		}
	}
	return sortedKeys(seen)
}

// parts lists what a shape directly refers to.
func (s *service) parts(name string) []ref {
	sh := s.Shapes[name]
	var parts []ref
	for _, m := range sh.Members {
		parts = append(parts, m.ref)
	}
	for _, r := range []*ref{sh.Member, sh.Key, sh.Value} {
		if r != nil {
			parts = append(parts, *r)
		}
	}
	return parts
}

// requires says whether a structure's member must be present.
func (sh shape) requires(member string) bool { return slices.Contains(sh.Required, member) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
