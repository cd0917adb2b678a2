package event

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// everything is one record of each kind with every field set, and each empty.
func everything() []Body {
	at := time.UnixMilli(1_767_225_600_123).UTC()
	return []Body{
		&Interaction{EventID: "e", User: "u", Session: "s", Item: "i", Type: "Watch", At: at, Value: 4.5, Properties: `{"device":"tv"}`,
			RecommendationID: "r", Impression: []string{"a", "", "b"}, Source: "mail"},
		&Interaction{Value: math.NaN(), At: time.UnixMilli(0).UTC()},
		&Interaction{Value: math.Inf(-1), At: time.UnixMilli(-62135596800000).UTC()},
		&Item{ID: "i", Properties: `{"genres":"a|b"}`}, &Item{},
		&User{ID: "ü", Properties: "\xff"}, &User{},
		&Imported{Dataset: "ITEMS", Table: "table/1/2", Mode: Full, Rows: 1 << 40, Job: "j"}, &Imported{Rows: -1},
		&Impression{RecommendationID: "r", Campaign: "c", Version: "v", User: "u", Items: []string{"1", "2"}}, &Impression{},
		&Action{ID: "a", Properties: `{"value":3}`}, &Action{},
		&ActionInteraction{EventID: "e", User: "u", Session: "s", Action: "a", Type: "Not Taken", At: at, Properties: `{"n":1}`,
			RecommendationID: "r", Impression: []string{"a", "b"}}, &ActionInteraction{At: time.UnixMilli(0).UTC()},
		&Erased{Job: "j"}, &Erased{},
		&Impression{RecommendationID: "r", Items: []string{"1", "2"}, Filter: "f", Promotion: "p", Exploration: .3,
			Reasons: []Reason{Promoted, ByScore}, Propensities: []float32{.25, 1}},
		&Impression{Filter: "f"}, &Impression{Items: []string{"1"}, Propensities: []float32{.5}}, &Impression{Items: []string{"1"}, Reasons: []Reason{9}},
	}
}

func encode(t testing.TB, at time.Time, bodies []Body) []byte {
	t.Helper()
	var records []byte
	for _, b := range bodies {
		var err error
		if records, err = appendRecord(records, b); err != nil {
			t.Fatal(err)
		}
	}
	return appendMessage(nil, at, len(bodies), records)
}

// same compares bodies; a NaN equals a NaN.
func same(a, b Body) bool {
	x, ok := a.(*Interaction)
	y, also := b.(*Interaction)
	if ok && also && math.IsNaN(x.Value) && math.IsNaN(y.Value) {
		x, y := *x, *y
		x.Value, y.Value = 0, 0
		return reflect.DeepEqual(x, y)
	}
	return reflect.DeepEqual(a, b)
}

func TestCodecRoundTrip(t *testing.T) {
	at := time.UnixMilli(1_767_225_600_999).UTC()
	bodies := everything()
	records, err := decodeMessage(nil, encode(t, at, bodies), 7, Seq{})
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(bodies) {
		t.Fatalf("%d records, want %d", len(records), len(bodies))
	}
	for i, r := range records {
		if r.Seq != (Seq{7, uint32(i)}) || !r.Received.Equal(at) || r.Received.Location() != time.UTC {
			t.Errorf("record %d: seq %s received %s", i, r.Seq, r.Received)
		}
		if !same(r.Body, bodies[i]) {
			t.Errorf("record %d: %+v, want %+v", i, r.Body, bodies[i])
		}
	}
	tail, err := decodeMessage(nil, encode(t, at, bodies), 7, Seq{7, 3})
	if err != nil || len(tail) != len(bodies)-4 || tail[0].Seq.Index != 4 {
		t.Fatalf("after 7.3: %d records, first %v, error %v", len(tail), tail, err)
	}
}

