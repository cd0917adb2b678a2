package config

import "regexp"

// shortRecipe is the ARN of a recipe with a colon too few, as a guide of the
// original prints it.
var shortRecipe = regexp.MustCompile(`^(arn:[a-z\d-]+:personalize:):(recipe/.+)$`)

// repair takes two mistakes of the original's guide, which have been copied from
// there, for what is meant, with a warning.
func (c *checker) repair(root *node) {
	for _, what := range []string{"solutions", "recommenders"} {
		for i, item := range root.list(what) {
			arn := item.get("serviceConfig", "recipeArn")
			if arn == nil || arn.sort != text {
				continue
			}
			if m := shortRecipe.FindStringSubmatch(arn.text); m != nil {
				meant := m[1] + "::" + m[2]
				c.warn(arn.place, at(what, i)+".serviceConfig.recipeArn", "the ARN has a colon too few", "it is read as "+meant)
				arn.text = meant
			}
		}
	}
	c.adoptSchema(root.get("datasets"))
}

// adoptSchema gives a schema that stands beside the datasets to the one that has none.
func (c *checker) adoptSchema(datasets *node) {
	if datasets == nil || datasets.sort != object || datasets.get("schema") == nil {
		return
	}
	var without *node
	var key string
	for _, k := range datasetKinds {
		if d := datasets.get(k.key); d != nil && d.sort == object && d.get("schema") == nil {
			if without != nil {
				return // whose is it?
			}
			without, key = d, k.key
		}
	}
	if without == nil {
		return
	}
	for i, m := range datasets.members {
		if m.name == "schema" {
			c.warn(m.at, "datasets.schema", "a schema beside the datasets", "it is read as datasets."+key+".schema: move it there")
			without.members = append(without.members, m)
			datasets.members = append(datasets.members[:i:i], datasets.members[i+1:]...)
			return
		}
	}
}
