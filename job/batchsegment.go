package job

const (
	// attributeAffinity is the recipe whose lines ask with attributes of items.
	attributeAffinity = "aws-item-attribute-affinity"
	// segmentsAtOnce is how many segments are filled in one pass over the users.
	segmentsAtOnce = 8
)