func TestCodecRandom(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.Just(""), rapid.StringN(0, 400, -1))
	moment := rapid.Custom(func(t *rapid.T) time.Time { return time.UnixMilli(rapid.Int64().Draw(t, "ms")).UTC() })
	list := rapid.Custom(func(t *rapid.T) []string {
		if l := rapid.SliceOfN(text, 0, 8).Draw(t, "list"); len(l) > 0 {
			return l
		}
		return nil
	})
	body := rapid.Custom(func(t *rapid.T) Body {
		switch rapid.IntRange(1, 7).Draw(t, "kind") {
		case kindItem:
			return &Item{text.Draw(t, "id"), text.Draw(t, "properties")}
		case kindUser:
			return &User{text.Draw(t, "id"), text.Draw(t, "properties")}
		case kindImported:
			return &Imported{text.Draw(t, "dataset"), text.Draw(t, "table"), Mode(text.Draw(t, "mode")), rapid.Int64().Draw(t, "rows"), text.Draw(t, "job")}
		case kindAction:
			return &Action{text.Draw(t, "id"), text.Draw(t, "properties")}
		case kindActionInteraction:
			return &ActionInteraction{text.Draw(t, "event"), text.Draw(t, "user"), text.Draw(t, "session"), text.Draw(t, "action"), text.Draw(t, "type"),
				moment.Draw(t, "at"), text.Draw(t, "properties"), text.Draw(t, "rid"), list.Draw(t, "impression")}
		case kindImpression:
			i := &Impression{RecommendationID: text.Draw(t, "rid"), Campaign: text.Draw(t, "campaign"), Version: text.Draw(t, "version"), User: text.Draw(t, "user"),
				Items: list.Draw(t, "items"), Filter: text.Draw(t, "filter"), Promotion: text.Draw(t, "promotion"), Exploration: rapid.Float32Range(0, 1).Draw(t, "exploration")}
			if n := len(i.Items); n > 0 && rapid.Bool().Draw(t, "chance") {
				i.Reasons = rapid.SliceOfN(rapid.Map(rapid.Byte(), func(b byte) Reason { return Reason(b) }), n, n).Draw(t, "reasons")
				i.Propensities = rapid.SliceOfN(rapid.Float32Range(0, 1), n, n).Draw(t, "propensities")
			}
			return i
		}
		return &Interaction{text.Draw(t, "event"), text.Draw(t, "user"), text.Draw(t, "session"), text.Draw(t, "item"), text.Draw(t, "type"),
			moment.Draw(t, "at"), rapid.Float64().Draw(t, "value"), text.Draw(t, "properties"), text.Draw(t, "rid"), list.Draw(t, "impression"), text.Draw(t, "source")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		bodies := rapid.SliceOfN(body, 1, 20).Draw(rt, "bodies")
		at := moment.Draw(rt, "received")
		records, err := decodeMessage(nil, encode(t, at, bodies), 1, Seq{})
		if err != nil {
			rt.Fatal(err)
		}
		for i := range bodies {
			if !same(records[i].Body, bodies[i]) {
				rt.Fatalf("record %d: %+v, want %+v", i, records[i].Body, bodies[i])
			}
		}
	})
}

func TestCodecDamage(t *testing.T) {
	whole := encode(t, time.UnixMilli(1), everything())
	for n := range whole {
		if _, err := decodeMessage(nil, whole[:n], 1, Seq{}); err == nil {
			t.Fatalf("the first %d of %d bytes were taken for a message", n, len(whole))
		}
	}
	if _, err := decodeMessage(nil, append(bytes.Clone(whole), 0), 1, Seq{}); err == nil {
		t.Fatal("a byte too many was not noticed")
	}
	later := bytes.Clone(whole)
	later[0] = formatVersion + 1
	if _, err := decodeMessage(nil, later, 1, Seq{}); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Fatalf("a later format: %v", err)
	}
	if _, err := appendRecord(nil, &Impression{Items: []string{"a"}, Propensities: []float32{1, 1}}); err == nil {
		t.Fatal("an impression with more propensities than items was encoded")
	}
	if _, err := appendRecord(nil, (*Item)(nil)); err == nil {
		t.Fatal("a nil item was encoded")
	}
}

