package conform_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// life is a node in which everything is made in its turn, and what was made so far.
type life struct {
	*testing.T
	node    *node
	objects *s3.Client
	shop    *world.World
	known   map[string]any             // by member name, as answers gave it: datasetGroupArn, trackingId, …
	done    map[string]map[form]string // operation → form → members left out, with reasons
	last    map[string]map[string]any  // the last request of an operation
	names   int
}

// left stands in for a member that a request leaves out, with the reason.
type left string

// with are the members of a request that samples cannot know, by their path:
// "solutionConfig.eventsConfig". A left value takes the member out.
type with map[string]any

func newLife(t *testing.T) *life {
	n := start(t)
	shop, err := world.New(world.Spec{Users: 300, Items: 150, Events: 6000, Clusters: 6, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	return &life{T: t, node: n, shop: shop, known: map[string]any{}, done: map[string]map[form]string{}, last: map[string]map[string]any{},
		objects: s3.NewFromConfig(n.AWS(), func(o *s3.Options) { o.UsePathStyle = true })}
}

// do sends a request in one of its forms, which must succeed, and remembers
// what the answer names.
func (l *life) do(name string, f form, set with) map[string]any {
	l.Helper()
	op := find(l.T, name)
	body := op.request(f)
	if op.Input != nil {
		l.fill(op.of, *op.Input, body)
	}
	out := map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(set)) {
		if why, leave := set[path].(left); leave {
			out[path] = string(why)
			put(body, path, nil)
			continue
		}
		put(body, path, set[path])
	}
	a := l.node.call(l.T, op, body)
	if a.status != 200 {
		l.Fatalf("%s, %s form: %d %s: %s\n%v", name, f, a.status, a.exception, a.message, body)
	}
	for _, problem := range op.problems(a.body) {
		l.Errorf("%s, %s form: %s", name, f, problem)
	}
	if f == maximal && op.Input != nil {
		for _, member := range op.of.absent(*op.Input, body, "") {
			if out[member] == "" {
				l.Errorf("%s: the maximal request has no %s, and no reason was given", name, member)
			}
		}
	}
	l.learn(a.body)
	l.last[name] = body
	if l.done[name] == nil {
		l.done[name] = map[form]string{}
	}
	l.done[name][f] = fmt.Sprint(out)
	return a.body
}

// both sends the minimal and the maximal form of a request that can be repeated.
func (l *life) both(name string, set with) map[string]any {
	l.Helper()
	op, needed := find(l.T, name), with{}
	for path, v := range set {
		if first, _, _ := strings.Cut(path, "."); op.of.shape(*op.Input).required(first) {
			needed[path] = v
		}
	}
	l.do(name, minimal, needed)
	return l.do(name, maximal, set)
}

// fill puts in what is known: ARNs by the names of their members, and fresh names.
func (l *life) fill(s *service, r ref, body map[string]any) {
	for name, member := range s.shape(r).Members {
		v, there := body[name]
		if !there {
			continue
		}
		if below, ok := v.(map[string]any); ok && s.shape(member).Type == "structure" {
			l.fill(s, member, below)
			continue
		}
		known := l.known[name]
		switch {
		case known != nil && (member.Shape == "Arn" || name == "trackingId"):
			body[name] = known
		case member.Shape == "Name":
			l.names++
			body[name] = fmt.Sprintf("conform-%d", l.names)
		}
	}
}

// learn remembers every ARN and tracking id of an answer's first level.
func (l *life) learn(body map[string]any) {
	for name, v := range body {
		if text, ok := v.(string); ok && (strings.HasSuffix(name, "Arn") || name == "trackingId") {
			l.known[name] = text
		}
	}
}

// put sets a value below a dotted path; nil takes it out.
func put(body map[string]any, path string, v any) {
	first, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		if v == nil {
			delete(body, first)
		} else {
			body[first] = v
		}
		return
	}
	below, ok := body[first].(map[string]any)
	if !ok {
		if v == nil {
			return
		}
		below = map[string]any{}
		body[first] = below
	}
	put(below, rest, v)
}

// absent lists the members, through all structures, that a request does not have.
func (s *service) absent(r ref, body map[string]any, at string) []string {
	var all []string
	sh := s.shape(r)
	for _, name := range sh.names() {
		v, there := body[name]
		if !there {
			all = append(all, at+name)
			continue
		}
		if below, ok := v.(map[string]any); ok && s.shape(sh.Members[name]).Type == "structure" {
			all = append(all, s.absent(sh.Members[name], below, at+name+".")...)
		}
	}
	return all
}

// settleTimeout bounds every wait for a state.
const settleTimeout = 3 * time.Minute

// settle describes a resource until it, or the update of it at inner, is in a state.
func (l *life) settle(describe, want string, inner ...string) map[string]any {
	l.Helper()
	op := find(l.T, describe)
	body := op.request(minimal)
	l.fill(op.of, *op.Input, body)
	var now any
	var pause binary.Pause
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); pause.Sleep() {
		a := l.node.call(l.T, op, body)
		if want == "gone" && a.exception == "ResourceNotFoundException" {
			return nil
		}
		if a.status != 200 {
			l.Fatalf("%s: %d %s: %s", describe, a.status, a.exception, a.message)
		}
		var described map[string]any
		for _, v := range a.body {
			described = v.(map[string]any)
		}
		at := described
		for _, name := range inner {
			at, _ = at[name].(map[string]any)
		}
		if now = at["status"]; now == want {
			l.done[describe] = map[form]string{minimal: "map[]", maximal: "map[]"} // one member, which is required
			for _, problem := range op.problems(a.body) {
				l.Errorf("%s: %s", describe, problem)
			}
			return described
		}
		if text, _ := now.(string); strings.HasSuffix(text, "FAILED") {
			l.Fatalf("%s %v: %s: %v", describe, body, text, at["failureReason"])
		}
	}
	l.Fatalf("%s %v: still %v, want %s", describe, body, now, want)
	return nil
}

// upload puts an object and gives its location.
func (l *life) upload(key string, body []byte) string {
	l.Helper()
	bucket := "conform"
	if _, err := l.objects.CreateBucket(l.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil && !strings.Contains(err.Error(), "BucketAlready") {
		l.Fatal(err)
	}
	if _, err := l.objects.PutObject(l.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)}); err != nil {
		l.Fatal(err)
	}
	return "s3://" + bucket + "/" + key
}

func csv(write func(io.Writer) error) []byte {
	var b bytes.Buffer
	_ = write(&b) // a buffer takes all
	return b.Bytes()
}

// recipe is the ARN of a recipe.
func recipe(name string) string { return "arn:aws:personalize:::recipe/" + name }
