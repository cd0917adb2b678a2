package model

import (
	"reflect"
	"testing"
)

func TestMembers(t *testing.T) {
	m := Manifest{Parameters: map[string]string{
		"members": "ease,ials,ials#2,session", "weight.ease": "0.5", "weight.ials": "1", "weight.ials#2": "0.5", "weight.session": "0",
		"ials.hidden_dimension": "64", "ials#2.hidden_dimension": "128", "score_scale": "3",
	}}
	want := []Member{
		{"ials", 0.5, map[string]string{"hidden_dimension": "64"}},
		{"ease", 0.25, map[string]string{}},
		{"ials#2", 0.25, map[string]string{"hidden_dimension": "128"}},
	}
	if got := m.Members(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (Manifest{Parameters: map[string]string{"hidden_dimension": "64"}}).Members(); got != nil {
		t.Errorf("a model of one recipe has members %+v", got)
	}
}