// FuzzDecode shows that no bytes make the decoder panic, and that what it
// accepts survives another encoding.
func FuzzDecode(f *testing.F) {
	f.Add(encode(f, time.UnixMilli(5), everything()))
	f.Add([]byte{})
	f.Add([]byte{formatVersion, 0, 1, kindInteraction, 0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		records, err := decodeMessage(nil, payload, 1, Seq{})
		if err != nil {
			return
		}
		bodies := make([]Body, len(records))
		for i, r := range records {
			bodies[i] = r.Body
		}
		received, _, _, err := messageHead(payload)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeMessage(nil, encode(t, received, bodies), 1, Seq{})
		if err != nil || len(again) != len(records) {
			t.Fatalf("%d records became %d: %v", len(records), len(again), err)
		}
		for i := range records {
			if !same(records[i].Body, again[i].Body) {
				t.Fatalf("record %d: %+v became %+v", i, records[i].Body, again[i].Body)
			}
		}
	})
}

func typical() *Interaction {
	return &Interaction{EventID: "7f3c0f7e-2b0a-4c8f-9d5e-1a2b3c4d5e6f", User: "user-12345", Session: "session-98765", Item: "item-4321", Type: "Watch",
		At: time.UnixMilli(1_767_225_600_123), Value: math.NaN(), Properties: `{"device":"phone"}`}
}

func BenchmarkDecode(b *testing.B) {
	bodies := make([]Body, 1000)
	for i := range bodies {
		bodies[i] = typical()
	}
	payload := encode(b, time.UnixMilli(1), bodies)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	var buf []Record
	for b.Loop() {
		var err error
		if buf, err = decodeMessage(buf[:0], payload, 1, Seq{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkEncode(b *testing.B) {
	body, buf := typical(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = appendRecord(buf[:0], body)
	}
}

// TestFormatExample keeps docs/format/log.md true.
func TestFormatExample(t *testing.T) {
	got := encode(t, time.UnixMilli(1000), []Body{&Item{ID: "i", Properties: "{}"}})
	want := []byte{0x01, 0xd0, 0x0f, 0x01, 0x02, 0x05, 0x01, 'i', 0x02, '{', '}'}
	if !bytes.Equal(got, want) {
		t.Fatalf("% x, the documentation says % x", got, want)
	}
}

// TestImpressionsOfOldLogs reads the form that impressions had at first, which
// plain ones still have: bytes as they were written then.
func TestImpressionsOfOldLogs(t *testing.T) {
	old := []byte{0x01, 0xd0, 0x0f, 0x01, kindImpression, 0x0d, 1, 'r', 1, 'c', 1, 'v', 1, 'u', 2, 1, 'a', 1, 'b'}
	records, err := decodeMessage(nil, old, 1, Seq{})
	if err != nil {
		t.Fatal(err)
	}
	got, ok := records[0].Body.(*Impression)
	if !ok || got.RecommendationID != "r" || len(got.Items) != 2 || got.Propensity(1) != 1 || got.Reason(1) != ByScore {
		t.Errorf("%+v", records[0].Body)
	}
	if again := encode(t, time.UnixMilli(1000), []Body{got}); !bytes.Equal(again, old) {
		t.Errorf("% x is written as % x now", old, again)
	}
	got.Reasons, got.Propensities = []Reason{Explored, ByScore}, []float32{.125, .75}
	records, err = decodeMessage(nil, encode(t, time.UnixMilli(1000), []Body{got}), 1, Seq{})
	if err != nil {
		t.Fatal(err)
	}
	if again := records[0].Body.(*Impression); again.Propensity(0) != .125 || again.Reason(0) != Explored {
		t.Errorf("%+v", again)
	}
}
