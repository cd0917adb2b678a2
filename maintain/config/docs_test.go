package config

import (
	"os"
	"strings"
	"testing"
)

// TestGuideNamesEverything holds the page of the configuration against the form.
func TestGuideNamesEverything(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var look func(f *form)
	look = func(f *form) {
		for _, m := range f.fields {
			if !strings.Contains(string(page), m.name) {
				t.Errorf("docs/configuration.md has no word of %s", m.name)
			}
			if m.form.shape == nil { // members of a service's own structures are its matter
				look(m.form)
			}
		}
		if f.element != nil {
			look(f.element)
		}
	}
	look(file())
	blocks := strings.Split(string(page), "```yaml\n")
	text, _, _ := strings.Cut(blocks[1], "```")
	if c, err := Read([]byte(text), "page.yaml"); err != nil || len(c.Warnings) > 0 {
		t.Errorf("the page's configuration: %v", err)
	}
}

// TestCalls holds the names of calls that the form is made of against what is published.
func TestCalls(t *testing.T) {
	for _, place := range []string{"datasetGroup", "eventTracker"} {
		if f := file().find(place).form.find("serviceConfig").form; f.find("name") == nil {
			t.Errorf("%s has no name", place)
		}
	}
	var look func(f *form, path string)
	look = func(f *form, path string) {
		if f.sort == object && f.element == nil && f.special == plain && len(f.fields) == 0 && f.shape == nil {
			t.Errorf("%s is an object without members", path)
		}
		for _, m := range f.fields {
			if m.supplied && m.instead == "" || m.form == nil {
				t.Errorf("%s.%s has no form or no word", path, m.name)
				continue
			}
			look(m.form, path+"."+m.name)
		}
		if f.element != nil {
			look(f.element, path+"[]")
		}
	}
	look(file(), "")
}
