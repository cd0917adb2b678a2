package dataset

import (
	"bytes"
	"errors"
	"io"
)

// encoding/csv is not used for uploads, for two reasons: it puts no bound on a
// record, so that one open quote makes it hold the rest of the file; and after
// such a quote it loses the rest of the file too, where an import must lose one
// record. On well-formed input csvReader gives what encoding/csv gives; a fuzz
// test holds it to that.

const (
	// maxRecord is the longest record, in bytes. Forty textual columns of the
	// longest kind fit; what is longer is an open quote or no CSV at all.
	maxRecord = 1 << 20
	// csvChunk is how much is read at once: large enough that the loop, not the reads, is the cost.
	csvChunk = 256 << 10
)

// What is wrong with a record by its form. The words follow the number of its line.
const (
	problemQuote    = "has a quote inside a field that does not begin with one: write the field in quotes and double the quote"
	problemAfter    = "has text after a closing quote: double the quotes inside a quoted field"
	problemOpen     = "opens a quote that is never closed"
	problemTooLong  = "is longer than 1 MiB"
	problemEncoding = "is not UTF-8: save the file as UTF-8"
	problemFewer    = "has fewer fields than the header"
	problemMore     = "has more fields than the header"
)

// csvReader splits comma-separated text (RFC 4180, LF or CRLF, empty lines
// skipped) into records. It holds at most maxRecord + csvChunk bytes.
type csvReader struct {
	r    io.Reader
	buf  []byte // buf[pos:] is not read yet
	pos  int
	eof  bool
	line int64 // number of the line at pos, from 1

	fields   [][]byte // of the record last given, into buf or unquoted
	unquoted []byte
	// Where to go on when the record last given turns out to be no record:
	// after the first line of it. Offsets into buf, good until the next call.
	second     int
	secondLine int64
}

func newCSVReader(r io.Reader) *csvReader {
	return &csvReader{r: r, line: 1, buf: make([]byte, 0, 2*csvChunk)}
}

// skipMark passes over the byte order mark that spreadsheets put before the
// first header. It is called before the first next.
func (c *csvReader) skipMark() error {
	const mark = "\ufeff"
	for !c.eof && len(c.buf) < len(mark) {
		if err := c.fill(); err != nil {
			return err
		}
	}
	if bytes.HasPrefix(c.buf, []byte(mark)) {
		c.pos = len(mark)
	}
	return nil
}

// next gives the fields of the next record and the number of its first line.
// The fields are good until the next call. A problem is what is wrong with the
// record by its form; then there are no fields and the reader stands at the
// line after the record's first. err is io.EOF at the end or what the source said.
func (c *csvReader) next() (fields [][]byte, line int64, problem string, err error) {
	for {
		end, found := c.lineEnd()
		if !found {
			switch err := c.fill(); {
			case errors.Is(err, errFull):
				line := c.line
				return nil, line, problemTooLong, c.skipLine()
			case err != nil:
				return nil, 0, "", err
			case c.pos == len(c.buf):
				return nil, 0, "", io.EOF
			}
			continue
		}
		raw := trimEnd(c.buf[c.pos:end], c.eof && end == len(c.buf))
		if len(raw) == 0 {
			c.advance(end, 1)
			continue
		}
		line := c.line
		if bytes.IndexByte(raw, '"') < 0 {
			c.split(raw)
			c.second, c.secondLine = end, line+1
			c.advance(end, 1)
			if len(raw) > maxRecord {
				return nil, line, problemTooLong, nil
			}
			return c.fields, line, "", nil
		}
		c.second, c.secondLine = end, line+1
		problem, err := c.quoted()
		if err != nil {
			return nil, 0, "", err
		}
		if problem != "" {
			c.resync()
			return nil, line, problem, nil
		}
		return c.fields, line, "", nil
	}
}

// resync goes back to the line after the first line of the record last given.
// A caller who finds that a record has the wrong number of fields calls it: a
// stray quote had swallowed good lines up to the next quote of the file.
//
// This stays linear: a line with an odd number of quotes closes whatever quote
// is open, so no stretch of lines is read in quotes more than twice.
func (c *csvReader) resync() { c.pos, c.line = c.second, c.secondLine }

// lineEnd is the offset after the next newline, or after the text when it ends
// without one.
func (c *csvReader) lineEnd() (end int, found bool) {
	if i := bytes.IndexByte(c.buf[c.pos:], '\n'); i >= 0 {
		return c.pos + i + 1, true
	}
	return len(c.buf), c.eof && c.pos < len(c.buf)
}

func (c *csvReader) advance(to int, lines int64) {
	c.pos = to
	c.line += lines
}

// trimEnd drops the newline and a carriage return before it. Like encoding/csv
// it also drops a carriage return that ends the whole text.
func trimEnd(line []byte, last bool) []byte {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		n--
		last = true
	}
	if last && n > 0 && line[n-1] == '\r' {
		n--
	}
	return line[:n]
}

// split cuts a line without quotes at its commas.
func (c *csvReader) split(raw []byte) {
	c.fields = c.fields[:0]
	from := 0
	for i, b := range raw {
		if b == ',' {
			c.fields = append(c.fields, raw[from:i])
			from = i + 1
		}
	}
	c.fields = append(c.fields, raw[from:])
}

