package attune

import (
	"fmt"
	"strings"
)

// Service is the name that all three Personalize services sign and are named with.
const Service = "personalize"

// ARN is the full name of a resource, e.g.
// arn:aws:personalize:us-east-1:000000000000:solution/films/9f2c1a7b.
type ARN string

// Namer makes the ARNs of one account in one region.
type Namer struct {
	Region  string // e.g. us-east-1
	Account string // twelve digits
}

// Make joins a kind ("solution") and its path elements into an ARN.
func (n Namer) Make(kind string, elem ...string) ARN {
	return ARN(fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", Service, n.Region, n.Account, kind, strings.Join(elem, "/")))
}

// Public makes the ARN of a thing the service itself owns, such as a recipe:
// those carry neither region nor account.
func Public(kind, name string) ARN {
	return ARN(fmt.Sprintf("arn:aws:%s:::%s/%s", Service, kind, name))
}

// Split returns the resource kind ("solution") and the path after it
// ("films/9f2c1a7b"). ok is false when a is not an ARN of this service.
func (a ARN) Split() (kind, path string, ok bool) {
	parts := strings.SplitN(string(a), ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != Service {
		return "", "", false
	}
	kind, path, ok = strings.Cut(parts[5], "/")
	return kind, path, ok && kind != "" && path != ""
}

// Name is the last element of the path: a resource's own name, or a version's id.
func (a ARN) Name() string {
	return string(a[strings.LastIndexByte(string(a), '/')+1:])
}
