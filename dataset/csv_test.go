package dataset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

type rec struct {
	Fields  []string
	Line    int64
	Problem string
}

// readAll reads text with any reader of it, checking the bound on memory.
func readAll(t testing.TB, r io.Reader) []rec {
	t.Helper()
	c := newCSVReader(r)
	var out []rec
	for {
		fields, line, problem, err := c.next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if cap(c.buf) > maxRecord+2*csvChunk {
			t.Fatalf("buffer of %d bytes", cap(c.buf))
		}
		got := rec{Line: line, Problem: problem}
		for _, f := range fields {
			got.Fields = append(got.Fields, string(f))
		}
		out = append(out, got)
	}
}

func TestCSV(t *testing.T) {
	good := func(line int64, f ...string) rec { return rec{Fields: f, Line: line} }
	bad := func(line int64, problem string) rec { return rec{Line: line, Problem: problem} }
	for _, c := range []struct {
		name, text string
		want       []rec
	}{
		{"empty", "", nil},
		{"plain", "a,b\n1,2\n", []rec{good(1, "a", "b"), good(2, "1", "2")}},
		{"no last newline", "a,b\n1,2", []rec{good(1, "a", "b"), good(2, "1", "2")}},
		{"crlf and empty lines", "a,b\r\n\r\n\n1,\r\n", []rec{good(1, "a", "b"), good(4, "1", "")}},
		{"quotes", `"a ""b""",",",""` + "\n", []rec{good(1, `a "b"`, ",", "")}},
		{"newline in quotes", "x,\"1\r\n2\"\ny,z\n", []rec{good(1, "x", "1\n2"), good(3, "y", "z")}},
		{"bare quote", "a,b\"c\nd,e\n", []rec{bad(1, problemQuote), good(2, "d", "e")}},
		{"text after quote", "a,\"b\"c\nd,e\n", []rec{bad(1, problemAfter), good(2, "d", "e")}},
		{"quote never closed", "a,\"b\nd,e\nf,g", []rec{bad(1, problemOpen), good(2, "d", "e"), good(3, "f", "g")}},
		{"closed at end by cr", "\"a\"\r", []rec{good(1, "a")}},
		{"two bad lines in a row", "\"a\"b\n\"c\"d\ne\n", []rec{bad(1, problemAfter), bad(2, problemAfter), good(3, "e")}},
	} {
		for how, r := range map[string]io.Reader{"whole": strings.NewReader(c.text), "by byte": iotest.OneByteReader(strings.NewReader(c.text))} {
			if got := readAll(t, r); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s, %s: got %+v", c.name, how, got)
			}
		}
	}
}

// TestCSVLongRecords: what is too long is refused without being held, and the lines after it are read.
func TestCSVLongRecords(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	rows := strings.Repeat("1,2\n", 600_000) // 2.4 MB
	for _, c := range []struct {
		name, text string
		problem    string
		good       int
	}{
		{"10 MB line", "a,b\n" + long + "\nc,d\n", problemTooLong, 2},
		{"10 MB line with a quote at its end", "a,b\n" + long + "\"\nc,d\n", problemTooLong, 2},
		{"10 MB quoted field", "a,b\n\"" + long + "\"\nc,d\n", problemTooLong, 2},
		{"last line", "a,b\n" + long, problemTooLong, 1},
		{"open quote before much text", "a,\"b\n" + rows, problemOpen, 600_000},
	} {
		got := readAll(t, strings.NewReader(c.text))
		n := 0
		for _, r := range got {
			if r.Problem == "" {
				n++
			} else if r.Problem != c.problem {
				t.Errorf("%s: line %d %s", c.name, r.Line, r.Problem)
			}
		}
		if n != c.good || len(got) != n+1 {
			t.Errorf("%s: %d good of %d", c.name, n, len(got))
		}
	}
}

func TestCSVResync(t *testing.T) {
	c := newCSVReader(strings.NewReader("a,\"b\nc,d\ne,f\"\ng,h\n"))
	if fields, line, problem, err := c.next(); len(fields) != 2 || line != 1 || problem != "" || err != nil {
		t.Fatal(fields, line, problem, err)
	}
	c.resync()
	fields, line, _, err := c.next()
	if err != nil || line != 2 || string(bytes.Join(fields, []byte("|"))) != "c|d" {
		t.Errorf("%q %d %v", fields, line, err)
	}
}

func TestCSVSourceFails(t *testing.T) {
	broken := errors.New("broken")
	c := newCSVReader(io.MultiReader(strings.NewReader("a,b\n1,2\n"), iotest.ErrReader(broken)))
	var err error
	for err == nil {
		_, _, _, err = c.next()
	}
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

// FuzzCSV holds the reader to encoding/csv wherever that finds the text good,
// and to its bounds everywhere.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\"\"b\",c\r\n", "a,\"b\nc\"\n", "a,b\"c\nd", "\"", "\"\r", "\r\n\r", "a\r\r\n", "\"a\r\nb\",\n\n,", "\ufeffa"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, chunk int) {
		got := readAll(t, &chunked{text, 1 + (chunk&0x7fff)%97})
		std := csv.NewReader(bytes.NewReader(text))
		std.FieldsPerRecord = -1
		var want []rec
		for {
			fields, err := std.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return // not well formed: only the bounds are held
			}
			line, _ := std.FieldPos(0)
			want = append(want, rec{Fields: fields, Line: int64(line)})
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\n got %+v\nwant %+v", text, got, want)
		}
	})
}

// chunked gives n bytes at a time.
type chunked struct {
	rest []byte
	n    int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func BenchmarkCSV(b *testing.B) {
	var text bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&text, "user-%d,item-%d,click,%d\n", i%997, i%311, 1_700_000_000+i)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		c := newCSVReader(bytes.NewReader(text.Bytes()))
		for {
			if _, _, _, err := c.next(); err != nil {
				break
			}
		}
	}
}
