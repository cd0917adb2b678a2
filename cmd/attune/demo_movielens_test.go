package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeFiles makes a folder of invented data; no line is of MovieLens.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// flags100k writes the nineteen genre flags of u.item.
func flags100k(set ...int) string {
	flags := strings.Split(strings.Repeat("0", len(genres100k)), "")
	for _, i := range set {
		flags[i] = "1"
	}
	return strings.Join(flags, "|")
}

func TestReads100k(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"u.item": "1|Caf\xe9 at Noon (1990)|01-Jan-1990||http://example.org/1|" + flags100k(5, 8) + "\n" +
			"2|Two, \"Too\" (1991)|01-Jan-1991||http://example.org/2|" + flags100k() + "\n",
		"u.data": "7\t1\t5\t900000001\n7\t2\t3\t900000002\n8\t2\t4\t900000003\n",
	})
	s, err := movieLens(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantCSV(t, s, "INTERACTIONS", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n7,1,Like,900000001\n8,2,Like,900000003\n")
	wantCSV(t, s, "ITEMS", "ITEM_ID,TITLE,GENRES\n1,Café at Noon (1990),Comedy|Drama\n2,\"Two, \"\"Too\"\" (1991)\",\n")
	if s.user != "7" || s.itemName("1") != "Café at Noon (1990)" {
		t.Errorf("user %q, item 1 is %q", s.user, s.itemName("1"))
	}
}

func TestReadsLatestSmall(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"movies.csv":  "movieId,title,genres\n1,\"Long Road, The (2001)\",Drama|Western\n2,Nothing (2002),(no genres listed)\n",
		"ratings.csv": "userId,movieId,rating,timestamp\n3,1,4.0,1100000000\n3,2,3.5,1100000001\n4,2,4.5,1100000002\n",
	})
	s, err := movieLens(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantCSV(t, s, "INTERACTIONS", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n3,1,Like,1100000000\n4,2,Like,1100000002\n")
	wantCSV(t, s, "ITEMS", "ITEM_ID,TITLE,GENRES\n1,\"Long Road, The (2001)\",Drama|Western\n2,Nothing (2002),\n")
}

func wantCSV(t *testing.T, s *shop, kind, want string) {
	t.Helper()
	var got bytes.Buffer
	if err := s.files[kind](&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("%s:\n%swant\n%s", kind, got.String(), want)
	}
}

// TestRefusesBrokenMovieLens shows that broken files are refused with what and where.
func TestRefusesBrokenMovieLens(t *testing.T) {
	t.Parallel()
	item := "1|One (1990)|01-Jan-1990||http://example.org/1|" + flags100k() + "\n"
	const movies = "movieId,title,genres\n1,One (1990),Drama\n"
	for says, files := range map[string]map[string]string{
		"holds neither":                    {"readme.txt": ""},
		"u.item":                           {"u.item": "1|One (1990)|too few\n", "u.data": "1\t1\t5\t1\n"},
		`["1" "1" "5"]`:                    {"u.item": item, "u.data": "1\t1\t5\n"},
		`"five"`:                           {"u.item": item, "u.data": "1\t1\tfive\t1\n"},
		`"noon"`:                           {"u.item": item, "u.data": "1\t1\t5\tnoon\n"},
		"no rating of 4 or more was found": {"u.item": item, "u.data": "1\t1\t3\t1\n"},
		"movies.csv":                       {"movies.csv": "movieId,title\n1,One\n", "ratings.csv": "userId,movieId,rating,timestamp\n1,1,5,1\n"},
		"ratings.csv is empty":             {"movies.csv": movies, "ratings.csv": ""},
		`parsing "high"`:                   {"movies.csv": movies, "ratings.csv": "userId,movieId,rating,timestamp\n1,1,high,1\n"},
	} {
		dir := writeFiles(t, files)
		_, err := movieLens(dir)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v does not say %q", files, err, says)
		}
	}
}
