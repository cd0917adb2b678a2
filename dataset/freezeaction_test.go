package dataset

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// chose is one event of PutActionInteractions.
func chose(user, session, action, typ string, at int) *event.ActionInteraction {
	return &event.ActionInteraction{User: user, Session: session, Action: action, Type: typ, At: second(at)}
}

func toldActions(s *Snapshot) string {
	var out []string
	e := s.ActionEvents
	for i := range e.Len() {
		out = append(out, fmt.Sprintf("%s/%s@%d %s", s.Users.ID(e.User[i]), s.Actions.ID(e.Item[i]), (e.At[i]-epoch.UnixMilli())/1000, e.Types[e.Type[i]]))
	}
	return strings.Join(out, ", ")
}

func TestFreezeActions(t *testing.T) {
	s := newStore(t)
	actions, err := schema.Parse(`{"type":"record","name":"Actions","fields":[{"name":"ACTION_ID","type":"string"},
		{"name":"VALUE","type":["null","long"]},{"name":"LEVEL","type":["null","string"],"categorical":true}]}`)
	if err != nil {
		t.Fatal(err)
	}
	happened, err := schema.Parse(`{"type":"record","name":"Action_interactions","fields":[{"name":"USER_ID","type":"string"},{"name":"ACTION_ID","type":"string"},
		{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	table := importTable(t, s, "table/x/actions", schema.Actions, actions, "ACTION_ID,VALUE,LEVEL\njoin,5,gold|silver\nquit,,\n")
	rows := importTable(t, s, "table/x/happened", schema.ActionInteractions, happened,
		fmt.Sprintf("USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\nv,join,TAKEN,%d\nv,join,TAKEN,%d\n", epoch.Unix()+7, epoch.Unix()+7))
	again := chose("u", "s", "join", "Viewed", 3)
	again.EventID = "e"
	for _, c := range []struct {
		name   string
		bodies []event.Body
		want   string
	}{
		{"sorted, types without case, an event id once", []event.Body{chose("u", "s", "quit", "Taken", 2), again, again, chose("u", "s", "join", "taken", 1)},
			"u/join@1 Taken, u/quit@2 Taken, u/join@3 Viewed"},
		{"imports", []event.Body{imported("ACTION_INTERACTIONS", rows, event.Full, "j1"), imported("ACTION_INTERACTIONS", rows, event.Incremental, "j2")}, "v/join@7 TAKEN"},
		{"cleared", []event.Body{chose("u", "s", "quit", "Taken", 2), imported("ACTION_INTERACTIONS", "", event.Cleared, "d"), chose("w", "s2", "join", "Viewed", 4)}, "w/join@4 Viewed"},
		{"clearing the others leaves them", []event.Body{chose("u", "s", "quit", "Taken", 2), view("u", "x", 1), imported("INTERACTIONS", "", event.Cleared, "d")}, "u/quit@2 Taken"},
		{"a session is of the first user seen in it, whatever they did", []event.Body{chose("", "s", "quit", "Viewed", 1),
			&event.Interaction{User: "u", Session: "s", Item: "x", At: second(2)}, chose("w", "s", "join", "Viewed", 3)}, "u/quit@1 Viewed, w/join@3 Viewed"},
		{"but for what was cleared", []event.Body{&event.Interaction{User: "u", Session: "s", Item: "x", At: second(2)}, imported("INTERACTIONS", "", event.Cleared, "d"),
			chose("", "s", "quit", "Viewed", 1)}, "s/quit@1 Viewed"},
	} {
		snap := mustFreeze(t, s, FreezeSpec{}, append(c.bodies, imported("ACTIONS", table, event.Full, "a"), &event.Action{ID: "quit", Properties: `{"value": 3}`})...)
		if got := toldActions(snap); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if got := fmt.Sprint(snap.Actions.IDs(), snap.ActionAttributes.Row(0), snap.ActionAttributes.Row(1)); got != "[join quit] map[LEVEL:gold|silver VALUE:5] map[VALUE:3]" {
			t.Errorf("%s: actions %s", c.name, got)
		}
		if c.name == "cleared" && fmt.Sprint(snap.Users.IDs()) != "[w]" {
			t.Errorf("users %v, want only w", snap.Users.IDs())
		}
	}
}

// TestPlainFormat: a group without actions is stored as it was before there were any.
func TestPlainFormat(t *testing.T) {
	s := newStore(t)
	for format, bodies := range map[int][]event.Body{
		formatPlain:   {view("a", "x", 1)},
		formatActions: {view("a", "x", 1), chose("a", "s", "join", "Viewed", 2)},
	} {
		snap := mustFreeze(t, s, FreezeSpec{}, bodies...)
		info, err := ReadInfo(t.Context(), s, snap.Name)
		if err != nil {
			t.Fatal(err)
		}
		there, err := s.Exists(t.Context(), snap.Name+"/"+actionsFile)
		if err != nil || info.Format != format || there != (format == formatActions) || snap.Digest() != info.Digest {
			t.Errorf("format %d, want %d; actions file %v; digest %s and %s; error %v", info.Format, format, there, snap.Digest(), info.Digest, err)
		}
	}
}