// quoted reads a record with quotes at pos, which may run over several lines.
// After a problem the reader's place is undefined: resync.
func (c *csvReader) quoted() (problem string, err error) {
	for {
		end, lines, problem, more := c.parse(c.buf[c.pos:])
		if !more {
			if problem == "" && end > maxRecord+2 {
				return problemTooLong, nil
			}
			c.advance(c.pos+end, lines)
			return problem, nil
		}
		if c.eof {
			return problemOpen, nil
		}
		first := c.second - c.pos
		switch err := c.fill(); {
		case errors.Is(err, errFull):
			return problemOpen, nil
		case err != nil:
			return "", err
		}
		c.second = c.pos + first // fill moves the text to the front
	}
}

// parse reads one record at the front of s into fields. end is the offset after
// it and lines how many lines it covers; more means that s is too short to tell.
func (c *csvReader) parse(s []byte) (end int, lines int64, problem string, more bool) {
	c.fields, c.unquoted = c.fields[:0], c.unquoted[:0]
	// Unquoting only shortens, so this buffer never moves while fields point into it.
	if cap(c.unquoted) < len(s) {
		c.unquoted = make([]byte, 0, cap(c.buf))
	}
	i := 0
	for {
		var done bool
		if i < len(s) && s[i] == '"' {
			i, lines, done, problem, more = c.parseQuoted(s, i+1, lines)
		} else {
			i, done, problem, more = c.parseBare(s, i)
		}
		if problem != "" || more {
			return 0, 0, problem, more
		}
		if done {
			return i, lines + 1, "", false
		}
	}
}

// parseBare reads the field without quotes at i; next is the offset after its comma or line end.
func (c *csvReader) parseBare(s []byte, i int) (next int, done bool, problem string, more bool) {
	for j := i; j < len(s); j++ {
		switch s[j] {
		case ',':
			c.fields = append(c.fields, s[i:j])
			return j + 1, false, "", false
		case '\n':
			c.fields = append(c.fields, trimEnd(s[i:j+1], false))
			return j + 1, true, "", false
		case '"':
			return 0, false, problemQuote, false
		}
	}
	if !c.eof {
		return 0, false, "", true
	}
	c.fields = append(c.fields, trimEnd(s[i:], true))
	return len(s), true, "", false
}

// parseQuoted reads the rest of a quoted field, i being after its opening quote.
func (c *csvReader) parseQuoted(s []byte, i int, lines int64) (next int, newlines int64, done bool, problem string, more bool) {
	from := len(c.unquoted)
	for {
		j := bytes.IndexByte(s[i:], '"')
		if j < 0 {
			return 0, 0, false, "", true
		}
		lines += c.take(s[i : i+j])
		i += j + 1
		switch {
		case i == len(s) && !c.eof:
			return 0, 0, false, "", true
		case i < len(s) && s[i] == '"':
			c.unquoted = append(c.unquoted, '"')
			i++
			continue
		}
		c.fields = append(c.fields, c.unquoted[from:len(c.unquoted):len(c.unquoted)])
		switch rest := s[i:]; {
		case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r' && c.eof:
			return len(s), lines, true, "", false
		case rest[0] == ',':
			return i + 1, lines, false, "", false
		case rest[0] == '\n':
			return i + 1, lines, true, "", false
		case len(rest) == 1 && rest[0] == '\r':
			return 0, 0, false, "", true
		case rest[0] == '\r' && rest[1] == '\n':
			return i + 2, lines, true, "", false
		}
		return 0, 0, false, problemAfter, false
	}
}

// take appends quoted text, with CRLF as LF like encoding/csv, and counts its lines.
func (c *csvReader) take(s []byte) (lines int64) {
	for {
		j := bytes.IndexByte(s, '\n')
		if j < 0 {
			c.unquoted = append(c.unquoted, s...)
			return lines
		}
		c.unquoted = append(c.unquoted, trimEnd(s[:j+1], false)...)
		c.unquoted = append(c.unquoted, '\n')
		s = s[j+1:]
		lines++
	}
}

// errFull says that the record at pos fills all the room a record may have.
var errFull = errors.New("record too long")

// fill reads more text behind buf[pos:], moving that to the front first.
func (c *csvReader) fill() error {
	if c.eof {
		return nil
	}
	if len(c.buf)-c.pos > maxRecord {
		return errFull
	}
	n := copy(c.buf, c.buf[c.pos:])
	c.buf, c.pos = c.buf[:n], 0
	if cap(c.buf)-n < csvChunk {
		grown := make([]byte, n, min(2*cap(c.buf), maxRecord+2*csvChunk))
		copy(grown, c.buf)
		c.buf = grown
	}
	// One read may give little (a network reader) or nothing; a reader that
	// gives nothing for ever is the source's fault and is not waited for.
	const emptyReads = 100
	for range emptyReads {
		k, err := c.r.Read(c.buf[n:min(n+csvChunk, cap(c.buf))])
		c.buf = c.buf[:n+k]
		if errors.Is(err, io.EOF) {
			c.eof = true
			return nil
		}
		if err != nil || k > 0 {
			return err
		}
	}
	return io.ErrNoProgress
}

// skipLine forgets text up to and with the next newline, however far that is.
func (c *csvReader) skipLine() error {
	for {
		if end, found := c.lineEnd(); found {
			c.advance(end, 1)
			return nil
		}
		c.pos = len(c.buf)
		if c.eof {
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}
