package config

import (
	"strings"

	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/wire"
)

// file is the form of a whole configuration.
func file() *form {
	return objectOf("What is to be maintained: one dataset group and everything in it.",
		field{name: "tags", form: tags("Of everything that takes tags and names none of its own.")},
		field{name: "datasetGroup", form: groupForm(), required: true, instead: `write datasetGroup: {serviceConfig: {name: …}}`},
		field{name: "datasets", form: datasetsForm()},
		field{name: "eventTracker", form: resourceForm("What takes events of users as they happen.", call("CreateEventTracker"))},
		field{name: "filters", form: listOf("Named filters of recommendations.", resourceForm("A filter.", call("CreateFilter")))},
		field{name: "recommenders", form: listOf("Recommenders of a domain dataset group.", resourceForm("A recommender.", recommenderCall()))},
		field{name: "solutions", form: listOf("What is trained, deployed and asked in batches.", solutionForm())},
	)
}

// tags is a list of tags; the shape is that of every call.
func tags(doc string) *form {
	f := call("CreateDatasetGroup").find("tags").form
	f.doc = doc
	return f
}

// resourceForm is what most things are: what they are made with, and perhaps
// what is done with them by and by.
func resourceForm(doc string, serviceConfig *form, more ...field) *form {
	return objectOf(doc, append([]field{{
		name: "serviceConfig", form: serviceConfig, required: true, instead: `write serviceConfig: {name: …}`,
	}}, more...)...)
}

func workflow(fields ...field) field {
	return field{name: "workflowConfig", form: objectOf("What is done by and by.", fields...)}
}

func schedules(fields ...field) field {
	return field{name: "schedules", form: objectOf("When things are done again.", fields...)}
}

func scheduleField(name, doc string) field {
	return field{name: name, form: &form{sort: text, special: schedule, doc: doc + " cron(minute hour day-of-month month day-of-week year) in UTC, rate(value unit), or delete for none.",
		examples: []string{"cron(0 3 * * ? *)", "cron(30 0 ? * SUN *)", "rate(6 hours)", drop}}}
}

func ageField(doc string) field {
	return field{name: "maxAge", form: &form{sort: text, special: age, doc: doc + " In words.", examples: []string{"7 days", "90 minutes"}}}
}

func groupForm() *form {
	return resourceForm("The dataset group that holds everything else.", call("CreateDatasetGroup"), workflow(
		ageField("An import that is older is out of date once a newer file is there; 365 days unless given."),
		schedules(scheduleField("import", "When to look for newer files."))))
}

// datasetKinds are the keys of datasets, in the order in which they are made,
// with the type in the wire's words.
var datasetKinds = [...]struct{ key, wire string }{
	{"interactions", "Interactions"}, {"users", "Users"}, {"items", "Items"},
	{"actions", "Actions"}, {"actionInteractions", "Action_Interactions"},
}

func datasetsForm() *form {
	f := objectOf("The datasets of the group, each with its schema.",
		field{name: "serviceConfig", form: call("CreateDatasetImportJob")})
	f.find("serviceConfig").form.doc = "What every import job is made with."
	for _, k := range datasetKinds {
		data := strings.ToLower(k.wire)
		f.fields = append(f.fields, field{
			name: k.key, required: k.key == "interactions", instead: "a dataset group needs at least its interactions, with a schema",
			form: objectOf("The "+k.key+" dataset; its data is "+data+".csv or the files of "+data+"/ beside this file.",
				field{name: "dataset", form: resourceForm("The dataset.", call("CreateDataset")), required: true, instead: `write dataset: {serviceConfig: {name: …}}`},
				field{name: "schema", form: schemaForm(), required: true, instead: `write schema: {serviceConfig: {name: …, schema: {…}}}`}),
		})
	}
	return f
}

func schemaForm() *form {
	f := call("CreateSchema").set("schema", func(m *field) {
		m.form = &form{sort: object, special: avro, doc: "The columns, in Avro's words: an object, not a string."}
		m.instead = `write schema: {type: record, name: …, fields: […]}`
	})
	return resourceForm("The schema of the dataset.", f)
}

func solutionForm() *form {
	version := objectOf("What every version of the solution is trained with.")
	for _, m := range call("CreateSolutionVersion").fields {
		if m.name == "trainingMode" {
			m.form.enum = []string{"FULL", "UPDATE"} // AUTOTRAIN is only ever shown
			version.fields = append(version.fields, m)
		}
		if m.name == "tags" {
			version.fields = append(version.fields, m)
		}
	}
	service := call("CreateSolution").
		set("solutionVersion", func(m *field) { m.form = version }).
		set("recipeArn", func(m *field) {
			m.form.examples = recipes("")
			m.required, m.instead = true, "name a recipe, e.g. arn:aws:personalize:::recipe/aws-user-personalization-v2"
		}).
		set("performAutoML", func(m *field) { m.hidden = true })
	return resourceForm("A recipe with its settings, and what lives from its versions.", service,
		workflow(
			schedules(scheduleField("full", "When to train a new version from scratch."),
				scheduleField("update", "When to train the newest version on; of recipes that can.")),
			field{name: "promote", form: promoteForm()}),
		field{name: "campaigns", form: listOf("Where the solution is asked.", resourceForm("A campaign.", call("CreateCampaign")))},
		field{name: "batchInferenceJobs", form: listOf("Recommendations in files.", batchForm("CreateBatchInferenceJob"))},
		field{name: "batchSegmentJobs", form: listOf("Segments of users in files.", batchForm("CreateBatchSegmentJob"))},
	)
}

func recommenderCall() *form {
	return call("CreateRecommender").set("recipeArn", func(m *field) {
		m.form.examples = append(recipes("ECOMMERCE"), recipes("VIDEO_ON_DEMAND")...)
	})
}

// recipes are the ARNs of the recipes of a domain, "" for solutions.
func recipes(domain string) (arns []string) {
	for _, r := range spec.Built() {
		if r.Domain == domain {
			arns = append(arns, string(r.ARN()))
		}
	}
	return arns
}

func batchForm(operation string) *form {
	f := resourceForm("A job that is made again and again.", call(operation), workflow(
		scheduleField("schedule", "When to make the job again."),
		ageField("A job that is older is out of date.")))
	f.find("serviceConfig").required = false // it may be all defaults
	return f
}

// The bounds of promote.
var (
	thresholdShape = wire.Shape{Type: wire.Double, Min: wire.Bound{Set: true, N: 0}, Max: wire.Bound{Set: true, N: 1}}
	levelShape     = wire.Shape{Type: wire.Double, Min: wire.Bound{Set: true, N: 1e-6}, Max: wire.Bound{Set: true, N: 0.5}}
	metricShape    = wire.Shape{Type: wire.String, Min: wire.Bound{Set: true, N: 1}, Max: wire.Bound{Set: true, N: 128}}
)

func promoteForm() *form {
	policies := []string{string(Always), string(IfNotWorse), string(IfBetter)}
	f := objectOf("Which new versions the campaigns follow.",
		field{name: "policy", form: &form{sort: text, enum: policies, doc: "always unless given."}},
		field{name: "metric", form: &form{sort: text, shape: &metricShape, doc: "The metric of versions that decides; the first of the recipe's unless given."}},
		field{name: "threshold", form: &form{sort: number, shape: &thresholdShape, doc: "How much worse is not worse yet, or how much better is better, as a share of the live version's metric; 0 unless given."}},
		field{name: "level", form: &form{sort: number, shape: &levelShape, doc: "The level of significance; 0.05 unless given."}})
	f.short = &form{sort: text, enum: policies}
	return f
}
