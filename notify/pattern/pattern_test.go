package pattern_test

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/notify/pattern"
)

const campaign = `{"source":"solutions.aws.personalize","detail-type":"Personalize Campaign State Change",
	"resources":["arn:aws:personalize:us-east-1:000000000000:campaign/films"],
	"detail":{"Status":"ACTIVE","Duration":61,"Empty":"","Nothing":null,"Good":true,"Address":"10.1.2.3","List":["a","b",[7]],"None":[],
		"Steps":[{"name":"load","rows":5},{"name":"join","rows":0}],"Deep":{"er":{"x":1e2}}}}`

func TestMatch(t *testing.T) {
	for text, want := range map[string]bool{
		`{"source":["solutions.aws.personalize"]}`:                                  true,
		`{"source":["aws.s3","solutions.aws.personalize"]}`:                         true,
		`{"source":["solutions.aws"]}`:                                              false,
		`{"source":["SOLUTIONS.aws.personalize"]}`:                                  false,
		`{"source":[{"prefix":"solutions."}],"detail":{"Status":["ACTIVE"]}}`:       true,
		`{"source":[{"prefix":"solutions."}],"detail":{"Status":["FAILED"]}}`:       false,
		`{"resources":[{"suffix":"campaign/films"}]}`:                               true,
		`{"resources":[{"suffix":"campaign/"}]}`:                                    false,
		`{"source":[{"equals-ignore-case":"Solutions.AWS.Personalize"}]}`:           true,
		`{"source":[{"prefix":{"equals-ignore-case":"SOLU"}}]}`:                     true,
		`{"source":[{"suffix":{"equals-ignore-case":"ALIZE"}}]}`:                    true,
		`{"resources":[{"wildcard":"arn:*:campaign/*"}]}`:                           true,
		`{"resources":[{"wildcard":"arn:*:campaign"}]}`:                             false,
		`{"detail":{"Status":[{"wildcard":"ACT*TIVE"}]}}`:                           false,
		`{"detail":{"Status":[{"wildcard":"A*"}]}}`:                                 true,
		`{"detail":{"Status":[{"wildcard":"*"}]}}`:                                  true,
		`{"detail":{"Empty":[{"wildcard":"*"}]}}`:                                   true,
		`{"detail":{"Status":[{"wildcard":"A\\*"}]}}`:                               false,
		`{"detail":{"Duration":[61]}}`:                                              true,
		`{"detail":{"Duration":[6.1e1]}}`:                                           true,
		`{"detail":{"Duration":["61"]}}`:                                            false,
		`{"detail":{"Duration":[{"numeric":[">",60,"<=",61]}]}}`:                    true,
		`{"detail":{"Duration":[{"numeric":[">=",62]}]}}`:                           false,
		`{"detail":{"Duration":[{"numeric":["=",61]}]}}`:                            true,
		`{"detail":{"Status":[{"numeric":[">",0]}]}}`:                               false,
		`{"detail":{"Deep":{"er":{"x":[{"numeric":["=",100]}]}}}}`:                  true,
		`{"detail":{"Empty":[""]}}`:                                                 true,
		`{"detail":{"Nothing":[null]}}`:                                             true,
		`{"detail":{"Nowhere":[null]}}`:                                             false,
		`{"detail":{"Good":[true]}}`:                                                true,
		`{"detail":{"Good":[false]}}`:                                               false,
		`{"detail":{"Status":[{"exists":true}]}}`:                                   true,
		`{"detail":{"Nothing":[{"exists":true}]}}`:                                  true,
		`{"detail":{"Reason":[{"exists":false}]}}`:                                  true,
		`{"detail":{"Reason":[{"exists":true}]}}`:                                   false,
		`{"detail":{"Deep":[{"exists":true}]}}`:                                     false, // no leaf
		`{"detail":{"None":[{"exists":true}]}}`:                                     false, // EventBridge sees no leaf in an empty list
		`{"detail":{"None":[{"exists":false}]}}`:                                    true,
		`{"other":{"x":[{"exists":false}]}}`:                                        true,
		`{"other":{"x":["y"]}}`:                                                     false,
		`{"detail":{"Status":[{"anything-but":"FAILED"}]}}`:                         true,
		`{"detail":{"Status":[{"anything-but":["FAILED","ACTIVE"]}]}}`:              false,
		`{"detail":{"Duration":[{"anything-but":[1,2]}]}}`:                          true,
		`{"detail":{"Reason":[{"anything-but":"x"}]}}`:                              false, // it must be there
		`{"detail":{"Status":[{"anything-but":{"prefix":"ACT"}}]}}`:                 false,
		`{"detail":{"Status":[{"anything-but":{"prefix":["X","Y"]}}]}}`:             true,
		`{"detail":{"Status":[{"anything-but":{"suffix":["X","IVE"]}}]}}`:           false,
		`{"detail":{"Status":[{"anything-but":{"equals-ignore-case":"active"}}]}}`:  false,
		`{"detail":{"Status":[{"anything-but":{"wildcard":"*I*"}}]}}`:               false,
		`{"detail":{"List":["b"]}}`:                                                 true,
		`{"detail":{"List":[7]}}`:                                                   true,
		`{"detail":{"List":["c"]}}`:                                                 false,
		`{"detail":{"Address":[{"cidr":"10.0.0.0/8"}]}}`:                            true,
		`{"detail":{"Address":[{"cidr":"192.168.0.0/16"}]}}`:                        false,
		`{"detail":{"Status":[{"cidr":"10.0.0.0/8"}]}}`:                             false,
		`{"detail":{"Steps":{"name":["load"],"rows":[5]}}}`:                         true,
		`{"detail":{"Steps":{"name":["load"],"rows":[0]}}}`:                         false, // not of two elements
		`{"$or":[{"source":["x"]},{"detail":{"Status":["ACTIVE"]}}]}`:               true,
		`{"$or":[{"source":["x"]},{"detail":{"Status":["x"]}}]}`:                    false,
		`{"source":["x"],"$or":[{"source":[{"prefix":"s"}]},{"a":["x"]}]}`:          false,
		`{"detail":{"$or":[{"Status":["x"]},{"Duration":[{"numeric":["<",99]}]}]}}`: true,
	} {
		p, err := pattern.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := p.Match([]byte(campaign)); got != want || err != nil {
			t.Errorf("%s: matches %t, %v", text, got, err)
		}
	}
}

