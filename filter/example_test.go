package filter_test

import (
	"fmt"
	"slices"

	"github.com/attune-io/attune/filter"
)

// shown gives the shown rows their names.
func shown(mask filter.Bitmap, names []string) (out []string) {
	for row, name := range names {
		if mask.Has(int32(row)) {
			out = append(out, name)
		}
	}
	return out
}

func numberIn(names []string) func(string) (int32, bool) {
	return func(id string) (int32, bool) {
		n := slices.Index(names, id)
		return int32(n), n >= 0
	}
}

// Actions for a user: what they did with actions, and who they are.
func Example_actions() {
	names := []string{"trial", "loyalty card", "newsletter"}
	actions, users := filter.NewColumns(), filter.NewColumns()
	actions.Set(0, "VALUE", 5)
	actions.Set(1, "VALUE", 12)
	users.Set(7, "MEMBERSHIP", "gold")

	e, err := filter.Parse(`EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("taken") | EXCLUDE ActionID WHERE Actions.VALUE > $MOST IF CurrentUser.MEMBERSHIP = "gold"`)
	if err != nil {
		fmt.Println(err)
		return
	}
	bound, err := e.Bind(filter.ActionID, map[string]string{"MOST": "10"})
	if err != nil {
		fmt.Println(err)
		return
	}
	mask := bound.Mask(&filter.Scene{
		Rows: actions, N: len(names), RowOf: numberIn(names),
		History: []filter.Seen{{Row: 2, Type: 0}}, TypeName: func(uint16) string { return "Taken" },
		User: filter.Row{ID: "ann", Table: users, Number: 7},
	}, nil)
	fmt.Println(shown(mask, names))
	// Output: [trial]
}

// Users for a segment: each user's own events, by the user's row. One mask
// serves any number of users; a job takes them a part at a time, and each line
// of its input may bring values of its own.
func Example_users() {
	names := []string{"ann", "bob", "cy"}
	users := filter.NewColumns()
	users.Set(0, "AGE", 17)
	users.Set(1, "AGE", 40)
	types := []string{"View", "Purchase"}

	e, err := filter.Parse(`INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("purchase") | EXCLUDE UserID WHERE Users.AGE < $AGE`)
	if err != nil {
		fmt.Println(err)
		return
	}
	scene := filter.Scene{
		Rows: users, N: len(names), RowOf: numberIn(names),
		History:  []filter.Seen{{Row: 0, Type: 1}, {Row: 1, Type: 0}, {Row: 1, Type: 1}, {Row: 2, Type: 1}},
		TypeName: func(n uint16) string { return types[n] },
	}
	var mask filter.Bitmap
	for _, age := range []string{"18", "50"} {
		bound, err := e.Bind(filter.UserID, map[string]string{"AGE": age})
		if err != nil {
			fmt.Println(err)
			return
		}
		mask = bound.Mask(&scene, mask)
		fmt.Println(age, shown(mask, names))
	}
	// Output:
	// 18 [bob cy]
	// 50 [cy]
}
