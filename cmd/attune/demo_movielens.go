package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// positiveRating is the rating from which a user is taken to have liked a film,
// the convention of implicit-feedback experiments on these data.
const positiveRating = 4.0

// genres100k are the nineteen genre flags of u.item, in column order.
var genres100k = []string{"unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
	"Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"}

// film is one item of a MovieLens set.
type film struct{ id, title, genres string }

// like is one positive rating.
type like struct {
	user, item string
	at         int64 // Unix seconds
}

// movieLens reads either layout from a folder.
func movieLens(dir string) (*shop, error) {
	films, likes, err := read100k(dir)
	if errors.Is(err, fs.ErrNotExist) {
		films, likes, err = readLatest(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds neither u.data and u.item (ml-100k) nor ratings.csv and movies.csv (ml-latest-small)", dir)
	}
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, f := range films {
		names[f.id] = f.title
	}
	return &shop{
		name: "movielens", noun: "films",
		itemName: func(id string) string { return names[id] },
		user:     likes[0].user, eventType: "Like",
		filterColumn: "GENRES", filterValue: "Comedy",
		schemas: map[string]string{"INTERACTIONS": interactionsSchema, "ITEMS": filmsSchema},
		files: map[string]func(io.Writer) error{
			"INTERACTIONS": func(w io.Writer) error {
				return writeCSV(w, []string{"USER_ID", "ITEM_ID", "EVENT_TYPE", "TIMESTAMP"}, len(likes), func(i int) []string {
					l := likes[i]
					return []string{l.user, l.item, "Like", strconv.FormatInt(l.at, 10)}
				})
			},
			"ITEMS": func(w io.Writer) error {
				return writeCSV(w, []string{"ITEM_ID", "TITLE", "GENRES"}, len(films), func(i int) []string {
					return []string{films[i].id, films[i].title, films[i].genres}
				})
			},
		},
	}, nil
}

const (
	interactionsSchema = `{"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`
	filmsSchema = `{"type":"record","name":"Items","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
{"name":"ITEM_ID","type":"string"},{"name":"TITLE","type":["null","string"]},{"name":"GENRES","type":["null","string"],"categorical":true}]}`
)

// writeCSV writes a header and n rows.
func writeCSV(w io.Writer, head []string, n int, row func(i int) []string) error {
	out := csv.NewWriter(w)
	if err := out.Write(head); err != nil {
		return err
	}
	for i := range n {
		if err := out.Write(row(i)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// read100k reads u.item (id|title|date||url|19 flags, Latin-1) and u.data
// (user, item, rating, Unix time; tabs).
func read100k(dir string) (films []film, likes []like, err error) {
	err = eachLine(filepath.Join(dir, "u.item"), func(line string) error {
		cells := strings.Split(line, "|")
		if len(cells) != 5+len(genres100k) {
			return fmt.Errorf("u.item: %d cells in %q", len(cells), line)
		}
		var genres []string
		for i, flag := range cells[5:] {
			if flag == "1" {
				genres = append(genres, genres100k[i])
			}
		}
		films = append(films, film{cells[0], latin1(cells[1]), strings.Join(genres, "|")})
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = eachLine(filepath.Join(dir, "u.data"), func(line string) error {
		likes, err = addLike(likes, strings.Split(line, "\t"))
		return err
	})
	return films, likes, someLikes(likes, err)
}

// readLatest reads movies.csv (movieId,title,genres) and ratings.csv
// (userId,movieId,rating,timestamp).
func readLatest(dir string) (films []film, likes []like, err error) {
	err = eachRecord(filepath.Join(dir, "movies.csv"), 3, func(r []string) error {
		films = append(films, film{r[0], r[1], strings.ReplaceAll(r[2], "(no genres listed)", "")})
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = eachRecord(filepath.Join(dir, "ratings.csv"), 4, func(r []string) error {
		likes, err = addLike(likes, r)
		return err
	})
	return films, likes, someLikes(likes, err)
}

// addLike appends a rating of user, item, rating, time when it is positive.
func addLike(likes []like, cells []string) ([]like, error) {
	if len(cells) != 4 {
		return nil, fmt.Errorf("ratings: %d cells in %q, want user, item, rating, time", len(cells), cells)
	}
	rating, err := strconv.ParseFloat(cells[2], 64)
	if err != nil {
		return nil, fmt.Errorf("ratings: %w", err)
	}
	at, err := strconv.ParseInt(cells[3], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("ratings: %w", err)
	}
	if rating < positiveRating {
		return likes, nil
	}
	return append(likes, like{cells[0], cells[1], at}), nil
}

func someLikes(likes []like, err error) error {
	if err == nil && len(likes) == 0 {
		return errors.New("no rating of 4 or more was found")
	}
	return err
}

func eachLine(file string, f func(string) error) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := f(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// eachRecord reads a CSV file of records of a width after its header.
func eachRecord(file string, width int, f func([]string) error) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	records := csv.NewReader(in)
	records.FieldsPerRecord = width
	if _, err := records.Read(); errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is empty: it needs a header line and rows", file)
	} else if err != nil {
		return fmt.Errorf("%s: %w, want %d columns", file, err, width)
	}
	for {
		r, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := f(r); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
}

// latin1 turns ISO 8859-1 bytes into UTF-8.
func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}
