package profile

import (
	"slices"
	"testing"
)

func TestUserIDs(t *testing.T) {
	v := newView(10, newVocabulary())
	v.anonymous("s1")
	v.join("s2", v.user("b"))
	v.user("a")
	v.anonymous("s3")
	v.join("s3", v.user("b"))
	v.user("s1") // a user after all
	if got := v.UserIDs(); !slices.Equal(got, []string{"a", "b", "s1"}) {
		t.Error(got)
	}
}
