package sshd

import (
	"errors"
	"strings"
)

var (
	errQuote     = errors.New("a quote is not closed")
	errBackslash = errors.New("a backslash at the end")
)

// splitCommand splits a command line into words as a POSIX shell does: blanks
// and line ends separate, single quotes keep everything, double quotes keep all
// but a backslash before one of "\$`, and a backslash keeps the byte that
// follows it. Nothing is expanded, since there is no shell. A quote that is not
// closed, and a backslash at the end, are errors.
func splitCommand(line string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool // a word has begun, which may be empty
	)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\n', '\r':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case '\\':
			if i++; i == len(line) {
				return nil, errBackslash
			}
			word.WriteByte(line[i])
			inWord = true
		case '\'':
			n := strings.IndexByte(line[i+1:], '\'')
			if n < 0 {
				return nil, errQuote
			}
			word.WriteString(line[i+1 : i+1+n])
			i += n + 1
			inWord = true
		case '"':
			inWord = true
			for i++; ; i++ {
				if i >= len(line) {
					return nil, errQuote
				}
				if line[i] == '"' {
					break
				}
				if line[i] == '\\' && i+1 < len(line) && strings.IndexByte("\"\\$`", line[i+1]) >= 0 {
					i++
				}
				word.WriteByte(line[i])
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
