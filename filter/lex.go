package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
)

// tokenKind is what a piece of an expression is.
type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a keyword, or Dataset.FIELD
	tokenText             // "literal"; text is without quotes
	tokenNumber           // -12.5e3
	tokenParam            // $NAME; text is the name
	tokenSign             // ( ) , | * = != < <= > >=
)

type token struct {
	kind tokenKind
	text string
	at   int // byte offset in the expression
}

// shown is the token in an error message.
func (t token) shown() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenText:
		return "the literal " + quote(clip(t.text))
	case tokenParam:
		return "$" + clip(t.text)
	}
	return quote(clip(t.text))
}

// clip keeps a client's text short enough for a message.
func clip(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) > most {
		return string([]rune(s)[:most]) + "…"
	}
	return s
}

// lexer cuts an expression into tokens.
type lexer struct {
	src string
	pos int
}

// fail is an error at a byte offset, told as a character counted from 1. It
// begins with the service's words.
func (l *lexer) fail(at int, format string, args ...any) error {
	return attune.Errorf(attune.Invalid, "Invalid input symbol at character %d: %s",
		utf8.RuneCountInString(l.src[:at])+1, fmt.Sprintf(format, args...))
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// run moves over bytes for which ok holds and returns them.
func (l *lexer) run(ok func(byte) bool) string {
	start := l.pos
	for l.pos < len(l.src) && ok(l.src[l.pos]) {
		l.pos++
	}
	return l.src[start:l.pos]
}

func (l *lexer) next() (token, error) {
	l.run(func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' })
	at := l.pos
	if at == len(l.src) {
		return token{tokenEnd, "", at}, nil
	}
	name := func(c byte) bool { return isLetter(c) || isDigit(c) }
	switch c := l.src[at]; {
	case isLetter(c):
		return token{tokenWord, l.run(func(c byte) bool { return name(c) || c == '.' }), at}, nil
	case c == '$':
		l.pos++
		text := l.run(name)
		if text == "" || len(text) > maxParamName {
			return token{}, l.fail(at, "$ must be followed by the name of a parameter: 1 to %d letters, digits or _", maxParamName)
		}
		return token{tokenParam, text, at}, nil
	case c == '"':
		text, err := l.literal()
		return token{tokenText, text, at}, err
	case isDigit(c) || c == '-' || c == '+' || c == '.':
		text := l.run(func(c byte) bool { return name(c) || c == '.' || c == '-' || c == '+' })
		if _, err := parseNumber(text); err != nil {
			return token{}, l.fail(at, "%s is not a number", quote(clip(text)))
		}
		return token{tokenNumber, text, at}, nil
	case strings.IndexByte("(),|*=", c) >= 0:
		l.pos++
		return token{tokenSign, l.src[at:l.pos], at}, nil
	case c == '<' || c == '>' || c == '!' && strings.HasPrefix(l.src[at:], "!="):
		l.pos++
		if l.pos < len(l.src) && l.src[l.pos] == '=' {
			l.pos++
		}
		return token{tokenSign, l.src[at:l.pos], at}, nil
	case c == '\'':
		return token{}, l.fail(at, "put text in double quotes")
	}
	r, _ := utf8.DecodeRuneInString(l.src[at:])
	return token{}, l.fail(at, "%q has no meaning here", r)
}

// literal reads "text"; inside, \" is a quote and \\ a backslash, and any other backslash is itself.
func (l *lexer) literal() (string, error) {
	at := l.pos
	var b strings.Builder
	for i := at + 1; i < len(l.src); i++ {
		switch c := l.src[i]; c {
		case '"':
			l.pos = i + 1
			return b.String(), nil
		case '\\':
			if i+1 < len(l.src) && (l.src[i+1] == '"' || l.src[i+1] == '\\') {
				i++
			}
			b.WriteByte(l.src[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", l.fail(at, `the text that starts here has no closing "`)
}