// TestParseErrors: an error says where, and what to write instead.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                            "not JSON",
		`{"a":["b"]`:                                  "not JSON",
		`{"a":["b"]} x`:                               "not JSON",
		`{"a":["b"],"a":["c"]}`:                       `names "a" twice`,
		`["a"]`:                                       "the pattern is a list: give an object",
		`{}`:                                          "pattern: the pattern is empty",
		`{"detail":{}}`:                               "pattern: detail is empty",
		`{"detail":{"Status":"ACTIVE"}}`:              `pattern: detail.Status is a text: give a list of alternatives, like ["ACTIVE"]`,
		`{"a":[]}`:                                    "pattern: a is an empty list",
		`{"a":[["b"]]}`:                               "pattern: a[0] is a list in a list",
		`{"a":["b",{"prefx":"c"}]}`:                   "pattern: a[1].prefx is not known",
		`{"a":[{"prefix":1}]}`:                        "pattern: a[0].prefix is the number 1: give a text",
		`{"a":[{"prefix":{"x":1}}]}`:                  "pattern: a[0].prefix takes a text",
		`{"a":[{"prefix":"a","suffix":"b"}]}`:         "pattern: a[0] has 2 members",
		`{"a":[{"exists":1}]}`:                        "pattern: a[0].exists is the number 1: give true or false",
		`{"a":[{"numeric":[">"]}]}`:                   "pattern: a[0].numeric takes one comparison or two",
		`{"a":[{"numeric":["!",1]}]}`:                 "pattern: a[0].numeric[0] is no comparison",
		`{"a":[{"numeric":[">",1,"<","x"]}]}`:         "pattern: a[0].numeric[3] is a text",
		`{"a":[1e999]}`:                               "pattern: a[0] is 1e999, which is out of range",
		`{"a":[{"cidr":"10"}]}`:                       `pattern: a[0].cidr is "10"`,
		`{"a":[{"wildcard":"a**b"}]}`:                 "pattern: a[0].wildcard has two stars",
		`{"a":[{"wildcard":"a\\b"}]}`:                 "pattern: a[0].wildcard has a backslash",
		`{"a":[{"anything-but":null}]}`:               "pattern: a[0].anything-but is null",
		`{"a":[{"anything-but":[]}]}`:                 "pattern: a[0].anything-but is an empty list",
		`{"a":[{"anything-but":{"exists":true}}]}`:    "pattern: a[0].anything-but.exists is not known",
		`{"a":[{"anything-but":{"prefix":[]}}]}`:      "pattern: a[0].anything-but.prefix is an empty list",
		`{"a":[{"anything-but":["x",true]}]}`:         "pattern: a[0].anything-but[1] is true",
		`{"$or":[{"a":["b"]}]}`:                       "pattern: $or has 1 patterns",
		`{"x":{"$or":[{"a":["b"]},{"c":[{"q":1}]}]}}`: "pattern: x.$or[1].c[0].q is not known",
		`{"$or":["a","b"]}`:                           "pattern: $or[0] is a text",
		strings.Repeat(`{"a":`, 40) + `["x"]` + strings.Repeat(`}`, 40): "deeper than",
		strings.Repeat("[", 200):                                  "nested too deep",
		`{"a":["` + strings.Repeat("x", pattern.MaxBytes) + `"]}`: "bytes: give at most",
	} {
		_, err := pattern.Parse([]byte(text))
		if err == nil || attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
	p, err := pattern.Parse([]byte(`{"a":["b"]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{``, `[]`, `null`, `{`, `7`} {
		if _, err := p.Match([]byte(event)); attune.KindOf(err) != attune.Invalid || err == nil {
			t.Errorf("the event %q: %v", event, err)
		}
	}
}

// FuzzPattern: nothing that is sent panics.
func FuzzPattern(f *testing.F) {
	f.Add(`{"a":[{"anything-but":{"prefix":["x"]}}],"$or":[{"b":[1]},{"c":{"d":[null]}}]}`, campaign)
	f.Add(`{"a":[{"wildcard":"*a\\*"},{"numeric":[">",1,"<",2]},{"cidr":"::/0"}]}`, `{"a":[[],{},null,1]}`)
	f.Fuzz(func(_ *testing.T, text, event string) {
		p, err := pattern.Parse([]byte(text))
		if err == nil {
			_, _ = p.Match([]byte(event))
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	p, err := pattern.Parse([]byte(`{"source":[{"prefix":"solutions."}],"detail":{"Status":["ACTIVE"],"Duration":[{"numeric":[">",1]}]}}`))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if ok, err := p.Match([]byte(campaign)); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
