package awsjson

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
)

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzInput runs parse, check and fill over all 79 inputs. Whatever comes in,
// nothing panics and refusals are Invalid; what is accepted survives being
// written as JSON and read again.
func FuzzInput(f *testing.F) {
	all := wire.All()
	fills := make([]filler, len(all))
	for i, op := range all {
		fills[i] = newFiller(reflect.TypeOf(op.NewInput()).Elem())
		f.Add(uint8(i), []byte(encode(f, minimal(f, op.Input))))
	}
	read := func(i int, body []byte) (any, error) {
		tree, err := Parse(body)
		if err != nil {
			return nil, err
		}
		if err := Check(all[i].Input, tree); err != nil {
			return nil, err
		}
		in := all[i].NewInput()
		fills[i](reflect.ValueOf(in).Elem(), tree)
		return in, nil
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		i := int(n) % len(all)
		in, err := read(i, body)
		if err != nil {
			if attune.KindOf(err) != attune.Invalid || err.Error() == "" {
				t.Fatalf("refused with %v of kind %v", err, attune.KindOf(err))
			}
			return
		}
		once := encode(t, in)
		again, err := read(i, []byte(once))
		if err != nil {
			t.Fatalf("%s accepts %q but not its own writing %s: %v", all[i].Name, body, once, err)
		}
		if twice := encode(t, again); twice != once {
			t.Fatalf("%s reads %q, writes %s, then %s", all[i].Name, body, once, twice)
		}
	})
}
