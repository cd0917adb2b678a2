package config

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune/maintain/cron"
)

// The defaults of the file.
const (
	defaultGroupAge = 365 * 24 * time.Hour
	defaultTPS      = "1"
	defaultLevel    = 0.05
	defaultMode     = "FULL" // of imports and of trainings
)

// builder makes the Config of a tree, and tells of what only shows when parts of
// the file are seen together. It works on trees that broke their form, too, so
// that all problems are told at once; the Config is of no use then.
type builder struct {
	*checker
	root *node
}

func (b *builder) config() *Config {
	c := &Config{
		file: b.file,
		Group: Group{
			Resource: b.resource(b.root.get("datasetGroup"), "datasetGroup"),
			MaxAge:   defaultGroupAge,
			Import:   b.schedule(b.root, "datasetGroup.workflowConfig.schedules.import", "datasetGroup", "workflowConfig", "schedules", "import"),
		},
		Datasets: b.datasets(),
	}
	for _, tag := range b.root.list("tags") {
		c.Tags = append(c.Tags, Tag{tag.string("tagKey"), tag.string("tagValue")})
	}
	if age := b.age(b.root, "datasetGroup", "workflowConfig", "maxAge"); age >= 0 {
		c.Group.MaxAge = age
	}
	if n := b.root.get("eventTracker"); n != nil {
		tracker := b.resource(n, "eventTracker")
		c.Tracker = &tracker
	}
	c.Filters = b.resources(b.root, "filters", "")
	c.Recommenders = b.resources(b.root, "recommenders", "")
	for i, n := range b.root.list("solutions") {
		c.Solutions = append(c.Solutions, b.solution(n, at("solutions", i)))
	}
	b.names()
	return c
}

// resource is one thing with its call.
func (b *builder) resource(n *node, path string, more ...string) Resource {
	return Resource{Path: path, Name: n.string("serviceConfig", "name"), Call: b.call(n.get("serviceConfig"), true, more...)}
}

// resources are those of a list, below a prefix of the path.
func (b *builder) resources(n *node, key, prefix string, more ...string) []Resource {
	var all []Resource
	for i, item := range n.list(key) {
		all = append(all, b.resource(item, at(prefix+key, i), more...))
	}
	return all
}

// call writes what a create call is given: the members of a serviceConfig that
// are not empty, then more (names and JSON values in turns) where they are
// absent, then the tags of the root where it has none of its own.
func (b *builder) call(n *node, tagged bool, more ...string) json.RawMessage {
	var out strings.Builder
	out.WriteByte('{')
	write := func(name, value string) {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		quote(&out, name)
		out.WriteByte(':')
		out.WriteString(value)
	}
	if n != nil && n.sort == object {
		for _, m := range n.members {
			if sent(m) {
				var value strings.Builder
				m.node.json(&value, false)
				write(m.name, value.String())
			}
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		if given := n.get(more[i]); given == nil || given.empty() {
			write(more[i], more[i+1])
		}
	}
	if root := b.root.get("tags"); tagged && n.get("tags") == nil && root != nil && !root.empty() {
		var value strings.Builder
		root.json(&value, false)
		write("tags", value.String())
	}
	out.WriteByte('}')
	return json.RawMessage(out.String())
}

// sent says whether a member goes into the call as it is. Empty values do not,
// as in the original, but where absence means something else.
func sent(m member) bool {
	switch m.name {
	case "performAutoTraining":
		return m.node.sort != nothing // false is not the service's default
	case "performAutoML", "solutionVersion":
		return false
	}
	return !m.node.empty()
}

// schedule reads a schedule; the zero one when the file has none.
func (b *builder) schedule(n *node, path string, below ...string) Schedule {
	switch text := n.string(below...); text {
	case "":
		return Schedule{}
	case drop:
		return Schedule{Path: path, Drop: true}
	default:
		return Schedule{Path: path, Text: text, at: n.get(below...).place}
	}
}

// age reads an age; -1 when there is none, or none that can be read. None at all
// is the least there is: everything is older, while 0 means that nothing is.
func (b *builder) age(n *node, below ...string) time.Duration {
	if text := n.string(below...); text != "" {
		if age, err := cron.ParseAge(text); err == nil {
			return max(age, 1)
		}
	}
	return -1
}

func (b *builder) datasets() *Datasets {
	n := b.root.get("datasets")
	if n == nil {
		return nil
	}
	d := &Datasets{Import: b.call(n.get("serviceConfig"), true, "importMode", strconv.Quote(defaultMode))}
	for _, k := range datasetKinds {
		if one := n.get(k.key); one != nil {
			*d.slot(k.key) = b.dataset(one, k.wire, "datasets."+k.key)
		}
	}
	return d
}

// slot is where the dataset of a key stands.
func (d *Datasets) slot(key string) **Dataset {
	switch key {
	case "interactions":
		return &d.Interactions
	case "users":
		return &d.Users
	case "items":
		return &d.Items
	case "actions":
		return &d.Actions
	default:
		return &d.ActionInteractions
	}
}

func (b *builder) dataset(n *node, kind, path string) *Dataset {
	d := &Dataset{Resource: b.resource(n.get("dataset"), path)}
	service := n.get("schema", "serviceConfig")
	b.domain(n, kind, path)
	d.Schema = Resource{Path: path + ".schema", Name: service.string("name")}
	columns := service.get("schema")
	var text, call strings.Builder
	if columns != nil && columns.sort == object {
		columns.json(&text, true)
		b.columns(columns, text.String(), kind, service.string("domain"), path+".schema.serviceConfig.schema")
	}
	call.WriteString(`{"name":`)
	quote(&call, d.Schema.Name)
	if domain := service.string("domain"); domain != "" {
		call.WriteString(`,"domain":`)
		quote(&call, domain)
	}
	call.WriteString(`,"schema":`)
	quote(&call, text.String())
	call.WriteByte('}')
	d.Schema.Call = json.RawMessage(call.String())
	return d
}

func (b *builder) solution(n *node, path string) Solution {
	s := Solution{
		Full:    b.schedule(n, path+".workflowConfig.schedules.full", "workflowConfig", "schedules", "full"),
		Update:  b.schedule(n, path+".workflowConfig.schedules.update", "workflowConfig", "schedules", "update"),
		Promote: b.promote(n, path),
		Version: b.call(n.get("serviceConfig", "solutionVersion"), true, "trainingMode", strconv.Quote(defaultMode)),
	}
	b.automatic(n, path)
	s.Resource = b.resource(n, path)
	s.Campaigns = b.resources(n, "campaigns", path+".", "minProvisionedTPS", defaultTPS)
	s.Inference = b.batches(n, "batchInferenceJobs", path)
	s.Segments = b.batches(n, "batchSegmentJobs", path)
	b.trainings(n, path)
	b.jobNames(n, path)
	return s
}

func (b *builder) batches(n *node, key, path string) []Batch {
	var all []Batch
	for i, item := range n.list(key) {
		where := at(path+"."+key, i)
		one := Batch{
			Resource: b.resource(item, where),
			MaxAge:   max(0, b.age(item, "workflowConfig", "maxAge")),
			Schedule: b.schedule(item, where+".workflowConfig.schedule", "workflowConfig", "schedule"),
		}
		one.Name = ""
		all = append(all, one)
	}
	return all
}
